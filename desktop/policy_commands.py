"""What is decided for this PC: `hubshelf --show-policy`, and `hubshelf set`, which refuses what is locked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from sync.home import Home

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]

_ORIGINS = {
    "locked": "decided by your administrator",
    "yours": "chosen here",
    "default": "this machine's default",
    "built-in": "built in",
}


def add_to(subcommand: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> None:
    """Make these commands of `hubshelf`."""
    subcommand(set_)
    subcommand(figures)


def show_policy(home: Path, as_json: bool) -> None:
    """Print of each key its value, where that comes from, and whether it is locked. Raises CacheError."""
    answer = found(home)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    for row in answer["keys"]:
        value = "not set" if row["value"] is None else json.dumps(row["value"], ensure_ascii=False)
        origin = _ORIGINS[row["origin"]] + (f" in {row['where']}" if row["where"] else "")
        click.echo(f"{'LOCKED ' if row['locked'] else '       '}{row['name']}: {value}  ({origin})")
    for problem in answer["problems"]:
        click.echo(f"PROBLEM {problem}")


def found(home: Path) -> dict[str, Any]:
    """Return what `--show-policy --json` prints; a shelf that is not there is not made. Raises CacheError."""
    from desktop.preferences import Preferences
    from sync.machine_files import machine_folder
    from sync.policies import decisions, policies

    decided = policies()
    own: dict[str, Any] = {}
    if (home / "own.db").exists():
        with Home(home, decided).own() as store:
            own = store.settings()
    rows = [
        {
            "name": row.key.name,
            # Whoever looks over a shoulder, or reads a report, need not learn a code.
            "value": "set" if row.key.secret and row.value is not None else row.value,
            "origin": row.origin,
            "where": row.where,
            "locked": row.locked,
        }
        for row in decisions(decided, own, language=Preferences.load(home).language)
    ]
    return {"folder": str(machine_folder()), "keys": rows, "problems": decided.problems}


@click.argument("name", metavar="KEY")
@click.argument("value", required=False)
@click.option("--forget", is_flag=True, help="Choose nothing: the machine's default holds, or what is built in.")
def set_(home: Home, name: str, value: str | None, forget: bool) -> Answer:
    """Choose VALUE for KEY, one of those that --show-policy lists. Lists have commas."""
    from resources_cache.errors import SettingLocked
    from sync.policy_keys import BY_NAME

    key = BY_NAME.get(name)
    if key is None or (value is None) is not forget:
        raise click.UsageError("Name a key of --show-policy, and a value or --forget.")
    if home.policies.is_locked(name):
        raise SettingLocked(f"“{name}” is decided by your administrator, so it was not changed.")
    if name == "hub_url":
        raise click.UsageError("A shelf joins a hub with: hubshelf enrol URL CODE")
    if not key.personal:
        raise click.UsageError(
            f"“{name}” is decided by administrators alone, in the folder that --show-policy names."
        )
    chosen = None if value is None else key.kind.of_text(value)
    if not forget and not key.kind.accepts(chosen):
        raise click.UsageError(f"“{name}” is to be {key.kind.words}.")
    if key.setting is None:
        from desktop.preferences import Preferences

        preferences = Preferences.load(home.path)
        preferences.language = chosen or ""
        preferences.save(home.path)
    else:
        with home.own() as own:
            if forget:
                own.forget_setting(key.setting)
            else:
                own.set_setting(key.setting, key.kept(chosen))
    row = next(row for row in found(home.path)["keys"] if row["name"] == name)
    return row, lambda a: [f"{a['name']}: {json.dumps(a['value'], ensure_ascii=False)} ({_ORIGINS[a['origin']]})"]


def figures(home: Home) -> Answer:
    """Say what this PC tells its hub about itself, whether it does, and what it told last."""
    from sync.telling import TOLD, about, is_allowed

    with home.own() as own:
        answer = {
            "allowed": is_allowed(home, own),
            "locked": home.policies.is_locked("usage_figures"),
            "about": about(home, own).to_json(),
            "told": own.setting(TOLD),
        }
    return answer, _figure_words


def _figure_words(answer: dict[str, Any]) -> Iterable[str]:
    whose = " Your administrator decided that." if answer["locked"] else ""
    how = "once a day, with a sync" if answer["allowed"] else "nothing (hubshelf set usage_figures true allows it)"
    yield f"This PC tells its hub {how}.{whose}"
    yield f"Now it would be: {json.dumps(answer['about'])}"
    if answer["told"]:
        yield f"Told last, {answer['told']['at']}: {json.dumps(answer['told']['about'])}"
