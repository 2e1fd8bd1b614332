"""The commands `hubshelf neighbours …`: sharing with the computers of one office."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

import click

from sync.home import Home

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]


def add_to(
    main: click.Group, subcommand: Callable[[Callable[..., Answer], click.Group], Callable[..., Answer]]
) -> None:
    """Make these commands of `hubshelf`."""

    @main.group(name="neighbours")
    def group() -> None:
        """Share what is published with the other computers of this office."""

    for command in (show, on, off, add, remove, serve):
        subcommand(command, group)


def show(home: Home) -> Answer:
    """Say whether this shelf shares, with whom, and what it saved."""
    return _standing(home), _words


def on(home: Home) -> Answer:
    """Share from the next sync on."""
    return _set(home, True)


def off(home: Home) -> Answer:
    """Share no more; what was kept for others goes."""
    return _set(home, False)


@click.argument("address")
def add(home: Home, address: str) -> Answer:
    """Name a neighbour by its ADDRESS, such as 192.168.1.20:8441, where it is not found by itself."""
    from sync.neighbours.giving import ADDRESSES
    from sync.protocol.neighbours import private_base

    base = private_base(address)
    if base is None:
        raise click.BadParameter(
            f"“{address}” is not an address in a private network; it looks like 192.168.1.20:8441"
        )
    with home.own() as own:
        own.set_setting(ADDRESSES, list(dict.fromkeys([*_named(own.setting(ADDRESSES)), base])))
    return _standing(home), _words


@click.argument("address")
def remove(home: Home, address: str) -> Answer:
    """Name this neighbour no more."""
    from sync.neighbours.giving import ADDRESSES
    from sync.protocol.neighbours import private_base

    with home.own() as own:
        kept = [one for one in _named(own.setting(ADDRESSES)) if one not in (address, private_base(address))]
        own.set_setting(ADDRESSES, kept)
    return _standing(home), _words


@click.option("--host", "hosts", multiple=True, help="Only on this private address; may be given several times.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="The TCP port (0: any that is free).")
@click.option(
    "--every", type=click.FloatRange(0.1), default=900.0, show_default=True, help="Seconds between syncs."
)
def serve(home: Home, hosts: tuple[str, ...], port: int | None, every: float) -> Answer:
    """Sync and share without a window, until the program is ended: for a PC that nobody sits at."""
    from sync.background import BackgroundSync, SyncFailed, SyncFinished
    from sync.neighbours.network import PORT, LocalNetwork
    from sync.neighbours.office import Office

    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    office = Office(
        home, network=None if hosts else LocalNetwork(), port=PORT if port is None else port, fresh=every
    )
    if hosts:
        click.echo(f"Sharing on port {office.serve(hosts, PORT if port is None else port)}.", err=True)

    def told(event: Any) -> None:
        if isinstance(event, SyncFinished):
            click.echo("In step." if event.report.up_to_date else f"{event.report.error}", err=True)
        elif isinstance(event, SyncFailed):
            click.echo(f"{event.error}", err=True)

    sync = BackgroundSync(home.path, told, office=office, in_step_seconds=every)
    sync.start()
    done.wait()
    sync.stop()
    office.stop()
    return _standing(home), _words


def _set(home: Home, sharing: bool) -> Answer:
    import shutil

    from sync.neighbours.giving import SHARING

    with home.own() as own:
        own.set_setting(SHARING, sharing)
    if not sharing:
        shutil.rmtree(home.path / "given", ignore_errors=True)
    return _standing(home), _words


def _standing(home: Home) -> dict[str, Any]:
    from sync.neighbours.counts import read
    from sync.neighbours.giving import ADDRESSES, COUNTS, SHARING, shares

    with home.own() as own:
        counts = read(own.setting(COUNTS))
        return {
            "sharing": shares(own),
            "asked": isinstance(own.setting(SHARING), bool),
            "addresses": _named(own.setting(ADDRESSES)),
            "given": counts.given,
            "taken": counts.taken,
            "each": {host: {"given": given, "taken": taken} for host, (given, taken) in counts.each.items()},
        }


def _named(kept: object) -> list[str]:
    return [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else []


def _words(answer: dict[str, Any]) -> Iterable[str]:
    yield "This shelf shares with its neighbours." if answer["sharing"] else "This shelf shares with nobody."
    yield f"Given to neighbours: {answer['given']:,} bytes. Taken from them: {answer['taken']:,} bytes."
    for host, moved in answer["each"].items():
        yield f"  {host}: gave {moved['taken']:,} bytes, took {moved['given']:,}"
    for address in answer["addresses"]:
        yield f"  named by hand: {address}"
