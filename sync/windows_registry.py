"""Policies as Windows keeps them: `HKLM\\SOFTWARE\\Policies\\Hubshelf`, which only administrators write.

Values there lock; those below `Recommended` are defaults. A switch or number is a REG_DWORD or REG_QWORD; text a
REG_SZ; a list a REG_MULTI_SZ, or a REG_SZ with commas, as a group policy's text field writes it.
"""

from __future__ import annotations

from typing import Any, Protocol

from sync.policies import Policies, taken
from sync.policy_keys import BY_NAME

PATH = r"SOFTWARE\Policies\Hubshelf"
RECOMMENDED = PATH + r"\Recommended"
_MOST = 200
_LONGEST = 8_192
"""Characters of a value."""


class Registry(Protocol):
    """What is used of the standard library's `winreg`."""

    HKEY_LOCAL_MACHINE: Any
    KEY_READ: int
    KEY_WOW64_64KEY: int

    def OpenKey(self, key: Any, sub_key: str, reserved: int = 0, access: int = 0) -> Any:
        """Open a key, a context manager. Raises FileNotFoundError, PermissionError."""
        ...

    def EnumValue(self, key: Any, index: int) -> tuple[str, Any, int]:
        """Return (name, data, type) of the value with this index. Raises OSError after the last."""
        ...


def read_registry(registry: Registry) -> Policies:
    """Return what the registry of the machine says."""
    problems: list[str] = []
    locked, defaults = (_layer(registry, path, problems) for path in (PATH, RECOMMENDED))
    return Policies(locked, defaults, problems)


def _layer(registry: Registry, path: str, problems: list[str]) -> dict[str, tuple[Any, str]]:
    where = "HKLM\\" + path
    found: dict[str, Any] = {}
    try:
        access = registry.KEY_READ | registry.KEY_WOW64_64KEY  # a 32-bit program is shown other keys otherwise
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, path, 0, access) as key:
            for index in range(_MOST):
                try:
                    name, data, _kind = registry.EnumValue(key, index)
                except OSError:
                    break  # that was the last
                known = name.lower()  # names there have no case
                found[known if known in BY_NAME else name] = _meant(known, data)
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(f"{where} cannot be read ({error.strerror or error}).")
        return {}
    return taken(found, where, problems)


def _meant(name: str, data: Any) -> Any:
    """Return a value as the files would have it, where it can be understood."""
    if name not in BY_NAME:
        return data
    kind = BY_NAME[name].kind
    if isinstance(data, int) and kind.schema.get("type") == "boolean":
        return {0: False, 1: True}.get(data, data)
    if isinstance(data, list):
        return [str(one) for one in data] if kind.schema.get("type") == "array" else None
    return kind.of_text(data[:_LONGEST]) if isinstance(data, str) else data
