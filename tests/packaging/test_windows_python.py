"""The Windows Python that packages are tried with: what nobody vouches for stays out."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FOUNDATION = "Python Software Foundation"
needs_signing = pytest.mark.skipif(shutil.which("osslsigncode") is None, reason="osslsigncode is not installed")


@pytest.fixture(autouse=True)
def _windows_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging" / "windows"))


def signed(folder: Path, name: str) -> tuple[Path, Path]:
    """(a program of Windows signed in this name, the root that vouches for the name)."""
    program = next((ROOT / ".venv" / "lib").glob("python3*/site-packages/pip/_vendor/distlib/t64.exe"))
    key, root, made = folder / "key.pem", folder / "root.pem", folder / f"{name[:6]}.exe"
    made.unlink(missing_ok=True)
    how = ["-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    said = ["-subj", f"/O={name}/CN={name}", "-days", "2", "-keyout", str(key), "-out", str(root), *how]
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *said)
    run("osslsigncode", "sign", "-certs", root, "-key", key, "-h", "sha256", "-in", program, "-out", made)
    return made, root


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


@needs_signing
def test_a_program_of_the_foundation_is_taken_as_it_was_signed(tmp_path: Path) -> None:
    import windows_python

    program, root = signed(tmp_path, FOUNDATION)
    assert windows_python.signed_by(program, root) == FOUNDATION

    data = bytearray(program.read_bytes())
    data[len(data) // 3] ^= 1
    program.write_bytes(data)
    with pytest.raises(windows_python.NotTrusted, match="could not be checked"):
        windows_python.signed_by(program, root)


@needs_signing
def test_nobody_elses_name_and_nobody_elses_root_count(tmp_path: Path) -> None:
    import windows_python

    (tmp_path / "other").mkdir()
    stranger, its_root = signed(tmp_path / "other", "Nice People")
    with pytest.raises(windows_python.NotTrusted, match="Nice People"):
        windows_python.signed_by(stranger, its_root)
    claims, _root = signed(tmp_path, FOUNDATION)
    with pytest.raises(windows_python.NotTrusted, match="could not be checked"):
        windows_python.signed_by(claims, its_root)


def test_a_file_of_the_library_is_taken_as_the_catalogue_has_it() -> None:
    import windows_python

    catalogue = b"\x30\x82" + hashlib.sha1(b"import os\n").digest() + hashlib.sha256(b"x = 1\n").digest()
    assert windows_python.stands_in(catalogue, b"import os\n")
    assert windows_python.stands_in(catalogue, b"x = 1\n")
    assert not windows_python.stands_in(catalogue, b"import os, evil\n")


def test_an_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    import windows_python

    name, version, _digest = windows_python.SOURCE
    (tmp_path / f"{name.replace('-', '_')}-{version}.tar.gz").write_bytes(b"another")
    with pytest.raises(windows_python.NotTrusted, match="not the one that was pinned"):
        windows_python._fetched(windows_python.SOURCE, tmp_path)


def test_wheels_are_those_of_the_constraints() -> None:
    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    lines = [one for one in (ROOT / "constraints.txt").read_text().splitlines() if "==" in one]
    constraints = {plain(name): version for name, _, version in (one.partition("==") for one in lines)}
    pins = (ROOT / "packaging" / "windows" / "wheels.txt").read_text().splitlines()[1:]
    found = [re.fullmatch(r"(\S+)==(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in pins]
    assert None not in found
    versions = {plain(one[1]): one[2] for one in found if one}
    del versions["setuptools"]  # that of who builds; the client has none
    assert {name: constraints.get(name) for name in versions} == versions


def test_no_library_that_a_wheel_needs_is_missing() -> None:
    windows = {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "os_name": "nt",
        "platform_machine": "AMD64",
        "platform_python_implementation": "CPython",
        "python_version": "3.11",
        "python_full_version": "3.11.9",
        "extra": "",
    }
    pins = (ROOT / "packaging" / "windows" / "wheels.txt").read_text().splitlines()[1:]
    names = {canonicalize_name(line.partition("==")[0]) for line in pins}
    missing = set()
    for name in names:
        try:
            needs = [Requirement(line) for line in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:
            continue  # for Windows or for who builds: not here
        missing |= {
            f"{name} needs {need.name}"
            for need in needs
            if (need.marker is None or need.marker.evaluate(windows)) and canonicalize_name(need.name) not in names
        }
    # The command line of sqlite-utils installs plugins by pip; the library does not ask for it.
    assert missing == {"sqlite-utils needs pip"}
