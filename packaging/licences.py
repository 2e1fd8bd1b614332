"""Whether everything in a package may be given on under our licence (Apache-2.0), and the notices that go with it.

    python packaging/licences.py [INVENTORY.json]

Without a file (of `inventory.py`) it looks at what is installed here for `hubshelf[desktop]`. Exit code 1:
something is not allowed, or nobody has looked at its licence yet; the lines say what to do.

Licences are SPDX expressions. Of "A OR B" one that is allowed is enough, of "A AND B" both are needed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

TEXTS = Path(__file__).resolve().parent / "licences"

ALLOWED = frozenset(
    """
    0BSD Apache-2.0 BSD-2-Clause BSD-2-Clause-Views BSD-3-Clause CC0-1.0 HPND ICU ISC LGPL-2.1-only
    LGPL-2.1-or-later
    LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-2.0 PSF-2.0 Unicode-3.0 Unicode-DFS-2016 Unlicense Zlib blessing
    """.split()  # noqa: SIM905
) | {"LicenseRef-Public-Domain", "Apache-2.0 WITH LLVM-exception", "GPL-2.0-or-later WITH Bootloader-exception"}
"""What may be in a package beside Apache-2.0 code. Of the GPL nothing, but for PyInstaller's starter, whose
exception allows it in programs under any licence."""

KNOWN = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "MIT, BSD": "MIT AND BSD-3-Clause",
    "Public Domain": "LicenseRef-Public-Domain",
}
"""Names that distributions write instead of an SPDX expression."""

LOOKED_AT = {"pysqlite3": "Zlib"}
"""Distributions that say nothing; somebody has read their licence file."""

CHOSEN = {
    "PySide6_Essentials": "LGPL-3.0-only",
    "PySide6_Pdf": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
}
"""Where there is a choice, what we take."""

EMBEDDED = {
    "Python": "PSF-2.0",
    "Qt": "LGPL-3.0-only",
    "ICU": "ICU",
    "SQLite": "blessing",
    "OpenSSL": "Apache-2.0",
    "libxml2": "MIT",
    "libxslt": "MIT",
    "zstd": "BSD-3-Clause",
    "PyInstaller": "GPL-2.0-or-later WITH Bootloader-exception",
}
"""What is in a package without being a distribution of its own."""

QT_LIBRARIES = frozenset(
    ["Core", "DBus", "Gui", "Network", "Pdf", "PrintSupport", "Svg", "WaylandClient", "Widgets", "XcbQpa"]
)
"""Qt's libraries that are LGPL and needed. Some others are for the GPL alone (VirtualKeyboard, Charts …)."""

_WORD = re.compile(r"\(|\)|[^\s()]+")
_RULE = "-" * 100


def allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by licences of `ALLOWED`; False for what is no expression."""
    words = _WORD.findall(expression)
    try:
        found = _either(words)
    except IndexError:
        return False
    return found and not words


def _either(words: list[str]) -> bool:
    found = _both(words)
    while words and words[0].upper() == "OR":
        words.pop(0)
        found = _both(words) or found
    return found


def _both(words: list[str]) -> bool:
    found = _one(words)
    while words and words[0].upper() == "AND":
        words.pop(0)
        found = _one(words) and found
    return found


def _one(words: list[str]) -> bool:
    word = words.pop(0)
    if word == "(":
        found = _either(words)
        return words.pop(0) == ")" and found
    if words and words[0].upper() == "WITH":
        words.pop(0)
        word = f"{word} WITH {words.pop(0)}"
    return word in ALLOWED


def licence_of(found: Mapping[str, Any]) -> str:
    """The SPDX expression under which a distribution of an inventory is used; "" where nobody knows."""
    name, said = str(found["name"]), str(found["licence"])
    if name in CHOSEN and CHOSEN[name] not in said:
        return ""  # it is no choice any more
    return CHOSEN.get(name) or KNOWN.get(said, said) or LOOKED_AT.get(name, "")


def whose(path: str, inventory: Mapping[str, Any]) -> tuple[str, str, str]:
    """(name, version, licence) of what a compiled file of the build belongs to; ("", "", "") where to nothing."""
    name = path.rpartition("/")[2]
    embedded = inventory["embedded"]
    if name.startswith("libicu"):
        part = "ICU"
    elif "/Qt/" in path or re.match(r"(lib)?Qt6", name):
        part = "Qt"
    elif "/lib-dynload/" in path or name.startswith(("libpython", "python3")):
        part = "Python"
    else:
        for one in inventory["distributions"]:
            if path in one.get("files", ()):
                return str(one["name"]), str(one["version"]), licence_of(one)
        return "", "", ""
    return (part, embedded[part], EMBEDDED[part]) if part in embedded else ("", "", "")


def problems(inventory: Mapping[str, Any]) -> list[str]:
    """What must not be given on, one line each; empty where all is well."""
    found = []
    for one in inventory["distributions"]:
        licence = licence_of(one)
        if not licence:
            found.append(
                f"{one['name']} {one['version']} does not say its licence: read it and add it to LOOKED_AT."
            )
        elif not allowed(licence):
            found.append(
                f"{one['name']} {one['version']} is under “{licence}”, which is not in ALLOWED: leave it out."
            )
        if not one["licence_files"] and one["name"] not in CHOSEN:
            found.append(f"{one['name']} {one['version']} has no licence text: add it to packaging/licences.")
    for path in inventory["libraries"]:
        library = re.search(r"(?:^|/)(?:lib)?Qt6(\w+?)(?:\.so[.\d]*|\.dll)$", path)
        if library and library[1] not in QT_LIBRARIES:
            found.append(f"{path} is not in QT_LIBRARIES: leave it out, or look whether it is under the LGPL.")
        elif not whose(path, inventory)[0]:
            found.append(f"{path} belongs to nothing known: leave it out, or say in `whose` what it is.")
    for name in inventory["embedded"]:
        if not allowed(EMBEDDED.get(name, "")):
            found.append(f"{name} is contained, and EMBEDDED does not say its licence.")
    return found


def notices(inventory: Mapping[str, Any], program: str) -> str:
    """The text of THIRD-PARTY-NOTICES: what is in the package, under what, and every licence's words."""
    parts = [_INTRODUCTION.format(program=program), "", *_table(inventory), ""]
    for one in inventory["distributions"]:
        if one["name"] == "hubshelf":
            continue
        for path in map(Path, one["licence_files"]):
            parts += [_RULE, f"{one['name']} {one['version']}: {path.name}", "", _text(path), ""]
    own = {
        "Python": inventory.get("python_licence"),
        "PyInstaller's starter": inventory.get("starter_licence"),
        "What is inside Qt": TEXTS / "inside-qt.txt",
        "ICU": TEXTS / "icu.txt",
        "GNU Lesser General Public License 3 (Qt, Qt for Python)": TEXTS / "LGPL-3.0.txt",
        "GNU General Public License 3 (which the former refers to)": TEXTS / "GPL-3.0.txt",
        "GNU Lesser General Public License 2.1 (pyppmd, zeroconf)": TEXTS / "LGPL-2.1.txt",
    }
    for name, path in own.items():
        if path:
            parts += [_RULE, name, "", _text(Path(path)), ""]
    return "\n".join(parts)


def _table(inventory: Mapping[str, Any]) -> list[str]:
    rows = [(one["name"], one["version"], licence_of(one)) for one in inventory["distributions"]]
    rows += [(name, version, EMBEDDED[name]) for name, version in inventory["embedded"].items()]
    return [
        f"{name:<24}{version:<16}{licence}" for name, version, licence in sorted(rows, key=lambda r: r[0].lower())
    ]


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace").strip()


def installed() -> dict[str, Any]:
    """An inventory of what is installed here for the client: `hubshelf[desktop]` and all that it requires."""
    from inventory import described

    project = tomllib.loads((TEXTS.parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [_name(text) for text in (*project["dependencies"], *project["optional-dependencies"]["desktop"])]
    found: dict[str, dict[str, Any]] = {}
    while wanted:
        name = wanted.pop()
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # for another system or Python
        if name not in found:
            found[name] = described(one)
            wanted += [_name(text) for text in one.requires or [] if "extra ==" not in text]
    return {"distributions": [found[name] for name in sorted(found)], "libraries": [], "embedded": {}}


def _name(requirement: str) -> str:
    """The distribution that a requirement names, as indexes write it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()


def main(arguments: Sequence[str]) -> int:
    inventory = json.loads(Path(arguments[0]).read_text("utf-8")) if arguments else installed()
    wrong = problems(inventory)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(inventory['distributions'])} distributions, {len(wrong)} with a problem")
    return 1 if wrong else 0


_INTRODUCTION = """\
{program} is under the Apache License 2.0. It contains the following work of others, each under its own
licence. The full words of each licence follow the table.

Qt, Qt for Python (PySide6, shiboken6), pyppmd and zeroconf are under the GNU Lesser General Public License.
They are files of their own in `lib/`: Qt's libraries in `lib/PySide6/Qt/lib`, its plugins in
`lib/PySide6/Qt/plugins`, the others in folders of their names. You may replace each with your own build of
the same version's interface, by putting it in the same place under the same name; nothing checks them, and
nothing forbids you to take the program apart to find faults in such a change. Their sources are those of the
releases named here, as their projects publish them (Qt: download.qt.io; the others: the Python Package
Index), unchanged but for symbols for debugging that were taken away."""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
