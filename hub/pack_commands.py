"""The commands `hubshelf-hub pack export` and `hubshelf-hub pack import`: content and letters by hand."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from sync.protocol.packs import plain

from .cli import as_json_option, show, start_django

_EVERY = 1.0
"""Seconds between two lines about progress."""


def progress_lines() -> Callable[[int, int], None]:
    """Return what tells of bytes, done and in all, once a second on standard error."""
    last = time.monotonic()

    def told(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            click.echo(f"{done:,} of {total:,} bytes", err=True)
            sys.stderr.flush()

    return told


@click.group()
def pack() -> None:
    """Content and messages carried by hand, on a stick, where no link comes."""


@pack.command("export")
@click.argument("target", metavar="DEST", type=click.Path(path_type=Path))
@click.option(
    "--lang", "languages", multiple=True, help="Only content in this language; may be given several times."
)
@click.option(
    "--stream", "streams", multiple=True, help="Only streams whose names begin so, such as public/cards."
)
@click.option("--files", is_flag=True, help="Files too, of resources that may be redistributed.")
@click.option("--updates", is_flag=True, help="Versions of the program whole, for computers that have an old one.")
@click.option("--replace", is_flag=True, help="Even where a pack of another hub lies there, or a newer one.")
@as_json_option
def pack_export(
    target: Path,
    languages: tuple[str, ...],
    streams: tuple[str, ...],
    files: bool,
    updates: bool,
    replace: bool,
    as_json: bool,
) -> None:
    """Write a pack to DEST: a stick or folder, or one file where its name ends in .hubshelf-pack."""
    start_django()
    from .packs.exporting import export_pack

    done = export_pack(
        target,
        languages=languages,
        streams=streams,
        files=files,
        updates=updates,
        replace=replace,
        told=progress_lines(),
    )
    written = done.written
    lines = [
        f"The pack of {done.hub}, version {done.version[1]}, is on {target}: {written.bytes:,} bytes, of which "
        f"{written.new_bytes:,} were new.",
        f"{done.feeds:,} streams, {done.files:,} files, {done.answers:,} sealed answers with {done.returns:,} "
        "files of their own.",
        f"Who takes it in without knowing this hub is shown the beginning of its keys: {done.fingerprint[:16]}",
        *(f"  Left out ({one.why}): {plain(one.name)}, {plain(one.title)}" for one in done.left_out[:50]),
    ]
    if done.returns_left:
        lines.append(f"{done.returns_left:,} files of answers did not fit; they go with the next pack.")
    if len(done.left_out) > 50:
        lines.append(f"  … and {len(done.left_out) - 50:,} more; --json lists them all.")
    document = {
        "path": str(target),
        "hub": done.hub,
        "epoch": done.version[0],
        "version": done.version[1],
        **written.to_json(),
        "streams": done.feeds,
        "redistributable_files": done.files,
        "left_out": [one.to_json() for one in done.left_out],
        "answers": done.answers,
        "returns": done.returns,
        "returns_left": done.returns_left,
        "fingerprint": done.fingerprint,
    }
    show(as_json, document, lines)


@pack.command("import")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
@as_json_option
def pack_import(source: Path, as_json: bool) -> None:
    """Take the sealed messages of members from the pack SRC; each has its effect once."""
    start_django()
    from .packs.exporting import stated
    from .packs.letters import take_letters

    with stated():
        taken = take_letters(source)
    lines = [
        f"{taken.letters:,} letters were taken: {taken.operations:,} messages are new, {taken.known:,} were here "
        f"already, {taken.joined:,} devices joined.",
    ]
    files = taken.files
    if files.files or files.known:
        lines.append(f"{files.files:,} attached files are new, {files.known:,} were here already.")
    if files.refused:
        lines.append(
            f"{files.refused:,} attached files could not be taken now: too many of their sender's are on their "
            "way, another device sends them, or they are not what was announced. Import this pack again later."
        )
    if files.unread:
        lines.append(f"{files.unread:,} sealed files are damaged, for another hub, or of a device unknown here.")
    if taken.refused:
        lines.append(f"{taken.refused:,} letters were refused; the next pack tells their writers why.")
    if taken.unread:
        lines.append(f"{taken.unread:,} are for another hub, or of a device that is not known here.")
    lines.append("Next: hubshelf-hub pack export DEST, which takes the answers along")
    show(as_json, asdict(taken), lines)
