"""What packages are made of, as far as that can be tried without making one (`make try-deb` does)."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from configparser import ConfigParser
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.programs import ROOT


def load(name: str) -> Any:
    """A script of packaging/, which is no package: that name belongs to a library."""
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


materials, package_linux = load("materials"), load("package_linux")


def pretend(folder: Path, name: str, *lines: str) -> Distribution:
    place = folder / f"{name}-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines]))
    return PathDistribution(place)


def needed() -> list[str]:
    """What the desktop depends on, by name."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["desktop"]]
    return [re.split(r"[<>=; ]", line)[0] for line in lines]


def test_what_the_desktop_depends_on_may_go_with_our_licence() -> None:
    for name in needed():
        assert materials.licence_of(distribution(name))


@pytest.mark.parametrize(
    "lines",
    [["License-Expression: GPL-3.0-only"], ["License: AGPL"], [], ["License-Expression: MIT AND GPL-2.0-only"]],
)
def test_another_licence_stops_the_build(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(materials.NotAllowed, match="strange"):
        materials.licence_of(pretend(tmp_path, "strange", *lines))


def test_a_choice_of_licences_is_fine_where_one_of_them_is(tmp_path: Path) -> None:
    said = "License-Expression: GPL-3.0-only OR MIT"
    assert materials.licence_of(pretend(tmp_path, "kind", said)) == "GPL-3.0-only OR MIT"


def test_the_bill_names_each_part_once_and_is_the_same_each_time() -> None:
    found = [distribution(name) for name in needed()]
    made = materials.bill(found, "1.2.3")
    assert made == materials.bill(found, "1.2.3")
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    refs = [one["bom-ref"] for one in made["components"]]
    assert len(refs) == len(set(refs)) >= len(found)
    assert all(one["licenses"] for one in made["components"])
    assert "requests" in materials.notices(found)


def test_only_what_is_in_the_build_is_on_the_bill() -> None:
    names = {
        one.metadata["Name"] for one in materials.bundled(["requests", "backports.zstd"], ["lxml/etree.so"], ())
    }
    assert {"requests", "lxml"} <= names
    assert not names & {"Django", "pytest"}


def test_an_archive_does_not_tell_when_and_by_whom_it_was_made(tmp_path: Path) -> None:
    for n, name in enumerate(("a", "b")):
        folder = tmp_path / name
        for path in sorted(("x/one", "two"), reverse=bool(n)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(path)
            (folder / path).chmod(0o644)
            os.utime(folder / path, (n * 1000, n * 1000))
        package_linux.write_tar(tmp_path / f"{name}.tar.zst", folder, "top", 1_700_000_000)
    assert (tmp_path / "a.tar.zst").read_bytes() == (tmp_path / "b.tar.zst").read_bytes()


def test_menu_metainfo_and_manual_speak_of_one_program() -> None:
    entry = ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(ROOT / "packaging" / "hubshelf.desktop", encoding="utf-8")
    menu = entry["Desktop Entry"]
    assert menu["MimeType"] == "x-scheme-handler/hubshelf;"
    assert menu["Exec"].startswith("hubshelf open ")
    info = ElementTree.parse(ROOT / "packaging" / "linux" / "hubshelf.metainfo.xml").getroot()
    assert info.findtext("launchable") == "hubshelf.desktop"
    assert info.findtext("provides/binary") == "hubshelf"
    assert info.findtext("project_license") == "Apache-2.0"
    said = {one.get("{http://www.w3.org/XML/1998/namespace}lang") for one in info.findall("summary")} - {None}
    assert said == {key.partition("[")[2].rstrip("]") for key in menu if key.startswith("Comment[")}
    assert (ROOT / "packaging" / "linux" / "hubshelf.1").read_text("utf-8").startswith(".TH HUBSHELF 1")


def test_every_language_of_the_window_is_in_the_build() -> None:
    text = (ROOT / "packaging" / "hubshelf.spec").read_text("utf-8")
    assert 'ROOT / "desktop" / "locale"' in text
    for tool in re.findall(r'"(desktop\.[a-z_]+)"', text.partition("TOOLS")[2].partition("\n")[0]):
        assert (ROOT / (tool.replace(".", "/") + ".py")).exists()


def test_a_version_is_what_updates_compare() -> None:
    from sync.protocol.builds import version_order

    assert version_order(package_linux.version_of(ROOT))


def test_where_a_build_differs_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "build" / "packages"
    for place in (out / "hubshelf", out / "again" / "hubshelf"):
        place.mkdir(parents=True)
        (place / "file").write_text(place.parent.name)
    monkeypatch.setattr(package_linux, "ROOT", tmp_path)
    with pytest.raises(SystemExit):
        package_linux.compare({"hubshelf/": 1}, {"hubshelf/": 1})
    assert json.loads((out / "twice.json").read_text())["differ"] == ["hubshelf/file"]
    (out / "again" / "hubshelf" / "file").write_text("packages")
    package_linux.compare({"hubshelf/": 1}, {"hubshelf/": 1})
