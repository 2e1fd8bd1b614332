"""What the reader needs of one record, read in one go behind the window."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from desktop.context import Context
from desktop.places import name_of
from desktop.reading import markup, request_page
from desktop.reading.markup import Page
from desktop.shelf import Shelf
from desktop.state_words import ACTIVITIES, RESOURCE_TYPES, term
from desktop.words import language_name

if TYPE_CHECKING:
    from resources_cache.annotations import Annotation
    from resources_cache.cards import Edition
    from resources_cache.notices import Notice


@dataclass(frozen=True)
class FileEntry:
    """One file of a resource; `here`: on this shelf already. `size` in bytes."""

    hash: str
    name: str
    media_type: str
    size: int
    here: bool


@dataclass(frozen=True)
class Loaded:
    """A record with what the shelf knows about it. `place`: how far it was read, 0..1.

    `editions`: the other records of the same work; `annotations` and `note`: what the person marked in it, and
    wrote on the whole of it; `hub`: the hub's name; `in_file`: the hash of the file in which it was read last;
    `matters`: of a request of one's own; `notice`: what became of a resource, and `newer` the title of what takes
    its place, where that is here; `gone`: the hub deleted it, and this is what the person's own store remembers.
    """

    id: str
    kind: str
    record: dict[str, Any]
    saved: bool = False
    place: float = 0.0
    files: list[FileEntry] = field(default_factory=list)
    about: str = ""
    pending: list[dict[str, Any]] = field(default_factory=list)
    editions: list[Edition] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    note: str = ""
    hub: str = ""
    matters: request_page.Matters = field(default_factory=request_page.Matters)
    in_file: str = ""
    notice: Notice | None = None
    newer: str = ""
    gone: bool = False

    @property
    def title(self) -> str:
        return str(self.record.get("title") or self.record.get("name") or "")

    @property
    def variants(self) -> list[str]:
        """The languages it can be read in: its own, its translations', its texts'."""
        found = [str(self.record.get("lang") or "")]
        found += [str(t.get("lang") or "") for t in self.record.get("translations") or []]
        found += [str(t.get("lang") or "") for t in self.record.get("texts") or []]
        return [lang for lang in dict.fromkeys(found) if lang]


def load(shelf: Shelf, record_id: str) -> Loaded | None:
    """The record with its place, bookmark, files and pending replies; None where it is not on the shelf."""
    from resources_cache.notices import notice_of

    record = shelf.library.get(record_id)
    if record is None:
        return _remembered(shelf, record_id)
    if record.get("type") in ("text", "message", "summary", "reply"):
        owner = record.get("resource") or record.get("thread") or record.get("request")
        return load(shelf, str(owner)) if owner else None
    about = (
        shelf.library.get(str(record["resource"]))
        if record.get("type") == "thread" and record.get("resource")
        else None
    )
    files = [
        FileEntry(
            str(f["hash"]),
            str(f.get("name") or "file"),
            str(f.get("media_type") or ""),
            int(f.get("size") or 0),
            shelf.files.has(str(f["hash"])),
        )
        for f in record.get("files") or []
        if f.get("hash")
    ]
    pending = [
        {"body": item.body.get("body", ""), "state": item.state, "created": item.created}
        for item in shelf.own.outbox.items(["waiting", "sending", "received", "attention"])
        if item.kind == "reply" and item.body.get("target") == record_id
    ]
    notice = notice_of(record)
    newer = shelf.library.get(notice.by) if notice is not None and notice.by else None
    known = {str(m.get("body")) for m in record.get("messages") or []}
    return Loaded(
        id=record_id,
        kind=str(record.get("type") or ""),
        record=record,
        saved=any(b.id == record_id for b in shelf.own.bookmarks()),
        place=shelf.own.reading_place(record_id),
        files=files,
        about=str(about.get("title") or "") if about else "",
        pending=[p for p in pending if p["body"] not in known],
        editions=shelf.library.editions(record_id),
        annotations=shelf.own.annotations.of(record_id),
        note=shelf.own.note(record_id),
        hub=str(shelf.own.setting("hub_name") or ""),
        matters=request_page.matters(shelf, record) if record.get("type") == "request" else request_page.Matters(),
        in_file=shelf.own.file_read_last(record_id, [f.hash for f in files if f.here][:100]),
        notice=notice,
        newer=str(newer.get("title") or "") if newer is not None else "",
    )


def _remembered(shelf: Shelf, record_id: str) -> Loaded | None:
    """What the person's own store has of a resource that the hub deleted, None where it has nothing of it."""
    from desktop.changed import gone

    one = shelf.own.memory.of(record_id)
    if one is None or not gone(shelf, {record_id: one}):
        return None
    record = {
        "id": one.id, "type": "resource", "title": one.title, "authors": list(one.authors), "year": one.year,
        "publisher": one.publisher, "lang": one.lang,
    }  # fmt: skip
    return Loaded(
        id=record_id,
        kind="resource",
        record=record,
        saved=any(b.id == record_id for b in shelf.own.bookmarks()),
        annotations=shelf.own.annotations.of(record_id),
        note=shelf.own.note(record_id),
        hub=str(shelf.own.setting("hub_name") or ""),
        gone=True,
    )


def page_of(loaded: Loaded, context: Context, variant: str = "") -> Page:
    """The record as a page in the window's language."""
    record = loaded.record
    themes = ", ".join(context.theme_name(slug) for slug in record.get("themes") or [])
    if loaded.kind == "resource":
        kind = str(record.get("resource_type") or "")
        names = {"themes": themes, "type": term(RESOURCE_TYPES, kind) if kind else ""}
        editions = [(one.id, language_name(one.lang) if one.lang else "", one.title) for one in loaded.editions]
        return markup.resource(record, names, variant, editions)
    if loaded.kind == "thread":
        activity = str(record.get("activity") or "")
        talk = " · ".join(part for part in (themes, term(ACTIVITIES, activity) if activity else "") if part)
        return markup.thread(record, loaded.pending, talk, loaded.about)
    if loaded.kind == "expert":
        names_of = {
            "themes": themes,
            "languages": ", ".join(language_name(code) for code in record.get("languages") or []),
            "countries": ", ".join(name_of(code) for code in record.get("countries") or []),
        }
        return markup.person(record, names_of)
    if loaded.kind == "organisation":
        return markup.organisation(record, name_of(str(record.get("country") or "")))
    if loaded.kind == "event":
        return markup.event(record, themes)
    if loaded.kind == "request":
        return request_page.page(record, loaded.pending, loaded.matters)
    return Page(markup.wrap(f"<h1>{escape(loaded.title)}</h1>", ""))
