"""What a person marks and writes in a text: highlights, and notes on a passage; kept in own.db.

A passage is kept by its words and what stands around them (``anchors``), so that it outlives a new version of the
text, and its resource: what no longer fits is still here, with its words and the title that the resource had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from resources_cache import removed
from resources_cache.anchors import CONTEXT, MAX_QUOTE, Anchor
from resources_cache.identity import new_id, utc_now

if TYPE_CHECKING:
    from resources_cache.database import Store

COLOURS = ("yellow", "green", "blue", "rose")
"""The colours of highlights; the window says which shade that is in light and dark."""

MAX_NOTE = 40_000
"""The longest note, in characters."""

MAX_PAGE = 1_000_000
"""Pages of a file are counted from 0 to below this."""

_COLUMNS = "id, resource, lang, quote, prefix, suffix, start, colour, note, title, created, updated, file, page"
_HASH = re.compile(r"[0-9a-f]{64}")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$|=|-)", re.MULTILINE)


@dataclass(frozen=True)
class Annotation:
    """A highlight, with or without a note. ``lang``: which edition of ``resource`` it stands in (a BCP 47 tag).

    ``title``: the resource's, when it was marked; ``created`` and ``updated``: UTC ISO 8601. ``file``: the hex
    SHA-256 of the file that it stands in, "" for the text; ``page`` of that file from 0, whose characters the
    anchor counts.
    """

    resource: str
    lang: str
    anchor: Anchor
    colour: str = COLOURS[0]
    note: str = ""
    title: str = ""
    id: str = ""
    created: str = ""
    updated: str = ""
    file: str = ""
    page: int = 0


class Annotations:
    """The annotations of one own.db. What writes is one transaction, and raises as ``Own`` does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, annotation: Annotation) -> Annotation:
        """Keep an annotation, new or changed (its ``id`` says which); returns it as it is kept.

        One that was removed comes back whole by this. Raises: ValueError for a colour that is not in ``COLOURS``,
        a passage with no words or more than ``MAX_QUOTE`` characters, a note longer than ``MAX_NOTE``, a file that
        is no hash, or a page beyond ``MAX_PAGE``.
        """
        kept = checked(annotation)
        with self._store.transaction() as store:
            self._insert(kept, "REPLACE")
            removed.settle(store, "highlight", kept.id)
        return kept

    def put_back(self, annotation: Annotation) -> bool:
        """Put back what was removed, with its own times; returns whether it was there already, and stays as it is.

        Raises: ValueError as ``put``, and where it has no id.
        """
        if not annotation.id or not all(isinstance(t, str) for t in (annotation.created, annotation.updated)):
            raise ValueError("this was never kept")
        with self._store.transaction() as store:
            there = store.value("SELECT 1 FROM annotations WHERE id=?", (annotation.id,)) is not None
            self._insert(replace(checked(annotation), updated=annotation.updated), "IGNORE")
        return there

    def _insert(self, kept: Annotation, taken: str) -> None:
        where = kept.anchor
        self._store.execute(
            f"INSERT OR {taken} INTO annotations ({_COLUMNS}) VALUES ({', '.join('?' * 14)})",
            (kept.id, kept.resource, kept.lang, where.quote, where.prefix, where.suffix, where.start,
             kept.colour, kept.note, kept.title, kept.created, kept.updated, kept.file, kept.page),
        )  # fmt: skip

    def remove(self, id_: str) -> None:
        """Take an annotation away; nothing where there is none."""
        with self._store.transaction() as store:
            row = store.row(f"SELECT {_COLUMNS} FROM annotations WHERE id=?", (id_,))
            if row is not None:
                gone = from_row(row)
                removed.keep(store, "highlight", id_, gone.anchor.quote, {"rows": [list(row)]})
                store.execute("DELETE FROM annotations WHERE id=?", (id_,))

    def of(self, resource: str) -> list[Annotation]:
        """All of a resource's, in the order of the text as it was when they were made."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM annotations WHERE resource=? ORDER BY file, lang, page, start, id",
            (resource,),
        )
        return [from_row(row) for row in rows]

    def everything(self) -> list[Annotation]:
        """All of them, by resource, the last written resource first."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM annotations a ORDER BY (SELECT max(updated) FROM annotations b"
            " WHERE b.resource = a.resource) DESC, resource, file, lang, page, start, id"
        )
        return [from_row(row) for row in rows]


def checked(annotation: Annotation) -> Annotation:
    """The annotation as it will be kept: with an id and times, context as far as needed. Raises as ``put``."""
    from resources_cache.records import clean  # here, for the window needs the rest of this before any store

    where = annotation.anchor
    if annotation.colour not in COLOURS:
        raise ValueError(f"there is no colour {annotation.colour!r}")
    if not where.quote.strip() or len(where.quote) > MAX_QUOTE:
        raise ValueError(f"a passage has words, and at most {MAX_QUOTE} characters")
    if annotation.file and not _HASH.fullmatch(annotation.file):
        raise ValueError("a file is named by its SHA-256")
    if not 0 <= annotation.page < MAX_PAGE:
        raise ValueError(f"there is no page {annotation.page}")
    if len(annotation.note) > MAX_NOTE:
        raise ValueError(f"a note has at most {MAX_NOTE} characters")
    now = utc_now()
    return replace(
        annotation,
        anchor=Anchor(
            clean(where.quote), clean(where.prefix)[-CONTEXT:], clean(where.suffix)[:CONTEXT], max(0, where.start)
        ),
        note=clean(annotation.note),
        title=clean(annotation.title)[:500],
        id=annotation.id or new_id(),
        created=annotation.created or now,
        updated=now,
    )


def markdown(
    title: str,
    source: str,
    annotations: Iterable[Annotation],
    whole: str = "",
    words: Mapping[str, str] | None = None,
) -> str:
    """All that was written about a resource as Markdown text (CommonMark 0.31), ending with one line break.

    ``source``: lines that say where the resource is from; ``whole``: the note on the whole of it; ``words``: names
    of colours for people, else those of ``COLOURS``, and how a page is called: under "page", or under its file.
    Each passage is a block quotation, its note follows; whatever in them looks like markup is escaped.
    """
    names = words or {}
    parts = [f"# {_escaped(' '.join(title.split()))}"] if title.strip() else []
    if source.strip():
        parts.append("  \n".join(_escaped(line) for line in source.strip().splitlines()))
    if whole.strip():
        parts.append(_escaped(whole.strip()))
    for one in annotations:
        quoted = "\n".join(f"> {_escaped(line)}".rstrip() for line in one.anchor.quote.splitlines())
        called = names.get(one.file, names.get("page", "page {page}"))
        page = f", {_escaped(called.format(page=one.page + 1))}" if one.file else ""
        parts.append(f"{quoted}\n>\n> ({_escaped(names.get(one.colour, one.colour))}{page}, {one.created[:10]})")
        if one.note.strip():
            parts.append(_escaped(one.note.strip()))
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    return _LINE_START.sub(_escaped_start, _MARKDOWN.sub(r"\\\1", text))


def _escaped_start(found: re.Match[str]) -> str:
    space, mark = found[1], found[2]
    return f"{space}\\{mark}" if len(mark) == 1 else f"{space}{mark[:-1]}\\{mark[-1]}"


def from_row(row: tuple[Any, ...]) -> Annotation:
    """An annotation from its row, the columns in the order of the table. Raises: ValueError for another length."""
    id_, resource, lang, quote, prefix, suffix, start, colour, note, title, created, updated, file, page = row
    where = Anchor(quote, prefix, suffix, start)
    return Annotation(resource, lang, where, colour, note, title, id_, created, updated, file, page)
