"""CSV and TSV: one row a resource, columns named by a mapping or recognised by their usual names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hub.errors import InvalidInput
from hub.ids import is_importable_id

from . import cleaning as clean
from . import csl, licences, native
from .records import Parsed, Refused, ResourceRecord

CELL_LIMIT = 16 << 20
MAPPED_FIELDS = [
    "id", "title", "summary", "text", "lang", "authors", "publisher", "year", "countries", "themes", "subjects",
    "policy_cycle", "resource_type", "licence", "url", "doi", "isbn", "issn", "eric", "collections",
]  # fmt: skip
_ALIASES = {"country": "countries", "theme": "themes", "author": "authors", "abstract": "summary",
            "language": "lang", "keywords": "subjects", "type": "resource_type", "license": "licence",
            "subject": "subjects", "collection": "collections"}  # fmt: skip
# Usual headers, folded; the earlier name wins where a file has several.
_GUESSES: dict[str, tuple[str, ...]] = {
    "id": ("id", "identifier", "uuid", "guid", "project id", "record id", "resource id"),
    "title": ("title", "name", "project name", "document title", "resource title", "display title", "titre",
              "titulo", "nombre", "nom", "label"),
    "summary": ("abstract", "summary", "description", "abstracts", "resume", "resumen", "resumo", "descripcion",
                "project abstract", "project development objective", "objective", "overview", "notes"),
    "text": ("text", "full text", "fulltext", "body", "content"),
    "lang": ("lang", "language", "langue", "idioma", "lingua"),
    "authors": ("authors", "author", "creator", "creators", "auteur", "auteurs", "autor", "autores"),
    "publisher": ("publisher", "editeur", "editorial", "organisation", "organization", "implementing agency"),
    "year": ("year", "publication year", "annee", "ano", "date", "publication date", "published",
             "board approval date", "approval date", "start date", "disclosure date"),
    "countries": ("country", "countries", "pays", "pais", "country name", "country code"),
    "themes": ("themes", "theme", "tema", "temas"),
    "subjects": ("subjects", "subject", "keywords", "keyword", "tags", "tag", "topics", "topic", "mots cles",
                 "palabras clave", "sector", "sectors", "sector 1", "sector 2", "sector 3"),
    "resource_type": ("resource type", "type", "document type", "publication type", "item type"),
    "licence": ("licence", "license", "rights"),
    "url": ("url", "link", "uri", "web address", "project url", "website", "lien", "enlace", "pdf url"),
    "doi": ("doi",), "isbn": ("isbn",), "issn": ("issn",), "eric": ("eric", "eric id", "eric number"),
    "collections": ("collections", "collection"), "policy_cycle": ("policy cycle",),
}  # fmt: skip
_LISTS = frozenset({"authors", "countries", "themes", "subjects", "collections"})

ColumnMapping = dict[str, list[str]]


def parse_mapping(given: Sequence[str]) -> ColumnMapping:
    """Columns by field from ``field=Column`` texts (several parted by commas, quotes around a name that has one
    of its own, ``|`` between alternatives) or from the path of a JSON file ``{field: column or [columns]}``.

    Raises InvalidInput.
    """
    mapping: ColumnMapping = {}
    for text in given:
        if "=" not in text and text.lower().endswith(".json"):
            pairs = _mapping_file(Path(text))
        else:
            pairs = [_pair(piece) for piece in _pieces(text)]
        for field, columns in pairs:
            name = _ALIASES.get(field, field)
            if name not in MAPPED_FIELDS:
                raise InvalidInput(
                    f"“{field}” is no field of a resource, so nothing was imported.",
                    f"Map columns to: {', '.join(MAPPED_FIELDS)}.",
                )
            mapping[name] = columns
    return mapping


def _pieces(text: str) -> list[str]:
    """Cut at commas outside quotes."""
    return [piece for piece in re.findall(r'(?:"[^"]*"|\'[^\']*\'|[^,])+', text) if piece.strip()]


def _pair(piece: str) -> tuple[str, list[str]]:
    field, equals, column = piece.partition("=")
    if not equals or not column.strip():
        raise InvalidInput(
            f"“{piece.strip()}” is no mapping, so nothing was imported.",
            'Write field=Column, for example --map title="Project Name",summary=Abstract.',
        )
    columns = [name.strip().strip("\"'").strip() for name in column.split("|")]
    return field.strip().lower(), [name for name in columns if name]


def _mapping_file(path: Path) -> list[tuple[str, list[str]]]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"The mapping {path.name} cannot be read: {str(error)[:200]}. Nothing was imported.",
            'It is a JSON object such as {"title": "Project Name"}.',
        ) from error
    if not isinstance(loaded, dict):
        raise InvalidInput(f"The mapping {path.name} is no JSON object, so nothing was imported.")
    return [(str(field).lower(), clean.lines(columns)) for field, columns in loaded.items()]


def read(text: str, mapping: ColumnMapping) -> Iterator[Parsed]:
    """Resources from a table. An empty mapping means: recognise the usual headers."""
    csv.field_size_limit(CELL_LIMIT)
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=_delimiter(text), strict=False)
    try:
        header = [clean.line(name, 300) for name in next(rows, [])]
        places = _places(header, mapping)
    except (csv.Error, Refused) as refused:
        yield Parsed("", None, (str(refused),))
        return
    while True:
        where = f"line {rows.line_num + 1}"
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Parsed(where, None, (f"the row cannot be read: {error}",))
            continue
        if any(cell.strip() for cell in cells):
            yield _parsed(where, cells, places)


def _delimiter(text: str) -> str:
    first = text.lstrip("\ufeff\r\n ").split("\n", 1)[0][:20_000]
    counts = {mark: first.count(mark) for mark in ",;\t|"}
    return max(counts, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _places(header: list[str], mapping: ColumnMapping) -> dict[str, list[int]]:
    """Column numbers by field. Raises Refused when a mapped column is missing or none holds titles."""
    folded: dict[str, int] = {}
    for number, name in enumerate(header):
        folded.setdefault(clean.fold(name), number)
    places: dict[str, list[int]] = {}
    wanted: Mapping[str, Sequence[str]] = mapping or _GUESSES
    for field, columns in wanted.items():
        found = [folded[key] for column in columns if (key := clean.fold(column)) in folded]
        if mapping and len(found) < len(columns):
            missing = next(column for column in columns if clean.fold(column) not in folded)
            raise Refused(f"there is no column “{missing}”; the columns are: {', '.join(header[:40])}")
        if found:
            places[field] = found
    if "title" not in places:
        raise Refused(
            f"no column holds titles; name it with --map title=COLUMN. The columns are: {', '.join(header[:40])}"
        )
    if mapping and "id" in mapping:
        places["stated id"] = places["id"]
    return places


def _parsed(where: str, cells: list[str], places: Mapping[str, list[int]]) -> Parsed:
    try:
        return Parsed(where, _resource(cells, places))
    except Refused as refused:
        return Parsed(where, None, (str(refused),))


def _resource(cells: list[str], places: Mapping[str, list[int]]) -> ResourceRecord:
    def values(field: str) -> list[str]:
        found = (cells[number] for number in places.get(field, ()) if number < len(cells))
        return [value.strip() for value in found if value.strip()]

    def one(field: str, limit: int = clean.LINE_LIMIT) -> str:
        return clean.line(next(iter(values(field)), ""), limit)

    title = clean.plain(one("title", clean.TITLE_LIMIT))
    if not title:
        raise Refused("the row has no title")
    summary = clean.plain(clean.text(next(iter(values("summary")), ""), clean.SUMMARY_LIMIT))
    countries = _members(values("countries"), "countries")
    licence = licences.normal(one("licence", 300))
    record = ResourceRecord(
        id=_id(one("id", 200), stated="stated id" in places),
        title=title,
        summary=summary,
        lang=native.said_or_guessed_lang(one("lang", 100), f"{title} {summary}"),
        authors=_members(values("authors"), "authors"),
        publisher=one("publisher", 1000),
        year=next((found for value in values("year") if (found := clean.year(value))), None),
        countries=clean.countries(countries),
        themes=native.slugs(_members(values("themes"), "themes")),
        # A region that is no country ("Western Africa") still says what a project is about.
        subjects=_members(values("subjects"), "subjects") + [c for c in countries if not clean.country(c)],
        policy_cycle=native.one_of(
            one("policy_cycle"), ("advocacy", "assessment", "development", "implementation")
        ),
        resource_type=clean.slug(one("resource_type", 64)),
        licence=licence,
        redistributable=licences.may_be_passed_on(licence),
        url=clean.link(one("url")),
        identifiers=native.normal_identifiers({name: one(name) for name in ("doi", "isbn", "issn", "eric")}),
        collections=_members(values("collections"), "collections"),
    )
    record.texts = native.plain_edition(next(iter(values("text")), ""), record.lang)
    return record


def _members(values: list[str], field: str) -> list[str]:
    if field in _LISTS:
        values = [piece for value in values for piece in re.split(r"\s*[;|]\s*", value)]
    if field == "subjects" and len(values) == 1:
        return csl.subjects(values[0])
    return clean.lines(values, 300)


def _id(value: str, *, stated: bool) -> str:
    """The row's own id. A bare number says nothing outside its file, so it is kept only where that was asked."""
    if not is_importable_id(value):
        return ""
    return value if stated or (len(value) >= 5 and re.search(r"[A-Za-z]", value)) else ""
