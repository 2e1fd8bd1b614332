"""The commands that read the shelf: `search`, `searches`, `show`, `cite` and `notes`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import click

from resources_cache.citing.formatted import STYLES
from resources_cache.errors import NotFound
from sync.home import Home

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]

_MARKS = str.maketrans({"\x02": "[", "\x03": "]"})

STATE_WORDS = {
    "draft": "draft",
    "waiting": "waiting for a connection",
    "sending": "sending",
    "received": "received by the hub",
    "answered": "answered",
    "attention": "needs your attention",
    "withdrawn": "withdrawn",
}


def add_to(subcommand: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> None:
    """Make these commands of `hubshelf`."""
    for command in (search, searches, show, cite, notes):
        subcommand(command)


@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--lang", help="Only this language, such as fr.")
@click.option("--theme", help="Only this theme.")
@click.option("--country", help="Only this country, such as KE.")
@click.option("--type", "resource_type", help="Only this type, such as guide.")
@click.option("--year", type=int, help="Only this year.")
@click.option("--policy-cycle", help="Only this part of the policy cycle, such as development.")
@click.option("--kind", help="Only resources (resource), discussions (thread), people (expert) and so on.")
@click.option("--counts", is_flag=True, help="Say how many of the answers each filter would leave.")
@click.option("--as-typed", is_flag=True, help="Do not mend words that nothing has.")
@click.option("--save", is_flag=True, help="Keep this search: `searches` says what is new in it.")
def search(
    home: Home,
    query: str,
    limit: int,
    lang: str | None,
    theme: str | None,
    country: str | None,
    resource_type: str | None,
    year: int | None,
    policy_cycle: str | None,
    kind: str | None,
    counts: bool,
    as_typed: bool,
    save: bool,
) -> Answer:
    """Search everything on the shelf; works without a network."""
    from resources_cache.own_search import search_all
    from resources_cache.search import Filters

    filters = Filters(lang, theme, country, resource_type, year, kind, policy_cycle)
    with home.library() as library, home.own() as own:
        if save:
            own.save_search(query, filters, library.newest_change())
        page = search_all(library, own, query, filters, limit, as_typed=as_typed, counts=counts)
    answer = {
        "total": page.total,
        **({} if page.exact else {"exact": False}),
        **({"not_indexed": page.not_indexed} if page.not_indexed else {}),
        **({"counts": {name: dict(pairs) for name, pairs in page.facets.items()}} if counts else {}),
        **({"instead": page.instead} if page.instead else {}),
        "results": [
            {
                "id": hit.id,
                "kind": hit.kind,
                "title": hit.title,
                "snippet": hit.snippet.translate(_MARKS),
                "score": hit.score,
                "lang": hit.lang,
                "year": hit.year,
                "by": hit.by,
                "editions": [edition._asdict() for edition in hit.editions],
            }
            for hit in page.results
        ],
    }

    def words(a: dict[str, Any]) -> Iterable[str]:
        if "instead" in a:
            yield f"Nothing has all of this as typed; these are results for: {a['instead']}"
            yield "With --as-typed the words stay as they are."
        if "not_indexed" in a:
            yield f"The search index is being renewed: {a['not_indexed']} records may not be found yet."
        yield f"{a['total']} found" if a.get("exact", True) else f"{a['total']} or more found"
        for name, values in a.get("counts", {}).items():
            if values:
                yield f"  --{name.replace('_', '-')} " + ", ".join(f"{v} ({n})" for v, n in values.items())
        for row in a["results"]:
            also = f"  also: {row['by']}" if row["by"] else ""
            yield f"\n{row['title']}  ({row['kind']}, {row['id']}){also}"
            yield "  " + row["snippet"].replace("\n", " ")
            for other in row["editions"]:
                yield f"  also in {other['lang'] or 'another edition'}: {other['title']}  ({other['id']})"

    return answer, words


def searches(home: Home) -> Answer:
    """List the saved searches, each with how many answers came or changed since it was looked at."""
    from resources_cache.saved_searches import news

    with home.library() as library, home.own() as own:
        found = [
            {
                "query": saved.words,
                "filters": {name: value for name, value in asdict(saved.filters).items() if value},
                "new": news(library, saved),
            }
            for saved in own.searches()
        ]

    def words(a: dict[str, Any]) -> Iterable[str]:
        if not a["searches"]:
            yield "No search is saved yet: hubshelf search QUERY --save"
        for row in a["searches"]:
            chosen = "".join(f" --{name.replace('_', '-')} {value}" for name, value in row["filters"].items())
            yield f"{row['new']} new: {row['query']}{chosen}"

    return {"searches": found}, words


@click.argument("record_id", metavar="ID")
def show(home: Home, record_id: str) -> Answer:
    """Show one whole record of the shelf, or something of your own."""
    with home.library() as library, home.own() as own:
        record = library.get(record_id)
        mine = next((item for item in own.outbox.items() if item.id == record_id), None)
    if record is None and mine is None:
        raise NotFound(f"There is nothing with the id {record_id} on this shelf.")
    answer = _shown(record, mine)

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield a["title"]
        if "state" in a:
            yield f"[{STATE_WORDS.get(a['state'], a['state'])}]"
        for key in ("authors", "year", "publisher", "licence", "url"):
            if a.get(key):
                yield f"{key}: {', '.join(a[key]) if isinstance(a[key], list) else a[key]}"
        for key in ("summary", "body"):
            if a.get(key):
                yield "\n" + str(a[key])
        for text in a.get("texts", []):
            plain = re.sub(r"<[^>]+>", " ", text["body"]) if text.get("format") == "html" else text["body"]
            yield "\n" + plain.strip()
        for reply in [*a.get("replies", []), *a.get("messages", [])]:
            yield f"\n{reply.get('author', '')}:\n{reply.get('body', '')}"

    return answer, words


def _shown(record: dict[str, Any] | None, mine: Any) -> dict[str, Any]:
    """Return a record as `show` gives it: the hub's state with what waits on this computer laid over it."""
    answer: dict[str, Any] = dict(record or {})
    if mine is not None:
        answer = {**mine.body, "id": mine.id, "title": mine.title, **answer}
        answer["kind"] = mine.body.get("kind", mine.kind)
        # The hub's own word for where a question is stays beside the outbox's.
        answer["hub_state"] = answer.get("state")
        answer["state"] = mine.state
        answer.setdefault("replies", [])
        if mine.problem:
            answer["problem"] = mine.problem
    elif answer.get("type") == "request":
        answer["hub_state"] = answer.get("state")
        others = [reply for reply in answer.get("replies", []) if not reply.get("mine")]
        answer["state"] = "answered" if others or answer["hub_state"] in ("delivered", "closed") else "received"
    else:
        answer["kind"] = answer.get("type", "")
    answer.setdefault("title", answer.get("name", ""))
    return answer


