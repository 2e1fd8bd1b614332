"""OpenAPI descriptions of the personal plane, for /u/v1/openapi.json; the envelope is in docs/protocol.md."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_PAIR = {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2, "description": "[epoch, number]"}

_PROBLEM = {
    "description": "A problem document (RFC 9457) with an `action`",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "action"],
                "properties": {
                    "type": _TEXT,
                    "title": _TEXT,
                    "status": _COUNT,
                    "detail": _TEXT,
                    "action": {"enum": ["retry", "wait", "auth", "resync", "upgrade", "drop"]},
                    "forget": {"type": "boolean", "description": "drop what only members may have"},
                },
            }
        }
    },
}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _call(asked: dict[str, Any], answered: dict[str, Any], *refusals: str) -> dict[str, Any]:
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": answered}}},
            **dict.fromkeys(refusals, _PROBLEM),
        },
    }


_OPERATION = _object(
    ["id", "epoch", "counter", "kind", "body"],
    id=_TEXT,
    epoch=_COUNT,
    counter=_COUNT,
    kind={"type": "string", "description": "ask or reply; an unknown kind is rejected in its receipt"},
    body={"type": "object"},
)
_RECEIPT = _object(
    ["id", "accepted"],
    id=_TEXT,
    accepted={"type": "boolean"},
    effect=_TEXT,
    received=_TEXT,
    state=_TEXT,
    problem={"type": "object"},
)

ENROL = _call(
    _object(
        ["code", "device", "token"],
        protocol=_COUNT,
        code=_TEXT,
        device={"type": "string", "minLength": 1, "maxLength": 64},
        token={"type": "string", "minLength": 64, "maxLength": 64},
        device_name=_TEXT,
    ),
    _object(
        ["hub", "member", "email", "root"],
        hub=_TEXT,
        member=_TEXT,
        email=_TEXT,
        root=_TEXT,
        keys={"type": "array", "items": _TEXT, "description": "for what only members may read"},
    ),
    "400",
    "403",
    "409",
    "413",
    "429",
)

SYNC_V1 = {
    **_call(
        _object(
            ["nonce", "head", "personal"],
            protocol=_COUNT,
            nonce={"type": "string", "minLength": 32, "maxLength": 32},
            head=_PAIR,
            personal=_PAIR,
            operations={"type": "array", "items": _OPERATION, "maxItems": 100},
        ),
        _object(
            ["epoch", "cursor"],
            epoch=_COUNT,
            cursor=_COUNT,
            receipts={"type": "array", "items": _RECEIPT},
            items={"type": "array", "items": {"type": "object"}},
            more={"type": "boolean"},
            head=_TEXT,
        ),
        "400",
        "401",
        "403",
        "409",
        "413",
        "503",
    ),
    "security": [{"deviceToken": []}],
}

_NONCE = {"type": "string", "minLength": 32, "maxLength": 32}
_REFUSALS = ("400", "401", "403", "404", "409", "413", "422", "429")

MOVE = {
    **_call(
        _object(
            ["nonce", "device", "token"],
            nonce=_NONCE,
            device={"type": "string", "minLength": 1, "maxLength": 64},
            token={"type": "string", "minLength": 64, "maxLength": 64},
            device_name=_TEXT,
            system=_TEXT,
        ),
        _object([]),
        *_REFUSALS,
    ),
    "security": [{"deviceToken": []}],
}

DEVICES = {
    **_call(
        _object(
            ["nonce"],
            nonce=_NONCE,
            revoke={"type": "string", "description": "the id of another one of one's devices"},
            system=_TEXT,
        ),
        _object(
            ["devices"],
            devices={
                "type": "array",
                "items": _object(
                    ["id", "name", "created"],
                    id=_TEXT,
                    name=_TEXT,
                    system=_TEXT,
                    created=_TEXT,
                    seen=_TEXT,
                    this={"type": "boolean"},
                    revoked=_TEXT,
                    moved={"type": "boolean"},
                ),
            },
        ),
        *_REFUSALS,
    ),
    "security": [{"deviceToken": []}],
}

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

SYNC = {
    "requestBody": {"required": True, "content": _BYTES},
    "responses": {
        "200": {"description": "An envelope, and things that the shelf needs next", "content": _BYTES},
        **dict.fromkeys(("400", "401", "403", "409", "413", "503"), _PROBLEM),
    },
}
