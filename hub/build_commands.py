"""The commands `hubshelf-hub build …`: which version of the program desktops are given, and to how many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .cli import as_json_option, show, start_django

_NEXT = "Next: hubshelf-hub publish"


build: click.Group = click.Group(
    "build", help="Versions of the program that desktops bring themselves up to date with."
)


@build.command("add")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--notes", default="", help="What is new in it, in a sentence.")
@click.option("--lang", default="en", help="The language of the notes.")
@click.option("--share", type=click.IntRange(0, 100), default=100, help="To how many of a hundred desktops.")
@as_json_option
def build_add(folder: Path, notes: str, lang: str, share: int, as_json: bool) -> None:
    """Give the build in FOLDER, as it was packaged. The root key has to be in the hub's keys for this."""
    home = start_django()
    from . import builds

    added = builds.add(home, folder, {lang: notes} if notes else {})
    builds.share(added.build.version, share)
    lines = [
        f"Version {added.build.version} for {added.build.platform}: {added.build.size:,} bytes installed.",
        *(
            f"  from {version or 'nothing'}: {size:,} bytes to fetch"
            for version, size in sorted(added.steps.items(), reverse=True)
        ),
        _NEXT,
    ]
    show(as_json, {**added.build.to_json(), "share": share, "steps": added.steps}, lines)


@build.command("list")
@as_json_option
def build_list(as_json: bool) -> None:
    """Show the versions that are given."""
    home = start_django()
    from . import builds

    found = builds.listed(home)
    lines = [f"{one.version} for {one.platform}: {_whom(percent, groups)}" for one, percent, groups in found]
    document = {
        "builds": [{**one.to_json(), "share": percent, "groups": groups} for one, percent, groups in found]
    }
    show(as_json, document, lines or ["No version is given."])


@build.command("share")
@click.argument("version")
@click.argument("percent", type=click.IntRange(0, 100))
@click.option(
    "--group", "groups", multiple=True, help="And to all of this group (hubshelf-hub group); again for more."
)
@as_json_option
def build_share(version: str, percent: int, groups: tuple[str, ...], as_json: bool) -> None:
    """Give VERSION to PERCENT of a hundred desktops; 0 stops it. Groups that are not named have no part in it."""
    start_django()
    from . import builds

    builds.share(version, percent, groups)
    answer = {"version": version, "share": percent, "groups": list(groups)}
    show(as_json, answer, [f"{version}: {_whom(percent, groups)}", _NEXT])


def _whom(percent: int, groups: Sequence[str]) -> str:
    also = f", and all of {', '.join(groups)}" if groups else ""
    return f"{percent} % of the desktops{also}"


@build.command("remove")
@click.argument("version")
@as_json_option
def build_remove(version: str, as_json: bool) -> None:
    """Give VERSION no more. The root key has to be in the hub's keys for this."""
    home = start_django()
    from . import builds

    count = builds.remove(home, version)
    show(as_json, {"removed": count}, [f"{count} builds are given no more.", _NEXT])
