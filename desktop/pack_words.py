"""What a pack is, and what came of taking one in or writing one, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktop.amounts import date, number, size
from desktop.error_words import words_for, words_of_problem
from desktop.words import N_, _, isolate, language_name, ngettext

if TYPE_CHECKING:
    from desktop.packs import Outcome
    from sync.packs.exporting import Exported, Weighed
    from sync.packs.importing import Imported
    from sync.packs.looking import Look
    from sync.protocol.pack_writing import LeftOut

WHY_LEFT_OUT = {
    "licence": N_("its licence does not let it be given on"),
    "not-here": N_("it was not on the computer that made the pack"),
    "missing": N_("it was not on the computer that made the pack"),  # as a hub says it
}
_NAMED = 3
"""Files that were left out which are named."""


def fingerprint_words(fingerprint: str) -> str:
    """The first characters of a fingerprint, in fours, as people compare them aloud: `3f2a 91c0 7d1e 22b4`."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, 16, 4))


def languages_of(look: Look) -> str:
    """The languages of what is in a pack, those with most records first."""
    from sync.protocol.subscriptions import NO_LANGUAGE

    count: dict[str, int] = {}
    for offer in look.offers:
        if offer.lang and offer.lang not in NO_LANGUAGE:
            count[offer.lang] = count.get(offer.lang, 0) + offer.records
    return ", ".join(isolate(language_name(lang)) for lang in sorted(count, key=lambda one: (-count[one], one)))


def left_out_words(left_out: Sequence[LeftOut], count: int) -> str:
    """Which files a pack does not have, the first few by name, and why: "" for none."""
    if not count:
        return ""
    lines = []
    for one in left_out[:_NAMED]:
        why = _(WHY_LEFT_OUT[one.why]) if one.why in WHY_LEFT_OUT else ""
        name = isolate(one.name or one.title)
        lines.append(_("{name}: {why}").format(name=name, why=why) if why else name)
    if count > len(lines):
        more = count - len(lines)
        lines.append(ngettext("and {count} more", "and {count} more", more).format(count=number(more)))
    return "\n".join(lines)


def carried_words(envelopes: int, answers: int, parcels: int = 0) -> str:
    """Sealed messages, answers and files of others: "" for none."""
    parts = []
    if envelopes:
        words = ngettext("{count} sealed message", "{count} sealed messages", envelopes)
        parts.append(words.format(count=number(envelopes)))
    if answers:
        words = ngettext("{count} sealed answer", "{count} sealed answers", answers)
        parts.append(words.format(count=number(answers)))
    if parcels:
        words = ngettext("{count} sealed file", "{count} sealed files", parcels)
        parts.append(words.format(count=number(parcels)))
    return " · ".join(parts)


def own_words(weighed: Weighed) -> str:
    """What of one's own would go onto a stick: "" for nothing."""
    parts = []
    if weighed.operations:
        words = ngettext("{count} of your messages", "{count} of your messages", weighed.operations)
        parts.append(words.format(count=number(weighed.operations)))
    if weighed.attached:
        words = ngettext("{count} attached file ({size})", "{count} attached files ({size})", weighed.attached)
        parts.append(words.format(count=number(weighed.attached), size=size(weighed.attached_bytes)))
    if weighed.joining:
        parts.append(_("your code"))
    return " · ".join(parts)


def not_fitting_words(left: int) -> str:
    """Attached files that find no room on a stick: "" for none."""
    words = ngettext(
        "{count} attached file does not fit and goes with the next pack.",
        "{count} attached files do not fit and go with the next pack.",
        left,
    )
    return words.format(count=number(left)) if left else ""


def outcome_lines(outcome: Outcome) -> list[str]:
    """What came of the last pack, a line for each thing."""
    lines: list[str] = []
    if outcome.brought is not None:
        lines += _brought(outcome.brought)
    if outcome.written is not None:
        lines += _written(outcome.written, outcome.place)
    if outcome.error is not None:
        lines += error_lines(outcome)
    return lines


def error_lines(outcome: Outcome) -> list[str]:
    """What went wrong with the last pack, what it means, and what to do next."""
    error = outcome.error
    assert error is not None, "there was an error"
    if error.code == "cancelled":
        kept = (
            _("What came so far is kept. Take it in again, and it goes on where it stopped.")
            if outcome.doing == "in"
            else _("The pack that was on it before is whole.")
        )
        return [_("Stopped, as you asked."), kept]
    words = words_for(error)
    return [f"{words.sentence} {words.consequence}", words.next_step]


