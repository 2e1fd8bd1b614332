"""The command `proxy-login`: the name and password that the proxy of an office wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import click

from sync.home import Home

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]

_MOST = 4096  # bytes of a file with a password


def add_to(subcommand: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> None:
    """Make this a command of `hubshelf`."""
    subcommand(proxy_login)


@click.option("--name", help="The name; it is asked for where it is not given.")
@click.option(
    "--password-file",
    type=click.File("rb"),
    help="Read the password from the first line of this file (- for standard input) instead of asking.",
)
@click.option("--forget", is_flag=True, help="Forget the name and password.")
def proxy_login(home: Home, name: str | None, password_file: BinaryIO | None, forget: bool) -> Answer:
    """Keep the name and password for the proxy through which the hub is reached, among this shelf's secrets."""
    from sync.proxies import forget_login, keep_login

    if forget:
        forget_login(home)
        return {"proxy": None}, lambda _a: ["The name and password for the proxy are forgotten."]
    if name is None:
        name = str(click.prompt("Name", err=True))
    if password_file is not None:
        password = password_file.read(_MOST).decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
    else:
        password = str(click.prompt("Password", hide_input=True, err=True))
    place = keep_login(home, name, password)
    return {"proxy": place}, lambda a: [f"Kept for the proxy {a['proxy']}, and told to no other."]
