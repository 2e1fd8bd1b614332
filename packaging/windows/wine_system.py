"""A Windows to build and try in where there is none: Wine, with an interpreter of Windows, in folders of its own.

What Wine 8 lacks and Windows has is made from `wine/*.c` and lies in Wine's own folder alone. The interpreter and
the libraries are put together by `windows_python`, which looks at who vouches for each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import windows_python
from frozen_folder import ROOT, CannotPackage, run

HERE = Path(__file__).resolve().parent
TOOLS = {
    "wine": "wine64 wine",
    "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
    "osslsigncode": "osslsigncode",
    "makensis": "nsis",
    "Xvfb": "xvfb",
}


class Wine:
    """A Windows in the folder `prefix`; made where it is not there, with what this Wine lacks."""

    def __init__(self, prefix: Path) -> None:
        missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
        if missing:
            raise CannotPackage(f"Tools are missing. Please run: apt-get install {' '.join(missing)}")
        self.prefix = prefix
        self.starter = (shutil.which("wine") or "wine",)
        if not (prefix / "system.reg").exists():
            prefix.parent.mkdir(parents=True, exist_ok=True)
            self.run("wineboot", "-i")
            system = prefix / "drive_c" / "windows" / "system32"
            for source in sorted((HERE / "wine").glob("*.c")):
                made = str(system / f"{source.stem}.dll")
                run("x86_64-w64-mingw32-gcc", "-shared", "-O2", "-o", made, str(source), "-ladvapi32")
            self.run("winecfg", "-v", "win10")

    @property
    def environment(self) -> dict[str, str]:
        ours = ("PYTHON", "QT_", "HUBSHELF")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "WINEPREFIX": str(self.prefix),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            # mscms: ours in place of Wine's. No offers to fetch Mono or Gecko, nothing in this system's menus.
            "WINEDLLOVERRIDES": "mscms=n;mscoree=;mshtml=;winemenubuilder.exe=",
        }

    def run(self, *command: str, further: Mapping[str, str] | None = None, seconds: float = 1800) -> str:
        """Run a program in it; returns what it writes to its standard output. Raises CannotPackage."""
        done = self.call(*command, further=further, seconds=seconds)
        if done.returncode:
            raise CannotPackage(
                f"{' '.join(command)[:300]} failed under Wine ({done.returncode}):\n"
                f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done.stdout

    def call(
        self, *command: str, further: Mapping[str, str] | None = None, seconds: float = 1800
    ) -> subprocess.CompletedProcess[str]:
        """The same, whatever it ends with."""
        return subprocess.run(
            [*self.starter, *command],
            env=self.environment | dict(further or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )

    def start(self, *command: str, further: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Begin a program and return at once."""
        return subprocess.Popen(
            [*self.starter, *command],
            env=self.environment | dict(further or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def rest(self) -> None:
        """Wait until all that runs in it has ended."""
        server = shutil.which("wineserver") or "/usr/lib/wine/wineserver64"
        subprocess.run([server, "-w"], env=self.environment, timeout=60, check=False)


def windows_path(path: Path) -> str:
    """How a program under Wine calls a path of this system."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def local_path(path: str) -> str:
    """How this system calls a path that a program under Wine told."""
    return path[2:].replace("\\", "/") if path[:2].upper() == "Z:" else path


def interpreter(folder: Path) -> Path:
    """The interpreter of Windows with the client's libraries and PyInstaller in `folder`, made anew; returns its
    python.exe. Raises CannotPackage."""
    downloads = folder.with_name("downloads")
    try:
        windows_python.make(folder, downloads)
    except windows_python.NotTrusted as error:
        raise CannotPackage(str(error)) from error
    own = folder.with_name("own")
    shutil.rmtree(own, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", str(ROOT), "-w", str(own))
    libraries = folder / "Lib" / "site-packages"
    run(*pip, "install", "--no-deps", "--no-compile", "--target", str(libraries), *map(str, own.glob("*.whl")))
    return folder / "python.exe"
