"""A file takes another's place also while somebody else has that one open, as scanners have on Windows."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from resources_cache.placing import put_in_place


def test_a_file_that_somebody_has_open_is_waited_for(tmp_path: Path) -> None:
    aside, path = tmp_path / "aside", tmp_path / "path"
    aside.write_text("new")
    path.write_text("old")
    with path.open() as scanner, aside.open() as another:
        timer = threading.Timer(0.3, lambda: (scanner.close(), another.close()))
        timer.start()
        put_in_place(aside, path)
        timer.join()
    assert path.read_text() == "new"
    assert not aside.exists()


def test_what_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "nothing", tmp_path / "path")
    assert time.monotonic() - started < 0.5


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere an open file can be renamed")
def test_it_is_not_waited_for_without_end(tmp_path: Path) -> None:
    aside, path = tmp_path / "aside", tmp_path / "path"
    aside.write_text("new")
    path.write_text("old")
    with path.open(), pytest.raises(PermissionError):
        put_in_place(aside, path)
    assert path.read_text() == "old"
