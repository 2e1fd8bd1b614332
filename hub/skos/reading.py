"""A SKOS file → schemes and concepts with their labels, as one JSON document on standard output.

    python -m hub.skos.reading FILE SECONDS BYTES

A program of its own, so that a hostile file can spend no more than the given seconds of processor time and bytes
of memory; it opens no connection, and what a file names elsewhere (a JSON-LD context, an XML entity) is not
fetched.
The document is ``{"schemes", "concepts", "left_out"}`` or, where nothing can be done with the file,
``{"fault", "advice"}``.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

MAX_BYTES = 64 << 20
"""Of a file; the UNESCO Thesaurus has 2.6 MB. All of it is in memory while it is read."""
MAX_STATEMENTS = 5_000_000
MAX_CONCEPTS = 100_000
MAX_LABELS = 100
"""Of one concept, in all languages; more are left out."""
MAX_LABEL = 120
"""Characters of a label; nobody types longer ones, so they are left out."""

_SKOS = "http://www.w3.org/2004/02/skos/core#"
_XL = "http://www.w3.org/2008/05/skos-xl#"
_DCT, _DC = "http://purl.org/dc/terms/", "http://purl.org/dc/elements/1.1/"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_TITLES = frozenset({f"{_DCT}title", f"{_DC}title", "http://www.w3.org/2000/01/rdf-schema#label"})
_RIGHTS = (f"{_DCT}license", f"{_DCT}rights", f"{_DC}rights")
_KINDS = frozenset(f"{_SKOS}{kind}" for kind in ("Concept", "ConceptScheme", "Collection", "OrderedCollection"))
_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
_BASE = "http://vocabulary.invalid/"
"""What relative addresses are taken to be relative to: the same for the same file wherever it lies."""

_LANG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
_ENTITY = re.compile(rb"<!ENTITY\s+[^>]*?(?:\bSYSTEM\b|\bPUBLIC\b|[\"'][^\"'>]*[&%])")
_DOCTYPE = 64 << 10  # bytes at the beginning of an XML file in which entities are declared
_FOREIGN = (
    (b"PK\x03\x04", "a ZIP file; unpack it first"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"%PDF-", "a PDF"),
)


class Unusable(Exception):
    """Nothing can be done with the file: (why, what to do)."""


@dataclass
class _Subject:
    """What was said of one subject, as far as it is of use."""

    kind: str = ""
    preferred: list[tuple[str, str]] = field(default_factory=list)
    other: list[tuple[str, str]] = field(default_factory=list)
    named: list[tuple[bool, str]] = field(default_factory=list)  # SKOS-XL labels: (preferred, key of the label)
    schemes: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    rights: dict[str, str] = field(default_factory=dict)
    deprecated: bool = False


def read(path: Path) -> dict[str, Any]:
    """What the file holds; see the module. Raises Unusable, OSError."""
    return _Gathered(_statements(path)).document()


def _statements(path: Path) -> Iterator[Quad]:
    if path.stat().st_size > MAX_BYTES:
        raise Unusable(f"the file is larger than {MAX_BYTES >> 20} MB", "Load a part of the vocabulary.")
    data = path.read_bytes()
    if not data.strip():
        raise Unusable("the file is empty", "Fetch it again.")
    for magic, name in _FOREIGN:
        if data.startswith(magic):
            raise Unusable(f"this is {name}", "Give a SKOS file.")
    form = _format(path, data)
    try:
        quads = parse(input=data, format=form, base_iri=_BASE, lenient=True)
        for number, quad in enumerate(quads):
            if number >= MAX_STATEMENTS:
                raise Unusable(f"it holds more than {MAX_STATEMENTS:,} statements", "Load a part of it.")
            yield quad
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        if "LoadDocumentCallback" in str(error):
            raise Unusable(
                "its JSON-LD context lies elsewhere, and nothing is fetched",
                "Write the context into the file, or save the vocabulary as Turtle.",
            ) from error
        raise Unusable(
            f"it is not well-formed {_NAMES[str(form)]}{line}: {str(error)[:200]}",
            "Fetch it again, or save the vocabulary as Turtle.",
        ) from error


_NAMES = {
    str(RdfFormat.TURTLE): "Turtle",
    str(RdfFormat.N_TRIPLES): "N-Triples",
    str(RdfFormat.RDF_XML): "RDF/XML",
    str(RdfFormat.JSON_LD): "JSON-LD",
}


def _format(path: Path, data: bytes) -> RdfFormat:
    """By content, then by name. Raises Unusable for XML with entities that could grow."""
    head = data[:_DOCTYPE].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"<?xml", b"<!DOCTYPE", b"<!--")) or re.match(rb"<\w+:RDF\b", head):
        if re.match(rb"(?is)<!doctype\s+html|<html", head):
            raise Unusable("this is a web page", "Fetch the vocabulary's SKOS file instead.")
        if _ENTITY.search(data[: data.find(b"]>") + 1] if b"]>" in data else head):
            raise Unusable("it declares XML entities that lie elsewhere or stand for others", "Save it as Turtle.")
        return RdfFormat.RDF_XML
    if head.startswith(b"{") or (head.startswith(b"[") and path.suffix.lower() in (".json", ".jsonld")):
        return RdfFormat.JSON_LD
    return RdfFormat.N_TRIPLES if path.suffix.lower() == ".nt" else RdfFormat.TURTLE


class _Gathered:
    """Statements by subject; then the document."""

    def __init__(self, statements: Iterator[Quad]) -> None:
        self._subjects: dict[str, _Subject] = {}
        self._forms: dict[str, tuple[str, str]] = {}
        self._left_out: Counter[str] = Counter()
        for quad in statements:
            if isinstance(quad.predicate, NamedNode) and isinstance(quad.subject, NamedNode | BlankNode):
                self._take(_key(quad.subject), quad.predicate.value, quad.object)

    def _take(self, subject: str, predicate: str, value: Any) -> None:
        if isinstance(value, Literal):
            self._take_literal(subject, predicate, value)
        elif isinstance(value, NamedNode | BlankNode):
            self._take_link(subject, predicate, _key(value))

    def _take_literal(self, subject: str, predicate: str, value: Literal) -> None:
        if predicate == f"{_SKOS}prefLabel":
            self._add(self._of(subject).preferred, value)
        elif predicate == f"{_SKOS}altLabel":
            self._add(self._of(subject).other, value)
        elif predicate == f"{_XL}literalForm":
            found: list[tuple[str, str]] = []
            self._add(found, value)
            self._forms.update((subject, pair) for pair in found)
        elif predicate in _TITLES:
            self._of(subject).titles.setdefault(value.language or "", _clean(value.value)[:300])
        elif predicate in _RIGHTS:
            self._of(subject).rights.setdefault(predicate, _clean(value.value)[:500])
        elif predicate == _DEPRECATED and value.value in ("true", "1"):
            self._of(subject).deprecated = True

    def _take_link(self, subject: str, predicate: str, target: str) -> None:
        if predicate == _TYPE and target in _KINDS:
            self._of(subject).kind = target.removeprefix(_SKOS)
        elif predicate in (f"{_SKOS}inScheme", f"{_SKOS}topConceptOf"):
            self._of(subject).schemes.append(target)
        elif predicate in (f"{_XL}prefLabel", f"{_XL}altLabel"):
            self._of(subject).named.append((predicate == f"{_XL}prefLabel", target))
        elif predicate in _RIGHTS:
            self._of(subject).rights.setdefault(predicate, target[:500])

    def _of(self, subject: str) -> _Subject:
        found = self._subjects.get(subject)
        if found is None:
            # Labels of SKOS-XL and schemes are few beside concepts; ten times as many subjects are no vocabulary.
            if len(self._subjects) >= 10 * MAX_CONCEPTS:
                raise Unusable(f"it speaks of more than {10 * MAX_CONCEPTS:,} things", "Load a part of it.")
            found = self._subjects[subject] = _Subject()
        return found

    def _add(self, into: list[tuple[str, str]], value: Literal) -> None:
        text = _clean(value.value)
        if not value.language or not _LANG.fullmatch(value.language):
            self._left_out["labels without a language"] += 1
        elif len(text) > MAX_LABEL:
            self._left_out[f"labels longer than {MAX_LABEL} characters"] += 1
        elif text:
            into.append((value.language, text))

    def document(self) -> dict[str, Any]:
        """The document of the module. Raises Unusable where there is no concept with a label."""
        concepts: dict[str, dict[str, list[str]]] = {}
        of_scheme: Counter[str] = Counter()
        for key, one in self._subjects.items():
            # Small vocabularies often leave the type of their concepts unsaid.
            if one.kind != "Concept" and (one.kind or not one.schemes):
                continue
            if one.deprecated:
                self._left_out["concepts marked as deprecated"] += 1
                continue
            if key.startswith("_:"):
                self._left_out["concepts without an address"] += 1
                continue
            if labels := self._labels(one):
                concepts[key] = labels
                of_scheme.update(set(one.schemes))
        if not concepts:
            raise Unusable(
                "it holds no SKOS concept with a label that says its language",
                "Check that this is the vocabulary itself, not a description of it.",
            )
        if len(concepts) > MAX_CONCEPTS:
            raise Unusable(f"it holds more than {MAX_CONCEPTS:,} concepts", "Load a part of it.")
        of_scheme.update({key: 0 for key, one in self._subjects.items() if one.kind == "ConceptScheme"})
        schemes = [
            {"uri": uri, "concepts": count, "titles": about.titles, "rights": self._rights(about)}
            for uri, count in of_scheme.most_common(100)
            for about in [self._subjects.get(uri) or _Subject()]
        ]
        return {"schemes": schemes, "concepts": concepts, "left_out": dict(self._left_out)}

    def _labels(self, one: _Subject) -> dict[str, list[str]]:
        """By language, the preferred label first and then the others as the alphabet has them."""
        preferred, other = list(one.preferred), list(one.other)
        for is_preferred, key in one.named:
            if key in self._forms:
                (preferred if is_preferred else other).append(self._forms[key])
        labels: dict[str, list[str]] = {}
        ordered = [*sorted(set(preferred)), *sorted(set(other))]
        for lang, text in ordered[:MAX_LABELS]:
            known = labels.setdefault(lang, [])
            if text not in known:
                known.append(text)
        if len(ordered) > MAX_LABELS:
            self._left_out[f"labels beyond {MAX_LABELS} of one concept"] += len(ordered) - MAX_LABELS
        return labels

    @staticmethod
    def _rights(about: _Subject) -> str:
        return next((about.rights[name] for name in _RIGHTS if name in about.rights), "")


def _key(node: NamedNode | BlankNode) -> str:
    return node.value if isinstance(node, NamedNode) else f"_:{node.value}"


def _clean(text: str) -> str:
    """One line of composed Unicode without control characters."""
    plain = "".join(c if unicodedata.category(c)[0] != "C" or c in "\u200c\u200d" else " " for c in text[:2_000])
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def main() -> None:
    """Entry point of the child process."""
    path, seconds, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        document = read(path)
    except Unusable as fault:
        document = {"fault": fault.args[0], "advice": fault.args[1]}
    except OSError as error:
        document = {"fault": f"it cannot be read: {error.strerror or error}", "advice": "Check its rights."}
    except MemoryError:
        document = {"fault": "it needs too much memory", "advice": "Load a part of the vocabulary."}
    json.dump(document, sys.stdout, ensure_ascii=True, separators=(",", ":"))


if __name__ == "__main__":
    main()
