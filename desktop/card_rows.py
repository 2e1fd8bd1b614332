"""Records and queued items made into rows of a list, in the window's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from desktop.amounts import ago, day_range, moment, number, short_day, size
from desktop.context import Context
from desktop.navigation import Place, place_of
from desktop.notice_words import badge as notice_badge
from desktop.places import name_of
from desktop.state_words import (
    ACTIVITIES,
    ASK_KINDS,
    OUTBOX_STATES,
    POLICY_CYCLE,
    RECORD_KINDS,
    RESOURCE_TYPES,
    ask_kind,
    item_kind,
    outbox_state,
    record_kind,
    request_state,
    term,
)
from desktop.widgets.cards import Badge, CardRow
from desktop.words import _, isolate, language, language_name, ngettext, primary_tag

if TYPE_CHECKING:
    from desktop.shelf import Shelf
    from resources_cache.cards import Card, Edition, Hit
    from resources_cache.outbox import Item
    from resources_cache.saved_searches import SavedSearch
    from resources_cache.suggestions import Suggestion


def _joined(*parts: str) -> str:
    return " · ".join(isolate(part) for part in parts if part)


def card_row(card: Card, context: Context, *, files_here: bool = False, picture: bool = False) -> CardRow:
    """A record of the shelf as a row; `files_here`: its file was downloaded; `picture`: with its kind's icon."""
    badges: list[Badge] = []
    other = _other_language(card.lang)
    themes = context.theme_name(card.themes[0]) if card.themes else ""
    where = ", ".join(name_of(code) for code in card.countries[:2])
    if card.kind == "resource":
        meta = _joined(", ".join(card.authors[:2]), str(card.year or ""), where, other)
        kind = term(RESOURCE_TYPES, card.resource_type) if card.resource_type else ""
        badges += notice_badge(card.notice)
        if kind:
            badges.append(Badge(kind))
        if card.has_text:
            badges.append(Badge(_("Text here"), "good", "text"))
        if files_here:
            badges.append(Badge(_("File here"), "good", "file"))
        elif card.files_bytes:
            badges.append(Badge(_("On the hub: {size}").format(size=size(card.files_bytes)), "muted", "download"))
    elif card.kind == "thread":
        meta = _joined(themes, term(ACTIVITIES, card.activity) if card.activity else "", other)
        count = ngettext("{count} message", "{count} messages", card.messages).format(count=card.messages)
        badges.append(Badge(count, "accent", "discussions"))
        badges.append(Badge(ago(card.updated)))
    elif card.kind == "event":
        meta = _joined(themes, other)
    elif card.kind == "expert":
        meta = _joined(themes, where, other)
    else:
        meta = _joined(where, other if card.kind != "organisation" else "")
    return CardRow(
        id=card.id,
        kind=card.kind,
        title=card.title,
        line=card.summary,
        meta=meta,
        badges=tuple(badges),
        picture=RECORD_KINDS.get(card.kind, ("", "file"))[1] if picture else "",
        place=place_of(card.kind, card.id),
    )


def hit_row(hit: Hit, *, compact: bool = False) -> CardRow:
    """A search result as a row, its found words marked; the other name by which it was found, and what other
    languages the same work is here in, stand last."""
    other = _other_language(hit.lang)
    also = _("also: {name}").format(name=isolate(hit.by)) if hit.by else ""
    meta = _joined(record_kind(hit.kind), str(hit.year or ""), other, also, editions_words(hit.editions))
    return CardRow(
        id=hit.id,
        kind=hit.kind,
        title=hit.title or record_kind(hit.kind),
        line=hit.snippet,
        meta="" if compact else meta,
        badges=notice_badge(hit.notice),
        picture=RECORD_KINDS.get(hit.kind, ("", "file"))[1],
        place=place_of(hit.kind, hit.id),
        lines=1 if compact else 2,
    )


def suggestion_row(found: Suggestion, context: Context, saved: SavedSearch | None = None) -> CardRow:
    """A suggestion as a row: its title with the words typed marked, and what it is. `saved`: the search it is."""
    other = _other_language(found.lang)
    if found.kind == "theme":
        named = context.theme_name(found.id)
        meta = _joined(_("Theme"), "" if named == found.title else named)
        place = Place("library", fill=(("theme", found.id),))
        return CardRow(title=found.marked, meta=meta, id=found.id, kind="theme", picture="library", place=place)
    if found.kind == "concept":
        place = Place("search", query=found.title)
        meta = _joined(_("Subject"), other)
        return CardRow(title=found.marked, meta=meta, id=found.id, kind="concept", picture="search", place=place)
    if found.kind == "search":
        place = search_place(saved) if saved is not None else Place("search", query=found.title)
        return CardRow(title=found.marked, meta=_("Saved search"), kind="search", picture="search", place=place)
    return CardRow(
        title=found.marked,
        meta=_joined(record_kind(found.kind), str(found.year or ""), other),
        id=found.id,
        kind=found.kind,
        picture=RECORD_KINDS.get(found.kind, ("", "file"))[1],
        place=place_of(found.kind, found.id),
    )


def editions_words(editions: Sequence[Edition]) -> str:
    """In which languages the same work is here besides; editions that say no language are counted."""
    tags = dict.fromkeys(edition.lang for edition in editions if edition.lang)
    found = list(dict.fromkeys(isolate(language_name(tag)) for tag in tags))
    if found:
        return _("also in: {languages}").format(languages=", ".join(found))
    count = len(editions)
    return ngettext("{count} more edition", "{count} more editions", count).format(count=count) if count else ""


