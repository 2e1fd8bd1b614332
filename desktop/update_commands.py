"""The commands `hubshelf update …`: newer versions of the program itself, given by the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from sync.home import Home

if TYPE_CHECKING:
    from sync.updates.updating import Updates

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]


def add_to(
    main: click.Group, subcommand: Callable[[Callable[..., Answer], click.Group], Callable[..., Answer]]
) -> None:
    """Make these commands of `hubshelf`."""

    @main.group(name="update")
    def group() -> None:
        """Bring the program itself up to date, from the hub."""

    for command in (show, look, get, back):
        subcommand(command, group)


def show(home: Home) -> Answer:
    """Say which version runs, which starts the next time, and which one can be gone back to."""
    updates = _updates(home)
    standing = updates.standing
    answer = {
        "platform": updates.here.platform,
        "installed": updates.installed.version,
        "next": standing.current.version if standing.current is not None else updates.installed.version,
        "before": standing.before.version if standing.before is not None else None,
        "left": standing.bad,
    }

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield f"Installed: {a['installed']} ({a['platform']}). The next start runs {a['next']}."
        if a["before"]:
            yield f"Before it: {a['before']}; hubshelf update back returns to it."

    return answer, words


def look(home: Home) -> Answer:
    """Ask what the hub gives for this computer, and what it would cost."""
    update = _updates(home).look()
    answer = {
        "version": update.build.version,
        "bytes": update.left,
        "installed_bytes": update.build.size,
        "notes": update.notes,
    }

    def words(a: dict[str, Any]) -> Iterable[str]:
        yield f"Version {a['version']} is there: {a['bytes']:,} bytes to fetch."
        yield from a["notes"].values()
        yield "Next: hubshelf update get"

    return answer, words


def get(home: Home) -> Answer:
    """Fetch the newest version that the hub gives and make it ready; it runs from the next start on."""
    updates = _updates(home)
    update = updates.look()
    made = updates.get(update)
    return {"version": made.version, "bytes": update.left}, lambda a: [
        f"Version {a['version']} is ready: {a['bytes']:,} bytes were fetched. It runs from the next start on."
    ]


def back(home: Home) -> Answer:
    """Go back to the version before, from the next start on."""
    return {"version": _updates(home).back()}, lambda a: [f"The next start runs version {a['version']}."]


def _updates(home: Home) -> Updates:
    from sync.places import builds_place
    from sync.updates.updating import Updates, installed_build

    return Updates(home, installed_build(), builds_place())
