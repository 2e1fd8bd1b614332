"""What neighbours in an office say to one another: who has which head, and who is fetching. Hints, nothing more.

A neighbour serves the paths of the public plane (`sync.protocol.paths`), as far as it has what they name, and its
state at STATE. docs/protocol-neighbours.md.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sync.protocol.errors import Malformed
from sync.protocol.wire_json import dump, load_object

VERSION = 1
STATE = "/n/v1/state"
STATE_MOST = 2048
"""Bytes of a state."""
OBJECT_MOST = 2 * 1024 * 1024
"""Bytes of a segment, a sealed document or a document as a frame, with room to spare."""
ROOT_CHARACTERS = 16
"""So many characters of the root's fingerprint say whose shelf this is."""
_ID = re.compile("[0-9a-f]{16}")
_SECONDS_MOST = 10_000_000
_NUMBERS = ("wants", "fetching", "checked", "moved")


@dataclass(frozen=True)
class State:
    """How one neighbour stands.

    `id`: 16 random hexadecimal characters, other ones at each start. `root`: the beginning of its root's
    fingerprint. `head`: (epoch, version) of the head that it has, (0, 0) for none; `complete`: all that it keeps
    is here as of that head. `wants`, `fetching`: for how many seconds it has wanted to ask the hub for content,
    or has been fetching, None where it does not. `checked`: seconds since the hub itself gave or confirmed its
    head, None for never. `moved`: bytes that its fetching has brought so far, None where it does not fetch: a long
    object is no standstill.
    """

    id: str
    root: str
    head: tuple[int, int] = (0, 0)
    complete: bool = False
    wants: int | None = None
    fetching: int | None = None
    checked: int | None = None
    moved: int | None = None

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {
            "v": VERSION,
            "id": self.id,
            "root": self.root,
            "head": list(self.head),
            "complete": self.complete,
        }
        for name in _NUMBERS:
            if (seconds := getattr(self, name)) is not None:
                body[name] = seconds
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Raises Malformed, TooLarge. Unknown fields are passed over."""
        body = load_object(data, STATE_MOST, "state")
        id_, root, head = body.get("id"), body.get("root"), body.get("head")
        if not (isinstance(id_, str) and _ID.fullmatch(id_) and isinstance(root, str) and _ID.fullmatch(root)):
            raise Malformed("A neighbour does not say who it is.")
        if not (isinstance(head, list) and len(head) == 2 and all(_count(one) is not None for one in head)):
            raise Malformed("A neighbour does not say what it has.")
        numbers = (_count(body.get(name)) for name in _NUMBERS)
        return cls(id_, root, (head[0], head[1]), body.get("complete") is True, *numbers)


def private_base(address: str) -> str | None:
    """Return `http://HOST:PORT` where that is an address of a private network (or of this computer), else None.

    RFC 1918, RFC 4193 and link-local addresses; names are not looked up.
    """
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname or "", parts.port
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    if parts.scheme != "http" or port is None or parts.username or parts.path.strip("/") or parts.query:
        return None
    return (
        f"http://[{host}]:{port}" if found.version == 6 else f"http://{host}:{port}" if is_private(host) else None
    )


def is_private(host: str) -> bool:
    """Whether an IP address, written out, is one of a private network or of this computer."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in _PRIVATE if network.version == found.version)


_PRIVATE = [
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
]


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _SECONDS_MOST * 1000:
        return value
    return None
