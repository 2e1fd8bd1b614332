"""The list of what is in a package, as CycloneDX 1.6 JSON (cyclonedx.org), for those who look for known faults.

Distributions of Python come with their package URL, and with the crates and libraries that they say they contain
(PEP 770); what is compiled into others with its version; shared libraries with the hash of the file as it is in
the package. Nothing in it depends on when or where it was made but the time of the commit.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from licences import EMBEDDED, licence_of, whose


def bill(inventory: Mapping[str, Any], build: Path, version: str, made_at: int) -> dict[str, Any]:
    """The document for the package `version` of what lies in `build`; `made_at`: seconds since 1970, of the
    commit."""
    components = [_distribution(one) for one in inventory["distributions"] if one["name"] != "hubshelf"]
    components += [_embedded(name, found) for name, found in inventory["embedded"].items()]
    components += [_library(path, build, inventory) for path in inventory["libraries"]]
    components.sort(key=lambda one: one["bom-ref"])
    own = f"pkg:pypi/hubshelf@{version}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(made_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "hubshelf",
                "version": version,
                "purl": own,
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [one["bom-ref"] for one in components]}],
    }
    named = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return {"serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, named)}", **document}


def _distribution(one: Mapping[str, Any]) -> dict[str, Any]:
    purl = f"pkg:pypi/{one['name'].lower().replace('_', '-')}@{one['version']}"
    found = {
        "type": "library",
        "bom-ref": purl,
        "name": one["name"],
        "version": one["version"],
        "purl": purl,
        "licenses": [{"expression": licence_of(one)}],
    }
    inside = [part for path in one.get("sboms", ()) for part in _said_inside(Path(path), purl)]
    if inside:
        found["components"] = sorted(
            {part["bom-ref"]: part for part in inside}.values(), key=lambda p: p["bom-ref"]
        )
    return found


def _said_inside(path: Path, holder: str) -> list[dict[str, Any]]:
    """What a distribution says is compiled into it; only what identifies it, and its licence."""
    said = json.loads(path.read_text("utf-8"))
    kept = []
    for one in said.get("components", ()):
        if not one.get("version"):
            continue
        part = {"type": one.get("type", "library"), "name": one["name"], "version": one["version"]}
        part["bom-ref"] = f"{holder}#{one['name']}@{one['version']}"
        if str(one.get("purl", "")).startswith("pkg:") and "file:" not in one["purl"]:
            part["purl"] = one["purl"].partition("?")[0]
        if one.get("licenses"):
            part["licenses"] = one["licenses"]
        kept.append(part)
    return kept


def _embedded(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:generic/{name.lower()}@{version}"
    kind = "platform" if name == "Python" else "library"
    licence = [{"expression": EMBEDDED[name]}]
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl, "licenses": licence}


def _library(path: str, build: Path, inventory: Mapping[str, Any]) -> dict[str, Any]:
    """A file of compiled code, with the version and licence of that to which it belongs."""
    digest = hashlib.sha256((build / path).read_bytes()).hexdigest()
    found = {
        "type": "file",
        "bom-ref": f"file:{path}",
        "name": path,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    _name, version, licence = whose(path, inventory)
    return found | {"version": version, "licenses": [{"expression": licence}]}
