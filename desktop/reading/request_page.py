"""A request of the person's own as a page: what was asked, where it is by day, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from desktop import attachments
from desktop.amounts import ago, date, moment
from desktop.attachments import Attached
from desktop.card_rows import answers_of
from desktop.link_speed import ASSUMED_SPEED, speed_of
from desktop.reading.markup import Page, inner_link, paragraphs, wrap
from desktop.shelf import Shelf
from desktop.state_words import ask_kind, outbox_state, request_state
from desktop.words import N_, _, is_right_to_left, language, ngettext

_NEXT = {
    "submitted": N_("The team reads it next."),
    "triaged": N_("The team has read it and looks for who can answer."),
    "scoped": N_("The team works out what an answer must cover."),
    "assigned": N_("Somebody who knows the subject has it."),
    "in-progress": N_("Somebody is working on the answer."),
    "waiting": N_("The team needs something from you. Read what it wrote, and reply below."),
    "delivered": N_("Say below whether it helped, or ask further in a reply."),
    "closed": N_("Nothing more happens here. For more, ask a new question."),
    "declined": N_("The team could not take this on. For more, ask a new question."),
}
_OVER = ("closed", "declined")
_SATISFIED = {"yes": N_("It helped"), "partly": N_("It helped partly"), "no": N_("It did not help")}
_STEPS = 60


@dataclass(frozen=True)
class Matters:
    """What this computer knows of a request beside the hub's record.

    `verdict`: what the person said of the answer, as it stands in the outbox, with its `state` there. `files`:
    what is attached to the request and to its replies. `rate`: bytes a second.
    """

    verdict: dict[str, Any] = field(default_factory=dict)
    files: tuple[Attached, ...] = ()
    rate: float = ASSUMED_SPEED


def matters(shelf: Shelf, record: Mapping[str, Any]) -> Matters:
    """Read what belongs to the request `record` from the person's own store."""
    of_it = [
        item
        for item in shelf.own.outbox.items()
        if item.state != "draft" and (item.id == record.get("id") or item.body.get("target") == record.get("id"))
    ]
    rates = [item for item in of_it if item.kind == "rate"]
    files: dict[str, Attached] = {}
    for item in reversed(of_it):
        for one in attachments.uploads_of(shelf, item.body):
            files.setdefault(one.hash, one)
    for owner in (record, *(record.get("replies") or [])):
        for named in owner.get("attachments") or []:
            if isinstance(named, dict) and isinstance(named.get("hash"), str):
                files.setdefault(named["hash"], _of_the_hub(shelf, named))
    verdict = {**rates[0].body, "state": rates[0].state} if rates else {}
    return Matters(verdict, tuple(files.values()), speed_of(shelf))


def _of_the_hub(shelf: Shelf, named: Mapping[str, Any]) -> Attached:
    from resources_cache.attachments import clean_name

    hash_, size = str(named["hash"]), named.get("size")
    try:
        here = shelf.files.has(hash_)
    except ValueError:  # not a hash: a hub's record is not to be believed
        here = False
    return Attached(
        hash_,
        clean_name(str(named.get("name") or "file")),
        size if isinstance(size, int) else 0,
        str(named.get("media_type") or ""),
        here,
    )


def is_over(record: Mapping[str, Any]) -> bool:
    """Whether nothing more can be said to it."""
    return record.get("state") in _OVER


def is_answered(record: Mapping[str, Any]) -> bool:
    """Whether somebody of the team has answered."""
    return bool(answers_of(record))


def page(record: Mapping[str, Any], pending: Sequence[Mapping[str, Any]], known: Matters) -> Page:
    """The page in the window's language; `pending`: replies that the hub has not confirmed (see `Loaded`)."""
    lang = str(record.get("lang") or "")
    state = str(record.get("state") or "submitted")
    kind = ask_kind(str(record.get("kind") or ""))
    about = [escape(kind), escape(request_state(state))]
    if record.get("confidential"):
        about.append(escape(_("confidential")))
    if record.get("anonymous"):
        about.append(escape(_("without your name")))
    parts = [f"<h1>{escape(str(record.get('title') or ''))}</h1>", f'<p class="meta">{" · ".join(about)}</p>']
    parts.append(_own_direction(timeline(record)))
    parts.append(paragraphs(str(record.get("body") or "")))
    for words, value in (
        (_("Needed by"), date(str(record.get("needed_by") or "")) if record.get("needed_by") else ""),
        (_("Decision it informs"), str(record.get("decision") or "")),
    ):
        if value:
            parts.append(f'<p class="small">{escape(words)}: {escape(value)}</p>')
    parts += _replies(record, pending)
    if said := verdict_words(record, known):
        parts.append("<hr>" + _own_direction(_label(_("What you said of it")) + said))
    return Page(wrap("".join(parts), lang), [], lang)


