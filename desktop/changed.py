"""What changed of the resources that a person saved, marked or cited, since they last looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.navigation import place_of
from desktop.notice_words import badge, sentence
from desktop.widgets.cards import Badge, CardRow
from desktop.words import _, language, primary_tag

if TYPE_CHECKING:
    from desktop.shelf import Shelf
    from resources_cache.remembered import Remembered

GONE = "gone"
"""Stands for a notice where the hub deleted the whole record."""
_AT_ONCE = 200


def changed_rows(shelf: Shelf, most: int) -> list[CardRow]:
    """At most `most` rows, what went first."""
    memory, library = shelf.own.memory, shelf.library
    kept = memory.kept()
    if not kept:
        return []
    known = memory.known()
    rows = [_gone_row(known[id_]) for id_ in gone(shelf, known) if known[id_].seen != GONE]
    for id_, notice in library.noticed(kept).items():
        if id_ in known and known[id_].seen == notice.mark:
            continue
        record = library.get(id_) or {}
        newer = str((library.get(notice.by) or {}).get("title") or "") if notice.by else ""
        rows.append(
            CardRow(
                id=id_,
                kind="resource",
                title=str(record.get("title") or ""),
                line=f"{sentence(notice, newer)} {notice.words([language()])[0]}".strip(),
                badges=badge(notice.kind),
                picture="library",
                place=place_of("resource", id_),
            )
        )
    return rows[:most]


def gone(shelf: Shelf, known: dict[str, Remembered]) -> list[str]:
    """Which of these the hub deleted: not here, and not in a language that the person stopped keeping."""
    head = shelf.library.head()
    if head is None or not head.complete:
        return []  # they may still be on their way
    missing = [id_ for id_ in known if id_ not in shelf.library.here(known)]
    languages = {primary_tag(str(tag)) for tag in shelf.own.setting("languages") or []}
    return [id_ for id_ in missing if not languages or primary_tag(known[id_].lang) in languages]


def remember(shelf: Shelf) -> int:
    """Remember what was saved, marked or noted and is not remembered yet; returns how much that was."""
    memory = shelf.own.memory
    new = sorted(memory.kept() - set(memory.known()))
    records = [record for id_ in new[:_AT_ONCE] if (record := shelf.library.get(id_)) is not None]
    if records:
        memory.keep(records)
    return len(records)


def gone_words() -> str:
    """What is said of a resource that the hub deleted."""
    return _("The hub no longer has this. What you wrote stays.")


def _gone_row(one: Remembered) -> CardRow:
    return CardRow(
        id=one.id,
        kind="resource",
        title=one.title,
        line=gone_words(),
        badges=(Badge(_("Withdrawn"), "warn", "attention"),),
        picture="library",
        place=place_of("resource", one.id),
    )
