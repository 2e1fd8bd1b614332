"""What a shelf carries on for others, in the folder `carry` of its home: a pack that came, and sealed messages.

Of the content only what the verified index names is kept. Sealed messages are kept as they are: nobody here can
open them. The folder is a pack itself, so that giving on is copying.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from sync.home import Home
from sync.protocol import packs
from sync.protocol.by_hand import ANSWER_MOST, is_envelope, newer_answer
from sync.protocol.pack_volumes import FolderVolume
from sync.protocol.pack_writing import Pack, write
from sync.protocol.packs import Contained, NotInPack, PackDamaged, Verified, Volume

_FOLDER = "carry"
_MOST_BYTES = 16 * 1024 * 1024
"""Bytes of sealed messages that are carried for others."""


def store(home: Home) -> FolderVolume:
    """The folder; it need not be there."""
    return FolderVolume(home.path / _FOLDER)


def keeps(home: Home) -> bool:
    """Whether this shelf gives on what comes by pack."""
    return store(home).size(packs.HEAD) is not None


def keep(home: Home, volume: Volume, verified: Verified, everything: Contained) -> None:
    """Keep a verified pack to be given on; what is no longer named goes. Raises PackNoRoom, PackUnwritable."""
    pack = Pack(verified, [(volume, list(everything.entries.values()))], feeds=everything.feeds)
    write(pack, store(home), there=store(home))


def has_mail(volume: Volume) -> bool:
    """Whether there are sealed messages in a pack."""
    return bool(volume.names(packs.OUTBOX, 1) or volume.names(packs.ANSWERS, 1))


def take_mail(home: Home, volume: Volume) -> tuple[int, int]:
    """Keep the sealed envelopes and answers of a pack, to be carried on; return how many of each were new."""
    here = store(home)
    room = _MOST_BYTES - _size(here)
    known = set(here.names(packs.OUTBOX, packs.ENVELOPES))
    taken = 0
    for name, data in packs.envelopes(volume):
        if name in known or not is_envelope(data):
            continue
        if len(data) > room or len(known) + taken >= packs.ENVELOPES:
            break  # whoever wrote it has it still, and writes it to the next stick
        here.put(packs.envelope_name(name), [data])
        room -= len(data)
        taken += 1
    answers = 0
    for tag, data in answers_in(volume):
        before = answer_in(here, tag)
        if len(data) > room or not newer_answer(data, before):
            continue
        here.put(packs.answer_name(tag), [data])
        room -= len(data)
        answers += 1
    return taken, answers


def mail(home: Home) -> dict[str, bytes]:
    """Everything sealed that is carried, by its name in a pack."""
    here = store(home)
    found = {packs.envelope_name(name): data for name, data in packs.envelopes(here)}
    return {**found, **{packs.answer_name(tag): data for tag, data in answers_in(here)}}


def answer_in(volume: Volume, tag: str) -> bytes | None:
    """Return the sealed answer to the device with this tag, None where there is none that could be one."""
    try:
        return packs.read(volume, packs.answer_name(tag), ANSWER_MOST)
    except (NotInPack, PackDamaged):
        return None


def answers_in(volume: Volume) -> Iterator[tuple[str, bytes]]:
    """Yield (tag, bytes) of the answers in a pack."""
    for tag in volume.names(packs.ANSWERS, packs.ENVELOPES):
        data = answer_in(volume, tag) if packs.is_tag(tag) else None
        if data is not None:
            yield tag, data


def _size(here: FolderVolume) -> int:
    total = 0
    for folder in (packs.OUTBOX, packs.ANSWERS):
        for name in here.names(folder, 2 * packs.ENVELOPES):
            with suppress(ValueError):
                total += here.size(f"{folder}/{name}") or 0
    return total
