"""The entry of a desktop's menu: it opens links, in the languages of the window, and is put in its place."""

from __future__ import annotations

import os
import shlex
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest
from click import Group

from desktop.cli import main
from desktop.links import SCHEME
from desktop.words import available_languages
from tests.programs import ROOT

ENTRY = ROOT / "packaging" / "hubshelf.desktop"


def read(path: Path) -> dict[str, str]:
    parser = RawConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of keys have capitals
    parser.read(path, encoding="utf-8")
    assert parser.sections() == ["Desktop Entry"]
    return dict(parser["Desktop Entry"])


def test_the_entry_opens_links_with_a_command_that_exists() -> None:
    entry = read(ENTRY)
    assert entry["MimeType"] == f"x-scheme-handler/{SCHEME};"
    program, command, *rest = shlex.split(entry["Exec"])
    assert (program, rest) == ("hubshelf", ["--in-window", "%u"])
    assert isinstance(main, Group)
    options = {name for one in main.commands[command].params for name in one.opts}
    assert "--in-window" in options
    for name in ("GenericName", "Comment", "Keywords"):
        assert all(entry.get(f"{name}[{code}]") for code in available_languages() if code != "en")


def install(tmp_path: Path, program: Path) -> subprocess.CompletedProcess[str]:
    # An empty PATH but for the shell's tools: the test leaves this computer's own menu alone.
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    env["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    script = ROOT / "packaging" / "desktop_entry.sh"
    return subprocess.run([script, program], env=env, capture_output=True, text=True, timeout=60, check=False)


def test_it_is_put_where_desktops_look(tmp_path: Path) -> None:
    program = tmp_path / "a folder" / "hubshelf"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = install(tmp_path, program)
    assert done.returncode == 0, done.stderr
    entry = read(tmp_path / "data" / "applications" / "hubshelf.desktop")
    assert shlex.split(entry["Exec"]) == [str(program), "open", "--in-window", "%u"]
    assert entry["TryExec"] == str(program)
    assert entry["Comment[ar]"] == read(ENTRY)["Comment[ar]"]
    assert (tmp_path / "data" / "icons" / "hicolor" / "scalable" / "apps" / "hubshelf.svg").is_file()


@pytest.mark.parametrize("name", ["with $HOME", "with %u", 'with "', "with `"])
def test_a_folder_that_would_mean_something_to_the_desktop_is_refused(tmp_path: Path, name: str) -> None:
    program = tmp_path / name / "hubshelf"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = install(tmp_path, program)
    assert done.returncode == 1
    assert "sign in its name" in done.stderr
    assert not (tmp_path / "data").exists()


def test_without_a_program_it_says_what_to_do(tmp_path: Path) -> None:
    done = install(tmp_path, tmp_path / "none")
    assert done.returncode == 1
    assert "make install" in done.stderr
