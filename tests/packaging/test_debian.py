"""The .deb's words about itself: control file, menu entry, description for shops, manual; nothing is built
here."""

from __future__ import annotations

import configparser
import gzip
import re
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_control_file() -> None:
    import package_linux

    said = package_linux.control("1.2.3", 4567, ["libc6 (>= 2.35)"], ["libcups2"])
    fields = dict(re.findall(r"(?m)^([A-Z][A-Za-z-]+): (.*)$", said))
    assert fields["Package"] == "hubshelf"
    assert fields["Version"] == "1.2.3"
    assert fields["Architecture"] == "amd64"
    assert fields["Installed-Size"] == "4567"
    assert fields["Depends"] == "libc6 (>= 2.35), ca-certificates, init-system-helpers (>= 1.54~), passwd"
    assert "fonts-dejavu-core" in fields["Recommends"]
    assert said.endswith("\n")
    assert all(
        line.startswith(" ") and len(line) <= 80 for line in said.partition("Description: ")[2].splitlines()[1:]
    )


def test_versions_that_debian_guesses_too_high_are_relaxed() -> None:
    import package_linux

    found = package_linux._relaxed("libx11-xcb1 (>= 2:1.8.4), libzstd1 (>= 1.5.2), libc6 (>= 2.35)")
    assert found == ["libx11-xcb1", "libzstd1 (>= 1.4.4)", "libc6 (>= 2.35)"]


def test_menu_entry_and_description_say_the_same() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(ROOT / "packaging" / "hubshelf.desktop", "utf-8")
    said = entry["Desktop Entry"]
    about = ElementTree.parse(ROOT / "packaging" / "linux" / "org.hubshelf.Hubshelf.metainfo.xml").getroot()
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    summaries = {one.get(language): one.text for one in about.findall("summary")}
    assert summaries == {
        None: said["Comment"],
        **{code: said[f"Comment[{code}]"] for code in ("ar", "es", "fr", "pt", "sw")},
    }
    assert about.findtext("launchable") == "hubshelf.desktop"
    assert about.findtext("name") == said["Name"]
    assert about.findtext("provides/mediatype") == said["MimeType"].rstrip(";") == "x-scheme-handler/hubshelf"
    assert about.findtext("provides/binary") == said["TryExec"] == said["Exec"].split()[0]
    assert [one.text for one in about.findall("categories/category")] == said["Categories"].rstrip(";").split(";")[
        :2
    ]
    assert (
        about.findtext("project_license")
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    )
    assert about.findtext("icon") == said["Icon"] == "hubshelf"


def test_the_manual_has_every_command(tmp_path: Path) -> None:
    import package_linux
    from man_page import man_page

    from desktop.cli import main

    page = man_page("1.2.3", 1_700_000_000)
    assert page == man_page("1.2.3", 1_700_000_000)
    assert '"2023-11-14" "Hubshelf 1.2.3"' in page
    for name in main.commands:
        assert rf"\fB{name}".replace("-", r"\-") in page
    assert not [line for line in page.splitlines() if line.startswith("'")]
    package_linux._compress(page.encode(), tmp_path / "hubshelf.1.gz")
    assert gzip.decompress((tmp_path / "hubshelf.1.gz").read_bytes()).decode() == page
    assert (tmp_path / "hubshelf.1.gz").read_bytes()[4:8] == b"\0\0\0\0"  # no time: the same bytes each time


def test_purging_touches_nothing_of_people() -> None:
    script = ROOT / "packaging" / "linux" / "postrm"
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert re.findall(r"rm .*", script.read_text()) == ["rm -rf /etc/hubshelf /var/lib/hubshelf"]


def test_the_library_of_a_pc_is_kept_by_an_account_that_can_do_nothing_else() -> None:
    import package_linux

    folder = ROOT / "packaging" / "linux"
    for name in package_linux.SCRIPTS:
        subprocess.run(["sh", "-n", str(folder / name)], check=True)
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(folder / "hubshelf-library.service")
    service = unit["Service"]
    made = re.findall(r"install -d -m (\d+) -o (\S+) -g \S+ (\S+)", (folder / "postinst").read_text())
    assert service["ReadWritePaths"].split() == [path for _mode, _owner, path in made]
    assert {owner for _mode, owner, _path in made} == {service["User"]} == {"_hubshelf"}
    assert {path.rpartition("/")[2]: mode for mode, _owner, path in made} == {
        "library": "0755",
        "shelf": "0700",
        "handed-in": "1733",
    }
    assert service["ExecStart"] == "/usr/bin/hubshelf machine keep --if-decided"


def test_every_override_of_lintian_has_its_reason() -> None:
    lines = (ROOT / "packaging" / "linux" / "lintian-overrides").read_text().splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        assert line.startswith("#") or before, line
    assert lines[0].startswith("#")
    assert all(re.fullmatch(r"hubshelf: [a-z-]+( \*)?", line) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("name", ["package_linux.py", "try_deb.py"])
def test_no_shell_and_no_place_of_a_machine_in_the_scripts(name: str) -> None:
    text = (ROOT / "packaging" / name).read_text()
    assert "shell=True" not in text
    assert not re.search(r"https?://", text)
