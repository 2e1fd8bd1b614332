"""`make package-windows`: the installer, the .zip and the list of contents for Windows, in build/packages.

    python packaging/package_windows.py [--wine] [--version N] [--out DIR] [--build DIR] [--quick] [--twice]

On Windows, with makensis at hand (NSIS 3). `--wine` does the same on Debian 12 under Wine: not to be given to
people, but to try each version before there is a Windows to build it on (`make try-windows-wine`). In order: an
interpreter with what constraints.txt says, PyInstaller's folder, where each library comes from, licences, notices
and list of contents, the installer. `--build` uses a folder that was built already; `--quick` packs fast;
`--twice` builds two times and compares.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "windows"))
import bundle
import origins
import twice
import wine_system
from frozen_folder import CannotPackage, commit_time, complete, project_version, run, try_imports
from wine_system import Wine, local_path, windows_path

ROOT = bundle.ROOT
WORK = ROOT / "build" / "packaging-windows"
SCRIPT = ROOT / "packaging" / "windows" / "hubshelf.nsi"
PLATFORM = "windows-x86_64"
ICONS = (16, 20, 24, 32, 40, 48, 64, 256)
RESOURCES = "HUBSHELF_WINDOWS_RESOURCES"
SIGN = "HUBSHELF_SIGN"
"""Names the command that signs, such as `signtool sign /fd SHA256 /f certificate.pfx`; none: nothing is signed."""


@dataclass(frozen=True)
class Interpreter:
    """A Python for Windows: its program, the folders of its libraries and its base, and Wine where it needs it."""

    python: Path
    base: Path
    libraries: Path
    wine: Wine | None = None

    def run(self, *arguments: str, further: Mapping[str, str] | None = None) -> str:
        """Run it; returns what it writes. Raises CannotPackage."""
        if self.wine is not None:
            return self.wine.run(str(self.python), *arguments, further=further)
        return run(str(self.python), *arguments, environment=os.environ | dict(further or {}))

    def path(self, path: Path) -> str:
        """How it calls a path."""
        return windows_path(path) if self.wine is not None else str(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wine", action="store_true", help="build under Wine, for trying")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--version", default=project_version())
    parser.add_argument("--build", type=Path, help="a folder that PyInstaller made before")
    parser.add_argument("--quick", action="store_true", help="pack fast and larger, for trying")
    parser.add_argument("--twice", action="store_true", help="build two times and compare")
    asked = parser.parse_args()
    try:
        if asked.twice:
            how = ["--version", asked.version, *(["--wine"] if asked.wine else [])]
            return twice.compare("package_windows.py", WORK, how, ["packaging-windows/downloads"])
        for made in packages(asked.out.resolve(), asked.version, asked.wine, asked.build, asked.quick):
            print(f"{made.stat().st_size:>12,} bytes  {made}")
    except CannotPackage as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def packages(out: Path, version: str, wine: bool, build: Path | None = None, quick: bool = False) -> list[Path]:
    """Make the packages in the folder `out`; returns them (where `quick`, without the .zip). Raises
    CannotPackage."""
    if sys.platform != "win32" and not wine:
        raise CannotPackage("This is made on Windows; to try it here under Wine: make package-windows-wine")
    if shutil.which("makensis") is None:
        raise CannotPackage("makensis is missing: NSIS 3 has to be installed and on the PATH.")
    made_at = commit_time()
    os.environ["SOURCE_DATE_EPOCH"] = str(made_at)
    out.mkdir(parents=True, exist_ok=True)
    python = interpreter(wine, fresh=build is None)
    resources = WORK / "resources"
    draw(resources, version)
    if build is None:
        build = frozen(python, resources)
    with tempfile.TemporaryDirectory(prefix="hubshelf-package-", dir=WORK) as name:
        folder = Path(name) / "hubshelf"
        shutil.copytree(build, folder)
        try_imports(
            folder, python.wine.starter if python.wine is not None else (), environment_of(python), "win32"
        )
        if found := origins.strangers(folder, origins.known(python.base, python.libraries)):
            raise CannotPackage("Nobody knows where these come from:\n" + "\n".join(found))
        sign(folder / "hubshelf.exe", folder / "hubshelfw.exe")
        bill = complete(folder, inventory(python, folder), version, made_at, out, PLATFORM, "hubshelf.exe")
        setup = installer(folder, version, resources / "hubshelf.ico", out, quick)
        if quick:
            return [setup, bill]
        return [setup, packed(folder, version, made_at, out), bill]


def environment_of(python: Interpreter) -> Mapping[str, str]:
    return python.wine.environment if python.wine is not None else os.environ


def interpreter(wine: bool, *, fresh: bool) -> Interpreter:
    """A Python with the client and PyInstaller, of the versions in constraints.txt."""
    if wine:
        system = Wine(WORK / "prefix")
        folder = WORK / "python"
        python = wine_system.interpreter(folder) if fresh else folder / "python.exe"
        return Interpreter(python, folder, folder / "Lib" / "site-packages", system)
    folder = WORK / "environment"
    python = folder / "Scripts" / "python.exe"
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(folder))
        pinned = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        pip = (str(python), "-m", "pip", "install", "--quiet", "--no-compile")
        run(*pip, f"{ROOT}[desktop,package]", "tzdata", environment=os.environ | pinned)
    return Interpreter(python, Path(sys.base_prefix), folder / "Lib" / "site-packages")


def draw(resources: Path, version: str) -> None:
    """The icon in its sizes, and what Windows shows of the programs."""
    resources.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    pictures = [_drawn(size) for size in ICONS]
    at, entries = 6 + 16 * len(pictures), b""
    for size, data in zip(ICONS, pictures, strict=True):
        side = (size % 256).to_bytes(1, "little")
        entries += side + side + b"\0\0\1\0\40\0" + len(data).to_bytes(4, "little") + at.to_bytes(4, "little")
        at += len(data)
    head = b"\0\0\1\0" + len(pictures).to_bytes(2, "little")
    (resources / "hubshelf.ico").write_bytes(head + entries + b"".join(pictures))
    words = {
        "CompanyName": "The Hubshelf team",
        "FileDescription": "Hubshelf",
        "FileVersion": version,
        "LegalCopyright": "The Hubshelf team, Apache License 2.0",
        "ProductName": "Hubshelf",
        "ProductVersion": version,
    }
    said = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in words.items())
    four = tuple(map(int, numbers(version).split(".")))
    (resources / "version.txt").write_text(
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={four}, prodvers={four}), kids=[\n"
        f"  StringFileInfo([StringTable('040904B0', [{said}])]),\n"
        "  VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n",
        "utf-8",
    )


def _drawn(size: int) -> bytes:
    """The icon in one size, as PNG, which Windows reads in .ico files since Vista."""
    from PySide6.QtCore import QBuffer, QRectF
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    picture = QImage(size, size, QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    QSvgRenderer(str(ROOT / "packaging" / "hubshelf.svg")).render(painter, QRectF(0, 0, size, size))
    painter.end()
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return bytes(buffer.data().data())


def numbers(version: str) -> str:
    """A version as Windows wants it, of four numbers."""
    parts = [int(part) for part in re.findall(r"\d+", version)][:4]
    return ".".join(map(str, [*parts, *[0] * (4 - len(parts))]))


def frozen(python: Interpreter, resources: Path) -> Path:
    """PyInstaller's folder of the client."""
    for part in ("work", "dist"):
        shutil.rmtree(WORK / part, ignore_errors=True)
    python.run(
        *(
            "-m",
            "PyInstaller",
            python.path(ROOT / "packaging" / "hubshelf.spec"),
            "--noconfirm",
            "--log-level=WARN",
        ),
        *("--workpath", python.path(WORK / "work"), "--distpath", python.path(WORK / "dist")),
        # Under Wine the other Python variables stay outside; this one decides in which order base_library.zip is.
        further={RESOURCES: python.path(resources), "PYTHONHASHSEED": "0"},
    )
    if not (WORK / "dist" / "hubshelf" / "hubshelf.exe").is_file():
        raise CannotPackage("PyInstaller ended without a program.")
    return WORK / "dist" / "hubshelf"


