"""Attachments as the window shows them: what each costs, how far each is, and taking files into the shelf."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.amounts import date, duration, size
from desktop.error_words import KnownError, words_for, words_of_refusal
from desktop.shelf import Shelf
from desktop.widgets.cards import Badge
from desktop.words import _, isolate, ngettext


@dataclass(frozen=True)
class Taken:
    """What became of files that were chosen: those copied (as an outbox body names them), why others were not."""

    copied: tuple[dict[str, Any], ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Attached:
    """A file that something names. `state`: waiting, sending, delivered, attention, or "" for the hub's own.

    `size` and `done` in bytes; `here`: this computer has its bytes; `why`: what went wrong, in words; `carried`:
    when it was left on a stick (UTC), "" for never.
    """

    hash: str
    name: str
    size: int
    media_type: str
    here: bool
    state: str = ""
    done: int = 0
    why: str = ""
    carried: str = ""


def take(shelf: Shelf, sources: Sequence[Path], names: Iterable[str], room: int) -> Taken:
    """Copy files into the shelf's own folder, as many as `room`; what cannot be attached is told, and nothing else
    is stopped by it. `names`: hashes that are attached already.

    Raises CacheError where the disk refuses.
    """
    from resources_cache.attachments import Attachments, NotAttachable, open_files
    from sync.protocol.uploads import FILE, PER_OPERATION

    queue = Attachments.of(shelf.own, open_files(shelf.path, FILE))
    known = set(names)
    copied: list[dict[str, Any]] = []
    refused: list[str] = []
    for source in sources:
        name = isolate(source.name)
        if len(copied) >= room:
            words = _("{name}: {count} files are attached already; send the others with a reply.")
            refused.append(words.format(name=name, count=PER_OPERATION))
            continue
        try:
            one = queue.take(source)
        except NotAttachable as error:
            refused.append(_why_not(source, name, FILE) or f"{name}: {words_for(error).sentence}")
            continue
        if one.hash not in known:
            known.add(one.hash)
            copied.append(one.to_json())
    return Taken(tuple(copied), tuple(refused))


def _why_not(source: Path, name: str, most: int) -> str:
    try:
        if source.is_dir():
            return _("{name} is a folder: attach the files in it.").format(name=name)
        count = source.stat().st_size
    except OSError:
        return _("{name} cannot be read.").format(name=name)
    if not count:
        return _("{name} is empty.").format(name=name)
    if count > most:
        words = _("{name} has {size}; at most {most} can be attached.")
        return words.format(name=name, size=size(count), most=most_words())
    return ""


def uploads_of(shelf: Shelf, body: dict[str, Any]) -> list[Attached]:
    """The attachments that an item of the outbox names, and how far each is."""
    if not body.get("attachments"):
        return []
    from resources_cache.attachments import Attachments, open_files
    from sync.protocol.uploads import FILE

    queue = Attachments.of(shelf.own, open_files(shelf.path, FILE))
    kinds = {one["hash"]: str(one.get("media_type") or "") for one in body["attachments"]}
    return [
        Attached(
            one.hash, one.name, one.size, kinds[one.hash], queue.files.has(one.hash), one.state, one.done,
            _problem(one.problem) if one.problem else "", one.carried or "",
        )
        for one in queue.of_body(body)
    ]  # fmt: skip


def most_words() -> str:
    """The most that one file may have, rounded down to what people remember."""
    from sync.protocol.uploads import FILE

    return _("{count} MB").format(count=FILE >> 20)


def _problem(problem: dict[str, Any]) -> str:
    words = words_of_refusal(problem)
    return f"{words.sentence} {words.next_step}" if words else str(problem.get("title") or "")


def try_again(shelf: Shelf, hash_: str) -> None:
    """Offer a file once more that the hub did not take, from its beginning."""
    from resources_cache.attachments import Attachments, open_files
    from sync.protocol.uploads import FILE

    Attachments.of(shelf.own, open_files(shelf.path, FILE)).retry(hash_)


def path_of(shelf: Shelf, hash_: str) -> Path:
    """Where this computer's copy of an attachment is: among the person's own, or among what was downloaded.

    Raises NotFound.
    """
    from resources_cache.attachments import open_files
    from sync.protocol.uploads import FILE

    own = open_files(shelf.path, FILE)
    return own.path(hash_) if own.has(hash_) else shelf.files.path(hash_)


def cost_words(count: int, rate: float) -> str:
    """What sending `count` bytes costs: `1.2 MB, about 4 min`."""
    return f"{size(count)}, {duration(count / rate)}"


def state_words(one: Attached) -> str:
    """How far an attachment is, in words."""
    if one.state == "delivered":
        return _("arrived at the hub")
    if one.carried and not one.done and one.state in ("waiting", "sending"):
        return _("left on a stick on {day}, not yet confirmed").format(day=date(one.carried))
    if one.state == "sending":
        return _("{percent} % sent").format(percent=percent(one.done, one.size))
    if one.state == "attention":
        return one.why or _("needs your attention")
    return _("waits for a connection") if one.state else ""


def percent(done: int, total: int) -> int:
    """Whole per cent; 100 only when all is done."""
    return 100 if done >= total else min(99, 100 * done // max(1, total))


def badge(uploads: Sequence[Attached]) -> Badge | None:
    """The files of one item in a list: how many, and how far they are; None where there are none."""
    if not uploads:
        return None
    count = len(uploads)
    words = ngettext("{count} file", "{count} files", count).format(count=count)
    if any(one.state == "attention" for one in uploads):
        return Badge(_("{files}: one needs you").format(files=words), "warn", "attention")
    total = sum(one.size for one in uploads)
    done = sum(one.size if one.state == "delivered" else one.done for one in uploads)
    if any(one.state == "sending" for one in uploads) or 0 < done < total:
        told = _("{files}: {percent} % sent").format(files=words, percent=percent(done, total))
        return Badge(told, "accent", "send")
    return Badge(words, "good" if done >= total else "muted", "file")


def told(error: KnownError) -> str:
    """What a failure of the disk means, in one line."""
    words = words_for(error)
    return f"{words.sentence} {words.next_step}"
