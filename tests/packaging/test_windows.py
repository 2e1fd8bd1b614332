"""The build for Windows, as far as it can be looked at without making one: `make try-windows-wine` does that."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from pathlib import Path

import pytest

from desktop.words import available_languages
from tests.programs import ROOT

SCRIPT = (ROOT / "packaging" / "windows" / "hubshelf.nsi").read_text("utf-8")
LANGUAGES = {
    "en": "English",
    "fr": "French",
    "ar": "Arabic",
    "pt": "Portuguese",
    "es": "Spanish",
}  # NSIS has no Kiswahili


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """A folder of wheels with one library in it, named by its wheel as another wrote it."""
    place = tmp_path / "site-packages"
    (place / "qt").mkdir(parents=True)
    (place / "qt" / "Qt6Core.dll").write_bytes(b"MZ of a wheel")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"MZ of a wheel").digest()).rstrip(b"=").decode()
    (place / "qt-1.0.dist-info").mkdir()
    (place / "qt-1.0.dist-info" / "RECORD").write_text(f"qt/Qt6Core.dll,sha256={digest},13\nqt/__init__.py,,\n")
    (tmp_path / "DLLs").mkdir()
    (tmp_path / "DLLs" / "_ssl.pyd").write_bytes(b"MZ of Python")
    return place


def build_with(folder: Path, **files: bytes) -> Path:
    (folder / "build" / "lib").mkdir(parents=True)
    for name, data in files.items():
        (folder / "build" / "lib" / f"{name}.dll").write_bytes(data)
    (folder / "build" / "hubshelf.exe").write_bytes(b"MZ of ours")
    return folder / "build"


def test_every_library_comes_from_a_wheel_or_the_interpreter(libraries: Path, tmp_path: Path) -> None:
    import origins

    known = origins.known(tmp_path, libraries)
    build = build_with(tmp_path, Qt6Core=b"MZ of a wheel", _ssl=b"MZ of Python")
    assert origins.strangers(build, known) == []
    # One that stands in for a library of Windows, one of another program, and a wheel's that somebody changed.
    (build / "lib" / "icuuc.dll").write_bytes(b"MZ stands in")
    (build / "other.exe").write_bytes(b"MZ of ours")
    (build / "lib" / "Qt6Core.dll").write_bytes(b"MZ of a wheel, changed")
    assert origins.strangers(build, known) == ["lib/Qt6Core.dll", "lib/icuuc.dll", "other.exe"]


def test_what_stands_in_for_windows_is_made_for_wine_alone() -> None:
    names = {path.stem for path in (ROOT / "packaging" / "windows" / "wine").glob("*.c")}
    assert names == {"bcryptprimitives", "icuuc", "mscms"}
    recipe = (ROOT / "packaging" / "hubshelf.spec").read_text() + (ROOT / "packaging" / "bundle.py").read_text()
    assert not [name for name in names if name in recipe]


def test_the_icon_has_every_size(tmp_path: Path) -> None:
    import package_windows

    package_windows.draw(tmp_path, "1.2.3")
    data = (tmp_path / "hubshelf.ico").read_bytes()
    _reserved, kind, count = struct.unpack_from("<HHH", data)
    assert (kind, count) == (1, len(package_windows.ICONS))
    for n, side in enumerate(package_windows.ICONS):
        width, height, _colours, _zero, _planes, bits, size, at = struct.unpack_from("<BBBBHHII", data, 6 + 16 * n)
        assert (width or 256, height or 256, bits) == (side, side, 32)
        assert data[at : at + 8] == b"\x89PNG\r\n\x1a\n"
        assert at + size <= len(data)
    assert "filevers=(1, 2, 3, 0)" in (tmp_path / "version.txt").read_text()


@pytest.mark.parametrize(("version", "four"), [("0.1.0", "0.1.0.0"), ("1.2", "1.2.0.0"), ("2.0.0rc1", "2.0.0.1")])
def test_a_version_has_four_numbers_there(version: str, four: str) -> None:
    import package_windows

    assert package_windows.numbers(version) == four


def test_the_installer_speaks_our_languages_and_removes_what_it_writes() -> None:
    assert set(LANGUAGES) == set(available_languages()) - {"sw"}
    for name in LANGUAGES.values():
        assert f'MUI_LANGUAGE "{name}"' in SCRIPT
        assert f"LangString IN_USE ${{LANG_{name.upper()}}}" in SCRIPT
    written = set(re.findall(r'WriteReg\w+ SHCTX "([^"]+)"', SCRIPT))
    removed = set(re.findall(r'DeleteRegKey SHCTX "([^"]+)"', SCRIPT))
    assert {key for key in written if not any(key.startswith(one) for one in removed)} == set()
    assert set(re.findall(r"\$\{(\w+)\}", SCRIPT)) & {"VERSION", "NUMBERS", "SOURCE", "OUT", "ICON", "KIB"} == {
        *("VERSION", "NUMBERS", "SOURCE", "OUT", "ICON", "KIB")
    }


def test_the_task_that_keeps_the_library_of_a_pc_comes_and_goes_with_the_program() -> None:
    made = re.findall(r'schtasks.exe" /create .*', SCRIPT)
    assert len(made) == 1
    assert "/ru S-1-5-19 " in made[0], "LOCAL SERVICE, however Windows calls it in its language"
    assert made[0].endswith("""/tr "\\"$INSTDIR\\hubshelf.exe\\" machine keep --if-decided"'""")
    assert 'schtasks.exe" /delete /f /tn "${TASK}"' in SCRIPT
    folders = set(re.findall(r'CreateDirectory "\$APPDATA\\\$\{NAME\}\\([\w-]+)"', SCRIPT))
    assert folders == {"library", "shelf", "handed-in"}
    for name in folders:
        assert f'icacls.exe" "$APPDATA\\${{NAME}}\\{name}"' in SCRIPT
        assert f'RMDir /r "$APPDATA\\${{NAME}}\\{name}"' in SCRIPT


def test_paths_go_to_wine_and_back(tmp_path: Path) -> None:
    import wine_system

    there = wine_system.windows_path(tmp_path / "a folder")
    assert there.startswith("Z:\\")
    assert wine_system.local_path(there) == str((tmp_path / "a folder").resolve())
    assert wine_system.local_path("C:\\users") == "C:\\users"
