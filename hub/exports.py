"""The native exchange format, written: what is published, in an order that never depends on chance.

Importing the file on an empty hub and exporting there gives the same bytes. Files of resources are copied into a
folder beside the export, named by their hash, and referred to by relative path.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from .errors import ExportProblem
from .imports.identity import INTERNAL_SCHEMES
from .models import (
    Edition,
    Event,
    ExpertProfile,
    Message,
    Organisation,
    PublicState,
    Resource,
    StoredFile,
    Summary,
    Theme,
    Thread,
)
from .objects import open_object
from .times import to_wire
from .vocabularies import taxonomies

_CHUNK = 500
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
Wire = dict[str, Any]


@dataclass(frozen=True)
class Exported:
    """``records``: lines written; ``files``: copied beside; ``bytes``: of the JSON Lines file."""

    records: int
    files: int
    bytes: int


def export_to(target: Path) -> Exported:
    """Write everything published to ``target`` (replaced whole, or not at all).

    Raises ExportProblem when it cannot be written, ObjectMissing when a file's bytes are not there.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    files: dict[str, StoredFile] = {}
    count = 0
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as handle:
            for record in records(files):
                handle.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
                handle.write("\n")
                count += 1
            handle.flush()
            os.fsync(handle.fileno())
            size = handle.tell()
        for path, stored in files.items():
            _copy(target.absolute().parent / path, stored)
        os.replace(temporary, target)
    except OSError as error:
        raise ExportProblem(
            f"The export to {target} failed: {error.strerror or error}. An earlier export is intact.",
            "Check the folder, its rights and the space on the disk, then export again.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(count, len(files), size)


def records(files: dict[str, StoredFile]) -> Iterator[Wire]:
    """Every published record; notes in ``files`` what has to lie beside the export, by relative path."""
    yield from _themes()
    yield from _organisations()
    yield from _experts()
    yield from _events()
    yield from _resources(files)
    yield from _threads()
    yield from _messages()
    yield from _summaries()


def _copy(path: Path, stored: StoredFile) -> None:
    if path.is_file() and path.stat().st_size == stored.size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    shutil.copyfile(open_object(stored.hash), temporary)
    os.replace(temporary, path)


def _record(kind: str, row: Any, **fields: Any) -> Wire:
    """Empty values are left out: the import takes a missing field as empty."""
    record = {"id": row.pk, "type": kind, "updated": to_wire(row.updated)}
    record.update({name: value for name, value in fields.items() if value not in ("", None, [], {}, False)})
    return record


def _published(rows: QuerySet[Any]) -> Iterator[Any]:
    return rows.filter(state=PublicState.PUBLISHED).order_by("pk").iterator(_CHUNK)


def _themes() -> Iterator[Wire]:
    """Only themes of this hub's own: every hub has the shipped ones."""
    shipped = {concept["id"] for taxonomy in taxonomies() for concept in taxonomy["concepts"]}
    for row in _published(Theme.objects.exclude(pk__in=shipped)):
        yield _record(
            "theme", row, labels=row.labels, scheme=row.scheme, broader=row.broader_id, order=row.position
        )


def _organisations() -> Iterator[Wire]:
    for row in _published(Organisation.objects.all()):
        yield _record("organisation", row, name=row.name, summary=row.summary, country=row.country, url=row.url)


def _experts() -> Iterator[Wire]:
    for row in _published(ExpertProfile.objects.all()):
        yield _record(
            "expert",
            row,
            name=row.name,
            role=row.role,
            organisation=row.organisation_id,
            bio=row.bio,
            themes=row.themes,
            languages=row.languages,
            countries=row.countries,
            lang=row.lang,
        )


def _events() -> Iterator[Wire]:
    for row in _published(Event.objects.all()):
        yield _record(
            "event",
            row,
            title=row.title,
            summary=row.summary,
            starts=row.starts and to_wire(row.starts),
            ends=row.ends and to_wire(row.ends),
            place=row.place,
            online=row.online,
            url=row.url,
            lang=row.lang,
            themes=row.themes,
        )


def _resources(files: dict[str, StoredFile]) -> Iterator[Wire]:
    rows = Resource.objects.prefetch_related(
        "resourcetheme_set", "identifiers", "translations", "editions", "files", "collections"
    )
    for row in _published(rows):
        yield _resource(row, files)


def _resource(row: Resource, files: dict[str, StoredFile]) -> Wire:
    editions = {edition.lang: edition for edition in row.editions.all()}
    main = editions.pop(row.lang, None)
    identifiers: dict[str, list[str]] = {}
    for identifier in row.identifiers.all():
        if identifier.scheme not in INTERNAL_SCHEMES:
            identifiers.setdefault(identifier.scheme, []).append(identifier.value)
    record = _record(
        "resource",
        row,
        title=row.title,
        summary=row.summary,
        lang=row.lang,
        authors=row.authors,
        publisher=row.publisher,
        year=row.year,
        country=row.countries[0] if len(row.countries) == 1 else "",
        countries=row.countries if len(row.countries) > 1 else [],
        themes=row.theme_slugs(),
        subjects=row.subjects,
        policy_cycle=row.policy_cycle,
        resource_type=row.resource_type,
        licence=row.licence,
        url=row.url,
        identifiers={s: v[0] if len(v) == 1 else sorted(v) for s, v in sorted(identifiers.items())},
        collections=sorted(collection.name for collection in row.collections.all()),
        translations=[
            {"lang": t.lang, "title": t.title, "summary": t.summary, "machine": t.machine, "source": t.source}
            for t in sorted(row.translations.all(), key=lambda t: t.lang)
        ],
        files=[
            {"path": _file_path(stored, files), "name": stored.name, "media_type": stored.media_type}
            for stored in sorted(row.files.all(), key=lambda stored: stored.hash)
        ],
        text=main.body if main else "",
        text_format=main.format if main else "",
        editions=[_edition(editions[lang]) for lang in sorted(editions)],
        bibliographic=dict(sorted(row.bibliographic.items())),
        sample=row.sample,
    )
    # False is a statement here: without it the import would ask the licence.
    record["redistributable"] = row.redistributable
    return {**{k: v for k, v in sorted(row.extra.items()) if k not in record}, **record}


def _edition(edition: Edition) -> Wire:
    return {"lang": edition.lang, "format": edition.format, "text": edition.body}


def _file_path(stored: StoredFile, files: dict[str, StoredFile]) -> str:
    name = _UNSAFE.sub("-", stored.name)[-80:].lstrip("-.") or "file"
    path = f"files/{stored.hash[:16]}-{name}"
    files[path] = stored
    return path


def _threads() -> Iterator[Wire]:
    rows = Thread.objects.filter(visibility=Thread.Visibility.PUBLIC)
    withdrawn = PublicState.WITHDRAWN
    for row in _published(rows.select_related("resource").defer("resource__summary")):
        resource = row.resource_id if row.resource and row.resource.state != withdrawn else ""
        yield _record(
            "thread",
            row,
            title=row.title,
            lang=row.lang,
            themes=row.themes,
            activity=row.activity,
            resource=resource,
            created=to_wire(row.created),
        )


def _messages() -> Iterator[Wire]:
    rows = Message.objects.filter(
        state=Message.State.PUBLISHED,
        thread__state=PublicState.PUBLISHED,
        thread__visibility=Thread.Visibility.PUBLIC,
    )
    for row in rows.order_by("created", "pk").iterator(_CHUNK):
        yield _record(
            "message",
            row,
            thread=row.thread_id,
            author=row.author_name,
            category=row.category,
            lang="" if row.lang == "und" else row.lang,
            created=to_wire(row.created),
            parent=row.parent_id,
            message_id=row.message_id,
            body=row.body,
        )


def _summaries() -> Iterator[Wire]:
    rows = Summary.objects.filter(thread__state=PublicState.PUBLISHED, thread__visibility=Thread.Visibility.PUBLIC)
    for row in _published(rows.prefetch_related("summarycitation_set")):
        yield _record(
            "summary",
            row,
            thread=row.thread_id,
            title=row.title,
            body=row.body,
            lang=row.lang,
            cites=row.cited_ids(),
        )
