"""Packs: what a hub serves, laid out to be carried by hand. Names, bounds, errors, and what belongs to a pack.

Nothing in a pack is trusted for lying in it: the head is signed, and it names everything else by hash. Which names
are opened follows from that alone (`contained`), never from what a stick lists. docs/protocol-packs.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO, Protocol

from sync.protocol import VERSION, documents, limits, sealed
from sync.protocol.errors import Malformed, ProtocolError, WrongHash
from sync.protocol.feeds import Feed, History, Index, Parts, Snapshot
from sync.protocol.head import Head, ObjectRef, root_version, verify_head
from sync.protocol.trust import Root, advance, pin
from sync.protocol.wire_json import is_digest, sha256

FOLDER = "hubshelf-pack"
"""The folder of a pack on a stick."""
ENDING = ".hubshelf-pack"
"""How the name of a pack in one file ends."""
HEAD, CONTENTS, README, README_PAGE = "head", "contents.json", "readme.txt", "readme.html"
OBJECTS, DOCUMENTS, MEMBERS, OUTBOX, ANSWERS = "objects", "documents", "members", "outbox", "answers"
PARCELS, RETURNS = "parcels", "returns"
ROOTS = 1000
"""Root documents that are followed (count): one a year, or after an accident."""
LISTED = 4 * 1024 * 1024
"""Bytes of contents.json, which only people read."""
MAIL = 16 * 1024 * 1024
"""Bytes of sealed messages that are carried, or copied from a pack to the next."""
ANSWER = 2 * 1024 * 1024
"""Bytes of a sealed answer."""
MAIL_READ = 256 * 1024 * 1024
"""Bytes of sealed messages, right or wrong, that are read of one pack: hours of an old stick otherwise."""
PARCEL = 26 * 1024 * 1024
"""Bytes of a sealed file, more than the longest has."""
PARCEL_BYTES = 512 * 1024 * 1024
"""Bytes of sealed files, to the hub and back, that a pack has or a shelf carries."""
PARCELS_READ = 2 * 1024 * 1024 * 1024
"""Bytes of sealed files, right or wrong, that are read of one pack."""
ENVELOPES = 1000
"""Sealed envelopes, or answers, of a pack that are looked at (count)."""
FRAME = 1024
"""Bytes by which a document that does not shrink grows by being packed, at most."""
FAT_FILE = 4 * 1024**3 - 1
"""Bytes of a file on FAT32, at most."""
_TAG = re.compile("[0-9a-f]{32}")


class PackError(ProtocolError):
    """A pack cannot be read or written. What was here before is as it was."""

    code = "pack"
    advice = "Try again, or use another stick."


class NotAPack(PackError):
    code = "not-a-pack"
    advice = "Choose the stick, the folder hubshelf-pack on it, or a file whose name ends in .hubshelf-pack"


class PackDamaged(PackError):
    code = "pack-damaged"
    advice = "Nothing of it was used. Have the pack made again, perhaps on another stick."


class PackUnreadable(PackError):
    code = "pack-unreadable"
    advice = "Put the stick in again and repeat the command: it goes on where it stopped."


class PackUnwritable(PackError):
    code = "pack-unwritable"
    advice = "Check that the stick is in and not write-protected, then repeat the command: it goes on from there."


class PackNoRoom(PackError):
    code = "pack-no-room"
    advice = "Free some space there, or leave out files or languages."


class PackFileTooLarge(PackError):
    code = "pack-file-too-large"
    advice = "Use a stick that is formatted as exFAT, or the folder form of the pack."


class PackOlder(PackError):
    code = "pack-older"
    advice = "Nothing was changed. Ask for a newer pack."


class OtherHubsPack(PackError):
    code = "other-hubs-pack"
    advice = "Nothing was changed. Use another folder (--home) for another hub, so that the two never mix."


class PackInTheWay(PackError):
    code = "pack-in-the-way"
    advice = "Nothing was changed. Use another stick or folder, or repeat the command with --replace."


class PackNotConfirmed(PackError):
    code = "pack-not-confirmed"
    advice = "If you trust whoever gave you the stick, repeat the command with --yes."


class NothingToCarry(PackError):
    code = "nothing-to-carry"
    advice = "Import a pack with --keep first, or have the pack made by the hub."


class Volume(Protocol):
    """Where a pack is read from: names are relative, with slashes, and made by this module alone."""

    def size(self, name: str) -> int | None:
        """Return the bytes of a plain file; None where there is none. Raises PackUnreadable."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a plain file to be read. Raises PackUnreadable, NotInPack."""
        ...

    def names(self, folder: str, most: int) -> list[str]:
        """Return up to `most` names in a folder, sorted; none where it is missing. Raises PackUnreadable."""
        ...


