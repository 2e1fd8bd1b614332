"""The commands `hubshelf-hub source …` and `hubshelf-hub inbox …`: what is harvested, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .cli import Failed, as_json_option, show, start_django

if TYPE_CHECKING:
    from .models import Harvest, InboxItem, Source

_ACTOR = "command line"
_SHOWN = 50
_STATES = ("new", "accepted", "merged", "rejected", "gone", "all")


@click.group()
def source() -> None:
    """Sources that are harvested: repositories (OAI-PMH), feeds (RSS, Atom, RDF), groups of Zotero."""


@source.command("add")
@click.argument("kind", type=click.Choice(["oai", "feed", "zotero"]))
@click.argument("address")
@click.option("--name", default="", help="What to call it; its address, where nothing is said.")
@click.option("--every", type=int, default=0, metavar="MINUTES", help="Harvest it so often; else by hand alone.")
@click.option("--set", "set_", default="", help="OAI-PMH: only this set of it.")
@click.option(
    "--prefix", default="", help="OAI-PMH: another metadata format of Dublin Core's elements than oai_dc."
)
@as_json_option
def add(kind: str, address: str, name: str, every: int, set_: str, prefix: str, as_json: bool) -> None:
    """Add a source of some KIND at an ADDRESS."""
    start_django()
    from .harvest import lists

    settings = {key: value for key, value in (("set", set_), ("prefix", prefix)) if value}
    made, new = lists.add(kind, address, name, every_minutes=every, settings=settings, actor=_ACTOR)
    lines = [f"{made.pk}  {made.name}", f"Next: hubshelf-hub source harvest {made.pk}"]
    show(as_json, {**_about(made), "new": new}, lines if new else [f"It is there already: {made.pk}  {made.name}"])


@source.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--every", type=int, default=0, metavar="MINUTES", help="Harvest them so often; else by hand alone.")
@as_json_option
def import_(file: Path, every: int, as_json: bool) -> None:
    """Add every feed of an OPML list."""
    start_django()
    from .harvest import lists

    listed = lists.add_feeds(file, every_minutes=every, actor=_ACTOR)
    lines = [f"{len(listed.added):,} feeds are new, {listed.known:,} were there.", *listed.problems[:_SHOWN]]
    document = {"added": [_about(one) for one in listed.added], "known": listed.known, "problems": listed.problems}
    show(as_json, document, [*lines, "Next: hubshelf-hub source harvest"])


@source.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List the sources: how often each is harvested, when it was, and what waits in its inbox."""
    start_django()
    from django.db.models import Count, Q

    from .harvest.lists import KINDS
    from .models import Source

    waiting = Count("inbox", filter=Q(inbox__state="new"))
    found = Source.objects.filter(kind__in=KINDS).annotate(waiting=waiting).order_by("name")
    documents = [{**_about(one), "waiting": one.waiting} for one in found]
    lines = []
    for one in documents:
        when = f"last harvested {one['harvested'][:16]}" if one["harvested"] else "never harvested"
        lines.append(f"{one['id']}  {one['kind']:6}  {one['name']}: {when}, {one['waiting']:,} wait")
    show(
        as_json,
        {"sources": documents},
        lines or ["There is no source yet. Next: hubshelf-hub source add oai ADDRESS"],
    )


@source.command("harvest")
@click.argument("sources", nargs=-1)
@click.option(
    "--due", is_flag=True, help="Those whose turn it is, for a timer; without it and without names, all."
)
@as_json_option
def harvest(sources: tuple[str, ...], due: bool, as_json: bool) -> None:
    """Bring what is new at SOURCES (ids or names) into the inbox. One that was cut off goes on."""
    start_django()
    from django.utils import timezone

    from .harvest import lists
    from .harvest.running import harvest as run
    from .models import Source

    if sources:
        chosen = [lists.named(one) for one in sources]
    elif due:
        chosen = lists.due(timezone.now())
    else:
        chosen = list(Source.objects.filter(kind__in=lists.KINDS).order_by("name"))
    runs = []
    for one in chosen:
        runs.append(run(one, told=lambda made: click.echo(f"{made.source}: {made.read:,} read", err=True)))
    lines = [line for made in runs for line in _told(made)] or ["Nothing is to be harvested now."]
    show(as_json, {"harvests": [_harvested(made) for made in runs]}, lines)
    if runs and all(made.error for made in runs):
        raise Failed("none of the sources could be harvested to its end")


