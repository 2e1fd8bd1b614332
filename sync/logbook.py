"""What the program did on a shelf, in a file that people can give to an IT team: `logs/hubshelf.log`.

Times, names of events, numbers and stable codes; nothing else can be written here. Whatever is not such a word is
left out where it would be written, so that no title, address, path or text of anybody gets in by mistake. The file
is its owner's alone, and bounded: it turns over at 256 KB, and three older ones are kept.
"""

from __future__ import annotations

import logging
import os
import re
import time
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

FOLDER, FILE = "logs", "hubshelf.log"
_BYTES = 256 * 1024
_OLDER = 3
_WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+){0,5}")
_LONGEST = 40
"""Characters of a code. The stable codes of this program and of the wire are all such words."""
LEFT_OUT = "?"
Fact = str | int | float | bool | None


class Logbook:
    """The log of one shelf. Each line opens the file anew: several programs may write it, and turn it over."""

    def __init__(self, home: Path) -> None:
        self.path = home / FOLDER / FILE

    def note(self, event: str, **facts: Fact) -> None:
        """Write a line: an event and its facts, numbers and codes. Never fails, and keeps nobody waiting."""
        words = [
            _safe(event),
            *(f"{_safe(name)}={_safe(value)}" for name, value in facts.items() if value is not None),
        ]
        with suppress(OSError, ValueError):
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            file = _Turning(self.path, maxBytes=_BYTES, backupCount=_OLDER, encoding="ascii", delay=True)
            try:
                file.setFormatter(_Line("%(asctime)s %(process)d %(message)s"))
                file.handle(logging.makeLogRecord({"msg": " ".join(words), "process": os.getpid()}))
            finally:
                file.close()

    def last(self, lines: int) -> list[str]:
        """Return the newest lines, the oldest of them first."""
        try:
            with self.path.open("rb") as source:
                source.seek(max(0, self.path.stat().st_size - lines * 200))
                return source.read(lines * 200).decode("ascii", "replace").splitlines()[-lines:]
        except OSError:
            return []


class _Line(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        del datefmt
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))


class _Turning(RotatingFileHandler):
    """Made for its owner alone; what the disk refuses is passed over."""

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(handle, "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:
        del record


def _safe(value: Fact) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:.6g}" if isinstance(value, float) else str(value)[:20]
    word = str(value).replace("_", "-")
    return word if len(word) <= _LONGEST and _WORD.fullmatch(word) else LEFT_OUT