class NotInPack(PackError):
    """A pack does not have what is asked for."""

    code = "not-in-pack"
    advice = "Everything else of it was used. Ask for a pack with all languages."


def root_name(version: int) -> str:
    """Return the name of a root document."""
    return f"root/{version:d}"


def object_name(digest: str) -> str:
    """Return the name of a segment, a bulk object or a file."""
    return _filed(OBJECTS, digest)


def document_name(digest: str) -> str:
    """Return the name of a document, by the hash of its raw JSON."""
    return _filed(DOCUMENTS, digest)


def sealed_name(digest: str) -> str:
    """Return the name of an object or document for members."""
    return _filed(MEMBERS, digest)


def envelope_name(digest: str) -> str:
    """Return the name of a sealed envelope, by the hash of its bytes. Raises ValueError."""
    if not is_digest(digest):
        raise ValueError("an envelope is named by its SHA-256")
    return f"{OUTBOX}/{digest}"


def answer_name(tag: str) -> str:
    """Return the name of the answer to the device with this tag (32 hexadecimal characters). Raises ValueError."""
    if not is_tag(tag):
        raise ValueError("an answer is named by its device's tag")
    return f"{ANSWERS}/{tag}"


def parcel_name(digest: str) -> str:
    """Return the name of a file sealed to the hub, by the hash of its bytes. Raises ValueError."""
    if not is_digest(digest):
        raise ValueError("a parcel is named by its SHA-256")
    return f"{PARCELS}/{digest}"


def return_name(tag: str, digest: str) -> str:
    """Return the name of a file sealed to the device with this tag, by its own hash. Raises ValueError."""
    if not is_tag(tag) or not is_digest(digest):
        raise ValueError("a file for a device is named by that device's tag and its SHA-256")
    return f"{RETURNS}/{tag}/{digest}"


def is_tag(name: str) -> bool:
    """Whether a name is that of an answer."""
    return _TAG.fullmatch(name) is not None


def _filed(folder: str, digest: str) -> str:
    if not is_digest(digest):
        raise ValueError("what is in a pack is named by its SHA-256")
    return f"{folder}/{digest[:2]}/{digest}"


def read(volume: Volume, name: str, most: int) -> bytes:
    """Return a whole file of at most `most` bytes. Raises NotInPack, PackDamaged, PackUnreadable."""
    with volume.open(name) as file:
        try:
            data = file.read(most + 1)
        except (OSError, EOFError, ValueError) as error:
            raise PackUnreadable(f"“{name}” of the pack cannot be read ({error}).") from None
    if len(data) > most:
        raise PackDamaged(f"“{name}” of the pack is longer than the {most:,} bytes that it can have.")
    return data


@dataclass(frozen=True)
class Verified:
    """A pack's head, verified, and the chain of roots that leads to it, the first one first."""

    head: Head
    document: bytes
    roots: tuple[Root, ...]


def verify(volume: Volume, pinned: Root | None, seen: tuple[int, int] = (0, 0)) -> Verified:
    """Return the head of a pack, once it is signed under `pinned`, or, without one, under the pack's own root.

    `seen`: the newest (epoch, version) that was verified. Raises NotAPack, PackDamaged, OtherHubsPack, PackOlder,
    PackUnreadable, ClientTooOld, HubTooOld.
    """
    try:
        document = read(volume, HEAD, limits.HEAD)
    except NotInPack:
        raise NotAPack("There is no pack of a hub here.") from None
    try:
        roots = _chain(volume, pin(read(volume, root_name(1), limits.ROOT)), document)
        head = verify_head(document, roots[-1], (0, 0), VERSION)
    except NotInPack:
        raise PackDamaged("The pack lacks the keys that its hub signs with.") from None
    except ProtocolError as error:
        if isinstance(error, PackError) or error.code in ("client-too-old", "hub-too-old"):
            raise
        raise PackDamaged(f"The pack does not carry a hub's signature ({error}).") from None
    if pinned is not None and not any(one.document == pinned.document for one in roots):
        if pinned.version <= len(roots):
            raise OtherHubsPack(f"This pack is of another hub, {plain(head.hub)}.")
        raise PackOlder("The pack is older than the keys that this shelf knows of its hub.")
    if head.order < seen:
        raise PackOlder(
            f"The pack has version {head.version} of epoch {head.epoch}; here is version {seen[1]} of epoch "
            f"{seen[0]} already. An older state is never taken for a newer one."
        )
    return Verified(head, document, roots)


