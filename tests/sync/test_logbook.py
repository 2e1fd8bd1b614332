"""The log: bounded, its owner's alone, and without a word of anybody whatever is asked of it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sync.logbook import LEFT_OUT, Logbook, _safe
from tests.programs import ROOT


def test_a_line_says_what_when_and_by_which_program(tmp_path: Path) -> None:
    log = Logbook(tmp_path)
    log.note("sync", up_to_date=True, error="timed-out", down=12_345, seconds=1.5, nothing=None)
    (line,) = log.last(5)
    when, process, *rest = line.split(" ")
    assert when.endswith("Z")
    assert int(process) == os.getpid()
    assert rest == ["sync", "up-to-date=yes", "error=timed-out", "down=12345", "seconds=1.5"]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


@given(
    st.text(min_size=1, max_size=60).filter(
        lambda words: not words.isascii() or not words.islower() or " " in words
    )
)
def test_what_is_no_code_is_left_out(words: str) -> None:
    assert _safe(words) in (LEFT_OUT, words.replace("_", "-"))
    if any(sign in words for sign in " @/\\.:\n\t"):
        assert _safe(words) == LEFT_OUT


def test_what_people_write_is_left_out(tmp_path: Path) -> None:
    log = Logbook(tmp_path)
    for private in ("Amina Wanjiru", "amina@ministry.example", "/home/amina", "Solar?", "x" * 41, "a\nb", "élève"):
        log.note(private, code=private)
    assert all(line.endswith(f"{LEFT_OUT} code={LEFT_OUT}") for line in log.last(100))
    assert len(log.last(100)) == 7, "nothing breaks a line"


def test_it_is_bounded(tmp_path: Path) -> None:
    log = Logbook(tmp_path)
    log.note("sync")
    log.path.write_bytes(b"x" * 256 * 1024)
    for _turn in range(5):
        log.note("sync", error="offline")
        log.path.write_bytes(log.path.read_bytes().ljust(256 * 1024, b"\n"))
    files = sorted(log.path.parent.iterdir())
    assert [file.name for file in files] == ["hubshelf.log", "hubshelf.log.1", "hubshelf.log.2", "hubshelf.log.3"]
    assert sum(file.stat().st_size for file in files) <= 4 * 256 * 1024
    assert {stat.S_IMODE(file.stat().st_mode) for file in files if file.name != "hubshelf.log"} == {0o600}


def test_a_folder_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    Logbook(tmp_path).note("sync")
    assert Logbook(tmp_path).last(3) == []


def test_several_programs_write_one_log(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sync.logbook import Logbook\n"
        "for n in range(200): Logbook(Path(sys.argv[1])).note('sync', number=n)"
    )
    programs = [subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT) for _ in range(3)]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    assert len(Logbook(tmp_path).path.read_text().splitlines()) == 600
