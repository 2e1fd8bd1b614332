"""Every command of the README and the guides exists; the README's hub-and-shelf walk is really walked."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click import Command, Group

from tests.programs import BIN, ROOT, HubProgram

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


def commands(page: Path) -> list[str]:
    """The lines of a page's shell blocks, without comments, and the commands named between backticks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    named = re.findall(r"`((?:make|hubshelf|hubshelf-hub) [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    return [line for line in lines + named if line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists(page: Path) -> None:
    from desktop.cli import main as hubshelf
    from hub.cli import cli as hubshelf_hub

    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for line in commands(page):
        words = shlex.split(line)
        if words[0] == "make":
            assert words[1] in targets, line
        elif words[0] in ("hubshelf", "hubshelf-hub"):
            _check(hubshelf if words[0] == "hubshelf" else hubshelf_hub, words[1:], line)


def _check(command: Command, words: list[str], line: str) -> None:
    known = {name: option for option in command.params for name in option.opts}
    while words and words[0].startswith("-"):
        assert words[0] in known or words[0] in ("--help", "-h"), line
        takes_value = words[0] in known and not getattr(known[words[0]], "is_flag", False)
        words = words[2:] if takes_value else words[1:]
    if isinstance(command, Group) and words:
        assert words[0] in command.commands, line
        _check(command.commands[words[0]], words[1:], line)
    elif words:
        _check(command, words[1:], line)


def test_the_walk_of_the_readme(tmp_path: Path) -> None:
    walk = [line for line in commands(ROOT / "README.md") if line.startswith(("hubshelf ", "hubshelf-hub "))]
    assert len(walk) >= 8
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HUBSHELF_KEYRING": "off"}
    (tmp_path / "build").symlink_to(ROOT / "build")
    code, outputs = "", []
    with HubProgram(tmp_path / "hub") as hub:
        for line in walk:
            if " serve" in line:
                hub.start()
                continue
            if line == "hubshelf --home shelf":
                continue  # the window: tests/desktop and `make demo` show it
            line = line.replace("http://127.0.0.1:8000", hub.url).replace("CODE", code)
            done = subprocess.run(
                shlex.split(line), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            outputs.append(done.stdout)
            if " invite " in line:
                found = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", done.stdout)
                assert found, done.stdout
                code = found[0]
    assert re.match(r"[1-9]\d* found", outputs[-1]), outputs[-1]