@click.group()
def inbox() -> None:
    """What sources offer, until somebody accepts, merges or rejects it."""


@inbox.command("list")
@click.option("--source", "source_", default="", help="Of this source alone (id or name).")
@click.option("--state", type=click.Choice(_STATES), default="new", help="What waits, where nothing is said.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=_SHOWN)
@as_json_option
def inbox_list(source_: str, state: str, limit: int, as_json: bool) -> None:
    """List the inbox, the oldest first, with what may be the same work in the catalogue."""
    start_django()
    from .harvest import lists
    from .models import InboxItem

    found = InboxItem.objects.select_related("source", "likely")
    if source_:
        found = found.filter(source=lists.named(source_))
    if state != "all":
        found = found.filter(state=state)
    total = found.count()
    items = [_item(one) for one in found[:limit]]
    lines = [
        f"{one['id']}  {one['title'] or one['key']} ({one['source']})"
        + (f"\n    cannot be taken: {one['refused']}" if one["refused"] else "")
        + (f"\n    perhaps {one['likely']}  {one['likely_title']} ({one['because']})" if one["likely"] else "")
        for one in items
    ]
    lines.append(f"{total:,} in all." if total else "Nothing waits.")
    show(as_json, {"total": total, "items": items}, lines)


@inbox.command("accept")
@click.argument("ids", nargs=-1, required=True)
@click.option("--publish", is_flag=True, help="Make it visible with the next publication; else it stays a draft.")
@as_json_option
def inbox_accept(ids: tuple[str, ...], publish: bool, as_json: bool) -> None:
    """Make resources of the items with these IDS, or bring those that were made of them to what they are now."""
    start_django()
    from .harvest import inbox as items

    made = [items.accept(one, _ACTOR, draft=not publish) for one in ids]
    show(
        as_json,
        {"resources": [{"id": one.pk, "title": one.title, "state": one.state} for one in made]},
        [f"{one.pk}  {one.title} ({one.state})" for one in made],
    )


@inbox.command("merge")
@click.argument("item")
@click.argument("resource")
@as_json_option
def inbox_merge(item: str, resource: str, as_json: bool) -> None:
    """Give RESOURCE what ITEM knows and it lacks; nothing that is there changes."""
    start_django()
    from .harvest import inbox as items

    made = items.merge(item, resource, _ACTOR)
    show(as_json, {"id": made.pk, "title": made.title}, [f"{made.pk}  {made.title}"])


@inbox.command("reject")
@click.argument("ids", nargs=-1, required=True)
@as_json_option
def inbox_reject(ids: tuple[str, ...], as_json: bool) -> None:
    """Do not take the items with these IDS, now or when they come again."""
    start_django()
    from .harvest import inbox as items

    for one in ids:
        items.reject(one, _ACTOR)
    show(as_json, {"rejected": list(ids)}, [f"{len(ids):,} rejected."])


def _about(one: Source) -> dict[str, Any]:
    from .times import to_wire

    return {
        "id": one.pk,
        "name": one.name,
        "kind": one.kind,
        "url": one.url,
        "every_minutes": one.every_minutes,
        "harvested": to_wire(one.harvested) if one.harvested else None,
    }


def _harvested(made: Harvest) -> dict[str, Any]:
    names = ("pages", "read", "new", "changed", "unchanged", "deleted", "refused")
    counts = {name: getattr(made, name) for name in names}
    return {
        "source": made.source_id,
        "name": made.source.name,
        **counts,
        "whole": made.whole,
        "problems": list(made.problems),
        "error": made.error,
    }


def _told(made: Harvest) -> list[str]:
    counts = [f"{getattr(made, name):,} {name}" for name in ("new", "changed", "unchanged", "deleted", "refused")]
    lines = [f"{made.source}: {made.read:,} read, {', '.join(counts)}"]
    lines += [f"  {words}" for words in made.problems[:_SHOWN]]
    if made.error:
        lines.append(f"  {made.error} The next harvest goes on from there.")
    return lines


def _item(one: InboxItem) -> dict[str, Any]:
    return {
        "id": one.pk,
        "source": one.source.name,
        "key": one.key,
        "state": one.state,
        "title": one.title,
        "year": one.year,
        "lang": one.lang,
        "deleted": one.deleted,
        "changed_since": one.fresh,
        "refused": one.refused,
        "resource": one.resource_id,
        "likely": one.likely_id,
        "likely_title": one.likely.title if one.likely else "",
        "because": one.likely_by,
    }
