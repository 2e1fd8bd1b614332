"""Sticks for tests, each of which can be pulled out: real filesystems, mounted where nobody else sees them.

- `unmounted`: what a desktop does when a stick is lost: it takes the mount away (`umount -l`), and whoever goes on
  finds an empty folder of another disk in its place. Works wherever a program may mount for itself.
- `fat` and `exfat`: an image of that filesystem, read and written by a program (fusefat, mount.exfat-fuse) that is
  ended by SIGKILL: from then on every call fails ("Transport endpoint is not connected"), and what that program
  had not written to the image is lost, as in a stick's own cache. They stand for pulling a stick out of its
  socket, and need mkfs.vfat and fusefat, or mkfs.exfat and mount.exfat-fuse. The kernel's own FAT is not needed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_TOOLS = {
    "unmounted": ("mount", "umount"),
    "fat": ("mkfs.vfat", "fusefat", "umount"),
    "exfat": ("mkfs.exfat", "mount.exfat-fuse", "losetup", "umount"),
}
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_PATIENCE = 60.0
"""Seconds after which a mount that does not come is an error."""


def missing(kind: str) -> str:
    """Return which tool for a kind of stick is not here, "" for none."""
    return next((tool for tool in _TOOLS[kind] if shutil.which(tool, path=_PATH) is None), "")


def _run(*words: object) -> str:
    env = {**os.environ, "PATH": _PATH}
    done = subprocess.run([str(word) for word in words], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


class Stick:
    """A stick of a kind, in a folder of its own; `path` is where it is mounted while it is in."""

    def __init__(self, folder: Path, kind: str, megabytes: int = 40) -> None:
        self.path, self.kind = folder / "stick", kind
        self._store = folder / "store"
        self._program: subprocess.Popen[bytes] | None = None
        self.path.mkdir(parents=True)
        if kind == "unmounted":
            self._store.mkdir()
            _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self._store)
        else:
            with self._store.open("wb") as image:
                image.truncate(megabytes * 1024**2)
            _run(*(("mkfs.vfat", "-F", "32") if kind == "fat" else ("mkfs.exfat",)), self._store)
        self.put_in()

    def put_in(self) -> None:
        """Mount it. Raises RuntimeError where it cannot be."""
        if self.kind == "unmounted":
            _run("mount", "--bind", self._store, self.path)
            return
        words, disk = ["fusefat", "-f", "-o", "rw+"], str(self._store)
        if self.kind == "exfat":
            words, disk = ["mount.exfat-fuse", "-d"], _run("losetup", "--find", "--show", self._store)
        self._program = subprocess.Popen(
            [*words, disk, str(self.path)],
            env={**os.environ, "PATH": _PATH},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait(lambda: self.path.is_mount())
        finally:
            if self.kind == "exfat":
                _run("losetup", "--detach", disk)  # once nobody uses it any more

    def _wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not until():
            if time.monotonic() > end or (self._program is not None and self._program.poll() is not None):
                raise RuntimeError(f"the {self.kind} stick cannot be mounted")
            time.sleep(0.01)

    def pull_out(self) -> None:
        """As a hand does, whatever is being written."""
        if self._program is None:
            _run("umount", "-l", self.path)
            return
        self._program.send_signal(signal.SIGKILL)
        self._program.wait(_PATIENCE)
        self._program = None

    def put_in_again(self) -> None:
        """After `pull_out`."""
        if self.kind != "unmounted":
            _run("umount", "-l", self.path)  # what is left of the mount of before
        assert not list(self.path.iterdir()), "something was written into the folder below"
        self.put_in()

    def take_out(self) -> None:
        """As one should: all of it is written. The stick is of no more use."""
        _run("umount", self.path)
        if self._program is not None:
            self._program.wait(_PATIENCE)
        if self.kind == "unmounted":
            _run("umount", self._store)

    def only_read(self) -> None:
        """Write-protect an `unmounted` one."""
        _run("mount", "-o", "remount,bind,ro", self.path)