@click.argument("record_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--style", type=click.Choice(list(STYLES)), default="apa", show_default=True)
@click.option("--lang", default="en", show_default=True, help="Whose words to use, such as fr.")
@click.option("--ris", "form", flag_value="ris", help="As RIS, for a reference manager.")
@click.option("--bibtex", "form", flag_value="bibtex", help="As BibTeX.")
def cite(home: Home, record_ids: tuple[str, ...], style: str, lang: str, form: str | None) -> Answer:
    """Cite resources of the shelf, formatted in a style or as a file for other programs."""
    from resources_cache.citing import formats, formatted
    from resources_cache.citing.sources import source

    with home.library() as library:
        records = [library.get(record_id) for record_id in record_ids]
    for record_id, record in zip(record_ids, records, strict=True):
        if record is None or record.get("type") != "resource":
            raise NotFound(f"There is no resource with the id {record_id} on this shelf.")
    sources = [source(record) for record in records if record is not None]
    if form:
        text = formats.ris(sources) if form == "ris" else formats.bibtex(sources)
        return {"format": form, "text": text}, lambda a: [a["text"].replace("\r\n", "\n").rstrip()]
    entries = [one.text for one in formatted.cite(sources, style, lang)]
    return {"style": style, "citations": entries}, lambda a: a["citations"]


@click.argument("record_id", metavar="ID")
def notes(home: Home, record_id: str) -> Answer:
    """Print your highlights and notes on a resource, as Markdown with its source."""
    from resources_cache.annotations import markdown
    from resources_cache.citing.sources import source, source_lines

    with home.library() as library, home.own() as own:
        record, whole = library.get(record_id), own.note(record_id)
        found = own.annotations.of(record_id)
        hub = str(own.setting("hub_name") or "")
    if not found and not whole:
        raise NotFound(f"You wrote no notes on {record_id}.", "Select words in the reader, then choose a colour.")
    title = str((record or {}).get("title") or next((one.title for one in found), ""))
    lines = source_lines(source(record), hub) if record else ""
    answer = {
        "id": record_id,
        "title": title,
        "note": whole,
        "highlights": [
            {"quote": one.anchor.quote, "colour": one.colour, "note": one.note, "created": one.created}
            for one in found
        ],
        "markdown": markdown(title, lines, found, whole),
    }
    return answer, lambda a: [a["markdown"].rstrip()]
