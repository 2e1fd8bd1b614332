"""A stick or a disk that is full while somebody moves to a new PC: words, and the same again works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from resources_cache.attachments import Attachments, open_files
from sync.home import Home
from tests.mounts import ALONE, needs_mounts
from tests.programs import ROOT

PASSPHRASE = "rain on a tin roof"

pytestmark = needs_mounts


def on_small_disk(disk: Path, size: str, script: str) -> list[dict[str, Any]]:
    """Run a shell script with a disk of `size` mounted on `disk`; returns the JSON documents that it printed."""
    disk.mkdir(exist_ok=True)
    done = subprocess.run(
        [*ALONE, "sh", "-c", f'mount -t tmpfs -o size={size} tmpfs "{disk}" && {script}'],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "HUBSHELF_KEYRING": "off", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    found, rest = [], done.stdout.strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A shelf with a note and a draft with a file of 400 KB."""
    home = tmp_path / "old"
    home.mkdir()
    with Home(home).own() as own:
        own.set_note("r-1", "Ask Njeri.")
        paper = tmp_path / "plan.pdf"
        paper.write_bytes(os.urandom(400_000))
        attached = Attachments.of(own, open_files(home, 25_000_000)).take(paper)
        own.save_draft("ask", {"title": "Half a question", "attachments": [attached.to_json()]})
    (tmp_path / "word.txt").write_text(PASSPHRASE + "\n", encoding="utf-8")
    return home


def hubshelf(home: Path, *arguments: object) -> str:
    words = " ".join(f'"{argument}"' for argument in arguments)
    return f'"{sys.executable}" -m desktop --home "{home}" {words} --json'


def test_a_full_stick_ends_in_words_and_the_next_one_works(old: Path, tmp_path: Path) -> None:
    stick, word = tmp_path / "stick", tmp_path / "word.txt"
    out = hubshelf(old, "move-out", stick / "amina.hubshelf-move", "--passphrase-file", word)
    told = on_small_disk(stick, "200k", f'{out}; ls "{stick}" | sed "s/.*/{{\\"left\\": \\"&\\"}}/"')
    assert [one["error"]["code"] for one in told] == ["disk-full"]
    with Home(old).own() as own:
        assert own.note("r-1") == "Ask Njeri."
    # Nothing says that it was moved: it goes on, and a stick with room takes it.
    told = on_small_disk(stick, "2m", out)
    assert "error" not in told[0]


def test_a_full_disk_on_the_new_pc_ends_in_words_and_nothing_is_half_there(old: Path, tmp_path: Path) -> None:
    file, word, new = tmp_path / "amina.hubshelf-move", tmp_path / "word.txt", tmp_path / "new"
    subprocess.run(["sh", "-c", hubshelf(old, "move-out", file, "--passphrase-file", word)], cwd=ROOT, check=True,
                   capture_output=True, env={**os.environ, "HUBSHELF_KEYRING": "off"})  # fmt: skip
    into = hubshelf(new, "move-in", file, "--passphrase-file", word)
    status = hubshelf(new, "status")
    free = f'head -c 7600000 /dev/zero > "{new}/full" 2>/dev/null; {into}; rm "{new}/full"; {status}; {into}'
    told = on_small_disk(new, "8m", free)
    assert told[0]["error"]["code"] == "disk-full"
    assert "error" not in told[1]
    assert "error" not in told[-1]
