"""The command line `hubshelf`: the window, and everything that works without one.

Each subcommand takes `--json`: one JSON document on standard output and nothing else there. Exit code 0: done;
1: something failed, with what happened and what to do; 2: wrong usage.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict
from functools import update_wrapper
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from desktop import (
    moving_commands,
    neighbour_commands,
    pack_commands,
    policy_commands,
    support_commands,
    update_commands,
)
from desktop.system_proxy import use_system_proxies
from resources_cache.citing.formatted import STYLES
from resources_cache.errors import CacheError, NotFound
from sync.errors import SyncError
from sync.home import Home, default_home, require_allowed
from sync.logbook import Logbook
from sync.protocol.errors import ProtocolError

_KNOWN = (CacheError, SyncError, ProtocolError)
_KINDS = ("question", "helpdesk", "resource", "practice")
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

Command = TypeVar("Command", bound=Callable[..., Any])


class _Group(click.Group):
    """The commands; with `--json` wrong usage is one JSON document too, as every other error is."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as wrong:
            if "--json" in sys.argv:
                advice = "Run the command with --help to see how it is used."
                click.echo(_error_document("usage", wrong.format_message(), advice))
                ctx.exit(wrong.exit_code)
            raise


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), envvar="HUBSHELF_HOME", help="Folder of the shelf.")
@click.version_option(package_name="hubshelf")
@click.option("--show-policy", is_flag=True, help="Say what is decided for this PC, by whom, and end.")
@click.option("--json", "as_json", is_flag=True, help="With --show-policy: one JSON document.")
@click.pass_context
def main(context: click.Context, home: Path | None, show_policy: bool, as_json: bool) -> None:
    """Hubshelf: your education hub, on this computer. Without a command it opens the window."""
    context.obj = home or default_home()
    try:
        if show_policy:
            policy_commands.show_policy(context.obj, as_json)
            context.exit()
        require_allowed(context.obj)
    except CacheError as error:
        _fail(error, "--json" in sys.argv)
    if as_json:
        raise click.UsageError("--json stands behind a command.")
    use_system_proxies()
    if context.invoked_subcommand is None:
        sys.exit(_open_window(context.obj))


def _open_window(home: Path, *asked: Any, **how: Any) -> int:
    """`desktop.app.run`: Qt is loaded for this alone."""
    from desktop.import_scan import skip_import_scan

    skip_import_scan()
    from desktop.app import run

    return run(home, *asked, **how)


def _subcommand(function: Command, group: click.Group | None = None) -> Command:
    """Give a function `home` and `--json`, print what it returns, and turn known errors into words."""

    def run(context: click.Context, /, as_json: bool, **options: Any) -> None:
        try:
            answer, words = function(Home(context.obj), **options)
        except _KNOWN as error:
            if context.obj.is_dir():
                Logbook(context.obj).note(
                    "command-failed", name=function.__name__, code=getattr(error, "code", "")
                )
            _fail(error, as_json)
        if as_json:
            click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            for line in words(answer):
                click.echo(line)
        if answer.get("error") or answer.get("ok") is False:
            sys.exit(1)

    update_wrapper(run, function)
    as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
    (group or main).command(function.__name__.rstrip("_").replace("_", "-"))(
        as_json_option(click.pass_context(run))
    )
    return function


def _fail(error: Exception, as_json: bool) -> NoReturn:
    code, advice = getattr(error, "code", "error"), getattr(error, "advice", "")
    if as_json:
        click.echo(_error_document(code, str(error), advice))
    else:
        click.echo(f"{error}\n{advice}".rstrip(), err=True)
    sys.exit(1)


def _error_document(code: str, message: str, advice: str) -> str:
    return json.dumps({"error": {"code": code, "message": message, "advice": advice}}, ensure_ascii=False)


Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]


@_subcommand
@click.argument("url", required=False)
@click.argument("code", required=False)
@click.option("--device-name", default=platform.node, help="How this computer is called in the hub's list.")
@click.option("--site", is_flag=True, help="With the hub and the site code that were decided for this PC.")
def enrol(home: Home, url: str | None, code: str | None, device_name: str, site: bool) -> Answer:
    """Join the hub at URL with the one-time CODE from your invitation."""
    from sync.engine import enrol as enrol_device
    from sync.joining import join_site

    if site is bool(url) or bool(url) is not bool(code):
        raise click.UsageError("Give the address of the hub and a code, or --site alone.")
    if site:
        join_site(home, device_name)  # nothing happens where it did before: a script may run again
    elif url and code:
        enrol_device(home, url, code, device_name)
    answer = {"hub": home.hub_name, "member": home.member or "", "url": home.hub_url}
    who = f"Welcome, {answer['member']}. " if answer["member"] else ""
    return answer, lambda a: [f"{who}This shelf now belongs to {a['hub']}. Next: hubshelf sync"]


