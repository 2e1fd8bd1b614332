"""The commands `move-out`, `move-in`, `use-again` and `devices`: a new PC, and the devices that one has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click

from sync.home import Home

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]

_MOST = 4096  # bytes of a file with a passphrase
_passphrase_file = click.option(
    "--passphrase-file",
    type=click.File("rb"),
    help="Read the passphrase from the first line of this file (- for standard input) instead of asking.",
)


def add_to(subcommand: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> None:
    """Make these commands of `hubshelf`."""
    for command in (move_out, move_in, use_again, devices):
        subcommand(command)


def _passphrase(file: BinaryIO | None, *, twice: bool) -> str:
    if file is not None:
        return file.read(_MOST).decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
    words = "Passphrase (without it nobody can open the file, nor can we)" if twice else "Passphrase"
    return str(click.prompt(words, hide_input=True, confirmation_prompt=twice, err=True))


@click.argument("file", type=click.Path(path_type=Path))
@_passphrase_file
@click.option("--overwrite", is_flag=True, help="Write over a file of that name.")
def move_out(home: Home, file: Path, passphrase_file: BinaryIO | None, overwrite: bool) -> Answer:
    """Write all that is yours to FILE for a new PC; from then on this one sends nothing."""
    from sync.moving import move_out as move

    done = move(home, file, _passphrase(passphrase_file, twice=True), overwrite=overwrite)
    answer = {**asdict(done), "path": str(done.path)}

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield f"Your work is in {a['path']} ({a['bytes']:,} bytes); {a['waiting']} waiting to go with it."
        yield f"What came from the hub is not in it ({a['library_bytes']:,} bytes): the new PC fetches it again."
        yield "On the new PC: hubshelf move-in FILE. Keep the passphrase apart from the file."
        yield "This PC sends nothing any more. To take it into use again: hubshelf use-again"

    return answer, words


@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_passphrase_file
@click.option("--replace", is_flag=True, help="Also where there is own work on this PC; a backup of it is kept.")
def move_in(home: Home, file: Path, passphrase_file: BinaryIO | None, replace: bool) -> Answer:
    """Take over what FILE brings from the old PC. Nothing is changed before all of it is verified."""
    from sync.moving import move_in as move

    done = move(home, file, _passphrase(passphrase_file, twice=False), replace=replace)

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield f"Your work of {a['made']} is here; {a['waiting']} waiting to go."
        if a["hub_name"]:
            yield f"The hub is {a['hub_name']}. At the next sync this PC takes the old one's place there."
            yield f"The hub then sends its content again, about {a['library_bytes']:,} bytes. Next: hubshelf sync"

    return asdict(done), words


def use_again(home: Home) -> Answer:
    """Use a PC again that was moved from, where the new one has not been in contact yet."""
    from sync.moving import use_again as use

    use(home)
    return {"moved_out": None}, lambda _a: ["This PC sends again. Next: hubshelf sync"]


@click.option("--revoke", metavar="ID", default="", help="Take the access from this one of your devices first.")
def devices(home: Home, revoke: str) -> Answer:
    """List the devices that the hub knows as yours; needs a connection."""
    from sync.own_devices import own_devices

    with closing(home.connect(home.hub_url)) as transport:
        found = own_devices(home, transport, revoke=revoke)

    def words(a: dict[str, Any]) -> Iterable[str]:
        for one in a["devices"]:
            state = f"revoked {one['revoked']}" if one["revoked"] else f"last seen {one['seen'] or 'never'}"
            this = "  (this one)" if one["this"] else ""
            yield f"{one['id']}  {one['name']}  {one['system']}  {'moved' if one['moved'] else state}{this}"

    return {"devices": [asdict(one) for one in found]}, words
