"""What a shelf carries on for others, in the folder `carry` of its home: a pack that came, and sealed messages
and files.

Of the content only what the verified index names is kept. Sealed messages are kept as they are: nobody here can
open them. The folder is a pack itself, so that giving on is copying.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from itertools import chain

from resources_cache.own import Own
from sync.cancel import Cancel
from sync.home import Home
from sync.packs.watched import Watched
from sync.protocol import pack_builds, packs
from sync.protocol.by_hand import is_envelope, newer_answer
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_volumes import FolderVolume
from sync.protocol.pack_writing import Pack, Told, verified_pieces, write
from sync.protocol.packs import Contained, Lying, NotInPack, PackDamaged, Verified, Volume
from sync.protocol.parcels import is_parcel, is_return, return_pieces
from sync.protocol.trust import pin
from sync.protocol.wire_json import is_digest
from sync.report import Progress, ProgressCallback

_FOLDER = "carry"
_FREE = 256 * 1024 * 1024
"""Bytes of this disk that stay free of others' files."""
_PARCEL_SECONDS = 180 * 86_400
"""After so long nobody waits for a file any more that another stick has not brought."""
_LOOKED_AT = 100
"""Names of messages that are looked at to know whether there are any."""
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
    builds = pack_builds.entries(source, verified, everything=True)
    pack = Pack(verified, [(source, [*everything.entries.values(), *builds])], feeds=everything.feeds)
    write(pack, store(home), told_as(progress, KEPT), there=store(home))


def told_as(progress: ProgressCallback | None, stream: str = "") -> Told | None:
    """Return what tells a writer's bytes as the progress of a sync."""
    if progress is None:
        return None
    return lambda done, total: progress(Progress("files", done, total, stream=stream))


def has_mail(volume: Volume) -> bool:
    """Whether there are sealed messages or files in a pack."""
    letters = (packs.envelope_name(one) for one in volume.names(packs.OUTBOX, _LOOKED_AT) if is_digest(one))
    replies = (packs.answer_name(one) for one in volume.names(packs.ANSWERS, _LOOKED_AT) if packs.is_tag(one))
    files = (one.name for one in chain(packs.parcels(volume), packs.returns(volume)))
    return any(volume.size(name) is not None for name in chain(letters, replies, files))


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


def take_parcels(
    home: Home, volume: Volume, hub: Mapping[str, bytes], mine: Collection[str] = (), cancel: Cancel | None = None
) -> int:
    """Keep the sealed files of a pack, to be carried on; return how many were new. `hub` and `mine` as for
    messages: files that come back are carried where the hub signed them, files to the hub whoever wrote them.

    Raises PackUnreadable, PackUnwritable, PackNoRoom, Cancelled.
    """
    here, source = store(home), Watched(volume, cancel)
    _forget_parcels(here, packs.PARCEL_BYTES)
    taken = read = 0
    # What the hub signed comes first: whatever else strangers put there takes no room from it.
    for one in chain(packs.returns(volume), packs.parcels(volume)):
        if one.digest in mine or one.tag in mine or here.size(one.name) == one.size:
            continue
        if not _begins_well(source, one, hub):
            continue
        if (read := read + one.size) > packs.PARCEL_BYTES or taken >= packs.ENVELOPES:
            break
        if shutil.disk_usage(home.path).free < one.size + _FREE:
            continue
        try:
            here.put(one.name, _parcel_pieces(source, one, hub))
        except (NotInPack, PackDamaged):
            continue
        taken += 1
        _forget_parcels(here, packs.PARCEL_BYTES, one.name)
    return taken


def _begins_well(source: Volume, one: Lying, hub: Mapping[str, bytes]) -> bool:
    """Whether a sealed file begins like one: rubbish does not use up what is read of a pack."""
    try:
        with source.open(one.name) as file:
            return is_return(file, one.tag, hub) if one.tag else is_parcel(file, one.size)
    except NotInPack:
        return False


def carried_parcels(home: Home, hub: Mapping[str, bytes]) -> list[Lying]:
    """Return the sealed files that are carried, the newest first; without those that the hub's keys of today did
    not sign."""
    here, found = store(home), []
    for _when, one in sorted(_parcels_by_age(here), key=lambda pair: pair[0], reverse=True):
        if one.tag:
            with here.open(one.name) as file:
                if not is_return(file, one.tag, hub):
                    continue
        found.append(one)
    return found


def _parcel_pieces(source: Volume, one: Lying, hub: Mapping[str, bytes]) -> Iterator[bytes]:
    """The bytes of a sealed file, as far as anybody can tell that it is one. Raises PackDamaged, after some."""
    if not one.tag:
        yield from verified_pieces(source, one.entry)
        return
    digest = hashlib.sha256()
    with source.open(one.name) as file:
        for piece in return_pieces(file, one.tag, hub):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != one.digest:
        raise PackDamaged("A sealed file is not the one that its name promises.")


def _parcels_by_age(here: FolderVolume) -> list[tuple[float, Lying]]:
    found = []
    for one in chain(packs.parcels(here), packs.returns(here)):
        with suppress(OSError):
            found.append(((here.root / one.name).stat().st_mtime, one))
    return found


def _forget_parcels(here: FolderVolume, most: int, spare: str = "") -> None:
    """Let go of sealed files that nobody asked after for long, and of the oldest until they have `most` bytes;
    whoever made them has them still."""
    found = sorted(_parcels_by_age(here), key=lambda pair: (pair[1].name == spare, pair[0]))
    left, count = sum(one.size for _when, one in found), len(found)
    for when, one in found:
        if left <= most and count <= packs.ENVELOPES and time.time() - when < _PARCEL_SECONDS:
            continue
        here.remove(one.name)
        left, count = left - one.size, count - 1


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