def _chain(volume: Volume, first: Root, document: bytes) -> tuple[Root, ...]:
    found = [first]
    wanted = root_version(document)
    if wanted > ROOTS:
        raise PackDamaged("The pack names more root documents than a hub has.")
    while found[-1].version < wanted:
        found.append(advance(found[-1], read(volume, root_name(found[-1].version + 1), limits.ROOT)))
    return tuple(found)


@dataclass(frozen=True)
class Entry:
    """One file of a pack: its name, its bytes, and the hash of those ("" for a document's frame, see `ref`)."""

    name: str
    size: int
    digest: str = ""
    ref: ObjectRef | None = None
    """Of a document: its raw JSON."""


@dataclass
class Contained:
    """What belongs to a pack: `entries` by name, and the feeds that are in it as (name, records, bytes)."""

    entries: dict[str, Entry] = field(default_factory=dict)
    feeds: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.size for one in self.entries.values())


def contained(
    volume: Volume,
    head: Head,
    wants: Callable[[Feed], bool],
    keys: Mapping[str, bytes] | None = None,
    *,
    lenient: bool = False,
) -> Contained:
    """Return everything that the verified `head` leads to in the feeds that `wants` names.

    `keys`: those for members, by id; without them what is for members is left out. `lenient`: a feed of which
    something is missing in `volume` is left out, instead of NotInPack. Raises NotInPack, PackDamaged,
    PackUnreadable.
    """
    walk = _Walk(volume, Contained())
    index = Index.from_bytes(walk.document(head.index))
    feeds = [(feed, False) for feed in index.feeds if not sealed.for_members(feed.name)]
    if head.members is not None and keys:
        try:
            hidden = Index.from_bytes(walk.sealed_document(head.members, keys))
            feeds += [(feed, True) for feed in hidden.feeds if sealed.for_members(feed.name)]
        except (NotInPack, ProtocolError):
            if not lenient:
                raise
    for feed, is_hidden in feeds:
        if not wants(feed):
            continue
        part = _Walk(volume, Contained())
        try:
            part.feed(feed, keys if is_hidden else None)
        except NotInPack:
            if not lenient:
                raise
            continue
        walk.found.entries.update(part.found.entries)
        walk.found.feeds.append((feed.name, feed.records, feed.size))
    return walk.found


@dataclass
class _Walk:
    volume: Volume
    found: Contained

    def feed(self, feed: Feed, keys: Mapping[str, bytes] | None) -> None:
        """Everything that a feed leads to; `keys` where it is for members."""
        for run in feed.recent:
            self._segments(run.segments, keys)
        if feed.history is not None:
            for run in History.from_bytes(self._read(feed.history, keys)).runs:
                self._segments(run.segments, keys)
        for one in feed.snapshots:
            snapshot = Snapshot.from_bytes(self._read(one.document, keys))
            self._object(snapshot.bulk, keys)
        if feed.parts is not None:
            for part in Parts.from_bytes(self.document(feed.parts)).feeds:
                self.feed(part, keys)

    def document(self, ref: ObjectRef) -> bytes:
        """The raw JSON of a public document, verified."""
        name = document_name(ref.hash)
        if ref.size > limits.DOCUMENT:
            raise PackDamaged("The pack names a document that is larger than a hub's.")
        frame = read(self.volume, name, ref.size + FRAME)
        self.found.entries[name] = Entry(name, len(frame), ref=ref)
        try:
            return documents.unpack(frame, ref, limits.DOCUMENT)
        except (Malformed, WrongHash) as error:
            raise PackDamaged(f"A document of the pack is damaged ({error}).") from None

    def sealed_document(self, ref: ObjectRef, keys: Mapping[str, bytes]) -> bytes:
        """The raw JSON of a document for members, verified."""
        name = sealed_name(ref.hash)
        if ref.size > limits.DOCUMENT + FRAME:
            raise PackDamaged("The pack names a document that is larger than a hub's.")
        data = read(self.volume, name, ref.size)
        if sha256(data) != ref.hash:
            raise PackDamaged("A document of the pack is damaged.")
        self.found.entries[name] = Entry(name, ref.size, ref.hash)
        return sealed.unseal_document(data, keys, limits.DOCUMENT)

    def _read(self, ref: ObjectRef, keys: Mapping[str, bytes] | None) -> bytes:
        return self.document(ref) if keys is None else self.sealed_document(ref, keys)

    def _segments(self, segments: Any, keys: Mapping[str, bytes] | None) -> None:
        for segment in segments:
            self._object(ObjectRef(segment.hash, segment.size), keys)

    def _object(self, ref: ObjectRef, keys: Mapping[str, bytes] | None) -> None:
        name = object_name(ref.hash) if keys is None else sealed_name(ref.hash)
        if name in self.found.entries:
            return
        if self.volume.size(name) != ref.size:
            raise NotInPack(f"The pack lacks an object of {ref.size:,} bytes.")
        self.found.entries[name] = Entry(name, ref.size, ref.hash)