def inventory(python: Interpreter, folder: Path) -> dict[str, Any]:
    """What is in the folder (`inventory.py`), with paths of this system."""

    def local(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: local(value) for name, value in found.items()}
        if isinstance(found, list):
            return [local(one) for one in found]
        return local_path(found) if isinstance(found, str) and python.wine is not None else found

    said = python.run(python.path(ROOT / "packaging" / "inventory.py"), python.path(folder))
    document: dict[str, Any] = local(json.loads(said))
    return document


def installer(folder: Path, version: str, icon: Path, out: Path, quick: bool) -> Path:
    """The installer by NSIS."""
    made = out / f"hubshelf-{version}-{PLATFORM}-setup.exe"
    kib = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024
    flag = "/D" if sys.platform == "win32" else "-D"
    told = {
        "VERSION": version,
        "NUMBERS": numbers(version),
        "SOURCE": str(folder),
        "OUT": str(made),
        "ICON": str(icon),
        "KIB": str(kib),
    }
    if quick:
        told["QUICK"] = "1"
    if sys.platform != "win32":
        told["TARGET"] = "amd64-unicode"  # Debian's NSIS has it; that of Windows has not, and needs it no more
    if SIGN in os.environ:
        told["SIGN"] = os.environ[SIGN]
    run(
        "makensis",
        *(f"{flag}{name}={value}" for name, value in told.items()),
        *(("-V2", "-INPUTCHARSET", "UTF8") if flag == "-D" else ("/V2", "/INPUTCHARSET", "UTF8")),
        str(SCRIPT),
    )
    sign(made)
    return made


def sign(*files: Path) -> None:
    """Sign programs, where there is a command for it: what stands before a file's name. Raises CannotPackage."""
    command = os.environ.get(SIGN)
    for path in files if command else ():
        # As it was given, with its own quotes.
        if subprocess.run(f'{command} "{path}"', shell=True, check=False).returncode:
            raise CannotPackage(f"{path.name} could not be signed.")


def packed(folder: Path, version: str, made_at: int, out: Path) -> Path:
    """The folder as a .zip, for those who may not install."""
    made = out / f"hubshelf-{version}-{PLATFORM}.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = f"hubshelf-{version}/{path.relative_to(folder).as_posix()}"
                entry = zipfile.ZipInfo(name, time.gmtime(made_at)[:6])
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                target.writestr(entry, path.read_bytes())
    return made


if __name__ == "__main__":
    sys.exit(main())
