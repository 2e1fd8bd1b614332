"""The window as a process of its own, as a person starts it; what it is at is read from what it writes down."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop import session
from desktop.navigation import Place
from tests.programs import ROOT

ENVIRONMENT = {**os.environ, "HUBSHELF_KEYRING": "off", "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
needs_sockets = pytest.mark.skipif(sys.platform == "win32", reason="the pipe of Windows has not been tried yet")


def program(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "desktop", "--home", str(home), *arguments]


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program(home, *arguments),
        cwd=ROOT,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program(home, *arguments),
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def stands_at(home: Path, place: Place) -> bool:
    """Whether the window has written down that it is there."""
    last = session.read(home)
    return last is not None and last.here == place and not last.ended


def wait_for(true: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
