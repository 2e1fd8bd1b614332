"""Says what is in a build: its Python modules, its libraries, and the distributions that they come from.

    python inventory.py BUILD

Runs with the Python that made the build (PyInstaller reads the program's archive), writes JSON to standard output:
`{"distributions": [{"name", "version", "licence", "folder", "licence_files", "sboms", "files"}],
"libraries": [path], "modules": […], "embedded": {name: version}, "python_licence", "starter_licence",
"machine_paths": [module]}`. Paths of libraries are relative to BUILD. `machine_paths` are modules whose code
says where it was built; there should be none.
"""

from __future__ import annotations

import ctypes
import json
import marshal
import platform
import sys
import sysconfig
import zipfile
from importlib.metadata import Distribution, distributions, version
from importlib.metadata import files as files_of
from pathlib import Path
from types import CodeType
from typing import Any


def main() -> int:
    build = Path(sys.argv[1])
    codes = _codes(build)
    files = {p.relative_to(build).as_posix() for p in build.rglob("*") if p.is_file() and not p.is_symlink()}
    inside = {name.removeprefix("lib/") for name in files}
    modules = sorted({*codes, *(_module_of(name) for name in inside if name.endswith((".so", ".pyd")))} - {""})
    found = [
        described(one)
        | {"files": sorted("lib/" + path for path in _paths(one) & inside if ".dist-info/" not in path)}
        for one in distributions()
        if _is_in(one, inside, set(modules))
    ]
    document = {
        "distributions": sorted(found, key=lambda one: one["name"].lower()),
        "libraries": sorted(name for name in files if ".so" in Path(name).name or name.endswith((".dll", ".pyd"))),
        "modules": modules,
        "embedded": _embedded(),
        "python_licence": str(Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"),
        "starter_licence": str(next(f.locate() for f in files_of("pyinstaller") or [] if f.name == "COPYING.txt")),
        "machine_paths": sorted(name for name, code in codes.items() if _says_where(code)),
    }
    json.dump(document, sys.stdout, indent=1)
    return 0


def _codes(build: Path) -> dict[str, CodeType | None]:
    """Each module of pure Python with its code."""
    from PyInstaller.archive.readers import CArchiveReader

    program = next(path for path in (build / "hubshelf", build / "hubshelf.exe") if path.is_file())
    archive = CArchiveReader(str(program))
    name = next(entry for entry in archive.toc if entry.startswith("PYZ"))
    modules = archive.open_embedded_archive(name)
    found: dict[str, CodeType | None] = {module: modules.extract(module) for module in modules.toc}
    with zipfile.ZipFile(next(build.rglob("base_library.zip"))) as base:
        for entry in base.namelist():
            if entry.endswith(".pyc"):
                module = entry.removesuffix(".pyc").replace("/", ".").removesuffix(".__init__")
                found[module] = marshal.loads(base.read(entry)[16:])
    return found


def _says_where(code: CodeType | None) -> bool:
    if code is None:
        return False
    return Path(code.co_filename).is_absolute() or any(
        isinstance(inner, CodeType) and _says_where(inner) for inner in code.co_consts
    )


def _module_of(path: str) -> str:
    """The module that a compiled file holds; "" where it is a library."""
    plain = path.removeprefix(f"python{sys.version_info.major}.{sys.version_info.minor}/lib-dynload/")
    for ending in (sysconfig.get_config_var("EXT_SUFFIX") or ".so", ".abi3.so", ".pyd"):
        if plain.endswith(ending):
            return plain.removesuffix(ending).replace("/", ".")
    return ""


def _paths(one: Distribution) -> set[str]:
    return {str(file).replace("\\", "/") for file in one.files or []}


def _is_in(one: Distribution, inside: set[str], modules: set[str]) -> bool:
    for path in _paths(one):
        if path in inside and ".dist-info/" not in path:
            return True
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if path.endswith(".py") and "." not in Path(path).stem and module in modules:
            return True
    return False


def described(one: Distribution) -> dict[str, Any]:
    meta = one.metadata
    licence = meta.get("License-Expression") or meta.get("License") or ""
    if not licence.strip() or "\n" in licence.strip():
        classifiers = [c for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
        licence = " AND ".join(c.rsplit(" :: ", 1)[1] for c in classifiers)
    names = ("licen", "copying", "notice", "authors")
    texts = [
        f
        for f in one.files or []
        if ".dist-info/" in str(f) and any(n in Path(str(f)).name.lower() for n in names)
    ]
    folder = next((str(f).split("/")[0] for f in one.files or [] if ".dist-info/" in str(f)), "")
    return {
        "name": meta["Name"],
        "version": one.version,
        "licence": licence.strip(),
        "folder": str(one.locate_file(folder)),
        "licence_files": sorted(str(one.locate_file(f)) for f in texts),
        "sboms": sorted(str(one.locate_file(f)) for f in one.files or [] if ".dist-info/sboms/" in str(f)),
    }


def _embedded() -> dict[str, str]:
    """The versions of what is compiled into others' modules."""
    import PySide6
    from backports import zstd
    from cryptography.hazmat.backends.openssl import backend
    from lxml import etree
    from PySide6 import QtCore
    from pysqlite3 import dbapi2

    icu = {}
    for path in (Path(PySide6.__file__).parent / "Qt" / "lib").glob("libicuuc.so.*"):
        numbers = (ctypes.c_uint8 * 4)()
        getattr(ctypes.CDLL(str(path)), "u_getVersion_" + path.name.rsplit(".", 1)[1])(numbers)
        icu["ICU"] = f"{numbers[0]}.{numbers[1]}"
    return icu | {
        "Python": platform.python_version(),
        "Qt": QtCore.qVersion(),
        "SQLite": str(dbapi2.sqlite_version),
        "OpenSSL": backend.openssl_version_text().split()[1],
        "libxml2": ".".join(map(str, etree.LIBXML_COMPILED_VERSION)),
        "libxslt": ".".join(map(str, etree.LIBXSLT_COMPILED_VERSION)),
        "zstd": zstd.zstd_version,
        "PyInstaller": version("pyinstaller"),
    }


if __name__ == "__main__":
    sys.exit(main())
