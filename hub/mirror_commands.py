"""The command `hubshelf-hub mirror`: a static copy of the public plane."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from .cli import as_json_option, show, start_django
from .pack_commands import progress_lines

USER = "HUBSHELF_MIRROR_USER"


@click.command()
@click.argument("target", metavar="DEST")
@click.option("--check", is_flag=True, help="Read what is there and compare it with its name.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"The password for the address DEST, in a file that only you may read; the user's name is in {USER}.",
)
@as_json_option
def mirror(target: str, check: bool, password_file: Path | None, as_json: bool) -> None:
    """Keep a static copy of what is published in DEST: a folder, or an address that takes files by WebDAV.

    Any web server can serve it. Run it after each publication; only what changed is written. Tell shelves of it
    with `hubshelf-hub mirrors ADDRESS`.
    """
    home = start_django()
    from .mirroring.copying import mirror as copy
    from .mirroring.places import Folder, Place, WebDav

    place: Place
    if "://" in target:
        name = hashlib.sha256(target.rstrip("/").encode()).hexdigest()[:16]
        password = password_file.read_text("utf-8").strip() if password_file is not None else ""
        try:
            place = WebDav(target, home / "mirrors" / f"{name}.json", os.environ.get(USER, ""), password)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    else:
        place = Folder(Path(target).expanduser().absolute())
    # In a nightly job nobody wants to be told what went well.
    done = copy(home, place, check=check, told=progress_lines() if sys.stderr.isatty() else None)
    lines = [
        f"The mirror has version {done.version[1]} of {done.hub}: {done.files:,} files of {done.bytes:,} bytes; "
        f"{done.new:,} were new ({done.new_bytes:,} bytes) and {done.removed:,} went.",
    ]
    if done.left_out:
        lines.append(f"{len(done.left_out):,} files may not be given on, or are missing; shelves ask the hub.")
    document = asdict(done) | {
        "epoch": done.version[0],
        "version": done.version[1],
        "left_out": [one.to_json() for one in done.left_out],
    }
    show(as_json, document, lines)
