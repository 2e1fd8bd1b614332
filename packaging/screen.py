"""A screen to try windows on: Xvfb, which keeps its picture in a file."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from frozen_folder import CannotPackage


class Screen:
    """A screen of 1280 by 800 whose picture lies in `folder`; begun and ended with the block."""

    def __init__(self, folder: Path, name: str = ":78") -> None:
        self.folder, self.name = folder, name
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        size = ("-screen", "0", "1280x800x24", "-nolisten", "tcp", "-fbdir", str(self.folder))
        self._server = subprocess.Popen(
            ["Xvfb", self.name, *size], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while not (self.folder / "Xvfb_screen0").exists():
            if time.monotonic() > end or self._server.poll() is not None:
                raise CannotPackage("Xvfb did not start.")
            time.sleep(0.05)
        time.sleep(0.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(20)

    def shows(self, title: str) -> bool:
        """Whether a window with that title is to be seen."""
        command = ["xdotool", "search", "--onlyvisible", "--name", title]
        return (
            subprocess.run(
                command, env={"DISPLAY": self.name, "PATH": "/usr/bin:/bin"}, capture_output=True
            ).returncode
            == 0
        )

    def picture(self, target: Path) -> None:
        """Keep what is on it as PNG."""
        picture_of(self.folder / "Xvfb_screen0", target)


def picture_of(frame: Path, target: Path) -> None:
    """Make a PNG of the file in xwd's format that Xvfb keeps. Raises CannotPackage."""
    from PySide6.QtGui import QImage

    data = frame.read_bytes()
    head = [int.from_bytes(data[at : at + 4], "big") for at in range(0, 100, 4)]
    start, width, height, line = head[0] + 12 * head[19], head[4], head[5], head[12]
    if not QImage(data[start:], width, height, line, QImage.Format.Format_RGB32).save(str(target)):
        raise CannotPackage(f"{target.name} could not be written.")
