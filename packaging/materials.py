"""What a build is made of: its bill of materials (CycloneDX 1.6, JSON) and the notices of all licences.

Run by the interpreter of the environment that the build was made in:
`python packaging/materials.py COLLECTED FOLDER VERSION` writes `sbom.cdx.json` and `THIRD-PARTY-NOTICES.txt` into
FOLDER and fails where something in the build has a licence that is not allowed beside ours.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path
from typing import Any

ALLOWED = {
    *("Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "PSF-2.0", "MPL-2.0"),
    *("Zlib", "ISC", "Unlicense", "blessing", "Unicode-3.0", "LGPL-2.1-or-later", "LGPL-3.0-only"),
    "GPL-2.0-or-later WITH Bootloader-exception",
}
"""SPDX names. LGPL only as libraries of their own that a person can replace, as they are in a folder."""
SAID = {
    "backports.tarfile": "MIT",
    "certifi": "MPL-2.0",
    "charset-normalizer": "MIT",
    "click-default-group": "Unlicense",
    "ifaddr": "MIT",
    "jaraco.classes": "MIT",
    "lxml": "BSD-3-Clause",
    "nh3": "MIT",
    "pluggy": "MIT",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "pyppmd": "LGPL-2.1-or-later",
    "PySide6_Essentials": "LGPL-3.0-only",
    "PySide6_Pdf": "LGPL-3.0-only",
    "pysqlite3": "Zlib",
    "PyStemmer": "MIT AND BSD-3-Clause",
    "requests": "Apache-2.0",
    "setuptools": "MIT",
    "shiboken6": "LGPL-3.0-only",
    "sqlite-fts4": "Apache-2.0",
    "tzdata": "Apache-2.0",
}
"""Where a distribution says its licence in other words than SPDX's, or leaves a choice: what it is taken under."""
BESIDE = (
    ("Python", platform.python_version(), "PSF-2.0", "cpe:2.3:a:python:python"),
    ("ICU", "73", "Unicode-3.0", ""),
    ("SQLite", "", "blessing", ""),
)
"""What comes inside of others."""
_QT = """Qt {qt} and Qt for Python {qt} are used under the GNU Lesser General Public License 3 (licences/).
They are libraries of their own in the folder of the program and may be replaced by other builds of the same
interface. Their source is published by The Qt Company: download.qt.io/official_releases/ and code.qt.io/pyside
"""


class NotAllowed(Exception):
    """Something in the build has a licence that cannot go with ours."""


def licence_of(found: Distribution) -> str:
    """The SPDX expression of a distribution. Raises NotAllowed for one that is unknown or not allowed."""
    name = str(found.metadata["Name"])
    said = SAID.get(name) or str(found.metadata.get("License-Expression") or found.metadata.get("License") or "")
    if not said:
        classes = [one for one in found.metadata.get_all("Classifier") or [] if one.startswith("License ::")]
        said = {"License :: OSI Approved :: MIT License": "MIT"}.get(classes[0] if len(classes) == 1 else "", "")
    parts = re.split(r" AND ", said)
    for part in parts:
        choices = part.strip("() ").split(" OR ")
        if not any(choice in ALLOWED for choice in choices):
            raise NotAllowed(f"{name} is under “{said or 'no licence that it names'}”, which is not on the list.")
    return said


def bundled(
    modules: list[str], libraries: list[str], always: tuple[str, ...] = ("pyinstaller",)
) -> list[Distribution]:
    """The distributions of which something is in the build, by name. `always`: whose own start program is."""
    owners = packages_distributions()
    tops = {name.partition(".")[0] for name in modules} | {
        path.partition("/")[0].partition(".")[0] for path in libraries
    }
    names = {name for top in tops for name in owners.get(top, [])} | set(always)
    # Shared namespaces, of which only those with a module here count.
    for top in ("backports", "jaraco"):
        for owner in owners.get(top, []):
            if owner.replace("-", ".") not in modules:
                names.discard(owner)
    return sorted(
        (distribution(name) for name in names if name != "hubshelf"), key=lambda one: one.metadata["Name"].lower()
    )


def bill(found: list[Distribution], version: str) -> dict[str, Any]:
    """The bill of materials; the same for the same build, so it holds no time and no random number."""
    components: list[dict[str, Any]] = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{one.metadata['Name'].lower()}@{one.version}",
            "name": one.metadata["Name"],
            "version": one.version,
            "purl": f"pkg:pypi/{one.metadata['Name'].lower().replace('_', '-')}@{one.version}",
            "licenses": [{"expression": licence_of(one)}],
        }
        for one in found
    ]
    for name, number, licence, cpe in BESIDE:
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": name,
            "name": name,
            "licenses": [{"license": {"id": licence}}],
        }
        if number:
            component["version"] = number
        if cpe:
            component["cpe"] = f"{cpe}:{number}:*:*:*:*:*:*:*"
        components.append(component)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "hubshelf",
                "name": "hubshelf",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
    }


def notices(found: list[Distribution]) -> str:
    """The texts of all licences, one distribution after another."""
    qt = next((one.version for one in found if one.metadata["Name"] == "PySide6_Essentials"), "")
    parts = ["Hubshelf is under the Apache License 2.0 (LICENSE). It holds the works below.\n", _QT.format(qt=qt)]
    for one in found:
        texts = [
            str(path.locate().read_text("utf-8", errors="replace")).strip()
            for path in sorted(one.files or [])
            if ".dist-info/" in str(path) and re.search(r"licen[cs]e|copying|notice|authors", path.name, re.I)
        ]
        head = f"{one.metadata['Name']} {one.version} ({licence_of(one)})"
        parts.append(
            "\n".join(
                ["=" * len(head), head, "=" * len(head), *(texts or ["The text is that of its licence."]), ""]
            )
        )
    return "\n".join(parts)


def main() -> None:
    collected, folder, version = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    said = json.loads(collected.read_text())
    try:
        found = bundled(said["modules"], said["libraries"])
        document, text = bill(found, version), notices(found)
    except NotAllowed as error:
        sys.exit(str(error))
    (folder / "sbom.cdx.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (folder / "THIRD-PARTY-NOTICES.txt").write_text(text, encoding="utf-8")
    print(f"{len(document['components'])} components, all under licences that may go with ours")


if __name__ == "__main__":
    main()