@_subcommand
@click.option("--name", required=True, help="Your name.")
@click.option("--email", required=True, help="Your e-mail address.")
def introduce(home: Home, name: str, email: str) -> Answer:
    """Say who uses this PC, where it joined with a site code; the hub's team approves it."""
    from sync.joining import introduce as say

    with home.own() as own:
        item = say(own, name, email)
    return {"id": item.id, "state": item.state}, lambda _a: ["It leaves with the next sync. Next: hubshelf sync"]


@_subcommand
@click.option("--budget", type=click.IntRange(min=1024), help="Spend at most so many bytes.")
@click.option(
    "--patience",
    type=click.FloatRange(0, 86_400),
    default=60.0,
    show_default=True,
    help="Seconds to wait for a link that was lost on the way.",
)
@click.option("--price", is_flag=True, help="Only say what it would cost now.")
@click.option("--let-remove", is_flag=True, help="Let the hub remove more than a fifth of the shelf, this once.")
def sync(home: Home, budget: int | None, patience: float, price: bool, let_remove: bool) -> Answer:
    """Send what waits and fetch what is new."""
    from sync.engine import price_once, sync_once
    from sync.health import keep_backup, renew_index
    from sync.joining import has_site_code, join_site
    from sync.running import LET_REMOVE

    if let_remove:
        with home.own() as own:
            own.set_setting(LET_REMOVE, True)
    if home.hub_url is None and has_site_code(home.policies):
        join_site(home, platform.node())
    with closing(home.connect(home.hub_url)) as transport:
        bound = home.policies.is_locked("daily_limit_kb")
        if price:
            return price_once(home, transport, daily_limit=bound).to_json(), _price_words
        report = sync_once(home, transport, budget=budget, daily_limit=bound, patience=patience)
    renew_index(home)
    keep_backup(home)
    answer: dict[str, Any] = report.to_json()

    def words(a: dict[str, Any]) -> Iterable[str]:
        moved = f"{a['bytes_down']:,} bytes down, {a['bytes_up']:,} up, {a['requests']} requests"
        yield ("In step with the hub. " if a["up_to_date"] else "Not finished yet. ") + moved
        if a["operations_sent"]:
            yield f"{a['operations_sent']} sent."
        if a.get("error"):
            yield f"{a['error']['message']} {a['error']['advice']}"

    return answer, words


def _price_words(a: dict[str, Any]) -> Iterable[str]:
    if not a["bytes"]:
        yield "Nothing is new, and nothing waits to be sent."
        return
    yield f"About {a['bytes']:,} bytes in {a['requests']} requests."
    if a["seconds"] is not None:
        yield f"At the speed of the last sync that takes about {a['seconds']:,} seconds."


@_subcommand
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


@_subcommand
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


@_subcommand
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


@_subcommand
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


@_subcommand
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


@_subcommand
@click.option("--title", required=True, help="The question in one line.")
@click.option(
    "--body-file", type=click.File(encoding="utf-8"), required=True, help="The text; - for standard input."
)
@click.option("--kind", type=click.Choice(_KINDS), default="question", show_default=True)
@click.option("--lang", default="", help="Its language, such as fr.")
@click.option("--theme", "themes", multiple=True, help="A theme; may be given several times.")
@click.option("--needed-by", default="", help="A date such as 2026-05-03.")
@click.option(
    "--attach",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to send with it, at most 25 MB; may be given several times.",
)
def ask(
    home: Home,
    title: str,
    body_file: Any,
    kind: str,
    lang: str,
    themes: tuple[str, ...],
    needed_by: str,
    files: tuple[Path, ...],
) -> Answer:
    """Queue a question; it is sent by the next sync and kept until the hub has it."""
    from sync.questions import checked_question
    from sync.uploads import attached

    body = checked_question(
        {
            "kind": kind,
            "title": title,
            "body": body_file.read(),
            "lang": lang,
            "themes": list(themes),
            "needed_by": needed_by,
        }
    )
    with home.own() as own:
        if files:
            body["attachments"] = attached(home.path, own, files)
        item = own.outbox.add("ask", body["title"], body)
    answer = {
        "id": item.id,
        "state": item.state,
        "title": item.title,
        "attachments": item.body.get("attachments", []),
    }

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield f"Queued: {STATE_WORDS[a['state']]} ({a['id']})"
        for one in a["attachments"]:
            yield f"  with {one['name']}, {one['size']:,} bytes"

    return answer, words


