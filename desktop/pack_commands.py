"""The commands `hubshelf pack …`: content and messages carried by hand, on a stick."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from sync.home import Home
from sync.report import Progress

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]

_EVERY = 1.0
"""Seconds between two lines about progress."""


def add_to(
    main: click.Group, subcommand: Callable[[Callable[..., Answer], click.Group], Callable[..., Answer]]
) -> None:
    """Make these commands of `hubshelf`."""

    @main.group(name="pack")
    def group() -> None:
        """Carry content and messages by hand, on a stick, where no link comes."""

    for command in (export, import_, show, join):
        subcommand(command, group)


def _progress() -> Callable[[Progress], None]:
    last = time.monotonic()

    def told(progress: Progress) -> None:
        nonlocal last
        if progress.bytes_total and time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            click.echo(f"{progress.bytes_done:,} of {progress.bytes_total:,} bytes", err=True)
            sys.stderr.flush()

    return told


@click.argument("target", metavar="DEST", type=click.Path(path_type=Path))
@click.option(
    "--lang", "languages", multiple=True, help="Only content in this language; may be given several times."
)
@click.option("--files", is_flag=True, help="Downloaded files too, where their licence lets them be given on.")
@click.option("--replace", is_flag=True, help="Even where a pack of another hub lies there, or a newer one.")
def export(home: Home, target: Path, languages: tuple[str, ...], files: bool, replace: bool) -> Answer:
    """Write a pack to DEST: a stick or folder, or one file where its name ends in .hubshelf-pack."""
    from sync.packs.exporting import export_pack

    done = export_pack(home, target, languages=languages, files=files, replace=replace, progress=_progress())
    answer = {
        "path": str(done.path),
        "hub": done.hub_name,
        **done.written.to_json(),
        "streams": done.feeds,
        "redistributable_files": done.files,
        "left_out": [one.to_json() for one in done.left_out],
        "operations": done.operations,
        "envelopes": done.envelopes,
        "answers": done.answers,
        "attachments": done.attached,
        "attachment_bytes": done.attached_bytes,
        "attachments_left": done.attached_left,
        "parcels": done.parcels,
        "parcels_left": done.parcels_left,
    }

    def words(a: dict[str, Any]) -> Iterable[str]:
        if a["streams"]:
            yield f"The pack of {_line(a['hub'])} is on {a['path']}: {a['bytes']:,} bytes, {a['new_bytes']:,} new."
        yield f"{a['operations']} of your messages are in it; each waits here until the hub has confirmed it."
        if a["attachments"]:
            yield f"{a['attachments']} files that you attached are in it, {a['attachment_bytes']:,} bytes."
        if a["attachments_left"]:
            yield f"{a['attachments_left']} files that you attached did not fit; they go with the next pack."
        if a["envelopes"] or a["answers"] or a["parcels"]:
            yield f"Carried for others: {_carried(a)}."
        for one in a["left_out"][:50]:
            yield f"  Left out ({one['why']}): {_line(one['name'])}, {_line(one['title'])}"
        if len(a["left_out"]) > 50:
            yield f"  … and {len(a['left_out']) - 50:,} more; --json lists them all."

    return answer, words


@click.argument("source", metavar="SRC", type=click.Path(path_type=Path), required=False)
@click.option("--preload", is_flag=True, help="In place of SRC: the packs that came with this computer.")
@click.option("--yes", is_flag=True, help="A shelf without a hub: belong to the hub of this pack.")
@click.option("--keep", is_flag=True, help="Keep what is needed to give this pack on, now and from now on.")
@click.option("--files", is_flag=True, help="All files in the pack, not only those that wait to be downloaded.")
def import_(home: Home, source: Path | None, preload: bool, yes: bool, keep: bool, files: bool) -> Answer:
    """Take in the pack SRC: a stick, its folder, or a file. Everything is verified as if it came from the hub."""
    from sync.health import keep_backup, renew_index
    from sync.packs.importing import import_pack

    if preload:
        if source is not None or yes or keep:
            raise click.UsageError("--preload stands alone.")
        return _take_in_preloaded(home)
    if source is None:
        raise click.UsageError("Name the pack, or --preload.")
    done = import_pack(home, source, accept=yes, keep=keep, files=files, progress=_progress())
    renew_index(home)
    keep_backup(home)
    error, heard = done.error, done.heard
    problem = heard.problem
    answer: dict[str, Any] = {
        "hub": done.hub_name,
        "epoch": done.epoch,
        "version": done.version,
        "published": done.published,
        "complete": done.report is not None and done.report.error is None,
        "records": done.report.records if done.report is not None else 0,
        "files": done.files,
        "file_bytes": done.file_bytes,
        "files_left": done.files_left,
        "kept": done.kept,
        "program": done.program,
        "envelopes": done.envelopes,
        "answers": done.answers,
        "parcels": done.parcels,
        "returns": done.returns,
        "return_bytes": done.return_bytes,
        "returns_left": done.returns_left,
        "arrived": heard.files,
        "receipts": heard.receipts,
        "personal": heard.records,
        "member": heard.member,
        "refused": problem.to_json() if problem is not None else None,
        "error": None
        if error is None
        else {"code": error.code, "message": str(error), "advice": getattr(error, "advice", "")},
    }

    def words(a: dict[str, Any]) -> Iterable[str]:
        if a["hub"]:
            came = f"{a['records']:,} records came, {a['files']:,} files."
            yield f"{_line(a['hub'])}, as of {_line(a['published'])[:10]}: {came}"
        if a["member"]:
            yield f"Welcome, {_line(a['member'])}: the hub knows this shelf now."
        if a["receipts"] or a["personal"]:
            yield f"The hub confirmed {a['receipts']} of your messages; {a['personal']} of your records are new."
        if a["arrived"]:
            yield f"The hub confirmed {a['arrived']} of the files that you attached."
        if a["returns"]:
            yield f"{a['returns']} files of answers came, {a['return_bytes']:,} bytes."
        if a["envelopes"] or a["answers"] or a["parcels"]:
            yield f"Carried on for others: {_carried(a)}."
        if a["program"]:
            yield f"Version {_line(a['program'])} of Hubshelf is on it. Next: hubshelf update get"
        if a["files_left"] or a["returns_left"]:
            yield f"{a['files_left'] + a['returns_left']} files found no room among the downloaded files."
        if a["refused"]:
            yield f"The hub refused: {_line(a['refused']['title'])}"
        if a["error"]:
            yield f"{a['error']['message']} {a['error']['advice']}"

    return answer, words


def _take_in_preloaded(home: Home) -> Answer:
    from sync.health import keep_backup, renew_index
    from sync.packs.preloaded import find, folders, take_in

    done = take_in(home, progress=_progress())
    renew_index(home)
    keep_backup(home)
    taken = {one.path for one, _brought, _error in done}
    answer: dict[str, Any] = {
        "folders": [str(folder) for folder in folders()],
        "packs": [
            {
                "path": str(one.path),
                "hub": one.hub,
                "published": one.published,
                "records": brought.report.records if brought is not None and brought.report is not None else 0,
                "files": brought.files if brought is not None else 0,
                "error": None
                if error is None
                else {"code": error.code, "message": str(error), "advice": getattr(error, "advice", "")},
            }
            for one, brought, error in done
        ],
        "unused": [
            {"path": str(one.path), "why": one.why} for one in find(home) if one.why and one.path not in taken
        ],
    }
    answer["ok"] = not any(one["error"] for one in answer["packs"]) and not answer["unused"]

    def words(a: dict[str, Any]) -> Iterable[str]:
        for one in a["packs"]:
            yield f"{_line(one['hub'])}, as of {_line(one['published'])[:10]}: {one['records']:,} records came."
            if one["error"]:
                yield f"{one['error']['message']} {one['error']['advice']}"
        for one in a["unused"]:
            yield f"Not used: {one['path']}. {one['why']}"
        if not a["packs"] and not a["unused"]:
            yield f"No pack that is new here: {', '.join(a['folders'])}"

    return answer, words


@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
def show(home: Home, source: Path) -> Answer:
    """Say what the pack SRC is and what it says is in it; nothing is taken in."""
    from sync.packs.importing import show_pack

    del home
    found = show_pack(source)

    def words(a: dict[str, Any]) -> Iterable[str]:
        if a["verified"]:
            yield f"{_line(a['hub'])}, version {a['version']}, published {_line(a['published'])[:10]}"
            yield f"Signed under the root {a['fingerprint'][:16]}"
        said = a["says"]
        if isinstance(said.get("bytes"), int):
            yield f"It says that it has {said['bytes']:,} bytes."
        for one in said.get("streams", []) if isinstance(said.get("streams"), list) else ():
            if isinstance(one, dict):
                yield f"  {_line(one.get('name'))}: {_line(one.get('records'))} records"
        if isinstance(said.get("left_out"), list) and said["left_out"]:
            yield f"Left out: {len(said['left_out'])} files."
        yield f"Sealed messages: {a['envelopes']}; sealed answers: {a['answers']}"
        yield f"Sealed files: {a['parcels']}, {a['parcel_bytes']:,} bytes"

    return found, words


@click.argument("code")
@click.option("--device-name", default=platform.node, help="How this computer is called in the hub's list.")
def join(home: Home, code: str, device_name: str) -> Answer:
    """Become a member without a link: the CODE goes to the hub with the next pack, the answer comes with
    another."""
    from sync.packs.by_hand import join as keep_code

    keep_code(home, code, device_name)
    return {"waiting": True}, lambda _a: ["The code is kept. Next: hubshelf ask, hubshelf pack export DEST"]


def _carried(a: dict[str, Any]) -> str:
    return f"{a['envelopes']} sealed messages, {a['answers']} answers, {a['parcels']} sealed files"


def _line(value: object) -> str:
    """Something from a file nobody signed, for one line of a terminal."""
    from sync.protocol.packs import plain

    return plain(str(value))
