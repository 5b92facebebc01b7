#!/usr/bin/env bash
# MediaPipe's native library needs two graphics libraries that a bare machine may lack. libseccomp holds
# walls of a cell; without it all else works. Root gets them installed; anybody else is told what to install.
set -euo pipefail
[[ $(uname) == Linux ]] || exit 0

known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
needed=() wished=()
[[ $known == *libGLESv2.so.2* ]] || needed+=(libgles2)
[[ $known == *libEGL.so.1* ]] || needed+=(libegl1)
[[ $known == *libseccomp.so.2* ]] || wished+=(libseccomp2)
missing=("${needed[@]}" "${wished[@]}")
[[ ${#missing[@]} -gt 0 ]] || exit 0

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update || [[ ${#needed[@]} -eq 0 ]]
    if [[ ${#needed[@]} -gt 0 ]]; then
        apt-get -qq install -y --no-install-recommends "${needed[@]}" >/dev/null
    fi
    if [[ ${#wished[@]} -gt 0 ]] && ! apt-get -qq install -y --no-install-recommends "${wished[@]}" >/dev/null; then
        echo "${wished[*]} could not be installed: cells will need allow_weak_cell=True" >&2
    fi
    exit 0
fi
if [[ ${#wished[@]} -gt 0 ]]; then
    echo "cells lack walls without ${wished[*]}; on Debian: sudo apt-get install ${wished[*]}" >&2
fi
if [[ ${#needed[@]} -gt 0 ]]; then
    echo "graphics libraries are missing; on Debian: sudo apt-get install ${needed[*]}" >&2
    exit 1
fi
