"""One search over the library and what the person wrote: notes, highlights, and what waits to go to the hub.

What the hub has received comes back as a request and is found in the library. A person's own words come first:
there are few of them, and whoever looks for them knows what they said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from resources_cache.cards import Filters, Hit, SearchPage
from resources_cache.library import Library
from resources_cache.own import Own
from resources_cache.suggestions import Suggestion, marked
from resources_cache.text import Group, Query, fold, prepare, snippet
from resources_cache.text.folding import WORD

NOTE, ITEM = "note", "item"
"""Kinds of hits that are not of the library: a note (its id is that of its record), something in the outbox."""

_MAX_OTHERS = 2  # themes, concepts, and saved searches, that are suggested

_WAITING = ("draft", "waiting", "sending", "attention")


def search_all(
    library: Library,
    own: Own,
    text: str,
    filters: Filters | None = None,
    limit: int = 20,
    offset: int = 0,
    *,
    as_typed: bool = False,
    reads: Collection[str] = (),
    counts: bool = False,
) -> SearchPage:
    """As ``Library.search``, with the person's own words before the rest where no filter leaves them out.

    Of several editions one in a language of ``reads`` is preferred, or in one that the person has chosen to keep.
    """
    limit, offset = max(0, limit), max(0, offset)
    filters = filters or Filters()
    found = _mine(library, own, text)
    mine = [hit for hit in found if filters in (Filters(), Filters(kind=hit.kind))]
    page = library.search(
        text,
        filters,
        max(0, limit - len(mine[offset:])),
        max(0, offset - len(mine)),
        as_typed=as_typed,
        reads=reads or own.setting("languages") or (),
        counts=counts,
    )
    facets = dict(page.facets)
    if counts and found and filters.without("kind") == Filters():
        kinds = [*facets["kind"], *Counter(hit.kind for hit in found).items()]
        facets["kind"] = sorted(kinds, key=lambda pair: (-pair[1], pair[0]))
    shown = [*mine[offset : offset + limit], *page.results]
    return replace(page, total=page.total + len(mine), results=shown, facets=facets)


def suggest_all(
    library: Library, own: Own, typed: str, limit: int = 7, reads: Collection[str] = ()
) -> list[Suggestion]:
    """As ``Library.suggest``, then what is besides titles: themes, concepts, and searches that the person keeps.

    A theme is called as the words typed have it, in whatever language.
    """
    reads = reads or own.setting("languages") or ()
    found = library.suggest(typed, limit, reads=reads)
    named = (
        Suggestion("theme", slug, label, shown, lang)
        for slug, labels in library.vocabulary().items()
        for lang, label in labels.items()
        if isinstance(label, str) and (shown := marked(typed, label))
    )
    found += list({theme.id: theme for theme in named}.values())[:_MAX_OTHERS]
    titles = {one.title.casefold() for one in found}
    concepts = library.concepts(typed, _MAX_OTHERS, reads=reads)
    found += [one for one in concepts if one.title.casefold() not in titles]
    kept = ((saved.words, marked(typed, saved.words)) for saved in own.searches())
    found += [Suggestion("search", "", words, shown) for words, shown in dict(kept).items() if shown][:_MAX_OTHERS]
    return found


def _mine(library: Library, own: Own, text: str) -> list[Hit]:
    wanted = library.understood(text)
    if wanted.empty or wanted.filtered:
        return []
    written = [(NOTE, id_, "", body) for id_, body in own.written().items()]
    written += [
        (ITEM, item.id, item.title, str(item.body.get("body") or "")) for item in own.outbox.items(_WAITING)
    ]
    scored = [
        (score, kind, id_, title, body)
        for kind, id_, title, body in written
        if (score := _score(wanted, f"{title}\n{body}"))
    ]
    return [
        _hit(library, wanted, float(score), kind, id_, title, body)
        for score, kind, id_, title, body in sorted(scored, key=lambda one: -one[0])
    ]


def _score(wanted: Query, text: str) -> int:
    """How many of the words a text has; 0 where it is no answer."""
    words = _prepared(text)
    if any(_has(words, group) for group in wanted.excluded):
        return 0
    if not all(_has(words, group) for group in wanted.required):
        return 0
    return sum(_has(words, group) for group in wanted.wanted)


def _has(words: str, group: Group) -> bool:
    if group.column and group.column != "title":
        return False
    # Also as it is written: a note in one language is full of words of another.
    forms = [*group.words, *([fold(group.written)] if " " not in group.written else [])]
    return any(f" {form} " in words for form in forms) or bool(group.prefix and f" {group.prefix}" in words)


@lru_cache(maxsize=4096)
def _prepared(text: str) -> str:
    return f" {prepare(text)}  {' '.join(WORD.findall(fold(text)))} "


def _hit(library: Library, wanted: Query, score: float, kind: str, id_: str, title: str, body: str) -> Hit:
    if kind == NOTE:
        about = library.get(id_) or {}
        title = str(about.get("title") or about.get("name") or "")
    shown, _ = snippet(body or title, wanted)
    return Hit(id=id_, kind=kind, title=title, snippet=shown, score=score, lang="", year=None)
