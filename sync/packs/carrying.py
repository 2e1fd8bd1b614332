"""What a shelf carries on for others, in the folder `carry` of its home: a pack that came, and sealed messages.

Of the content only what the verified index names is kept. Sealed messages are kept as they are: nobody here can
open them. The folder is a pack itself, so that giving on is copying.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from resources_cache.own import Own
from sync.cancel import Cancel
from sync.home import Home
from sync.packs.watched import Watched
from sync.protocol import packs
from sync.protocol.by_hand import is_envelope, newer_answer
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_volumes import FolderVolume
from sync.protocol.pack_writing import Pack, Told, write
from sync.protocol.packs import Contained, Verified, Volume
from sync.protocol.trust import pin
from sync.report import Progress, ProgressCallback

_FOLDER = "carry"
KEPT = "carry"
"""The `stream` of a `Progress` while what came is kept to be given on."""


def store(home: Home) -> FolderVolume:
    """The folder; it need not be there."""
    return FolderVolume(home.path / _FOLDER)


def keeps(home: Home) -> bool:
    """Whether this shelf gives on what comes by pack."""
    return store(home).size(packs.HEAD) is not None


def keep(
    home: Home,
    volume: Volume,
    verified: Verified,
    everything: Contained,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
) -> None:
    """Keep a verified pack to be given on; what is no longer named goes. Raises PackNoRoom, PackUnwritable,
    Cancelled; what was kept before is whole then."""
    source = Watched(volume, cancel)
    pack = Pack(verified, [(source, list(everything.entries.values()))], feeds=everything.feeds)
    write(pack, store(home), told_as(progress, KEPT), there=store(home))


def told_as(progress: ProgressCallback | None, stream: str = "") -> Told | None:
    """Return what tells a writer's bytes as the progress of a sync."""
    if progress is None:
        return None
    return lambda done, total: progress(Progress("files", done, total, stream=stream))


def has_mail(volume: Volume) -> bool:
    """Whether there are sealed messages in a pack."""
    return bool(volume.names(packs.OUTBOX, 1) or volume.names(packs.ANSWERS, 1))


def hub_keys(own: Own) -> Mapping[str, bytes]:
    """Return what signs the heads and answers of this shelf's hub (id → public), nothing where it has no hub."""
    document = own.setting("root")
    try:
        return pin(document.encode()).head.keys if isinstance(document, str) else {}
    except ProtocolError:
        return {}


def take_mail(home: Home, volume: Volume, hub: Mapping[str, bytes], mine: Collection[str] = ()) -> tuple[int, int]:
    """Keep the sealed envelopes and answers of a pack, to be carried on; return how many of each were new.

    `hub`: the keys that sign answers; what they did not sign is not carried, since anybody may have written it.
    `mine`: names of one's own envelopes and tags of one's own answers, which are not others'.
    """
    here = store(home)
    known = set(here.names(packs.OUTBOX, 2 * packs.ENVELOPES))
    taken = answers = size = 0
    for name, data in packs.envelopes(volume):
        size += len(data)
        if size > packs.MAIL or taken >= packs.ENVELOPES:
            break
        if name in known or name in mine or not is_envelope(data):
            continue
        _make_room(here, len(data))
        here.put(packs.envelope_name(name), [data])
        taken += 1
    for tag, data in packs.answers(volume):
        if (
            tag in mine
            or not newer_answer(data, packs.answer_in(here, tag), tag, hub)
            or _size(here) + len(data) > packs.MAIL
        ):
            continue
        here.put(packs.answer_name(tag), [data])
        answers += 1
    return taken, answers


def mail(home: Home) -> dict[str, bytes]:
    """Everything sealed that is carried, by its name in a pack."""
    return packs.sealed_mail(store(home))


def newest(
    mail: Mapping[str, bytes], there: Callable[[str], bytes | None], hub: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return what is to be written of `mail`: without the answers that lie there in a later form already, and
    those that the hub's keys of today did not sign.

    `there`: the answer to a tag that lies where `mail` is to be written.
    """
    found = {}
    for name, data in mail.items():
        folder, _, tag = name.partition("/")
        if folder != packs.ANSWERS or newer_answer(data, there(tag), tag, hub):
            found[name] = data
    return found


def _make_room(here: FolderVolume, needed: int) -> None:
    """Let go of the oldest envelopes until there is room; whoever wrote them has them still."""
    found = []
    for name in here.names(packs.OUTBOX, 2 * packs.ENVELOPES):
        with suppress(OSError, ValueError):
            status = (here.root / packs.envelope_name(name)).stat()
            found.append((status.st_mtime, name, status.st_size))
    left = _size(here) + needed
    count = len(found)
    for _when, name, size in sorted(found):
        if left <= packs.MAIL and count < packs.ENVELOPES:
            break
        here.remove(packs.envelope_name(name))
        left, count = left - size, count - 1


def _size(here: FolderVolume) -> int:
    total = 0
    for folder in (packs.OUTBOX, packs.ANSWERS):
        for name in here.names(folder, 2 * packs.ENVELOPES):
            with suppress(ValueError):
                total += here.size(f"{folder}/{name}") or 0
    return total
