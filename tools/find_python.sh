#!/usr/bin/env bash
# Print the interpreter to build the environment with: the one asked for, or the first that fits.
set -euo pipefail
wanted=${1:-python3.13 python3.12 python3.11 python3}

fits() {
    "$1" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

for candidate in $wanted; do
    if fits "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done
echo "facekit needs Python 3.11, 3.12 or 3.13 with the module venv; tried: $wanted." >&2
echo "On Debian: sudo apt-get install python3-venv. Elsewhere: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
