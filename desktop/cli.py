"""The command line `hubshelf`: the window, and everything that works without one.

Each subcommand takes `--json`: one JSON document on standard output and nothing else there. Exit code 0: done;
1: something failed, with what happened and what to do; 2: wrong usage.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import update_wrapper
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from desktop import (
    machine_commands,
    moving_commands,
    neighbour_commands,
    pack_commands,
    policy_commands,
    proxy_commands,
    reading_commands,
    support_commands,
    update_commands,
)
from desktop.reading_commands import STATE_WORDS
from desktop.system_proxy import use_system_proxies
from resources_cache.errors import CacheError
from sync.errors import SyncError
from sync.home import Home, default_home, require_allowed
from sync.logbook import Logbook
from sync.protocol.errors import ProtocolError

_KNOWN = (CacheError, SyncError, ProtocolError)
_KINDS = ("question", "helpdesk", "resource", "practice")

Command = TypeVar("Command", bound=Callable[..., Any])


class _Group(click.Group):
    """The commands; with `--json` wrong usage is one JSON document too, as every other error is."""

    def main(self, *args: Any, **extra: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            # Windows writes into pipes and files in an encoding that lacks most of our letters; JSON is UTF-8.
            if isinstance(stream, TextIOWrapper) and stream.encoding.lower() != "utf-8":
                stream.reconfigure(encoding="utf-8")
        return super().main(*args, **extra)

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
@click.version_option(package_name="hubshelf", prog_name="hubshelf")
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
    if report.error is not None and report.error.code == "hub-moved":
        with closing(home.connect(home.hub_url)) as transport:
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


reading_commands.add_to(_subcommand)
moving_commands.add_to(_subcommand)
pack_commands.add_to(main, _subcommand)
neighbour_commands.add_to(main, _subcommand)
update_commands.add_to(main, _subcommand)
policy_commands.add_to(_subcommand)
proxy_commands.add_to(_subcommand)
support_commands.add_to(_subcommand)
machine_commands.add_to(main, _fail, _KNOWN)

if __name__ == "__main__":
    main()