def search_row(search: SavedSearch, new: int, context: Context) -> CardRow:
    """A saved search as a row: its words, its filters, and what is new in it."""
    chosen = search.filters
    named = _joined(
        record_kind(chosen.kind) if chosen.kind else "",
        context.theme_name(chosen.theme) if chosen.theme else "",
        name_of(chosen.country) if chosen.country else "",
        language_name(chosen.lang) if chosen.lang else "",
        term(RESOURCE_TYPES, chosen.type) if chosen.type else "",
        str(chosen.year or ""),
        term(POLICY_CYCLE, chosen.policy_cycle) if chosen.policy_cycle else "",
    )
    told = ngettext("{count} new", "{count} new", new).format(count=number(new))
    return CardRow(
        id=f"search:{search.words}:{named}",
        kind="search",
        title=search.words,
        meta=_joined(named, _("saved {ago}").format(ago=ago(search.created))),
        badges=(Badge(told, "accent"),) if new else (),
        picture="search",
        place=search_place(search),
    )


def search_place(search: SavedSearch) -> Place:
    """The search page with this search and its filters."""
    chosen = asdict(search.filters)
    fill = [(name, str(value)) for name, value in chosen.items() if value not in (None, "") and name != "since"]
    return Place("search", query=search.words, fill=(*fill, ("saved", "yes")))


def item_row(item: Item, came_of_it: str = "") -> CardRow:
    """A queued item as a row: what it is, and its state in words, or what came of a report."""
    __, picture, tone = OUTBOX_STATES[item.state]
    left = ""
    if item.carried and item.state in ("waiting", "sending"):
        carried = moment(item.carried)
        day = short_day(carried.astimezone().date()) if carried is not None else item.carried
        left, picture = _("Left on a stick on {day}").format(day=day), "stick"
    reply = item.kind == "reply"
    kind = item_kind(item.kind, item.body)
    named = {
        "reply": _("Reply: {title}"),
        "rate": _("On the answer to: {title}"),
        "report": _("Reported: {title}"),
    }.get(item.kind, "{title}")
    return CardRow(
        id=item.id,
        kind="item",
        title=named.format(title=isolate(item.title)) if item.kind != "ask" else item.title,
        line=str(item.body.get("body") or ""),
        meta=_joined(kind, ago(item.updated)),
        badges=(Badge(came_of_it or left or outbox_state(item.state), tone, picture),),
        picture="answer"
        if reply or item.kind in ("rate", "report")
        else ASK_KINDS.get(str(item.body.get("kind")), ("", "ask"))[1],
    )


def answers_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The replies to a request that others wrote: one's own follow-up is no answer."""
    return [reply for reply in record.get("replies") or [] if reply.get("mine") is not True]


def request_row(record: dict[str, Any]) -> CardRow:
    """A request as the hub knows it: its state there, and how many answers it has."""
    replies = answers_of(record)
    if record.get("state") == "waiting":
        tone, picture = "warn", "attention"  # the work stands still until the person replies
    else:
        tone, picture = ("good", "answer") if replies else ("muted", "clock")
    badges = [Badge(request_state(str(record.get("state") or "")), tone, picture)]
    if replies:
        badges.append(
            Badge(ngettext("{count} answer", "{count} answers", len(replies)).format(count=len(replies)), "accent")
        )
    last = replies[-1] if replies else record
    return CardRow(
        id=str(record["id"]),
        kind="request",
        title=str(record.get("title") or ""),
        line=str(last.get("body") or ""),
        meta=_joined(
            ask_kind(str(record.get("kind") or "")), ago(str(last.get("created") or record.get("updated") or ""))
        ),
        badges=tuple(badges),
        picture=ASK_KINDS.get(str(record.get("kind")), ("", "ask"))[1],
        place=place_of("request", str(record["id"])),
    )


def is_over(event: dict[str, Any]) -> bool:
    """Whether an event has ended."""
    ends = moment(str(event.get("ends") or event.get("starts") or ""))
    return ends is not None and ends < datetime.now(UTC)


def event_row(record: dict[str, Any], context: Context) -> CardRow:
    """An event with its day and place."""
    where = _("Online") if record.get("online") else str(record.get("place") or "")
    when = day_range(str(record.get("starts") or ""), str(record.get("ends") or ""))
    theme, over = (record.get("themes") or [""])[0], is_over(record)
    return CardRow(
        id=str(record["id"]),
        kind="event",
        title=str(record.get("title") or ""),
        line=str(record.get("summary") or ""),
        meta=_joined(where, context.theme_name(theme) if theme else ""),
        badges=(Badge(when, "muted" if over else "accent", "calendar"), *((Badge(_("Over")),) if over else ())),
        picture="calendar",
        place=place_of("event", str(record["id"])),
    )


def files_on_shelf(shelf: Shelf, cards: list[Card]) -> set[str]:
    """Which of these cards have all their files on the shelf."""
    here = set(shelf.files.hashes())
    found: set[str] = set()
    for card in cards if here else ():
        if card.files_bytes:
            files = (shelf.library.get(card.id) or {}).get("files") or []
            if files and all(f.get("hash") in here for f in files):
                found.add(card.id)
    return found


def _other_language(tag: str) -> str:
    """The language's name where it is another than the window's; "" also where nobody said which."""
    return "" if primary_tag(tag) in ("", "und", language()) else language_name(tag)
