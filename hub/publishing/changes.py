"""The changes of each run, kept beside what is served, so that longer runs are composed of shorter ones.

They are the hub's own (`publishing/changes` in its home) and can be done without: where one is missing, longer
runs are not made until enough new ones are there.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from backports import zstd

from sync.protocol.segments import Change, change_line, stream_line

_LEVEL = 6


def lines_of(changes: Iterable[Change]) -> Iterator[bytes]:
    """Yield changes as the lines of segments, the name of each stream before its changes."""
    here = ""
    for stream, change in changes:
        if stream != here:
            here = stream
            yield stream_line(stream)
        yield change_line(change)


def keep(home: Path, epoch: int, feed: str, start: int, end: int, lines: Iterable[bytes]) -> None:
    """Keep the lines of the run from version `start` to `end`."""
    path = _path(home, epoch, feed, start, end)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_bytes(zstd.compress(b"\n".join(lines), _LEVEL))
    temporary.replace(path)


def kept(home: Path, epoch: int, feed: str, start: int, end: int) -> list[Change] | None:
    """Return the changes of a run, None where they are not there or cannot be read."""
    try:
        raw = zstd.decompress(_path(home, epoch, feed, start, end).read_bytes())
    except (OSError, zstd.ZstdError):
        return None
    found: list[Change] = []
    stream = ""
    for line in raw.split(b"\n"):
        if line.startswith(b"@"):
            stream = line[1:].decode()
        elif line:
            found.append((stream, json.loads(line)))
    return found


def drop(home: Path, epoch: int, feed: str, start: int, end: int) -> None:
    """Forget the changes of a run."""
    _path(home, epoch, feed, start, end).unlink(missing_ok=True)


def drop_feed(home: Path, epoch: int, feed: str) -> None:
    """Forget all changes of a feed."""
    shutil.rmtree(_path(home, epoch, feed, 0, 0).parent, ignore_errors=True)


def drop_other_epochs(home: Path, epoch: int) -> None:
    """Forget the changes of every epoch but this one."""
    folder = home / "publishing" / "changes"
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name != str(epoch):
            shutil.rmtree(path, ignore_errors=True)


def _path(home: Path, epoch: int, feed: str, start: int, end: int) -> Path:
    return home / "publishing" / "changes" / str(epoch) / feed.replace("/", "~") / f"{start}-{end}.zst"
