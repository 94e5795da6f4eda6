#!/bin/sh
# Make the virtual environment of ReadFirst:  scripts/venv.sh FOLDER
#
# The Python is $PYTHON if that is given, else the first of python3, python3.13, python3.12 and
# python3.11 that runs and fits. A folder that is there stays if its Python runs, fits and is
# $PYTHON's. Exits with 2, and says what to do, where no virtual environment can be made.
set -eu
folder=$1

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
identity='import os, sys; print(*sys.version_info[:3], os.path.realpath(sys.base_prefix))'
version='import platform; print(platform.python_version())'
# What TensorFlow and others have wheels for. Prints what is missing.
platform='
import platform, sys, sysconfig
machine = platform.machine()
if sys.platform == "darwin" and machine != "arm64":
    print("macOS with a Python for Intel processors: TensorFlow is no longer made for it")
elif sys.platform not in ("linux", "darwin"):
    print(platform.system() + ", but on Linux (on Windows: in WSL) and on macOS")
elif machine not in ("x86_64", "aarch64", "arm64") or sys.maxsize < 2**32:
    print(machine + ": TensorFlow is made for 64-bit x86 and ARM processors")
elif "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")):
    print("Linux without glibc, as Alpine is: TensorFlow is not made for it")
'

# A command of that name may be there and still not run, as the shims of pyenv.
holds() { "$1" -c "$2" >/dev/null 2>&1; }
tell() { "$1" -c "$2" 2>/dev/null; }
fail() { printf '%s\n' "$@" >&2; exit 2; }

lacking_venv() {
    minor=$(tell "$1" 'import sys; print("%d.%d" % sys.version_info[:2])')
    fail "Python $(tell "$1" "$version") ($1) cannot make virtual environments: its ensurepip is missing." \
        "On Debian and Ubuntu install it by: apt install python$minor-venv"
}

# The Python to take, in $python.
choose() {
    if [ -n "${PYTHON:-}" ]; then
        holds "$PYTHON" '' || fail "PYTHON=$PYTHON does not run."
        holds "$PYTHON" "$fits" || fail "ReadFirst needs Python 3.11, 3.12 or 3.13. \
PYTHON=$PYTHON is $(tell "$PYTHON" "$version")."
        holds "$PYTHON" 'import ensurepip, venv' || lacking_venv "$PYTHON"
        python=$PYTHON
        return
    fi
    without=
    for python in python3 python3.13 python3.12 python3.11; do
        holds "$python" "$fits" || continue
        holds "$python" 'import ensurepip, venv' && return
        without=${without:-$python}
    done
    [ -z "$without" ] || lacking_venv "$without"
    fail "ReadFirst needs Python 3.11, 3.12 or 3.13, and none was found." \
        "Install one, or name it: make PYTHON=/path/to/python …"
}

present=$folder/bin/python
if holds "$present" "$fits" && holds "$present" 'import pip'; then
    [ -n "${PYTHON:-}" ] || exit 0
    choose
    [ "$(tell "$python" "$identity")" != "$(tell "$present" "$identity")" ] || exit 0
else
    choose
fi

unsupported=$(tell "$python" "$platform")
[ -z "$unsupported" ] || fail "ReadFirst does not run on $unsupported."

echo "Making $folder with Python $(tell "$python" "$version")"
rm -rf "$folder"
"$python" -m venv "$folder"
