"""What a member's own devices say to the hub about themselves: taking an old one's place, listing, revoking.

JSON with a bearer token, as version 1 of the sync; the answer carries the MAC of `messages_v1` over the question's
nonce, so that nobody else's page is taken for a yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import Malformed
from sync.protocol.wire_json import dump, is_digest, load_object, objects, text

MOST_DEVICES = 200
"""Devices that an answer lists; the ones seen last."""
_NAME = 200
_SYSTEM = 40


@dataclass(frozen=True)
class MoveRequest:
    """Puts a new device in the place of the one whose token asks. The caller keeps `device` and `token` before it
    asks, so that a lost answer is repaired by asking again. `nonce`: 32 hexadecimal characters."""

    nonce: str
    device: str
    token: str
    device_name: str = ""
    system: str = ""

    def to_bytes(self) -> bytes:
        return dump(
            {
                "nonce": self.nonce,
                "device": self.device,
                "token": self.token,
                "device_name": self.device_name,
                "system": self.system,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> MoveRequest:
        """Read a request; raises Malformed, TooLarge."""
        body = load_object(data, limits.HEAD, "move")
        found = cls(
            nonce=_nonce(body, "move"),
            device=text(body, "device", "move"),
            token=text(body, "token", "move"),
            device_name=text(body, "device_name", "move", default="")[:_NAME],
            system=text(body, "system", "move", default="")[:_SYSTEM],
        )
        if not is_digest(found.token) or not 1 <= len(found.device) <= 64:
            raise Malformed("A move names the new device and its token of 64 hexadecimal characters.")
        return found


@dataclass(frozen=True)
class DevicesRequest:
    """Asks for the list of one's devices, after `revoke` (an id, "" for none) has lost its access.

    `system`: what the asking device runs on, such as "Windows".
    """

    nonce: str
    revoke: str = ""
    system: str = ""

    def to_bytes(self) -> bytes:
        body = {"nonce": self.nonce, "system": self.system}
        if self.revoke:
            body["revoke"] = self.revoke
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> DevicesRequest:
        """Read a request; raises Malformed, TooLarge."""
        body = load_object(data, limits.HEAD, "list of devices")
        return cls(
            nonce=_nonce(body, "list of devices"),
            revoke=text(body, "revoke", "list of devices", default="")[:64],
            system=text(body, "system", "list of devices", default="")[:_SYSTEM],
        )


@dataclass(frozen=True)
class DeviceEntry:
    """One device. Times are UTC, "" for never; `this`: it is the one that asks; `revoked`: when it lost access;
    `moved`: because another one took its place."""

    id: str
    name: str
    system: str = ""
    created: str = ""
    seen: str = ""
    this: bool = False
    revoked: str = ""
    moved: bool = False

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"id": self.id, "name": self.name, "created": self.created}
        optional = {"system": self.system, "seen": self.seen, "revoked": self.revoked}
        body |= {key: value for key, value in optional.items() if value}
        body |= {key: True for key, value in (("this", self.this), ("moved", self.moved)) if value}
        return body

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> DeviceEntry:
        """Read an entry; raises Malformed."""
        return cls(
            id=text(source, "id", "device")[:64],
            name=text(source, "name", "device", default="")[:_NAME],
            system=text(source, "system", "device", default="")[:_SYSTEM],
            created=text(source, "created", "device", default="")[:40],
            seen=text(source, "seen", "device", default="")[:40],
            this=source.get("this") is True,
            revoked=text(source, "revoked", "device", default="")[:40],
            moved=source.get("moved") is True,
        )


@dataclass(frozen=True)
class DevicesAnswer:
    """The asking member's devices, the one seen last first."""

    devices: Sequence[DeviceEntry] = field(default_factory=tuple)

    def to_bytes(self) -> bytes:
        return dump({"devices": [one.to_json() for one in self.devices]})

    @classmethod
    def from_bytes(cls, data: bytes) -> DevicesAnswer:
        """Read an answer whose MAC was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.ROOT * 2, "list of devices")
        listed = objects(body, "devices", "list of devices", MOST_DEVICES)
        return cls(tuple(DeviceEntry.from_json(one) for one in listed))


def _nonce(body: dict[str, Any], what: str) -> str:
    nonce = text(body, "nonce", what)
    if len(nonce) != 32:
        raise Malformed("The nonce has 32 hexadecimal characters.")
    return nonce
