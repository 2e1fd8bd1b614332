"""The commands `hubshelf machine …`: one library of what is public for everybody on this PC."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from sync.policies import policies


def add_to(main: click.Group, fail: Callable[[Exception, bool], Any], known: tuple[type[Exception], ...]) -> None:
    """Make these commands of `hubshelf`. `fail`: ends the program with words for an error that is `known`.

    They work without a person's shelf: the account that keeps the library has none.
    """

    @main.group()
    def machine() -> None:
        """For IT: the library of this PC, from which all its people take what is public."""

    @machine.command()
    @click.option("--if-decided", is_flag=True, help="Say nothing where nobody decided that there is one.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
    def keep(if_decided: bool, as_json: bool) -> None:
        """Bring the library of this PC in step. Run it as root or as the account that keeps it."""
        from sync.machine.keeping import keep as keep_library
        from sync.machine.place import place

        decided = policies()
        if if_decided and place(decided) is None:
            return
        try:
            kept = keep_library(decided)
        except known as error:
            fail(error, as_json)
            return
        report = kept.report.to_json() if kept.report is not None else None
        answer = {"report": report, "taken": kept.taken, "refused": kept.refused, **standing()}
        _say(answer, as_json)
        if kept.report is not None and kept.report.error is not None:
            fail(kept.report.error, False)

    @machine.command()
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
    def show(as_json: bool) -> None:
        """Say where the library of this PC is, how large it is, and when it was last in step."""
        _say(standing(), as_json)


def standing() -> dict[str, Any]:
    """Where the library is and what is in it; sizes in bytes, times in UTC."""
    from sync.machine.place import place

    of = place(policies())
    if of is None:
        return {"folder": None}
    files = [path for path in of.library.glob("*/??/*") if path.is_file()]
    checked = None
    if of.checked.exists():
        checked = datetime.fromtimestamp(of.checked.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "folder": str(of.library),
        "quota": of.quota,
        "bytes": sum(path.stat().st_size for path in files),
        "files": sum(path.parent.parent.name == "files" for path in files),
        "checked": checked,
        "hand_in": of.handed_in.is_dir(),
    }


def _say(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    elif answer["folder"] is None:
        click.echo("This PC has no library for all: machine_library_mb is not decided.")
    else:
        if report := answer.get("report"):
            click.echo(f"{report['records']} records came; {report['bytes_up'] + report['bytes_down']:,} bytes.")
        if answer.get("taken"):
            click.echo(f"{answer['taken']} files that people had handed in are for everybody now.")
        click.echo(
            f"{answer['folder']}: {answer['bytes'] // 1_000_000} of {answer['quota'] // 1_000_000} MB, "
            f"{answer['files']} files, last in step: {answer['checked'] or 'never'}"
        )
