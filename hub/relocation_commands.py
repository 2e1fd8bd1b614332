"""The command `hubshelf-hub relocate`: shelves follow their hub to another address."""

from __future__ import annotations

from pathlib import Path

import click

from sync.protocol.paths import RELOCATION

from .cli import as_json_option, show, start_django


@click.command()
@click.argument("address", required=False)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Only write the document below this folder, for a web server that answers at the old address.",
)
@click.option("--undo", is_flag=True, help="This is the hub's address again.")
@as_json_option
def relocate(address: str | None, into: Path | None, undo: bool, as_json: bool) -> None:
    """Lead every shelf to ADDRESS, where this hub is from now on. The root key has to be in `keys`.

    Run it on the old server once the new one answers with the same home folder.
    """
    home = start_django()
    from . import relocation

    if undo is (address is not None):
        raise click.UsageError("Give the new ADDRESS, or --undo.")
    if address is None:
        was = relocation.forget(home)
        show(as_json, {"undone": was}, ["This is the hub's address again." if was else "It was not moved."])
        return
    document = relocation.sign(home, address)
    if into is None:
        relocation.keep(home, document)
        lines = [f"Shelves that ask here are led to {address}. The admin goes on; `--undo` takes it back."]
    else:
        target = into / RELOCATION.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(document)
        lines = [f"{target}: serve it at the old address, and answer 404 or 410 to all else."]
    show(as_json, {"address": address, "into": str(into) if into is not None else None}, lines)
