"""`hubshelf doctor`: what is well on this PC and what is not, for a person and for an IT team's script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from sync.home import Home

Answer = tuple[dict[str, Any], Callable[[dict[str, Any]], Iterable[str]]]


def add_to(subcommand: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> None:
    """Make these commands of `hubshelf`."""
    subcommand(doctor)


@click.option("--mend", is_flag=True, help="First index anew what the search index has wrongly.")
@click.option("--online", is_flag=True, help="Ask the hub too: a few hundred bytes, at most half a minute.")
def doctor(home: Home, mend: bool, online: bool) -> Answer:
    """Check the shelf and this PC, and say what to do about anything that is wrong."""
    from sync.health import examine

    checks = [
        {"name": check.name, "ok": check.ok, "detail": check.detail, "advice": check.advice}
        for check in examine(home, mend=mend, online=online)
    ]
    home.log.note("doctor", checks=len(checks), bad=sum(not check["ok"] for check in checks))

    def words(a: dict[str, Any]) -> Iterable[str]:
        for check in a["checks"]:
            yield f"{'ok  ' if check['ok'] else 'BAD '} {check['name']}: {check['detail']}"
            if not check["ok"]:
                yield f"     {check['advice']}"

    return {"ok": all(check["ok"] for check in checks), "checks": checks}, words
