"""Licences as people write them, into SPDX identifiers (spdx.org/licenses) or addresses of rights statements."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CC_ADDRESS = re.compile(
    r"creativecommons\.org/licen[sc]es/(by(?:-nc)?(?:-nd|-sa)?)(?:/(\d\.\d))?(?:/([a-z]{2,3}))?(?![a-z])",
    re.IGNORECASE,
)
_CC_SHORT = re.compile(
    r"\bcc[\s_-]{0,3}(by(?:[\s_-]{0,3}nc)?(?:[\s_-]{0,3}(?:nd|sa))?)(?![a-z])[\s_-]{0,3}(?:v|version)?\s{0,3}(\d\.\d)?"
    r"[\s_-]{0,3}(igo)?",
    re.IGNORECASE,
)
_CC_WORDS = re.compile(
    r"(?:creative commons|\bcc\b).{0,60}?(?:attribution|paternit|reconocimiento|atribui)", re.IGNORECASE
)
_VERSION = re.compile(r"(?<![\d.])([1-4]\.[05])(?![\d.])")
_NO_PROFIT = re.compile(
    r"non[\s-]{0,2}commercial|no[\s-]{0,2}comercial|n[ãa]o[\s-]{0,2}comercial|utilisation commerciale", re.I
)
_NO_CHANGE = re.compile(r"no[\s-]{0,2}deriv|pas de modif|sin ?obra ?derivada|sem ?deriva", re.IGNORECASE)
_ALIKE = re.compile(
    r"share[\s-]{0,2}alike|m[êe]mes conditions|compartir[\s-]{0,2}igual|compartilha", re.IGNORECASE
)
_STATEMENT = re.compile(
    r"rightsstatements\.org/(?:vocab|page)/([A-Za-z-]{2,10})/(\d\.\d)", re.IGNORECASE
)  # https://rightsstatements.org/en/documentation/
_STATEMENTS = {
    one.lower(): one
    for one in (
        "InC", "InC-OW-EU", "InC-EDU", "InC-NC", "InC-RUU", "NoC-CR", "NoC-NC", "NoC-OKLR", "NoC-US",
        "CNE", "UND", "NKC",
    )
}  # fmt: skip
_OTHERS = (
    (re.compile(r"creativecommons\.org/publicdomain/zero|\bcc[\s-]?0\b|\bcc[\s-]?zero\b", re.I), "CC0-1.0"),
    (
        re.compile(r"creativecommons\.org/publicdomain/mark|public domain mark", re.I),
        "https://creativecommons.org/publicdomain/mark/1.0/",
    ),
    (
        re.compile(
            r"\bogl(?:-uk)?[\s-]{0,2}v?(?:ersion )?([123])|open government licen[cs]e\D{0,20}([123])", re.I
        ),
        "OGL-UK-{}.0",
    ),
    (re.compile(r"\bodbl\b|open (?:data commons )?(?:open )?database licen[cs]e", re.I), "ODbL-1.0"),
    (re.compile(r"\bodc-by\b|open data commons attribution", re.I), "ODC-By-1.0"),
    (re.compile(r"\bpddl\b", re.I), "PDDL-1.0"),
    (re.compile(r"etalab-2|licence ouverte.{0,20}2", re.I), "etalab-2.0"),
    (re.compile(r"apache.{0,20}\b2(?:\.0)?\b", re.I), "Apache-2.0"),
    (re.compile(r"^(?:the )?mit(?: licen[cs]e)?$", re.I), "MIT"),
)
_PORTED = {"by": "IGO", "by-sa": "IGO", "by-nc-sa": "IGO", "by-nc-nd": "IGO"}
"""The forms of 3.0 for intergovernmental organisations that SPDX knows."""
_OPEN = (
    "cc-", "cc0-", "ogl-uk-", "odbl-", "odc-by-", "pddl-", "etalab-", "apache-", "gfdl", "gpl-", "lgpl-", "bsd-",
    "https://creativecommons.org/",
)  # fmt: skip
_OPEN_WORDS = re.compile(r"(?:cc|ogl|pddl|odc|odbl|public domain|mit|apache|gfdl|etalab)(?![a-z])", re.IGNORECASE)
_CLOSED_WORDS = re.compile(
    r"all rights reserved|tous droits r[ée]serv|todos (?:los|os) d(?:erechos|ireitos) reserv", re.I
)


def normal(said: str) -> str:
    """Return the SPDX identifier (CC-BY-SA-4.0) or rights address that a statement means; what is not understood,
    or names no version, as it was said."""
    said = said.strip()
    if found := _CC_ADDRESS.search(said):
        return _cc(found[1], found[2], found[3] or "") or said
    if found := _CC_SHORT.search(said):
        kind = "-".join(re.findall(r"by|nc|nd|sa", found[1].lower()))
        return _cc(kind, found[2] or _version(said), found[3] or "") or said
    if found := _STATEMENT.search(said):
        name = _STATEMENTS.get(found[1].lower())
        return f"http://rightsstatements.org/vocab/{name}/{found[2]}/" if name else said
    if _CC_WORDS.search(said):
        parts = [
            name for name, words in (("nc", _NO_PROFIT), ("nd", _NO_CHANGE), ("sa", _ALIKE)) if words.search(said)
        ]
        return _cc("-".join(["by", *parts]), _version(said), "") or said
    for words, name in _OTHERS:
        if found := words.search(said):
            return name.format(next((one for one in found.groups() if one), ""))
    return said


def may_be_passed_on(licence: str) -> bool:
    """Whether everybody may pass the work on as it is (Creative Commons of any kind, and the like). What is not
    understood may not."""
    name = normal(licence).lower()
    if name.startswith(_OPEN):
        return True
    return bool(_OPEN_WORDS.match(name)) and not _CLOSED_WORDS.search(name)


def chosen(statements: Iterable[str]) -> str:
    """Of several statements about one work the one that says most: a licence that lets it be passed on, else a
    known one, else the first; "" for none."""
    found = [(normal(one), one) for one in statements if one.strip()]
    for name, _said in found:
        if may_be_passed_on(name):
            return name
    known = (name for name, said in found if name != said or "://" in name)
    return next(known, found[0][0] if found else "")


def _cc(kind: str, version: str | None, where: str) -> str:
    kind, where = kind.lower(), where.lower()
    if not version:
        return ""
    if not where or (version == "4.0" and where not in ("igo",)):
        return f"CC-{kind.upper()}-{version}"
    if where == "igo" and version == "3.0" and kind in _PORTED:
        return f"CC-{kind.upper()}-3.0-IGO"
    # SPDX has few of the forms for single countries: the address says which it is.
    return f"https://creativecommons.org/licenses/{kind}/{version}/{where}/"


def _version(said: str) -> str:
    found = _VERSION.search(said)
    return found[1] if found else ""
