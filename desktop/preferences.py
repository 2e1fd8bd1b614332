"""How the window looks on this computer: read before any store is opened, so that the window paints at once.

Kept in `window.json` in the home folder; what concerns the content (languages and themes to keep, drafts,
bookmarks) is in own.db. A missing or unreadable file means the defaults: nothing in it is worth an error.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "window.json"


@dataclass
class Preferences:
    """The choices; sizes in per cent, the window's in device-independent pixels (0: not chosen)."""

    language: str = ""
    scheme: str = "system"
    scale: int = 100
    reading_scale: int = 100
    introduced: bool = False
    width: int = 0
    height: int = 0
    maximised: bool = False
    seen: str = ""
    notify: bool = True
    notify_titles: bool = False
    stay_in_tray: bool = False
    told_of_tray: bool = False

    @staticmethod
    def load(home: Path) -> Preferences:
        """The preferences of `home`; never fails."""
        try:
            found = json.loads((home / FILE).read_text("utf-8"))
        except (OSError, ValueError):
            return Preferences()
        known = {f.name: type(getattr(Preferences(), f.name)) for f in fields(Preferences)}
        good = {k: v for k, v in found.items() if type(v) is known.get(k)} if isinstance(found, dict) else {}
        return Preferences(**good)

    def save(self, home: Path) -> bool:
        """Write them whole or not at all; False when the disk would not take them (the window goes on)."""
        try:
            home.mkdir(parents=True, exist_ok=True)
            temporary = home / f"{FILE}.{os.getpid()}.part"
            temporary.write_text(json.dumps(asdict(self)), "utf-8")
            os.replace(temporary, home / FILE)
        except OSError:
            return False
        return True