def timeline(record: Mapping[str, Any]) -> str:
    """Each step with its day, the present one with what comes next; in the window's language."""
    steps = _steps(record)
    begun = moment(steps[0][1]) if steps else None
    lines = []
    for number, (state, time) in enumerate(steps, 1):
        last = number == len(steps)
        words = escape(request_state(state))
        when = moment(time)
        told = escape(date(time)) if when else ""
        if when and begun and number > 1:
            days = max(0, (when.astimezone().date() - begun.astimezone().date()).days)
            if days:
                told += " · " + escape(
                    ngettext("after {count} day", "after {count} days", days).format(count=days)
                )
        mark = "●" if last else "○"
        lines.append(f'<p class="small">{mark} {f"<b>{words}</b>" if last else words} · {told}</p>')
    now = steps[-1][0] if steps else str(record.get("state") or "")
    after = paragraphs(_(_NEXT[now])) if now in _NEXT else ""
    return _label(_("Where it is")) + "".join(lines) + after


def _steps(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(state, time) of each step, oldest first. Hubs of before tell only where it began and where it is."""
    state = str(record.get("state") or "submitted")
    steps = [("submitted", str(record.get("created") or ""))]
    told = record.get("history")
    for one in told[-_STEPS:] if isinstance(told, list) else ():
        if isinstance(one, list) and len(one) == 2 and all(isinstance(part, str) for part in one):
            steps.append((one[0], one[1]))
    if steps[-1][0] != state:
        steps.append((state, str(record.get("updated") or "")))
    return steps


def verdict_words(record: Mapping[str, Any], known: Matters) -> str:
    """What the person said of the answer, as HTML; "" where nothing yet."""
    said = known.verdict or {"satisfied": record.get("satisfied"), "publish": record.get("publish")}
    if not (words := said_words(said)):
        return ""
    where = outbox_state(str(said["state"])) if said.get("state") in ("waiting", "sending", "attention") else ""
    line = " · ".join(escape(part) for part in (*words, where) if part)
    return f"<p>{line}</p>{paragraphs(str(said.get('body') or ''))}"


def said_words(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Whether an answer helped, and who may read it, in words; nothing where it was not said."""
    if said.get("satisfied") not in _SATISFIED:
        return ()
    if said.get("publish"):
        allowed = _("The community may read question and answer")
    else:
        allowed = _("It stays between you and the team")
    return _(_SATISFIED[str(said["satisfied"])]), allowed


def who_reads(body: Mapping[str, Any]) -> str:
    """Who reads a question that is asked with this body, where it is not everybody as usual."""
    if body.get("confidential"):
        return _("only the helpdesk team")
    return _("the community without your name") if body.get("anonymous") else ""


def _replies(record: Mapping[str, Any], pending: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = []
    replies = list(record.get("replies") or [])
    if replies or pending:
        parts += ["<hr>", _label(_("Answers and replies"))]
    known = {str(reply.get("body")) for reply in replies}
    for reply in replies:
        mine = reply.get("mine") is True
        author = _("You") if mine else str(reply.get("author") or "")
        parts.append(f'<p class="author">{escape(author)}</p>')
        parts.append(f'<p class="small">{escape(ago(str(reply.get("created") or "")))}</p>')
        parts.append(paragraphs(str(reply.get("body") or "")))
        cites = [str(c) for c in reply.get("cites") or []]
        if cites:
            links = " · ".join(
                inner_link("resource", c, _("Source {number}").format(number=i)) for i, c in enumerate(cites, 1)
            )
            parts.append(f'<p class="small">{links}</p>')
    for reply in pending:
        if str(reply["body"]) not in known:
            words = " · ".join((outbox_state(str(reply["state"])), ago(str(reply["created"]))))
            you = escape(_("You"))
            parts.append(f'<p class="author">{you}</p><p class="pending">{escape(words)}</p>')
            parts.append(paragraphs(str(reply["body"])))
    return parts


def _label(words: str) -> str:
    return f'<p class="label">{escape(words)}</p>'


def _own_direction(html: str) -> str:
    """Words of the window inside a text that may run the other way."""
    side = "rtl" if is_right_to_left(language()) else "ltr"
    return f'<div dir="{side}">{html}</div>'
