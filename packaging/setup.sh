#!/usr/bin/env bash
# Prepares .venv and the system libraries that Qt needs; does nothing where both are in place.
# Usage: packaging/setup.sh [--no-qt | --tests]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv
stamp=$venv/.ready

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Hubshelf needs Python 3.11 or newer; set PYTHON=/path/to/python3 if it is not the first one found." >&2
  exit 1
fi

as_root() { # runs a command as root, or says which command a person has to run
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo "$@"
  elif command -v sudo >/dev/null && [ -t 0 ]; then sudo "$@"
  else
    echo "Something of the system is missing. Please run this once as an administrator, then try again:" >&2
    echo "  $*" >&2
    exit 1
  fi
}

apt_install() {
  if ! command -v apt-get >/dev/null; then
    echo "Please install what corresponds to these Debian packages, then try again: $*" >&2
    exit 1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 || {
    as_root apt-get update -q >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
  }
}

if [ "${1:-}" = --tests ]; then # programs that some tests talk to; those are passed over where they cannot be had
  missing=()
  for tool in tinyproxy osslsigncode; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt_install "${missing[@]}" >/dev/null 2>&1 || echo "Not to be had, so some tests are passed over: ${missing[*]}" >&2
  fi
  exit 0
fi

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  apt_install python3-venv
fi

wanted=$(cat pyproject.toml constraints.txt packaging/setup.sh | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  echo "Preparing $venv (once; a few minutes on a slow link) …" >&2
  [ -x $venv/bin/python ] || "$python" -m venv $venv
  $venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[desktop,hub,dev]' >&2
fi

# Qt tells itself what it lacks: a trial start costs less than a list of packages that differs by distribution.
if [ "${1:-}" != --no-qt ]; then
  probe='import os; os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6 import QtGui, QtPdf, QtWidgets
app = QtWidgets.QApplication([])
raise SystemExit(0 if QtGui.QFontDatabase.families() else "no fonts")'
  if ! $venv/bin/python -c "$probe" >/dev/null 2>&1; then
    apt_install libglib2.0-0 libgl1 libegl1 libxkbcommon0 libfreetype6 libfontconfig1 libdbus-1-3 fonts-dejavu-core
    $venv/bin/python -c "$probe" >&2 || { echo "Qt cannot start; the lines above say why." >&2; exit 1; }
  fi
  if [ -n "${DISPLAY:-}" ]; then
    plugin=$($venv/bin/python -c 'import PySide6, pathlib; print(pathlib.Path(PySide6.__file__).parent / "Qt/plugins/platforms/libqxcb.so")')
    if ldd "$plugin" 2>/dev/null | grep -q 'not found'; then
      apt_install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 \
        libxcb-render-util0 libxcb-image0
    fi
  fi
fi
echo "$wanted" > "$stamp"
