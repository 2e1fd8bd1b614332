"""What goes into the packaged client, compared with what the sources import and read; nothing is built here."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_that_the_sources_import_is_left_out() -> None:
    import bundle

    found = bundle.imports_of_the_sources()
    assert {
        "sync.neighbours.finding",
        "desktop.pages.keys",
        "keyring",
        "zeroconf",
    } <= found.keys()  # all of them lazy
    for name, files in found.items():
        parts = name.split(".")
        ways = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        assert not ways & (bundle.LEFT_OUT.keys() | bundle.NOT_PACKAGED.keys()), (
            f"{name} is left out; {files} want it"
        )


def test_every_module_of_ours_is_named_and_nothing_else() -> None:
    import bundle

    own = set(bundle.own_modules())
    for name in bundle.imports_of_the_sources():
        if name.partition(".")[0] in bundle.OWN:
            assert name in own, name
    assert not any(name.startswith(("hub", "tests")) for name in own)
    assert all(importlib.util.find_spec(name) for name in (*bundle.NOT_PACKAGED, "desktop.pages.home"))


@pytest.mark.skipif(sys.platform != "linux", reason="the names are those of Linux")
def test_modules_found_by_name_are_installed() -> None:
    import bundle

    assert [name for name in bundle.FOUND_BY_NAME if importlib.util.find_spec(name) is None] == []
    backends = {entry.value for entry in importlib.metadata.entry_points(group="keyring.backends")}
    named = {name for name in bundle.FOUND_BY_NAME if name.startswith("keyring.backends.")}
    others = {"keyring.backends." + name for name in ("Windows", "macOS", "kwallet", "libsecret")}
    assert backends - others <= named, "keyring has a new backend: bundle it, or leave it out knowingly"


def test_files_that_a_package_reads_are_taken_and_sources_of_words_are_not() -> None:
    import bundle

    names = {f"{folder}/{path.name}" for path, folder in bundle.own_data()}
    for language in ("ar", "es", "fr", "pt", "sw"):
        assert f"desktop/locale/{language}/LC_MESSAGES/hubshelf.mo" in names
    assert {
        "desktop/icons/search.svg",
        "desktop/locale/countries.json",
        "resources_cache/citing/styles/apa.csl",
    } <= names
    assert "sync/protocol/dictionaries/2/en.txt" in names
    assert not any(name.endswith((".po", ".py", ".pyc")) for name in names)


def test_qt_s_own_words_are_those_that_the_window_asks_for() -> None:
    import bundle
    from PySide6.QtCore import QLibraryInfo

    folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    assert all((folder / f"{name}.qm").is_file() for name in bundle.QT_WORDS.values())
    assert bundle.keeps("lib/PySide6/Qt/translations/qtbase_fr.qm")
    assert not bundle.keeps("lib/PySide6/Qt/translations/qtbase_de.qm")


def test_plugins_are_kept_by_name() -> None:
    import bundle

    plugins = "PySide6/Qt/plugins"
    assert bundle.keeps(f"{plugins}/platforms/libqxcb.so")
    assert bundle.keeps(f"{plugins}/imageformats/libqwebp.so")  # the reader's picture_file reads these
    assert not bundle.keeps(f"{plugins}/platforms/libqeglfs.so")
    assert not bundle.keeps(f"{plugins}/platforminputcontexts/libqtvirtualkeyboardplugin.so")  # GPL alone
    assert not bundle.keeps(f"{plugins}/sqldrivers/libqsqlite.so")


def test_citations_have_their_terms() -> None:
    import bundle

    from resources_cache.citing.formatted import _LOCALES

    assert set(_LOCALES.values()) <= set(bundle.CITATION_LOCALES)
    assert bundle.keeps("citeproc/data/locales/locales-fr-FR.xml")
    assert bundle.keeps("citeproc/data/locales/locales.json")
    assert not bundle.keeps("citeproc/data/locales/locales-zh-CN.xml")


def test_a_program_that_the_window_starts_gets_the_person_s_own_libraries() -> None:
    script = (
        f"import os, runpy; runpy.run_path({str(ROOT / 'packaging' / 'frozen_environment.py')!r}); "
        "print(os.environ.get('LD_LIBRARY_PATH'), os.environ.get('LD_LIBRARY_PATH_ORIG'))"
    )
    for before, expected in (({"LD_LIBRARY_PATH_ORIG": "/opt/own"}, "/opt/own None"), ({}, "None None")):
        environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "/usr/lib/hubshelf/lib", **before}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