def contents(volume: Volume) -> dict[str, Any]:
    """Return what contents.json says, {} where it cannot be read. It is shown to people and never believed."""
    try:
        found = json.loads(read(volume, CONTENTS, LISTED))
    except (PackError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def envelopes(volume: Volume) -> Iterator[tuple[str, bytes]]:
    """Yield (hash, bytes) of the sealed envelopes in a pack, each the bytes that its name promises.

    This is the one folder that is listed: nobody signs which envelopes there are. What has another name, another
    hash or too many bytes is passed over. Raises PackUnreadable.
    """
    left = MAIL_READ
    for name in volume.names(OUTBOX, 4 * ENVELOPES)[: 4 * ENVELOPES]:
        if not is_digest(name):
            continue
        try:
            if (left := left - _size(volume, envelope_name(name), limits.SYNC_REQUEST)) < 0:
                return
            data = read(volume, envelope_name(name), limits.SYNC_REQUEST)
        except (NotInPack, PackDamaged):
            continue
        if sha256(data) == name:
            yield name, data


def _size(volume: Volume, name: str, most: int) -> int:
    """The bytes of a file that has at most `most`. Raises NotInPack, PackDamaged, PackUnreadable."""
    size = volume.size(name)
    if size is None:
        raise NotInPack(f"The pack has no “{name}”.")
    if size > most:
        raise PackDamaged(f"“{name}” of the pack is longer than the {most:,} bytes that it can have.")
    return size


def answer_in(volume: Volume, tag: str) -> bytes | None:
    """Return the sealed answer to the device with this tag, None where there is none that could be one."""
    try:
        return read(volume, answer_name(tag), ANSWER)
    except (NotInPack, PackDamaged):
        return None


def answers(volume: Volume) -> Iterator[tuple[str, bytes]]:
    """Yield (tag, bytes) of the answers in a pack. Raises PackUnreadable."""
    left = MAIL_READ
    for tag in volume.names(ANSWERS, ENVELOPES):
        if not is_tag(tag):
            continue
        try:
            if (left := left - _size(volume, answer_name(tag), ANSWER)) < 0:
                return
        except (NotInPack, PackDamaged):
            continue
        if (data := answer_in(volume, tag)) is not None:
            yield tag, data


@dataclass(frozen=True)
class Lying:
    """A sealed file as a pack lists it: its name in the pack, the hash that this promises, its bytes, and for
    which device it is (a tag; "" for one to the hub)."""

    name: str
    digest: str
    size: int
    tag: str = ""

    @property
    def entry(self) -> Entry:
        return Entry(self.name, self.size, self.digest)


def parcels(volume: Volume) -> Iterator[Lying]:
    """Yield the sealed files to the hub that a pack lists, up to 4,000 names; what they are, only reading tells.

    Raises PackUnreadable.
    """
    for digest in volume.names(PARCELS, 4 * ENVELOPES):
        if is_digest(digest) and 0 < (size := volume.size(name := parcel_name(digest)) or 0) <= PARCEL:
            yield Lying(name, digest, size)


def returns(volume: Volume, tag: str = "") -> Iterator[Lying]:
    """Yield the sealed files to devices that a pack lists, or to the one with this tag; raises PackUnreadable."""
    # A ZIP lists what is below a folder, a folder what is in it.
    tags = [tag] if tag else sorted({one.partition("/")[0] for one in volume.names(RETURNS, 4 * ENVELOPES)})
    left = 4 * ENVELOPES
    for one in filter(is_tag, tags):
        for digest in volume.names(f"{RETURNS}/{one}", left):
            left -= 1
            if is_digest(digest) and 0 < (size := volume.size(name := return_name(one, digest)) or 0) <= PARCEL:
                yield Lying(name, digest, size, one)


def sealed_mail(volume: Volume) -> dict[str, bytes]:
    """Return the sealed messages of a pack by their names, up to `MAIL` bytes. Raises PackUnreadable."""
    found: dict[str, bytes] = {}
    size = 0
    letters = ((envelope_name(name), data) for name, data in envelopes(volume))
    replies = ((answer_name(tag), data) for tag, data in answers(volume))
    for name, data in chain(letters, replies):
        size += len(data)
        if size > MAIL:
            break
        found[name] = data
    return found


def plain(text: str) -> str:
    """Return a name from outside, for one line of a message or a terminal.

    Nothing in it moves the cursor or turns the line round, and it has 200 characters at most.
    """
    return "".join(one if one.isprintable() else " " for one in text)[:200]
