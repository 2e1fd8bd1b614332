"""The native exchange format: JSON Lines, one record a line (also a JSON list of the same records)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hub import objects
from hub.ids import is_importable_id

from . import cleaning as clean
from . import identity, languages, licences
from .records import (
    Deletion,
    EventRecord,
    ExpertRecord,
    FileEntry,
    MessageRecord,
    OrganisationRecord,
    Parsed,
    Record,
    Refused,
    ResourceRecord,
    SummaryRecord,
    Text,
    ThemeRecord,
    ThreadRecord,
    Translation,
)

FILE_LIMIT = 2 << 30
_POLICY_CYCLE = ("advocacy", "assessment", "development", "implementation")
_ACTIVITIES = ("planning", "implementation", "research")
_RESOURCE_KEYS = frozenset({
    "id", "type", "updated", "created", "lang", "title", "summary", "text", "text_format", "authors", "publisher",
    "year", "country", "countries", "themes", "subjects", "policy_cycle", "resource_type", "licence", "license",
    "redistributable", "url", "identifiers", "doi", "isbn", "issn", "eric", "collections", "translations", "files",
    "editions", "bibliographic", "sample", "source",
})  # fmt: skip


def record_of(item: object, folder: Path) -> tuple[Record, tuple[str, ...]]:
    """A record from its JSON, and what was refused of it (files). ``folder``: where relative paths start.

    Raises Refused with the reason.
    """
    if not isinstance(item, dict):
        raise Refused("a record must be a JSON object")
    if item.get("deleted") is True:
        return Deletion(id=_required_id(item)), ()
    kind = item.get("type", "resource" if "title" in item else None)
    if not isinstance(kind, str):
        raise Refused("the record has no type")
    if kind == "resource":
        return resource_of(item, folder)
    build = _BUILDERS.get(kind)
    if build is None:
        raise Refused(f"this hub does not know records of the type “{clean.line(kind, 40)}”")
    record = build(item)
    record.id = _required_id(item)
    record.updated = clean.moment(item.get("updated"))
    return record, ()


def resource_of(item: Mapping[str, Any], folder: Path) -> tuple[ResourceRecord, tuple[str, ...]]:
    """A resource from its JSON. Raises Refused (no title, an id that cannot be kept)."""
    title = clean.line(item.get("title"), clean.TITLE_LIMIT)
    if not title:
        raise Refused("the resource has no title")
    record = ResourceRecord(
        id=_required_id(item) if item.get("id") not in (None, "") else "",
        updated=clean.moment(item.get("updated")),
        title=title,
        summary=_soft(item.get("summary"), clean.SUMMARY_LIMIT),
        authors=clean.lines(item.get("authors"), 300),
        publisher=_soft_line(item.get("publisher"), 1000),
        year=clean.year(item.get("year")),
        countries=clean.countries([*clean.lines(item.get("country")), *clean.lines(item.get("countries"))]),
        themes=slugs(item.get("themes")),
        subjects=clean.lines(item.get("subjects"), 200),
        policy_cycle=one_of(item.get("policy_cycle"), _POLICY_CYCLE),
        resource_type=clean.slug(_soft_line(item.get("resource_type"), 64)),
        licence=_soft_line(item.get("licence") or item.get("license"), 300),
        url=clean.link(item.get("url")),
        identifiers=_identifiers(item),
        collections=clean.lines(item.get("collections"), 300),
        sample=item.get("sample") is True,
    )
    said = item.get("redistributable")
    record.redistributable = said if isinstance(said, bool) else licences.may_be_passed_on(record.licence)
    record.lang = said_or_guessed_lang(item.get("lang"), f"{title} {record.summary}")
    record.texts = _texts(item, record.lang)
    record.translations = _translations(item.get("translations"), record.lang)
    bibliographic = item.get("bibliographic")
    record.bibliographic = clean.json_value(bibliographic) if isinstance(bibliographic, dict) else {}
    unknown = {key: value for key, value in item.items() if key not in _RESOURCE_KEYS}
    record.extra = clean.json_value(unknown)
    refusals = _take_files(record, item.get("files"), folder)
    return record, refusals


def said_or_guessed_lang(said: object, sample: str) -> str:
    """The language that the source names, else a guess from the text."""
    named = clean.lang(said)
    return named if named != "und" else languages.guess(sample)


def slugs(value: object) -> list[str]:
    """Theme slugs from slugs or names, in order."""
    return list(dict.fromkeys(s for name in clean.lines(value, 200) if (s := clean.slug(name))))


def one_of(value: object, allowed: tuple[str, ...]) -> str:
    """The value when it is one of a closed list, else nothing."""
    name = clean.slug(value) if isinstance(value, str) else ""
    return name if name in allowed else ""


def _required_id(item: Mapping[str, Any]) -> str:
    value = item.get("id")
    if not is_importable_id(value):
        raise Refused(
            "the record has no id" if value in (None, "") else "the id is not 1 to 64 of A-Z a-z 0-9 . _ : -"
        )
    return str(value)


def _soft(value: object, limit: int) -> str:
    """A text where it is one; anything else counts as missing, because only a title is indispensable."""
    try:
        return clean.text(value, limit)
    except Refused:
        return ""


def _soft_line(value: object, limit: int) -> str:
    return clean.line(_soft(value, limit * 2), limit)


def _identifiers(item: Mapping[str, Any]) -> dict[str, list[str]]:
    given: dict[str, object] = {}
    stated = item.get("identifiers")
    if isinstance(stated, dict):
        given.update({str(scheme).lower(): value for scheme, value in stated.items()})
    for scheme in ("doi", "isbn", "issn", "eric"):
        if item.get(scheme):
            given.setdefault(scheme, item[scheme])
    return normal_identifiers(given)


def normal_identifiers(given: Mapping[str, object]) -> dict[str, list[str]]:
    """Values normalised by scheme; what is no valid DOI or ISBN is left out."""
    normal: dict[str, list[str]] = {}
    for scheme, value in sorted(given.items()):
        scheme = clean.slug(scheme)[:32]
        if not scheme or scheme in identity.INTERNAL_SCHEMES:
            continue
        found: list[str] = []
        for one in clean.lines(value, 500):
            if scheme == "doi":
                found.append(identity.normal_doi(one))
            elif scheme == "isbn":
                found.extend(identity.normal_isbns(one))
            else:
                found.append(one)
        found = sorted({one for one in found if one})
        if found:
            normal[scheme] = found
    return normal


def _texts(item: Mapping[str, Any], lang: str) -> list[Text]:
    texts: dict[str, Text] = {}
    main = _edition(item.get("text"), item.get("text_format"), lang)
    if main:
        texts[lang] = main
    editions = item.get("editions")
    for edition in editions if isinstance(editions, list) else []:
        if isinstance(edition, dict):
            found = _edition(
                edition.get("text") or edition.get("body"), edition.get("format"), clean.lang(edition.get("lang"))
            )
            if found:
                texts.setdefault(found.lang, found)
    return [texts[key] for key in sorted(texts, key=lambda key: (key != lang, key))]


def plain_edition(body: str, lang: str) -> list[Text]:
    """A plain text edition, where there is any text."""
    found = _edition(body, "text", lang)
    return [found] if found else []


def _edition(body: object, form: object, lang: str) -> Text | None:
    content = _soft(body, clean.BODY_LIMIT)
    if not content:
        return None
    if form == "html":
        content = clean.safe_html(content).strip()
        return Text(lang, "html", content) if content else None
    return Text(lang, "text", content)


def _translations(value: object, lang: str) -> list[Translation]:
    found: dict[str, Translation] = {}
    for entry in value if isinstance(value, list) else []:
        if not isinstance(entry, dict):
            continue
        title, tongue = _soft_line(entry.get("title"), clean.TITLE_LIMIT), clean.lang(entry.get("lang"))
        if title and tongue not in ("und", lang):
            found[tongue] = Translation(
                lang=tongue,
                title=title,
                summary=_soft(entry.get("summary"), clean.SUMMARY_LIMIT),
                machine=entry.get("machine") is True,
                source=_soft_line(entry.get("source"), 300),
            )
    return [found[tongue] for tongue in sorted(found)]


def _take_files(record: ResourceRecord, value: object, folder: Path) -> tuple[str, ...]:
    refusals = []
    entries: dict[str, FileEntry] = {}
    for entry in value if isinstance(value, list) else []:
        try:
            taken = _take_file(entry, folder)
            entries[taken.hash] = taken
        except Refused as refused:
            refusals.append(str(refused))
            record.files_missing.append(_named(entry))
    record.files = [entries[digest] for digest in sorted(entries)]
    return tuple(refusals)


def _take_file(entry: object, folder: Path) -> FileEntry:
    if not isinstance(entry, dict):
        raise Refused("a file entry must be a JSON object")
    named = _named(entry)
    media_type = _soft_line(entry.get("media_type"), 200) or "application/octet-stream"
    digest = entry.get("hash")
    if "path" not in entry and isinstance(digest, str):
        try:
            path = objects.object_path(digest)
            return FileEntry(digest, path.stat().st_size, media_type, named)
        except (ValueError, OSError):
            raise Refused(f"the bytes of the file {named} are not on this hub") from None
    path = _inside(folder, entry.get("path"))
    try:
        stored = objects.put_file(path)
    except OSError as error:
        raise Refused(f"the file {named} could not be read or stored: {error.strerror or error}") from error
    return FileEntry(stored.hash, stored.size, media_type, named)


def _named(entry: object) -> str:
    if not isinstance(entry, dict):
        return ""
    path = entry.get("path")
    fallback = PurePosixPath(path).name if isinstance(path, str) else ""
    name = _soft_line(entry.get("name"), 300) or clean.line(fallback, 300)
    # A file name only: what a reader's machine writes must never be a path.
    return name.replace("\\", "/").rpartition("/")[2] or "file"


def _inside(folder: Path, given: object) -> Path:
    """A regular file below ``folder``, reached through no link. Raises Refused."""
    if not isinstance(given, str) or not given or "\x00" in given:
        raise Refused("a file entry has no path")
    relative = PurePosixPath(given.replace("\\", "/"))
    shown = clean.line(given, 200)
    if relative.is_absolute() or ".." in relative.parts or ":" in relative.parts[0]:
        raise Refused(f"the file {shown} lies outside the folder of the import")
    path = folder
    try:
        for part in relative.parts:
            path = path / part
            if path.is_symlink():
                raise Refused(f"the file {shown} is reached through a link, which is not followed")
        if not path.is_file():
            raise Refused(f"the file {shown} is missing beside the import")
        if path.stat().st_size > FILE_LIMIT:
            raise Refused(f"the file {shown} is larger than 2 GB")
    except OSError as error:
        raise Refused(f"the file {shown} cannot be read: {error.strerror or error}") from error
    return path


def _thread(item: Mapping[str, Any]) -> Record:
    title = clean.line(item.get("title"), clean.TITLE_LIMIT)
    if not title:
        raise Refused("the thread has no title")
    summary = _soft(item.get("summary"), clean.SUMMARY_LIMIT)
    return ThreadRecord(
        title=title,
        lang=said_or_guessed_lang(item.get("lang"), f"{title} {summary}"),
        themes=slugs(item.get("themes")),
        activity=one_of(item.get("activity"), _ACTIVITIES),
        resource=_reference(item.get("resource")),
        summary=summary,
        created=clean.moment(item.get("created")),
    )


def _message(item: Mapping[str, Any]) -> Record:
    body = clean.text(item.get("body"))
    if not body:
        raise Refused("the message is empty")
    return MessageRecord(
        thread=_needed(item, "thread", "message"),
        author=_soft_line(item.get("author"), 300),
        category=clean.slug(_soft_line(item.get("category"), 32)),
        lang=clean.lang(item.get("lang")),
        body=body,
        parent=_reference(item.get("parent")),
        message_id=_soft_line(item.get("message_id"), 998),
        created=clean.moment(item.get("created")),
    )


def _summary(item: Mapping[str, Any]) -> Record:
    body = clean.text(item.get("body"))
    if not body:
        raise Refused("the summary is empty")
    title = clean.line(item.get("title"), clean.TITLE_LIMIT)
    cites = item.get("cites")
    return SummaryRecord(
        thread=_needed(item, "thread", "summary"),
        title=title,
        body=body,
        lang=said_or_guessed_lang(item.get("lang"), f"{title} {body}"),
        # Not distinct and not cleaned of gaps: the n-th of them is what [n] in the text means.
        cites=[_reference(cite) for cite in cites[: clean.LIST_LIMIT]] if isinstance(cites, list) else [],
    )


def _organisation(item: Mapping[str, Any]) -> Record:
    return OrganisationRecord(
        name=_name(item, 500),
        summary=_soft(item.get("summary"), clean.SUMMARY_LIMIT),
        country=clean.country(item.get("country")),
        url=clean.link(item.get("url")),
    )


def _expert(item: Mapping[str, Any]) -> Record:
    bio = _soft(item.get("bio"), clean.SUMMARY_LIMIT)
    return ExpertRecord(
        name=_name(item, 300),
        role=_soft_line(item.get("role"), 300),
        organisation=_reference(item.get("organisation")),
        bio=bio,
        themes=slugs(item.get("themes")),
        languages=[tag for name in clean.lines(item.get("languages")) if (tag := clean.lang(name)) != "und"],
        countries=clean.countries(item.get("countries")),
        lang=said_or_guessed_lang(item.get("lang"), bio),
    )


def _event(item: Mapping[str, Any]) -> Record:
    title = clean.line(item.get("title"), clean.TITLE_LIMIT)
    if not title:
        raise Refused("the event has no title")
    summary = _soft(item.get("summary"), clean.SUMMARY_LIMIT)
    return EventRecord(
        title=title,
        summary=summary,
        starts=clean.moment(item.get("starts")),
        ends=clean.moment(item.get("ends")),
        place=_soft_line(item.get("place"), 500),
        online=item.get("online") is True,
        url=clean.link(item.get("url")),
        lang=said_or_guessed_lang(item.get("lang"), f"{title} {summary}"),
        themes=slugs(item.get("themes")),
    )


def _theme(item: Mapping[str, Any]) -> Record:
    labels = item.get("labels")
    named = {
        clean.lang(tongue): clean.line(name, 300)
        for tongue, name in (labels.items() if isinstance(labels, dict) else ())
        if isinstance(name, str)
    }
    order = item.get("order", 0)
    return ThemeRecord(
        labels=named,
        scheme=_soft_line(item.get("scheme"), 64) or "local",
        broader=_reference(item.get("broader")),
        position=order if isinstance(order, int) and 0 <= order < 2**31 else 0,
    )


def _name(item: Mapping[str, Any], limit: int) -> str:
    name = clean.line(item.get("name"), limit)
    if not name:
        raise Refused("the record has no name")
    return name


def _reference(value: object) -> str:
    return value if isinstance(value, str) and is_importable_id(value) else ""


def _needed(item: Mapping[str, Any], key: str, kind: str) -> str:
    reference = _reference(item.get(key))
    if not reference:
        raise Refused(f"the {kind} names no {key}")
    return reference


_BUILDERS: dict[str, Callable[[Mapping[str, Any]], Record]] = {
    "thread": _thread,
    "message": _message,
    "summary": _summary,
    "organisation": _organisation,
    "expert": _expert,
    "event": _event,
    "theme": _theme,
}


def parsed(where: str, item: object, folder: Path) -> Parsed:
    """One entry of a native file, refusals included."""
    try:
        record, refusals = record_of(item, folder)
    except Refused as refused:
        return Parsed(where, None, (str(refused),))
    except RecursionError:
        return Parsed(where, None, ("the record is nested too deeply",))
    return Parsed(where, record, refusals)


def parsed_line(where: str, raw: bytes, folder: Path) -> Parsed:
    """One line of JSON Lines."""
    try:
        item = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return Parsed(where, None, ("the line is not UTF-8 text",))
    except RecursionError:
        return Parsed(where, None, ("the record is nested too deeply",))
    except ValueError as error:
        return Parsed(where, None, (f"the line is not JSON: {clean.line(str(error), 200)}",))
    return parsed(where, item, folder)
