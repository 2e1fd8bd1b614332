"""Dublin Core (oai_dc) into a resource: fifteen elements, each there any number of times, saying anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.imports import cleaning as clean
from hub.imports import identity, licences, native
from hub.imports.records import Parsed, ResourceRecord

Fields = Mapping[str, Sequence[str]]


def parsed(key: str, fields: Fields, origin: str) -> Parsed:
    """A resource from the elements of a record by name, without their namespace; or the reason why it is none."""
    titles = clean.lines(list(fields.get("title", ())), clean.TITLE_LIMIT)
    if not titles:
        return Parsed(key, None, ("the record has no title",))
    summary = clean.plain("\n\n".join(clean.text(one) for one in fields.get("description", ())))
    summary = summary[: clean.SUMMARY_LIMIT].strip()
    names = clean.lines(list(fields.get("identifier", ())))
    links = [link for one in names if (link := clean.link(one))]
    related = [
        *names,
        *clean.lines(list(fields.get("relation", ()))),
        *clean.lines(list(fields.get("source", ()))),
    ]
    rights = clean.lines(list(fields.get("rights", ())), 300)
    licence = licences.chosen(rights)
    said = fields.get("language", ())
    record = ResourceRecord(
        title=clean.plain(titles[0]),
        summary=summary,
        lang=native.said_or_guessed_lang(next(iter(said), None), f"{titles[0]} {summary}"),
        authors=clean.lines([*fields.get("creator", ()), *fields.get("contributor", ())], 300),
        publisher=clean.line(next(iter(fields.get("publisher", ())), ""), 1000),
        year=min((year for one in fields.get("date", ()) if (year := clean.year(one))), default=None),
        countries=clean.countries(list(fields.get("coverage", ()))),
        subjects=clean.lines(list(fields.get("subject", ())), 300),
        resource_type=_kind(fields.get("type", ())),
        licence=licence,
        redistributable=licences.may_be_passed_on(licence),
        url=next((link for link in links if "doi.org" not in link), links[0] if links else ""),
        identifiers=native.normal_identifiers(
            {
                "doi": [one for one in related if identity.normal_doi(one)][:5],
                "isbn": [one for one in related if identity.normal_isbns(one)][:5],
            }
        ),
        origin=origin[:200],
    )
    return Parsed(key, record)


def _kind(said: Sequence[str]) -> str:
    """The most telling of the types; one of a vocabulary, as info:eu-repo/semantics/article, by its last part."""
    kinds = [clean.slug(one.rpartition("/")[2].rpartition(":")[2]) for one in clean.lines(list(said), 200)]
    return next(
        (kind for kind in kinds if kind and kind not in ("text", "publishedversion", "acceptedversion")), ""
    )
