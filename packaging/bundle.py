"""What goes into the packaged client, and why; the recipe (`hubshelf.spec`) and the checks read it here.

PyInstaller follows every `import` that it reads in the sources, those within functions too. What it cannot see is
named here: modules that are found by a name at run time, and files that a package reads beside itself. What it
would take and nothing needs is named too. `tests/packaging/test_bundle.py` compares both with the sources.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("desktop", "sync", "resources_cache")
"""Our packages of the client. The hub is none of them: it is a server, and brings Django."""
LANGUAGES = ("ar", "en", "es", "fr", "pt", "sw")

NOT_PACKAGED = {
    "desktop.screenshots": "takes the pictures of the documentation",
    "desktop.screenshots_packs": "takes the pictures of the documentation",
}
"""Our modules that stay out."""

FOUND_BY_NAME = {
    "pysqlite3.dbapi2": "sqlite-utils asks for pysqlite3 by name",
    "lxml._elementpath": "lxml.etree, which is compiled, imports it",
    "_cffi_backend": "cryptography, which is compiled, imports it",
    "keyring.backends.chainer": "an entry point of keyring",
    "keyring.backends.fail": "keyring takes it where there is no keychain",
    "keyring.backends.null": "keyring takes it where keychains are turned off",
    **(
        {"keyring.backends.Windows": "an entry point of keyring", "win32ctypes.pywin32.win32cred": "its way in"}
        if sys.platform == "win32"
        else {"keyring.backends.macOS": "an entry point of keyring"}
        if sys.platform == "darwin"
        else {
            "keyring.backends.SecretService": "an entry point of keyring; GNOME's keychain and KeePassXC",
            "secretstorage": "its way in",
            "jeepney.io.blocking": "its way in",
        }
    ),
}
"""Modules that are imported by their name at run time, each with who does it."""

OTHER_SYSTEMS = ("fcntl",) if sys.platform == "win32" else ("msvcrt", "winreg")
"""Modules of Python that our sources import on other systems alone."""

WHOLE = ("zeroconf", "backports.zstd", "pyppmd")
"""Packages with compiled parts that import each other: all their modules go in."""

LEFT_OUT = {
    **dict.fromkeys(("hub", "django", "ninja", "tests", "packaging"), "no part of the client"),
    **dict.fromkeys(
        (
            "PySide6.QtQml",
            "PySide6.QtQuick",
            "PySide6.QtQuickWidgets",
            "PySide6.QtOpenGL",
            "PySide6.QtOpenGLWidgets",
        ),
        "the window is made of Widgets, drawn without OpenGL",
    ),
    **dict.fromkeys(("PySide6.QtSql", "PySide6.QtTest", "PySide6.QtDesigner", "PySide6.QtHelp"), "not used"),
    **dict.fromkeys(("rich", "pygments", "markdown_it"), "for the hub's tables; the client does not import them"),
    **dict.fromkeys(("bz2", "_bz2", "lzma", "_lzma"), "nothing is packed so; libraries do without them"),
    **dict.fromkeys(("tkinter", "unittest", "doctest", "pdb", "pydoc", "pydoc_data", "test"), "for developers"),
    **dict.fromkeys(
        ("lib2to3", "ensurepip", "idlelib", "setuptools", "pkg_resources", "distutils"), "for developers"
    ),
    **dict.fromkeys(("readline", "curses", "xmlrpc", "multiprocessing", "ftplib"), "not used"),
    **dict.fromkeys(
        ("lxml.html", "lxml.objectify", "lxml.isoschematron", "lxml.cssselect"), "etree alone is used"
    ),
    **dict.fromkeys(
        ("sqlite_utils.cli", "keyring.cli", "keyring.devpi_client", "citeproc.scripts"), "not our commands"
    ),
    **dict.fromkeys(("urllib3.contrib.emscripten", "urllib3.contrib.pyopenssl"), "not used"),
    **dict.fromkeys(
        ("backports.zstd._cffi", "pyppmd.cffi", "cffi", "pycparser"), "for interpreters without C modules"
    ),
}
"""Modules that are not followed, each with the reason."""

QT_PLUGINS = {
    "platforms": ("qxcb", "qwayland", "qoffscreen", "qwindows", "qcocoa"),
    "wayland-shell-integration": ("xdg-shell",),
    "wayland-decoration-client": ("bradient",),
    "platforminputcontexts": ("composeplatforminputcontextplugin", "ibusplatforminputcontextplugin"),
    "platformthemes": ("qxdgdesktopportal",),
    "iconengines": ("qsvgicon",),
    "imageformats": ("qjpeg", "qgif", "qwebp", "qsvg", "qico"),
    "printsupport": ("cupsprintersupport",),
    "networkinformation": ("qnetworkmanager", "qglib", "qnetworklistmanager", "qscnetworkreachability"),
    "styles": ("qmodernwindowsstyle", "qmacstyle"),
}
"""Folder of Qt's plugins → those of it that go in, without prefix and suffix; of other folders none do.

