#!/usr/bin/env bash
# Puts Hubshelf into the menu of this person's desktop and lets it open hubshelf:// links (freedesktop.org systems).
# Usage: desktop_entry.sh [PROGRAM]   PROGRAM, where it is not given: hubshelf beside this script (in the packed folder),
# else .venv/bin/hubshelf of this checkout
set -euo pipefail
here=$(dirname "$(realpath "$0")")
if [ -d "$here/share" ]; then
  usual=$here/hubshelf entry=$here/share/applications/hubshelf.desktop icon=$here/share/icons/hicolor/scalable/apps/hubshelf.svg
else
  usual=$here/../.venv/bin/hubshelf entry=$here/hubshelf.desktop icon=$here/hubshelf.svg
fi
program=$(realpath "${1:-$usual}")
data=${XDG_DATA_HOME:-$HOME/.local/share}
if [ ! -x "$program" ]; then
  echo "There is no program at $program; run 'make install' first." >&2
  exit 1
fi
# Desktop Entry Specification, "The Exec key": these mean something between its quotes, or are field codes.
case $program in
  *[\"\`\$\\%]*)
    echo "The folder of the program has a sign in its name that desktops do not take: $program" >&2
    exit 1 ;;
esac
mkdir -p "$data/applications" "$data/icons/hicolor/scalable/apps"
while IFS= read -r line; do
  case $line in
    Exec=*) echo "Exec=\"$program\" ${line#Exec=hubshelf }" ;;
    TryExec=*) echo "TryExec=$program" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < "$entry" > "$data/applications/hubshelf.desktop"
cp "$icon" "$data/icons/hicolor/scalable/apps/hubshelf.svg"
if command -v update-desktop-database >/dev/null; then update-desktop-database -q "$data/applications" || true; fi
if command -v xdg-mime >/dev/null; then xdg-mime default hubshelf.desktop x-scheme-handler/hubshelf || true; fi
echo "Hubshelf is in the menu, and opens links that begin with hubshelf://"
