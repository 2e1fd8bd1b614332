"""Which of a computer's volumes are sticks: on real mounts, which nobody else sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.sticks import is_plugged_in
from tests.mounts import ALONE, needs_mounts

_ROOT = Path(__file__).resolve().parents[2]
_LOOK = """
import json
from desktop.sticks import sticks
print(json.dumps([[one.name, str(one.path), one.has_pack, one.writable, one.room] for one in sticks()]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux puts what is plugged in")
def test_what_lies_where_sticks_are_mounted_is_one() -> None:
    assert is_plugged_in("/media/amina/KINGSTON")
    assert is_plugged_in("/run/media/amina/KINGSTON")
    assert is_plugged_in("/mnt/usb")
    assert not is_plugged_in("/media")
    assert not is_plugged_in("/home")
    assert not is_plugged_in("/mediatheque/usb")


@needs_mounts
def test_sticks_are_found_where_they_are_mounted(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    script = f"""set -e
        mount -t tmpfs none /mnt; mkdir /mnt/KINGSTON /mnt/EMPTY /mnt/LOCKED
        for one in KINGSTON EMPTY LOCKED; do mount -t tmpfs -o size=8m none /mnt/$one; done
        mkdir /mnt/KINGSTON/hubshelf-pack /mnt/LOCKED/hubshelf-pack; mount -o remount,ro /mnt/LOCKED
        mount -t tmpfs none {elsewhere}; mkdir {elsewhere}/hubshelf-pack
        exec "$0" -c "$1"
    """
    done = subprocess.run(
        [*ALONE, "bash", "-c", script, sys.executable, _LOOK],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=_ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {name: rest for name, *rest in json.loads(done.stdout)}
    assert {"KINGSTON", "EMPTY", "LOCKED", "elsewhere"} <= found.keys()
    assert "/" not in [path for path, *_rest in found.values()]
    assert found["KINGSTON"][1:3] == [True, True]
    assert 0 < found["KINGSTON"][3] <= 8 * 1024 * 1024
    assert found["EMPTY"][1:3] == [False, True]
    assert found["LOCKED"][1:3] == [True, False]
    assert found["elsewhere"][1] is True, "a volume elsewhere counts once it has a pack"
    names = [name for name, *_rest in json.loads(done.stdout)]
    assert names.index("EMPTY") > max(names.index(one) for one in ("KINGSTON", "LOCKED", "elsewhere"))
