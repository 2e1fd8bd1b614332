"""Policies in the registry of Windows, read from one that behaves as `winreg` does."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from sync.policies import Policies, over
from sync.policy_keys import KEYS
from sync.windows_registry import PATH, RECOMMENDED, Registry, read_registry
from tests.programs import ROOT

REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_MULTI_SZ, REG_QWORD = 1, 2, 3, 4, 7, 11


class Key:
    """An open key: (name, data, type) of its values. Using it after it was closed fails, as Windows does."""

    def __init__(self, values: list[tuple[str, Any, int]]) -> None:
        self.values = values
        self.closed = False

    def __enter__(self) -> Key:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True


class FakeRegistry:
    """The machine's hive in memory. Paths have no case; a 64-bit view is what policies are written to."""

    HKEY_LOCAL_MACHINE = 0x80000002
    KEY_READ = 0x20019
    KEY_WOW64_64KEY = 0x0100

    def __init__(self, keys: dict[str, list[tuple[str, Any, int]]], denied: str = "") -> None:
        self._keys = {path.lower(): values for path, values in keys.items()}
        self._denied = denied.lower()
        self.opened: list[Key] = []

    def OpenKey(self, key: Any, sub_key: str, reserved: int = 0, access: int = 0) -> Key:
        assert key == self.HKEY_LOCAL_MACHINE
        assert reserved == 0
        assert access == self.KEY_READ | self.KEY_WOW64_64KEY
        if sub_key.lower() == self._denied:
            raise PermissionError(13, "Access is denied")
        if sub_key.lower() not in self._keys:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        self.opened.append(Key(self._keys[sub_key.lower()]))
        return self.opened[-1]

    def EnumValue(self, key: Any, index: int) -> tuple[str, Any, int]:
        assert not key.closed
        if index >= len(key.values):
            raise OSError(22, "No more data is available", None, 259)
        found: tuple[str, Any, int] = key.values[index]
        return found


def read(values: list[tuple[str, Any, int]], recommended: list[tuple[str, Any, int]] | None = None) -> Policies:
    registry: Registry = FakeRegistry({PATH: values, **({RECOMMENDED: recommended} if recommended else {})})
    return read_registry(registry)


def test_where_nothing_was_decided_nothing_is() -> None:
    assert read_registry(FakeRegistry({})) == Policies()


def test_each_type_is_read_as_a_template_writes_it() -> None:
    found = read(
        [
            ("lan_sharing", 0, REG_DWORD),
            ("Low_Data", 1, REG_DWORD),
            ("daily_limit_kb", 5_000_000, REG_QWORD),
            ("hub_url", "https://hub.example.org", REG_SZ),
            ("languages", ["fr", "en"], REG_MULTI_SZ),
            ("allowed_hours", "20:00-06:00, 12:00-13:00", REG_SZ),
            ("shelf_folder", r"%LOCALAPPDATA%\Hubshelf", REG_EXPAND_SZ),
            ("files_quota_mb", "500", REG_SZ),
        ]
    )
    assert {name: value for name, (value, _where) in found.locked.items()} == {
        "lan_sharing": False,
        "low_data": True,
        "daily_limit_kb": 5_000_000,
        "hub_url": "https://hub.example.org",
        "languages": ["fr", "en"],
        "allowed_hours": ["20:00-06:00", "12:00-13:00"],
        "shelf_folder": r"%LOCALAPPDATA%\Hubshelf",
        "files_quota_mb": 500,
    }
    assert found.problems == []
    assert found.locked["hub_url"][1] == r"HKLM\SOFTWARE\Policies\Hubshelf"


def test_recommended_is_a_default() -> None:
    found = read([], [("low_data", 1, REG_DWORD)])
    assert found.decision("low_data").origin == "default"
    assert found.decision("low_data", yours=False).value is False


def test_what_is_wrong_is_reported_and_passed_over() -> None:
    found = read(
        [
            ("", "the default value", REG_SZ),
            ("colour", "red", REG_SZ),
            ("low_data", 7, REG_DWORD),
            ("languages", b"\x00\xff", REG_BINARY),
            ("hub_url", ["https://a.example"], REG_MULTI_SZ),
            ("proxy_url", None, REG_SZ),
            ("lan_sharing", 1, REG_DWORD),
        ]
    )
    assert set(found.locked) == {"lan_sharing"}
    assert len(found.problems) == 6


def test_what_may_not_be_read_is_reported() -> None:
    found = read_registry(FakeRegistry({PATH: []}, denied=PATH))
    assert "Access is denied" in found.problems[0]


def test_the_registry_comes_before_the_file_key_by_key() -> None:
    file = Policies({"lan_sharing": (True, "policies.json"), "low_data": (True, "policies.json")}, {}, ["a"])
    found = over(read([("lan_sharing", 0, REG_DWORD), ("x", 1, REG_DWORD)]), file)
    assert found.value("lan_sharing") is False
    assert found.value("low_data") is True
    assert len(found.problems) == 2


def test_the_template_is_whole() -> None:
    """Each name that it refers to is there, each form has its element, and what a group policy writes is read."""
    from lxml import etree

    folder = ROOT / "packaging" / "windows" / "policy"
    rules, words = etree.parse(folder / "hubshelf.admx"), etree.parse(folder / "en-US" / "hubshelf.adml")
    strings = set(words.xpath("//*[local-name()='string']/@id"))
    forms = {
        form.get("id"): set(form.xpath("*/@refId")) for form in words.xpath("//*[local-name()='presentation']")
    }
    text = (folder / "hubshelf.admx").read_text("utf-8")
    assert set(re.findall(r"\$\(string\.(\w+)\)", text)) <= strings
    assert set(re.findall(r"\$\(presentation\.(\w+)\)", text)) == set(forms)
    policies = rules.xpath("//*[local-name()='policy']")
    locked = [one for one in policies if one.get("key") == PATH]
    assert [one.get("name") for one in locked] == [key.name for key in KEYS]
    assert {one.get("key") for one in policies} == {PATH, RECOMMENDED}
    for one in policies:
        assert set(one.xpath(".//*[@id]/@id")) == forms.get(one.get("name"), set())
        assert set(one.xpath(".//@valueName") + [one.get("valueName")]) >= {
            one.get("name").removesuffix("_recommended")
        }