def _brought(brought: Imported) -> list[str]:
    heard, lines = brought.heard, []
    finished = brought.error is None
    if brought.hub_name:
        day = isolate(date(brought.published))
        if finished:
            lines.append(
                _("Taken in: {hub}, published {day}.").format(hub=isolate(_line(brought.hub_name)), day=day)
            )
        records = brought.report.records if brought.report is not None else 0
        parts = []
        if records:
            words = ngettext("{count} record came", "{count} records came", records)
            parts.append(words.format(count=number(records)))
        elif finished:
            parts.append(_("You had all of its library already"))
        if brought.files:
            words = ngettext("{count} file came ({size})", "{count} files came ({size})", brought.files)
            parts.append(words.format(count=number(brought.files), size=size(brought.file_bytes)))
        if parts:
            line = " · ".join(parts)
            lines.append(line[:1].upper() + line[1:])  # some languages begin these with a small letter
    if heard.member:
        lines.append(_("Welcome, {name}: the hub knows this computer now.").format(name=isolate(heard.member)))
    if heard.receipts:
        words = ngettext(
            "The hub confirmed {count} of your messages.",
            "The hub confirmed {count} of your messages.",
            heard.receipts,
        )
        lines.append(words.format(count=number(heard.receipts)))
    if heard.records:
        words = ngettext(
            "{count} answer or note for you came.", "{count} answers or notes for you came.", heard.records
        )
        lines.append(words.format(count=number(heard.records)))
    if heard.files:
        words = ngettext(
            "The hub has {count} of the files that you attached.",
            "The hub has {count} of the files that you attached.",
            heard.files,
        )
        lines.append(words.format(count=number(heard.files)))
    if brought.returns:
        words = ngettext(
            "{count} file of an answer came ({size}).", "{count} files of answers came ({size}).", brought.returns
        )
        lines.append(words.format(count=number(brought.returns), size=size(brought.return_bytes)))
    if carried := carried_words(brought.envelopes, brought.answers, brought.parcels):
        lines.append(_("Carried on for others: {what}.").format(what=carried))
    if brought.kept:
        lines.append(_("Kept to be given on: {size}.").format(size=size(brought.kept)))
    if left := brought.files_left + brought.returns_left:
        words = ngettext(
            "{count} file found no room among the downloaded files.",
            "{count} files found no room among the downloaded files.",
            left,
        )
        lines.append(words.format(count=number(left)))
    if heard.problem is not None:
        refused = words_of_problem(heard.problem.code, heard.problem.action)
        lines.append(f"{refused.sentence} {refused.next_step}")
    return lines or [_("Nothing in it was new for you.")]


def _written(written: Exported, place: str) -> list[str]:
    lines = []
    if written.feeds:
        words = _("The pack of {hub} is on {place}: {size}, of which {new} were new there.")
        lines.append(
            words.format(
                hub=isolate(_line(written.hub_name)),
                place=isolate(place),
                size=size(written.written.bytes),
                new=size(written.written.new_bytes),
            )
        )
    else:
        lines.append(_("The sealed messages are on {place}.").format(place=isolate(place)))
    if written.operations:
        words = ngettext(
            "{count} of your messages is on it. It waits here, too, until the hub has confirmed it.",
            "{count} of your messages are on it. They wait here, too, until the hub has confirmed them.",
            written.operations,
        )
        lines.append(words.format(count=number(written.operations)))
    if written.attached:
        words = ngettext(
            "{count} file that you attached is on it ({size}).",
            "{count} files that you attached are on it ({size}).",
            written.attached,
        )
        lines.append(words.format(count=number(written.attached), size=size(written.attached_bytes)))
    if left := not_fitting_words(written.attached_left):
        lines.append(left)
    if carried := carried_words(written.envelopes, written.answers, written.parcels):
        lines.append(_("Carried for others: {what}.").format(what=carried))
    if written.left_out:
        words = ngettext("{count} file was left out.", "{count} files were left out.", len(written.left_out))
        lines.append(words.format(count=number(len(written.left_out))))
    lines.append(_("You can take the stick out now."))
    return lines


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)[:200]
