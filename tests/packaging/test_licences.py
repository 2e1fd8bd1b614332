"""Licences of what is packaged, the list of it, and ICU's data; nothing is built here."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest


def inventory(**changed: Any) -> dict[str, Any]:
    one = {
        "name": "click",
        "version": "8.5.1",
        "licence": "BSD-3-Clause",
        "licence_files": ["LICENSE"],
        "sboms": [],
        **changed,
    }
    return {"distributions": [one], "libraries": [], "embedded": {"Qt": "6.12.0"}}


def test_everything_installed_for_the_client_may_be_given_on() -> None:
    import licences

    found = licences.installed()
    names = {one["name"] for one in found["distributions"]}
    assert {"PySide6_Essentials", "cryptography", "jeepney", "zeroconf"} <= names
    assert licences.problems(found) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("LGPL-3.0-only OR GPL-2.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("(MIT OR Apache-2.0) AND AGPL-3.0-only", False),
        ("GPL-2.0-or-later WITH Bootloader-exception", True),
        ("GPL-2.0-or-later", False),
        ("MIT OR", False),
        ("(MIT", False),
        ("MIT MIT", False),
        ("", False),
    ],
)
def test_expressions(expression: str, expected: bool) -> None:
    import licences

    assert licences.allowed(expression) is expected


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"licence": "GPL-3.0-or-later"}, "not in ALLOWED"),
        ({"licence": ""}, "LOOKED_AT"),
        ({"licence_files": []}, "no licence text"),
        ({"name": "PySide6_Essentials", "licence": "GPL-3.0-only"}, "LOOKED_AT"),
    ],
)
def test_what_nobody_may_give_on_is_said(changed: dict[str, Any], said: str) -> None:
    import licences

    assert licences.problems(inventory()) == []
    assert said in " ".join(licences.problems(inventory(**changed)))


def test_qt_s_libraries_for_the_gpl_alone_are_refused() -> None:
    import licences

    found = inventory()
    found["libraries"] = ["lib/PySide6/Qt/lib/libQt6Widgets.so.6"]
    assert licences.problems(found) == []
    for name in ("lib/libQt6VirtualKeyboard.so.6", "Qt6Charts.dll"):
        found["libraries"] = [name]
        assert name in licences.problems(found)[0]


def test_a_compiled_file_of_nobody_is_refused() -> None:
    import licences

    found = inventory(files=["lib/click/fast.so"])
    found["libraries"] = ["lib/click/fast.so", "lib/found/on/the/way.so"]
    assert licences.whose("lib/click/fast.so", found) == ("click", "8.5.1", "BSD-3-Clause")
    assert licences.whose("lib/PySide6/Qt/plugins/platforms/libqxcb.so", found)[0] == "Qt"
    assert ["lib/found/on/the/way.so" in line for line in licences.problems(found)] == [True]


def test_notices_have_every_text(tmp_path: Path) -> None:
    import licences

    text = tmp_path / "LICENSE"
    text.write_text("The words of click.")
    said = licences.notices(inventory(licence_files=[str(text)]), "Hubshelf 1.0")
    assert "The words of click." in said
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in said
    assert "lib/PySide6/Qt/lib" in said
    assert "PDFium Authors" in said


def test_the_list_is_cyclonedx(tmp_path: Path) -> None:
    import cyclonedx.schema
    import sbom

    (tmp_path / "libQt6Core.so.6").write_bytes(b"\x7fELF")
    inside = tmp_path / "inside.json"
    crate = {
        "name": "pem",
        "version": "3.0",
        "type": "library",
        "licenses": [{"expression": "MIT"}],
        "purl": "pkg:cargo/pem@3.0",
    }
    inside.write_text(json.dumps({"components": [crate]}))
    found = inventory(sboms=[str(inside)])
    found["libraries"] = ["libQt6Core.so.6"]
    made = sbom.bill(found, tmp_path, "1.0", 1_700_000_000)
    assert made == sbom.bill(found, tmp_path, "1.0", 1_700_000_000)
    assert made["serialNumber"] != sbom.bill(found, tmp_path, "1.1", 1_700_000_000)["serialNumber"]
    names = {one["name"] for one in made["components"]}
    assert names == {"click", "Qt", "libQt6Core.so.6"}
    _validator(Path(cyclonedx.schema.__file__).parent / "_res").validate(made)
    made["components"][0]["type"] = "no such type"
    with pytest.raises(jsonschema_rs.ValidationError):
        _validator(Path(cyclonedx.schema.__file__).parent / "_res").validate(made)


def _validator(folder: Path) -> Any:
    schemas = {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.schema.json")}
    wanted = schemas["bom-1.6.SNAPSHOT.schema.json"]
    base = wanted["$id"].rsplit("/", 1)[0]
    others = [(f"{base}/{name}", schema) for name, schema in schemas.items() if name.startswith(("spdx", "jsf"))]
    return jsonschema_rs.validator_for(wanted, registry=jsonschema_rs.Registry(others))


def test_icu_keeps_six_languages_sorting() -> None:
    import icu_data

    small = icu_data.trimmed(
        _icu({"coll/fr.res": b"fr", "coll/root.res": b"root", "coll/zh.res": b"zh" * 99, "icuver.res": b"73"})
    )
    count, first_name, first_place = struct.unpack_from("<III", small, 32)
    assert count == 3
    assert small[32 + first_name :].startswith(
        b"icudt73l/coll/fr.res\0icudt73l/coll/root.res\0icudt73l/icuver.res\0"
    )
    assert small[32 + first_place :].startswith(b"fr")
    assert (32 + first_place) % 16 == 0
    assert b"zh" not in small


def test_data_that_is_not_icu_s_is_left_alone() -> None:
    import icu_data

    for data in (b"", b"x" * 100, _icu({"other.res": b"z"})):
        with pytest.raises(icu_data.NotIcuData):
            icu_data.trimmed(data)


def _icu(entries: dict[str, bytes]) -> bytes:
    """Common data of ICU with these entries, as `ucmndata.h` lays it out."""
    head = struct.pack("<HH", 32, 0x27DA) + bytes(8) + b"CmnD" + bytes(16)
    names = [f"icudt73l/{name}".encode() + b"\0" for name in sorted(entries)]
    name_at = 4 + 8 * len(names)
    place = name_at + sum(map(len, names)) + 64
    table, bodies = b"", b""
    for name, key in zip(names, sorted(entries), strict=True):
        table += struct.pack("<II", name_at, place + len(bodies))
        name_at += len(name)
        bodies += entries[key].ljust(-(-len(entries[key]) // 16) * 16, b"\0")
    return head + struct.pack("<I", len(names)) + table + b"".join(names) + bytes(64) + bodies