@_subcommand
def outbox(home: Home) -> Answer:
    """List everything that you sent or that waits, with its state."""
    from resources_cache.attachments import Attachments, open_files
    from sync.protocol.uploads import FILE

    with home.own() as own:
        queue = Attachments.of(own, open_files(home.path, FILE))
        items = [
            {
                "id": item.id,
                "kind": item.body.get("kind", item.kind),
                "title": item.title,
                "state": item.state,
                "created": item.created,
                "left_on_stick": item.carried if item.state in ("waiting", "sending") else None,
                "problem": item.problem,
                "attachments": [
                    {
                        "name": one.name,
                        "size": one.size,
                        "state": one.state,
                        "left_on_stick": one.carried if one.state in ("waiting", "sending") else None,
                    }
                    for one in queue.of_body(item.body)
                ],
            }
            for item in own.outbox.items()
        ]

    def words(a: dict[str, Any]) -> Iterable[str]:
        if not a["items"]:
            yield "Nothing waits to go, and nothing was sent yet."
        for item in a["items"]:
            left = item["left_on_stick"]
            yield f"{STATE_WORDS[item['state']]}{_on_a_stick(left)}: {item['title']} ({item['id']})"
            for one in item["attachments"]:
                arrived = "arrived at the hub" if one["state"] == "delivered" else "not yet at the hub"
                yield f"  {one['name']}, {one['size']:,} bytes: {arrived}{_on_a_stick(one['left_on_stick'])}"

    return {"items": items}, words


def _on_a_stick(left: str | None) -> str:
    return f", left on a stick on {left[:10]}, not yet confirmed" if left else ""


@_subcommand
def status(home: Home) -> Answer:
    """Say when the shelf was last in step, what waits, and how much is on it."""
    with home.library() as library, home.own() as own:
        head = library.head()
        waiting = own.outbox.items(["waiting", "sending"])
        answer = {
            "hub": own.setting("hub_url"),
            "hub_name": own.setting("hub_name"),
            "member": own.setting("member"),
            "last_in_step": own.setting("last_in_step"),
            "by_pack": own.setting("by_pack"),
            "head": None if head is None else {"epoch": head.epoch, "version": head.version},
            "waiting": len(waiting),
            "records": library.counts(),
        }

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield f"Hub: {a['hub'] or (a['by_pack'] and a['hub_name']) or 'none yet; run hubshelf enrol'}"
        yield f"Last in step: {a['last_in_step'] or 'never'}"
        if a["by_pack"]:
            yield f"Last pack taken in: that of {a['by_pack']['published']}, at {a['by_pack']['at']}"
        yield f"Waiting to go: {a['waiting']}"
        yield "On the shelf: " + (", ".join(f"{n} {kind}" for kind, n in a["records"].items()) or "nothing yet")

    return answer, words


@main.command(name="open")
@click.argument("link", default="")
@click.option(
    "--in-window", is_flag=True, help="Say in the window what is wrong with LINK, as a browser needs it."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def open_link(context: click.Context, link: str, in_window: bool, as_json: bool) -> None:
    """Open the window, and in it what LINK leads to: hubshelf://resource/ID or hubshelf://search?q=WORDS.

    A window that is open already shows it and comes to the front.
    """
    from desktop.links import LinkRefused, place_of_link
    from desktop.one_window import NotAnswering

    refused, place = None, None
    try:
        place = place_of_link(link) if link else None
    except LinkRefused as error:
        if not in_window:
            _fail(error, as_json)
        link, refused = "", error
    try:
        code = _open_window(context.obj, link, refused, alone=in_window)
    except NotAnswering as error:
        _fail(error, as_json)
    if as_json:
        shown = {"page": place.page, "id": place.record, "query": place.query} if place else {}
        click.echo(json.dumps({"link": link, **shown}, ensure_ascii=False))
    sys.exit(code or (1 if refused else 0))


moving_commands.add_to(_subcommand)
pack_commands.add_to(main, _subcommand)
neighbour_commands.add_to(main, _subcommand)
update_commands.add_to(main, _subcommand)
policy_commands.add_to(_subcommand)
support_commands.add_to(_subcommand)

if __name__ == "__main__":
    main()
