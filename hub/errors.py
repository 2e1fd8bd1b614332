"""The errors of the hub, drawn once.

HubError                  something outside went wrong, in words for people
├── HomeUnusable          the home folder cannot be made or written
├── NotInitialised        `init` has not been run for this home
├── DatabaseUnusable      the database cannot be opened, is locked for too long, or is full
├── ImportProblem         a whole file cannot be imported (single records are rejections, not errors)
├── ExportProblem         the export file cannot be written
├── ObjectMissing         the bytes of a stored file are not under objects/
├── InvalidInput          what was typed or sent cannot be accepted
├── HarvestProblem        a source cannot be read (further); hub.harvest.errors
├── NotFound              no such record
└── TransitionRefused     a request may not go from its state to the wanted one

A broken invariant is no HubError: it is an AssertionError and crashes loudly.
"""

from __future__ import annotations

from pathlib import Path


class HubError(Exception):
    """``str(e)``: what happened and what it means; ``advice``: what to do next; ``code``: stable."""

    code = "hub-error"
    advice = "Try again; if it happens again, send this message to whoever runs the hub."

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        if advice:
            self.advice = advice


class HomeUnusable(HubError):
    code = "home-unusable"

    def __init__(self, home: Path, cause: OSError) -> None:
        reason = cause.strerror or str(cause)
        super().__init__(
            f"The hub's folder {home} cannot be used: {reason}. Nothing was changed.",
            "Choose another folder with --home, or give this user the right to write there.",
        )


class NotInitialised(HubError):
    code = "not-initialised"

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"There is no hub in {home} yet.",
            "Run `hubshelf-hub init` first, or name the right folder with --home.",
        )


class DatabaseUnusable(HubError):
    code = "database-unusable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The hub's database cannot be used: {reason}. What was not finished was not saved.",
            "Check that the disk is not full and that nothing else holds the database. Then try again.",
        )


def means_unusable(error: Exception) -> bool:
    """Whether a database error of Django's speaks of the database (locked, full, damaged, gone), not of a row."""
    from django.db import DatabaseError, InterfaceError, OperationalError

    # A damaged SQLite file raises the base class itself.
    return isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError


class ImportProblem(HubError):
    code = "import-problem"


class ExportProblem(HubError):
    code = "export-problem"


class ObjectMissing(HubError):
    code = "object-missing"

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"The bytes of the file {digest[:12]}… are missing on the hub, so nobody can download it.",
            "Restore the folder `objects` from a backup, or import the file again.",
        )


class InvalidInput(HubError):
    code = "invalid-input"


class NotFound(HubError):
    code = "not-found"


class TransitionRefused(HubError):
    code = "transition-refused"

    def __init__(self, title: str, state: str, wanted: str) -> None:
        super().__init__(
            f"“{title}” is {state} and cannot become {wanted}. Nothing was changed.",
            "Look at its present state first; closed and declined requests stay as they are.",
        )
