#!/usr/bin/env bash
# Installs fpie, a peer of `make bench`, with its compiled backends: benchmarks/install_fpie.sh PYTHON
# Its build fetches pybind11 by git, and quietly leaves the backends out where that fails; here it gets the installed
# one. It goes without its dependencies, since they would write a third cv2 over the two that facekit pins.
set -euo pipefail

python=$(realpath -s "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary fpie --dest "$folder" fpie==0.3.4
tar -xzf "$folder"/fpie-*.tar.gz -C "$folder" --strip-components=1
mkdir "$folder/pybind11"
cat > "$folder/pybind11/CMakeLists.txt" << 'END'
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(pybind11 REQUIRED CONFIG)
END
pybind11_DIR=$("$python" -m pybind11 --cmakedir) \
    PYTHONWARNINGS=ignore "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-cache-dir "$folder"
