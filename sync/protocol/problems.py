"""Problem documents (RFC 9457) with an `action` that tells the client what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from sync.protocol import limits
from sync.protocol.errors import Malformed
from sync.protocol.wire_json import dump, load_object, number, text

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:hubshelf:problem:"

Action = Literal["retry", "wait", "auth", "resync", "upgrade", "drop"]
"""retry: the same again, later · wait: until a person did something · auth: enrol again · resync: start from
the head · upgrade: install a newer client · drop: set this operation aside, it will never be accepted"""

_ACTIONS: dict[str, Action] = {action: action for action in get_args(Action)}


@dataclass(frozen=True)
class Problem:
    """What went wrong, for people (`title`, `detail`) and programs (`code`, `action`, `status`).

    `forget`: what only members may read has to leave the shelf.
    """

    code: str
    title: str
    action: Action
    status: int = 400
    detail: str = ""
    forget: bool = False

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": _TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "action": self.action,
        }
        if self.forget:
            body["forget"] = True
        return body

    def to_bytes(self) -> bytes:
        return dump(self.to_json())

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Problem:
        """Read a problem; Malformed where it is none. An unknown action is read as `wait`."""
        kind = text(body, "type", "problem")
        if not kind.startswith(_TYPE_PREFIX):
            raise Malformed("The answer is not a problem document of a hub.")
        action: Action = _ACTIONS.get(str(body.get("action")), "wait")
        return cls(
            code=kind.removeprefix(_TYPE_PREFIX)[:80],
            title=text(body, "title", "problem")[:500],
            action=action,
            status=number(body, "status", "problem", default=0),
            detail=text(body, "detail", "problem", default="")[:2000],
            forget=body.get("forget") is True,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Problem:
        return cls.from_json(load_object(data, limits.HEAD, "problem"))
