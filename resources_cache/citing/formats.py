"""Citations as files for other programs: RIS and BibTeX.

RIS: "RIS Format Specifications" of Research Information Systems (refman.com/support/risformat_intro.asp, 2012):
two letters, two spaces, a hyphen, a space, the value; TY first, ER last; lines end with CR LF. In UTF-8.

BibTeX: Oren Patashnik, "BibTeXing" (1988), and for `langid`, `doi` and `url` the manual of biblatex. In UTF-8, as
Biber and every current reference manager read it: letters with accents stay letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from resources_cache.citing.sources import Name, Source

_RIS_TYPES = {"article-journal": "JOUR", "book": "BOOK", "dataset": "DATA", "report": "RPRT"}
_BIBTEX_TYPES = {"article-journal": "article", "book": "book", "dataset": "misc", "report": "techreport"}
# Nothing else has a meaning to TeX inside a field's braces; a backslash comes first, and once.
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_TEX_LETTERS = re.compile("|".join(re.escape(letter) for letter in _TEX))
_WORD = re.compile(r"[a-z0-9]+")
_AND = re.compile(r"\band\b", re.IGNORECASE)
_BABEL = {"ar": "arabic", "en": "english", "es": "spanish", "fr": "french", "pt": "portuguese", "sw": "swahili"}


def ris(sources: Iterable[Source]) -> str:
    """The sources as RIS, each ended by an ER line."""
    return "".join(_ris(one) for one in sources)


def _ris(one: Source) -> str:
    lines = [("TY", _RIS_TYPES.get(one.kind, "GEN")), ("ID", one.id), ("TI", one.title)]
    lines += [("AU", _ris_name(name)) for name in one.authors]
    lines += [
        ("PY", f"{one.year:04}" if one.year else ""),
        ("PB", one.publisher),
        ("LA", one.lang),
        ("DO", one.doi),
    ]
    lines += [("SN", one.isbn), ("UR", one.url), ("AB", one.abstract), ("N1", _one_line(one.note))]
    lines += [("KW", subject) for subject in one.subjects]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value) + "ER  - \r\n\r\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _ris_name(name: Name) -> str:
    # An asterisk is reserved by the format, and a comma parts a family name from a given one.
    if name.literal:
        return name.literal.replace("*", "")
    return f"{name.family}, {name.given}".replace("*", "")


def bibtex(sources: Iterable[Source]) -> str:
    """The sources as BibTeX entries, with keys made of family name, year and a word of the title, each once."""
    used: set[str] = set()
    return "\n".join(_bibtex(one, _key(one, used)) for one in sources)


def _bibtex(one: Source, key: str) -> str:
    kind = _BIBTEX_TYPES.get(one.kind, "misc")
    publisher = "institution" if kind == "techreport" else "publisher"
    fields = [
        ("author", " and ".join(_bibtex_name(name) for name in one.authors)),
        # In braces of its own: styles for English would change the capitals of other languages.
        ("title", f"{{{_tex(one.title)}}}" if one.title else ""),
        (publisher, _bibtex_literal(one.publisher)),
        ("year", f"{one.year:04}" if one.year else ""),
        ("langid", _BABEL.get(one.lang.split("-")[0], "")),
        ("doi", _tex_address(one.doi)),
        ("isbn", _tex(one.isbn)),
        ("url", _tex_address(one.url)),
        ("keywords", ", ".join(_tex(subject.replace(",", " ")) for subject in one.subjects)),
        ("abstract", _tex(one.abstract)),
        ("note", _tex(_one_line(one.note))),
    ]
    inner = "".join(f"  {name} = {{{value}}},\n" for name, value in fields if value)
    return f"@{kind}{{{key},\n{inner}}}\n"


def _bibtex_name(name: Name) -> str:
    if name.literal:
        return f"{{{_tex(name.literal)}}}"
    family, given = (_tex(part) for part in (name.family, name.given))
    # "and" parts authors and a comma parts names, unless they stand in braces.
    family, given = (f"{{{part}}}" if "," in part or _AND.search(part) else part for part in (family, given))
    return f"{family}, {given}"


def _bibtex_literal(text: str) -> str:
    # BibTeX takes an institution for a list as well, parted by "and".
    return f"{{{_tex(text)}}}" if _AND.search(text) else _tex(text)


def _tex(text: str) -> str:
    return _TEX_LETTERS.sub(lambda found: _TEX[found[0]], text)


def _tex_address(text: str) -> str:
    """An address is taken as it is; only braces and backslashes, which would end the field, are written as %XX."""
    return text.replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D")


def _key(one: Source, used: set[str]) -> str:
    first = (one.authors[0].family or one.authors[0].literal) if one.authors else ""
    words = _ascii_words(first)[:1] + ([str(one.year)] if one.year else [])
    words += [word for word in _ascii_words(one.title) if len(word) > 3][:1]
    base = key = "".join(words)[:40] or "resource" + "".join(_ascii_words(one.id))[-8:]
    number = 1
    while key in used:
        number += 1
        key = f"{base}-{number}"
    used.add(key)
    return key


def _ascii_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _WORD.findall(plain.lower())
