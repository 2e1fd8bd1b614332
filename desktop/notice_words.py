"""What became of a resource, in words: for a badge, above a text, and where it is cited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from desktop.amounts import date
from desktop.widgets.cards import Badge
from desktop.words import N_, _, isolate

if TYPE_CHECKING:
    from resources_cache.notices import Notice

_BADGES: dict[str, str] = {
    "corrected": N_("Corrected"),
    "superseded": N_("There is a newer one"),
    "withdrawn": N_("Withdrawn"),
}


def badge(kind: str) -> tuple[Badge, ...]:
    """The badge of a resource with a notice of this kind, none for ""."""
    if kind not in _BADGES:
        return ()
    return (Badge(_(_BADGES[kind]), "accent" if kind == "corrected" else "warn", "attention"),)


def sentence(notice: Notice, newer: str = "") -> str:
    """What became of it and since when; `newer`: the title of what takes its place, where it is here."""
    # Midday, so that it is the same day in every zone.
    day = date(f"{notice.since}T12:00:00Z") if notice.since else ""
    if notice.kind == "superseded":
        if newer:
            return _("There is a newer edition: {title}").format(title=isolate(newer))
        return _("There is a newer edition.")
    if notice.kind == "corrected":
        return _("Corrected by the hub on {day}.").format(day=day) if day else _("Corrected by the hub.")
    return _("Withdrawn by the hub on {day}.").format(day=day) if day else _("Withdrawn by the hub.")


def cited(record: Mapping[str, Any], languages: Iterable[str], newer: str = "") -> str:
    """What a citation of this record has to say of it: the sentence and the note; "" where there is no notice."""
    from resources_cache.notices import notice_of

    notice = notice_of(record)
    if notice is None:
        return ""
    return " ".join(part for part in (sentence(notice, newer), notice.words(languages)[0]) if part)
