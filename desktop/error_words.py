"""What an error means to a person: from its stable code to the words of `error_table`, in their language.

The stores and the engine say what happened in English, for logs; the window says it in the person's own
language, with what it means for their work, what to do next, and a button that does it. What an error says
itself is never shown: it may be in another language, or name what is private.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeGuard, runtime_checkable

from desktop.error_codes import ALIASES, BY_ACTION, PROBLEMS
from desktop.error_table import TABLE, ErrorWords
from desktop.words import _

_PROBLEM_TYPE = "urn:hubshelf:problem:"


@runtime_checkable
class KnownError(Protocol):
    """An error that the stores or the engine raise on purpose (CacheError, SyncError and their children)."""

    @property
    def code(self) -> str:
        """A stable, kebab-case name."""

    @property
    def advice(self) -> str:
        """What to do next."""


@dataclass(frozen=True)
class Trouble:
    """A known error, and how to try the same again."""

    error: KnownError
    again: Callable[[], object]


def is_known(error: BaseException | None) -> TypeGuard[KnownError]:
    """Whether `error` is one that people are told about, rather than a fault of the program."""
    return isinstance(error, KnownError)


def words_for(error: KnownError) -> ErrorWords:
    """The words for an error, translated; a hub's problem goes by its own code, an unknown code to a plain row."""
    problem = getattr(error, "problem", None)
    if problem is not None:
        return words_of_problem(str(problem.code), str(problem.action))
    return words_of_code(error.code if error.code in known_codes() else "unknown")


def words_of_code(code: str) -> ErrorWords:
    """The translated words of a code that is in the table. Raises KeyError for another."""
    found = TABLE[ALIASES.get(code, code)]
    return replace(
        found,
        sentence=_(found.sentence),
        consequence=_(found.consequence),
        next_step=_(found.next_step),
        button=_(found.button),
    )


def words_of_problem(code: str, action: str) -> ErrorWords:
    """The translated words of a hub's problem; one that is not known here goes by its `action`."""
    return words_of_code(PROBLEMS.get(code) or BY_ACTION.get(action, "hub-waits"))


def words_of_refusal(problem: Mapping[str, Any]) -> ErrorWords | None:
    """The translated words for a problem document as the outbox keeps it; None where its code is not known."""
    code = str(problem.get("type") or "").removeprefix(_PROBLEM_TYPE)
    return words_of_code(PROBLEMS[code]) if code in PROBLEMS else None


def details(error: KnownError) -> str:
    """What to send to an IT team: code, message and advice, in the program's own words."""
    return f"{error.code}: {error}\n{error.advice}"


def known_codes() -> set[str]:
    """Every code of an error that has words of its own."""
    return set(TABLE) | set(ALIASES)
