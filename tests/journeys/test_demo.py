"""`make demo` on a machine without a display: the same journey, and pictures instead of a window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.programs import ROOT, HubProgram, ShelfProgram


def test_the_demo_runs_offscreen_and_leaves_pictures(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment["HUBSHELF_KEYRING"] = "off"
    environment.pop("HUBSHELF_HUB_HOME", None)
    done = subprocess.run(
        [sys.executable, ROOT / "packaging" / "demo.py", "--folder", tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There is no display" in done.stdout
    pictures = {path.name.partition("-en-")[0] for path in tmp_path.glob("*.png")}
    assert {
        "home",
        "library",
        "discussions",
        "ask",
        "people",
        "shelf",
        "outbox",
        "sync",
        "reader",
        "pdf",
    } <= pictures
    states = [item["state"] for item in ShelfProgram(tmp_path / "shelf").run("outbox")["items"]]
    assert sorted(states) == ["answered", "waiting"]
    assert len(HubProgram(tmp_path / "hub").run("questions")["questions"]) == 1
