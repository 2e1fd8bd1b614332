"""The one table of what an administrator can decide for a PC: each key with its type, bounds, meaning and default.

The schema of the files, the table in the docs, the template for Windows and every check of a value come from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_HOURS = rf"{_CLOCK}-{_CLOCK}"
_LANGUAGE = r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*"
_HOST = r"[^\s/?#@:\[\]]+(?::\d{1,5})?|\[[0-9A-Fa-f:]+\](?::\d{1,5})?"
_HUB = rf"https://(?:{_HOST})(?:/[^\s?#]*)?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{{1,5}})?(?:/[^\s?#]*)?"
_WEB = rf"https?://(?:{_HOST})(?:/[^\s#]*)?"
_PROXY = rf"http://(?:{_HOST})/?"
_PATH_MOST = 1_000


@dataclass(frozen=True)
class Kind:
    """What a value may be: as JSON Schema, in words, and as the registry of Windows writes it.

    `of_text`: reads a registry text (REG_SZ); None for what cannot be read.
    """

    schema: Mapping[str, Any]
    words: str
    accepts: Callable[[Any], bool]
    of_text: Callable[[str], Any]


@dataclass(frozen=True)
class Key:
    """One decision. `setting`: the setting of own.db that it stands for, `kept` makes that of a value, and `shown`
    a value of that. `personal`: a person may choose it where nobody locked it.
    """

    name: str
    kind: Kind
    meaning: str
    builtin: Any = None
    setting: str | None = None
    kept: Callable[[Any], Any] = field(default=lambda value: value)
    shown: Callable[[Any], Any] = field(default=lambda value: value)
    personal: bool = True
    secret: bool = False


def _switch() -> Kind:
    def of_text(text: str) -> bool | None:
        return {"1": True, "true": True, "0": False, "false": False}.get(text.strip().lower())

    return Kind({"type": "boolean"}, "true or false", lambda value: isinstance(value, bool), of_text)


def _whole(least: int, most: int) -> Kind:
    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    def of_text(text: str) -> int | None:
        return int(text) if re.fullmatch(r"[0-9]{1,12}", text.strip()) else None

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Kind(schema, f"a whole number from {least} to {most}", accepts, of_text)


def _one_of(*values: str) -> Kind:
    words = " or ".join(f"“{value}”" for value in values)
    return Kind({"enum": list(values)}, words, lambda value: value in values, str.strip)


def _text(pattern: str, most: int, words: str) -> Kind:
    def accepts(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= most and re.fullmatch(pattern, value, re.ASCII) is not None

    schema = {"type": "string", "maxLength": most, "pattern": f"^(?:{pattern})$"}
    return Kind(schema, words, accepts, str.strip)


def _list(pattern: str, most: int, words: str) -> Kind:
    def accepts(value: Any) -> bool:
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            return False
        return all(isinstance(one, str) and re.fullmatch(pattern, one, re.ASCII) is not None for one in value)

    item = {"type": "string", "pattern": f"^(?:{pattern})$"}
    schema = {"type": "array", "items": item, "minItems": 1, "maxItems": most}
    return Kind(schema, words, accepts, lambda text: [one for one in re.split(r"[,;\s]+", text) if one])


def _pairs(value: list[str]) -> list[list[str]]:
    return [one.split("-") for one in value]


def _hours(setting: Any) -> list[str] | None:
    if not isinstance(setting, list):
        return None
    return ["-".join(map(str, pair)) for pair in setting if isinstance(pair, list) and len(pair) == 2] or None


def _per(unit: int) -> Callable[[Any], Any]:
    return lambda setting: setting // unit if isinstance(setting, int) and not isinstance(setting, bool) else None


_FILE = _text(r"(?:/|[A-Za-z]:[\\/]|\\\\|~[\\/]|[%$])[^\x00-\x1f]*", _PATH_MOST, "a whole path")

KEYS: tuple[Key, ...] = (
    Key(
        "hub_url",
        _text(_HUB, 500, "an address such as https://hub.example.org"),
        "The hub's address. Locked, a shelf connects to this one alone, and follows when the address changes.",
        setting="hub_url",
    ),
    Key(
        "hub_key",
        _text(r"[0-9a-f]{64}", 64, "64 characters from 0 to 9 and a to f"),
        "The fingerprint of the hub's first root document (`hubshelf pack show` tells it): a new shelf believes "
        "no other hub.",
        personal=False,
    ),
    Key(
        "site_code",
        _text(r"[0-9A-Za-z]{4}(?:[ -]?[0-9A-Za-z]{4}){2}", 14, "a code such as ABCD-EFGH-JKMN"),
        "A site code of the hub, with which a new shelf joins by itself. Whoever uses the PC can read it.",
        personal=False,
        secret=True,
    ),
    Key(
        "proxy_mode",
        _one_of("system", "manual", "none"),
        "Which proxy is used: the system's (on Windows with its PAC file), the one of `proxy_url`, or none.",
        "system",
        "proxy_mode",
    ),
    Key(
        "proxy_url",
        _text(_PROXY, 300, "an address such as http://proxy.ministry.example:3128"),
        "The proxy where `proxy_mode` is “manual”.",
        setting="proxy_url",
    ),
    Key(
        "ca_bundle",
        _FILE,
        "A PEM file with certificate authorities that are trusted besides the system's. It must be "
        "writable by administrators alone.",
        personal=False,
    ),
    Key(
        "shelf_folder",
        _FILE,
        "The folder of a person's shelf, in place of the one where the system keeps a person's "
        "data. `~`, `$NAME` and `%NAME%` stand for what they usually do.",
        personal=False,
    ),
    Key(
        "files_quota_mb",
        _whole(50, 1_000_000),
        "Room for downloaded files, in megabytes (1,000,000 bytes).",
        2147,
        "files_quota",
        lambda value: value * 1_000_000,
        _per(1_000_000),
    ),
    Key(
        "daily_limit_kb",
        _whole(0, 100_000_000),
        "Kilobytes (1,000 bytes) that syncs may move in a day; 0: no limit. "
        "Locked, it counts for `hubshelf sync` too.",
        0,
        "daily_limit",
        lambda value: value * 1_000,
        _per(1_000),
    ),
    Key(
        "allowed_hours",
        _list(_HOURS, 20, 'a list such as ["20:00-06:00"]'),
        "Hours (local time) in which the shelf "
        "syncs by itself; the end may lie after midnight. “Sync now” works at any time.",
        None,
        "allowed_hours",
        _pairs,
        _hours,
    ),
    Key("low_data", _switch(), "Long texts wait for a better link.", False, "low_data"),
    Key(
        "lan_sharing", _switch(), "Share what is published with the other PCs of the office.", False, "lan_sharing"
    ),
    Key(
        "machine_library_mb",
        _whole(0, 1_000_000),
        "Room for one library of what is public, for everybody on this PC, in megabytes (1,000,000 bytes); 0: "
        "there is none (docs/it/many-users.md).",
        0,
        personal=False,
    ),
    Key(
        "languages",
        _list(_LANGUAGE, 100, 'a list such as ["fr", "en"]'),
        "Languages of the content that is kept; all where nobody chose.",
        None,
        "languages",
    ),
    Key(
        "interface_language",
        _text(_LANGUAGE, 35, "a language such as fr"),
        "Language of the window; the system's where nobody chose.",
    ),
    Key(
        "updates",
        _switch(),
        "Whether Hubshelf brings itself up to date, with versions that the hub gives (docs/it/updates.md).",
        True,
        personal=False,
    ),
    Key(
        "update_source",
        _text(_WEB, 500, "an address that begins with https:// or http://"),
        "A mirror of the hub (`hubshelf-hub mirror`) that is asked for newer versions before the hub is. "
        "What it gives is believed no more than any mirror.",
        personal=False,
    ),
    Key(
        "usage_figures",
        _switch(),
        "Whether the PC tells its hub once a day its version, when it was last in step, which errors it met, and "
        "how much room there is (docs/it/fleet.md).",
        False,
        setting="usage_figures",
    ),
)

BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}
BY_SETTING: Mapping[str, Key] = {key.setting: key for key in KEYS if key.setting is not None}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `policies.json` and `defaults.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hubshelf: what an administrator decides for a PC",
        "description": "policies.json locks; defaults.json says what holds where a person chose nothing.",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            **{
                key.name: {
                    "description": key.meaning,
                    **key.kind.schema,
                    **({} if key.builtin is None else {"default": key.builtin}),
                }
                for key in KEYS
            },
        },
        "additionalProperties": False,
    }


def table() -> str:
    """Return the table of all keys, as Markdown for the docs."""
    rows = ["| key | value | meaning | built in |", "|---|---|---|---|"]
    for key in KEYS:
        builtin = "" if key.builtin is None else f"`{str(key.builtin).lower()}`"
        marks = "" if key.personal else " Administrators only."
        rows.append(f"| `{key.name}` | {key.kind.words} | {key.meaning}{marks} | {builtin} |")
    return "\n".join(rows) + "\n"
