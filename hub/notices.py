"""Notices: what became of a resource after it was published (docs/protocol.md, "Notices").

A notice says that a resource was corrected, that a newer one took its place, or that it was withdrawn. Of a
withdrawn one the record stays, with what people need who cited it; its texts and files go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hub.models import NoticeKind, Resource

MOST_NOTE = 1000
"""Characters of a note in one language."""
MOST_LANGUAGES = 20
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


def wire(resource: Resource) -> dict[str, Any] | None:
    """The notice of a resource as the wire has it, None where it has none."""
    if not resource.notice_kind:
        return None
    notice: dict[str, Any] = {"kind": resource.notice_kind}
    if resource.notice_note:
        notice["note"] = dict(resource.notice_note)
    if resource.notice_since:
        notice["since"] = resource.notice_since.isoformat()
    if resource.notice_by_id:
        notice["by"] = resource.notice_by_id
    return notice


def withdrawn(resource: Resource) -> bool:
    """Whether only the record of it is published, and no text or file."""
    return resource.notice_kind == NoticeKind.WITHDRAWN


def words(resource: Resource) -> str:
    """What a shelf says above the resource, in the language of the caller; "" where there is no notice."""
    day = date_format(resource.notice_since or date.today())
    newer = resource.notice_by.title if resource.notice_by else ""
    said = {
        NoticeKind.CORRECTED: _("Corrected on %(day)s."),
        NoticeKind.SUPERSEDED: _("There is a newer edition: %(newer)s") if newer else _("Superseded on %(day)s."),
        NoticeKind.WITHDRAWN: _("Withdrawn on %(day)s."),
    }.get(resource.notice_kind or "", "")  # type: ignore[call-overload]  # a member of the enumeration is its text
    return said % {"day": day, "newer": newer} if said else ""


def checked_note(text: str) -> dict[str, str]:
    """Return a note by language from lines like `en: The table on page 12 was wrong.`

    A line without a language belongs to the one before it. Raises ValidationError.
    """
    note: dict[str, str] = {}
    tag = ""
    for line in text.replace("\x00", "").splitlines():
        named, colon, rest = line.partition(":")
        if colon and _TAG.fullmatch(named.strip()):
            tag, line = named.strip(), rest
        if not line.strip():
            continue
        if not tag:
            raise ValidationError(_("Begin each note with its language, like “en: The table was wrong.”"))
        note[tag] = f"{note[tag]} {line.strip()}" if tag in note else line.strip()
    if len(note) > MOST_LANGUAGES or any(len(said) > MOST_NOTE for said in note.values()):
        raise ValidationError(
            _("At most %(languages)d languages, and %(most)d characters in each.")
            % {"languages": MOST_LANGUAGES, "most": MOST_NOTE}
        )
    return note


def note_lines(note: Mapping[str, str]) -> str:
    """The note as lines that `checked_note` reads."""
    return "\n".join(f"{tag}: {said}" for tag, said in note.items())


def check(resource: Resource) -> None:
    """Raise ValidationError where a notice contradicts itself."""
    kind, by = resource.notice_kind, resource.notice_by_id
    if kind == NoticeKind.SUPERSEDED and not by:
        raise ValidationError({"notice_by": _("Say which resource takes its place.")})
    if by and by == resource.pk:
        raise ValidationError({"notice_by": _("A resource cannot take its own place.")})
    if not kind and (by or resource.notice_note):
        raise ValidationError({"notice_kind": _("Say what became of it, or leave the rest empty too.")})