Not there among others: OpenGL for X11 (Widgets are drawn without it, and loading a driver costs memory and time),
TLS (requests speaks it), GTK's theme (it loads all of GTK), PDF as a picture, and TIFF.
"""
OPTIONAL_PLUGINS = frozenset(
    {"printsupport", "networkinformation", "wayland-shell-integration", "wayland-decoration-client"}
)
"""Folders of plugins without whose system libraries the window works all the same (a .deb recommends these)."""

QT_WORDS = {"ar": "qtbase_ar", "es": "qtbase_es", "fr": "qtbase_fr", "pt": "qtbase_pt_BR"}
"""Qt's own words, as `desktop.qt_words` asks for them; Kiswahili has none, and English needs none."""

CITATION_LOCALES = ("ar", "en-US", "en-GB", "es-ES", "fr-FR", "pt-PT")
"""Of citeproc's terms: those of `resources_cache.citing.formatted`, and what they fall back to."""


def own_modules() -> list[str]:
    """Every module of the client by its dotted name; those of `NOT_PACKAGED` are not among them."""
    found = []
    for package in OWN:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if name not in NOT_PACKAGED and not name.endswith("__main__"):
                found.append(name)
    return found


def own_data() -> list[tuple[Path, str]]:
    """Every file that a package of ours reads beside itself, with its folder in the build."""
    found = []
    for package in OWN:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and path.suffix not in {".py", ".pyc", ".po", ".pot", ".pyi"}:
                found.append((path, path.parent.relative_to(ROOT).as_posix()))
    return found


@cache
def imports_of_the_sources() -> dict[str, list[str]]:
    """Each module that our sources import, wherever they do it, with the files that do; `import_module("…")` and
    the like among it. Names from a module (`from a import b`) are given as `a` alone."""
    found: dict[str, list[str]] = {}
    left_out = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in NOT_PACKAGED}
    for package in OWN:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path not in left_out:
                for name in _imports(ast.parse(path.read_text("utf-8"))):
                    found.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    return found


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(rf"(?:{'|'.join(OWN)})(?:\.[a-z_0-9]+)+", node.value)
            and ROOT.joinpath(*node.value.split(".")).with_suffix(".py").is_file()
        ):
            yield node.value  # a module by its name, as in the window's table of pages


def keeps(path: str) -> bool:
    """Whether a file of the build (its path there, with slashes) is one that the client needs."""
    parts = path.split("/")
    if "plugins" in parts and "Qt" in path:
        folder, name = parts[-2], parts[-1]
        plain = re.sub(r"^lib|\.(so|dll|dylib)$", "", name)
        return plain in QT_PLUGINS.get(folder, ())
    if "translations" in parts and path.endswith(".qm"):
        return parts[-1].removesuffix(".qm") in QT_WORDS.values()
    if "/qml/" in path or "/metatypes/" in path:
        return False
    if "citeproc/data/" in path:
        stem = parts[-1].removesuffix(".xml").removeprefix("locales-")
        return "locales" in parts[:-1] and (parts[-1] == "locales.json" or stem in CITATION_LOCALES)
    return "lxml/isoschematron" not in path and not path.endswith(
        (".pyi", "/py.typed", ".pxd", ".pyx", ".h", ".c")
    )
