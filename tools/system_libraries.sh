#!/usr/bin/env bash
# MediaPipe's native library needs two graphics libraries that a bare machine may lack.
# Root gets them installed; anybody else is told what to install.
set -euo pipefail
[[ $(uname) == Linux ]] || exit 0

known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
missing=()
[[ $known == *libGLESv2.so.2* ]] || missing+=(libgles2)
[[ $known == *libEGL.so.1* ]] || missing+=(libegl1)
[[ ${#missing[@]} -gt 0 ]] || exit 0

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "graphics libraries are missing; on Debian: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
