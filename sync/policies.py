"""What an administrator decided for this PC, and what holds where nobody decided: the layers of each setting.

The highest first: locked (on Windows the policies of the registry, then `policies.json` of the machine), the
person's own choice, the machine's defaults (`defaults.json`; on Windows also `Recommended` in the registry), what
is built in. A key that is not known, or has a wrong value, is reported and passed over, never fatal; so is a file
that cannot be read, or that others than administrators could have written.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sync.machine_files import NotTheMachines, machine_folder, read_machine_file, redirected, require_the_machines
from sync.policy_keys import BY_NAME, KEYS, Key
from sync.protocol.paths import normalise_base

MOST = 64 * 1024
"""Bytes of a file."""
LOCKED, DEFAULTS = "policies.json", "defaults.json"
_PROBLEMS = 40
Origin = Literal["locked", "yours", "default", "built-in"]


@dataclass(frozen=True)
class Decision:
    """What holds for one key. `origin`: who said so; `where`: in which file or registry key, "" for neither."""

    key: Key
    value: Any
    origin: Origin
    where: str = ""

    @property
    def locked(self) -> bool:
        """Whether a person cannot change it."""
        return self.origin == "locked"


@dataclass(frozen=True)
class Policies:
    """By key what is locked, and what holds by default, each with its value and where it stands.

    `problems`: what is wrong with the files, in words.
    """

    locked: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    defaults: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def is_locked(self, name: str) -> bool:
        """Return whether the administrator decided the key `name`."""
        return name in self.locked

    def decision(self, name: str, yours: Any = None) -> Decision:
        """Return what holds for a key. `yours`: what the person chose, None for nothing. KeyError: no such key."""
        key = BY_NAME[name]
        if name in self.locked:
            return Decision(key, self.locked[name][0], "locked", self.locked[name][1])
        if yours is not None and key.personal:
            return Decision(key, yours, "yours")
        if name in self.defaults:
            return Decision(key, self.defaults[name][0], "default", self.defaults[name][1])
        return Decision(key, key.builtin, "built-in")

    def value(self, name: str, yours: Any = None) -> Any:
        """Return the value that holds for a key. KeyError: no such key."""
        return self.decision(name, yours).value

    def settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return settings of own.db that are locked, and those that hold where nothing was chosen.

        The hub's address is in neither: a shelf belongs to a hub once it has joined it.
        """
        locked, defaults = (
            {
                key.setting: key.kept(layer[key.name][0])
                for key in KEYS
                if key.setting is not None and key.name in layer and key.name != "hub_url"
            }
            for layer in (self.locked, self.defaults)
        )
        return locked, defaults


def place() -> Path:
    """Return where the file of this machine is that locks."""
    return machine_folder() / LOCKED


def policies() -> Policies:
    """Return what is decided on this machine; nothing where there are no files."""
    folder = machine_folder()
    found = read_policies(folder)
    if sys.platform == "win32" and redirected() is None:
        import winreg

        from sync.windows_registry import read_registry

        found = over(read_registry(winreg), found)
    return checked(found)


def read_policies(folder: Path) -> Policies:
    """Return what the two files in `folder` say."""
    problems: list[str] = []
    locked, defaults = (_file(folder / name, problems) for name in (LOCKED, DEFAULTS))
    return Policies(locked, defaults, problems[:_PROBLEMS])


def over(above: Policies, below: Policies) -> Policies:
    """Return both, `above` first."""
    return Policies(
        {**below.locked, **above.locked}, {**below.defaults, **above.defaults}, [*above.problems, *below.problems]
    )


def taken(found: Mapping[Any, Any], where: str, problems: list[str]) -> dict[str, tuple[Any, str]]:
    """Return the keys of an object whose values are right; adds to `problems` what is wrong with the others."""
    right: dict[str, tuple[Any, str]] = {}
    for name, value in found.items():
        key = BY_NAME.get(name)
        if name == "$schema":
            continue
        if key is None:
            problems.append(f"“{str(name)[:80]}” in {where} is no policy that this version knows.")
        elif not key.kind.accepts(value):
            problems.append(f"“{name}” in {where} is to be {key.kind.words}; it is not in force.")
        else:
            right[key.name] = (value, where)
    return right


def checked(found: Policies) -> Policies:
    """Return the same without what makes no sense together, and with that among the problems."""
    problems = list(found.problems)
    locked, defaults = dict(found.locked), dict(found.defaults)
    for layer in (locked, defaults):
        if layer.get("proxy_mode", ("", ""))[0] == "manual" and "proxy_url" not in {**defaults, **locked}:
            problems.append(
                f"“proxy_mode” in {layer['proxy_mode'][1]} is “manual”, but no “proxy_url” says which."
            )
            del layer["proxy_mode"]
        if "hub_url" in layer:
            value, where = layer["hub_url"]
            try:
                layer["hub_url"] = (normalise_base(value), where)
            except ValueError as error:
                problems.append(f"“hub_url” in {where} is not in force. {error}")
                del layer["hub_url"]
        if "ca_bundle" in layer and (why := _unusable(expanded(layer["ca_bundle"][0]))):
            problems.append(f"“ca_bundle” in {layer['ca_bundle'][1]} is not in force: {why}.")
            del layer["ca_bundle"]
        if "shelf_folder" in layer and not expanded(layer["shelf_folder"][0]).is_absolute():
            problems.append(f"“shelf_folder” in {layer['shelf_folder'][1]} is no whole path; it is not in force.")
            del layer["shelf_folder"]
    return Policies(locked, defaults, problems[:_PROBLEMS])


def expanded(path: str) -> Path:
    """Return a path of the files with what `~` and variables stand for."""
    return Path(os.path.expandvars(os.path.expanduser(path)))


def decisions(found: Policies, own: Mapping[str, Any], *, language: str = "") -> list[Decision]:
    """Return what holds for every key, in the order of the table.

    `own`: the settings of own.db that a person set; `language`: the one that they chose for the window.
    """
    rows = []
    for key in KEYS:
        chosen = own.get(key.setting) if key.setting is not None else None
        yours = key.shown(chosen) if chosen is not None else None
        if key.name == "interface_language":
            yours = language or None
        rows.append(found.decision(key.name, yours))
    return rows


def may_send_usage_figures(found: Policies, own: Mapping[str, Any]) -> bool:
    """Return whether figures of use may be sent: never where they are locked off, nor where nobody said yes."""
    return found.value("usage_figures", own.get("usage_figures")) is True


def _file(path: Path, problems: list[str]) -> dict[str, tuple[Any, str]]:
    try:
        data = read_machine_file(path, MOST)
    except NotTheMachines as error:
        problems.append(f"{error}: nothing in it counts.")
        return {}
    except OSError as error:
        problems.append(f"{path} cannot be read ({error.strerror or error}).")
        return {}
    if data is None:
        return {}
    try:
        found = json.loads(data) if len(data) <= MOST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        problems.append(f"{path} is no JSON object of at most {MOST:,} bytes: nothing in it counts.")
        return {}
    return taken(found, str(path), problems)


def _unusable(bundle: Path) -> str:
    try:
        if not bundle.is_file():
            return f"there is no file {bundle}"
        require_the_machines(bundle)
    except NotTheMachines as error:
        return str(error)
    except OSError as error:
        return f"{bundle} cannot be read ({error.strerror or error})"
    return ""
