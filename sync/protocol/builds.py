"""Builds of the program as the hub gives them: which there are, signed, and how one is made from another.

Which there are says a document signed by the keys of the trust root itself (role "builds"), not by the key that
signs heads: that one lies on a machine that the internet can reach, and must not be enough to run code on every
desk. A build is a tree of files, named by the SHA-256 of its listing. It comes as an object (`Step`) that holds
what differs from another tree, or all of it (docs/protocol-builds.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import Malformed, ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.signing import SigningKey, sign_document, verify_document
from sync.protocol.trust import Root
from sync.protocol.wire_json import digest, dump, load_object, number, sha256, text

ROLE = "builds"
DOCUMENT = 256 * 1024
"""Bytes of the signed document."""
TREE = 2 * 1024 * 1024 * 1024
"""Bytes of all files of a build."""
FILES = 20_000
"""Files and links of a build (count)."""
PATH = 200
"""Characters of a path: what Windows takes below a folder of a person."""
_PLATFORM = re.compile(r"[a-z0-9]{1,20}(-[a-z0-9_]{1,20}){1,2}")
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}")
_PART = re.compile(r"[^\x00-\x1f\\:*?\"<>|/]{1,120}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class NotABuild(ProtocolError):
    """A folder holds no build that says what it is; such is a program that runs from its sources."""

    code = "not-a-build"
    advice = "Bring the program up to date in the way in which it was installed."


class BuildDamaged(ProtocolError):
    code = "update-damaged"
    advice = "Nothing of it was used. The next attempt fetches it again."


class BuildNoRoom(ProtocolError):
    code = "update-no-room"
    advice = "Free some space and try again; what was fetched is kept."


@dataclass(frozen=True)
class Item:
    """A file of a build, or a link in it.

    `path`: below the build's folder, with slashes. A file has `size` (bytes) and `hash` (SHA-256); `runs`: it may
    be executed. A link has the path that it leads to as `link`, relative to its own folder.
    """

    path: str
    size: int = 0
    hash: str = ""
    runs: bool = False
    link: str = ""

    def to_json(self) -> dict[str, Any]:
        if self.link:
            return {"path": self.path, "link": self.link}
        return {"path": self.path, "size": self.size, "hash": self.hash, **({"runs": True} if self.runs else {})}

    @classmethod
    def from_json(cls, source: object) -> Item:
        if not isinstance(source, dict):
            raise Malformed("A build lists something that is no file.")
        path = checked_path(source.get("path"))
        if "link" in source:
            link = source["link"]
            if not isinstance(link, str) or not _stays(path, link):
                raise Malformed("A link of a build leads out of it.")
            return cls(path, link=link)
        size = number(source, "size", "build")
        if not 0 <= size <= TREE:
            raise Malformed("A file of a build is larger than any build.")
        return cls(path, size, digest(source, "hash", "build"), source.get("runs") is True)


@dataclass(frozen=True)
class Listing:
    """All files and links of a build, by path. Made by `listing`, which checks them."""

    items: Mapping[str, Item]

    @property
    def name(self) -> str:
        """The name of the tree: the SHA-256 of its listing."""
        return sha256(dump([item.to_json() for _path, item in sorted(self.items.items())]))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(item.size for item in self.items.values())

    def to_json(self) -> list[dict[str, Any]]:
        return [item.to_json() for _path, item in sorted(self.items.items())]


def listing(items: Iterable[Item]) -> Listing:
    """Return the listing of a build. Raises Malformed for too many files or bytes, for a path that is there twice
    (in any case of letters), lies below a file or below a link."""
    found: dict[str, Item] = {}
    folded: set[str] = set()
    for item in items:
        if len(found) >= FILES:
            raise Malformed("A build has more files than any has.")
        found[item.path] = item
        folded.add(item.path.casefold())
        if len(folded) != len(found):
            raise Malformed("A build has two files of one name.")
    for path in found:
        while "/" in path:
            path = path.rpartition("/")[0]
            if path.casefold() in folded:
                raise Malformed("A build has a file below a file.")
    made = Listing(found)
    if made.size > TREE:
        raise Malformed("A build is larger than any is.")
    return made


def checked_path(path: object) -> str:
    """Return a path in a build. Raises Malformed for one that leads out of it or that a system does not take."""
    if not isinstance(path, str) or not 0 < len(path) <= PATH:
        raise Malformed("A build names a file in a way that cannot be read.")
    for part in path.split("/"):
        if not _PART.fullmatch(part) or part.endswith((".", " ")) or _RESERVED.fullmatch(part):
            raise Malformed("A build names a file that no system takes.")
    return path


def _stays(path: str, link: str) -> bool:
    """Whether a link at `path` leads to something in the build.

    It may go up only at its beginning: behind another link the way up leads somewhere else than its words say.
    """
    folders = path.split("/")[:-1]
    parts = link.split("/")
    up = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    down = parts[up:]
    names = all(_PART.fullmatch(part) and part not in (".", "..") for part in down)
    return len(link) <= PATH and up <= len(folders) and bool(down) and names


@dataclass(frozen=True)
class Way:
    """An object that gives a build: from the tree named `start` ("" for from nothing)."""

    ref: ObjectRef
    start: str = ""


@dataclass(frozen=True)
class Build:
    """A build that the hub gives.

    `platform`: such as `linux-x86_64`; `version`: numbers with dots; `tree`: its name; `size`: bytes of all its
    files; `program`: the path in it of what is started; `notes`: what is new in it, by language (BCP 47).
    """

    platform: str
    version: str
    tree: str
    size: int
    program: str
    ways: Sequence[Way] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, ...]:
        """What versions are compared by."""
        return version_order(self.version)

    def way(self, tree: str) -> Way | None:
        """The cheapest way to this build for who has `tree`."""
        fitting = [way for way in self.ways if way.start in (tree, "")]
        return min(fitting, key=lambda way: way.ref.size, default=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "platform": self.platform,
            "version": self.version,
            "tree": self.tree,
            "size": self.size,
            "program": self.program,
            "ways": [{**way.ref.to_json(), **({"from": way.start} if way.start else {})} for way in self.ways],
            "notes": dict(self.notes),
        }

    @classmethod
    def from_json(cls, source: object) -> Build:
        if not isinstance(source, dict):
            raise Malformed("The list of builds names something else.")
        platform, version = text(source, "platform", "build"), text(source, "version", "build")
        if not _PLATFORM.fullmatch(platform) or not _VERSION.fullmatch(version):
            raise Malformed("A build has a platform or a version that cannot be read.")
        ways, notes = source.get("ways"), source.get("notes", {})
        if not isinstance(ways, list) or len(ways) > 50 or not isinstance(notes, dict):
            raise Malformed("A build does not say how it comes.")
        return cls(
            platform,
            version,
            digest(source, "tree", "build"),
            number(source, "size", "build"),
            checked_path(source.get("program")),
            tuple(_way(way) for way in ways),
            {str(lang)[:20]: str(words)[:2000] for lang, words in list(notes.items())[:30]},
        )


def _way(source: object) -> Way:
    ref = ObjectRef.from_json(source, "way to a build")
    if not 0 < ref.size <= limits.FILE:
        raise Malformed("A way to a build is larger than any.")
    assert isinstance(source, dict)
    return Way(ref, digest(source, "from", "build") if "from" in source else "")


@dataclass(frozen=True)
class Builds:
    """The signed list. `number` only rises: an older list is never taken for a newer one."""

    number: int
    builds: Sequence[Build] = ()

    def sign(self, keys: Iterable[SigningKey]) -> bytes:
        """Return the signed document."""
        body = {"number": self.number, "builds": [build.to_json() for build in self.builds]}
        return sign_document(ROLE, dump(body), keys)


def verify_builds(document: bytes, root: Root) -> Builds:
    """Return the list that `document` holds, once the keys of `root` itself signed it.

    Raises Malformed, TooLarge, BadSignature.
    """
    payload = verify_document(ROLE, document, root.root.keys, root.root.threshold, DOCUMENT)
    body = load_object(payload, DOCUMENT, "list of builds")
    found = body.get("builds")
    if not isinstance(found, list) or len(found) > 200:
        raise Malformed("The list of builds cannot be read.")
    return Builds(number(body, "number", "list of builds"), tuple(Build.from_json(one) for one in found))


def version_order(version: str) -> tuple[int, ...]:
    """What versions are compared by; () for one that cannot be read, which is older than any."""
    return tuple(int(part) for part in version.split(".")) if _VERSION.fullmatch(version) else ()
