"""What an error means to a person: one table from its stable code to words and the next step.

The stores and the engine say what happened in English, for logs; the window says it in the person's own
language, with what it means for their work, what to do next, and a button that does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

from desktop.words import N_, _


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
class ErrorWords:
    """What happened; what it means for the work; what to do next; the button and the step it takes.

    `action` is one of: sync (try again), sync-page, enrol, free-space, preferences, copy, none.
    """

    sentence: str
    consequence: str
    next_step: str
    button: str
    action: str


_SAFE = N_("What you wrote is safe on this computer.")
_READ_ON = N_("Everything on your shelf can still be read and searched.")
_RETRY = N_("Try again")
_COPY = N_("Copy details")

_TABLE: dict[str, ErrorWords] = {
    "disk-full": ErrorWords(
        N_("The disk of this computer is full."),
        N_("Nothing new can be kept until there is room. What was saved before is safe."),
        N_("Remove downloaded files you no longer need, or empty the computer's bin."),
        N_("Free some space"),
        "free-space",
    ),
    "store-damaged": ErrorWords(
        N_("A file of the shelf is damaged."),
        N_("It was set aside, not deleted. Content comes back from the hub at the next sync."),
        N_("Sync again when you can. If it happens often, tell your IT team: the disk may be failing."),
        _COPY,
        "copy",
    ),
    "store-too-new": ErrorWords(
        N_("This shelf was last used by a newer version of Hubshelf."),
        N_("It was left untouched, so that nothing is lost."),
        N_("Install the newer version, or ask your IT team for it."),
        _COPY,
        "copy",
    ),
    "store-busy": ErrorWords(
        N_("Another program is using the shelf right now."),
        _SAFE,
        N_("Wait a moment, then try again."),
        _RETRY,
        "sync",
    ),
    "file-damaged": ErrorWords(
        N_("The file that arrived was not the file the hub published."),
        N_("It was thrown away, so nothing damaged is shown."),
        N_("Download it again."),
        _RETRY,
        "sync",
    ),
    "not-found": ErrorWords(
        N_("This is not on your shelf."),
        N_("It may have been withdrawn by the hub, or it is in a language or theme you do not keep."),
        N_("Choose what your shelf keeps, then sync."),
        N_("Open Sync"),
        "sync-page",
    ),
    "not-editable": ErrorWords(
        N_("This was already offered to the hub, so it can no longer be changed."),
        N_("The hub may have it already."),
        N_("Wait for its receipt, then write an addition."),
        N_("Open Outbox"),
        "outbox",
    ),
    "offline": ErrorWords(
        N_("There is no connection right now."),
        _READ_ON,
        N_("Hubshelf tries again by itself when a link appears."),
        _RETRY,
        "sync",
    ),
    "captive-portal": ErrorWords(
        N_("The network answered with a page of its own instead of the hub."),
        N_("Nothing was stored. This happens on networks that ask you to sign in first."),
        N_("Open a web browser, sign in to the network, then try again."),
        _RETRY,
        "sync",
    ),
    "not-trusted": ErrorWords(
        N_("What arrived does not carry the hub's signature."),
        N_("Nothing of it was kept, so your shelf is as it was."),
        N_("Try again on another network. If it goes on, send the details to your IT team."),
        _COPY,
        "copy",
    ),
    "auth-needed": ErrorWords(
        N_("The hub no longer knows this computer."),
        N_("You can read everything, and what you wrote waits here. It goes out once you connect again."),
        N_("Ask your hub for a new code and connect with it."),
        N_("Connect again"),
        "enrol",
    ),
    "hub-problem": ErrorWords(
        N_("The hub cannot answer properly right now."),
        _SAFE,
        N_("Hubshelf tries again by itself. You can go on working."),
        _RETRY,
        "sync",
    ),
    "upgrade-needed": ErrorWords(
        N_("The hub now needs a newer version of Hubshelf."),
        _READ_ON,
        N_("Install the newer version, or ask your IT team for it."),
        _COPY,
        "copy",
    ),
    "budget-reached": ErrorWords(
        N_("Today's data limit is used up."),
        _READ_ON,
        N_("Syncing goes on tomorrow, or raise the limit."),
        N_("Open Sync"),
        "sync-page",
    ),
    "cancelled": ErrorWords(
        N_("Stopped, as you asked."),
        N_("What had arrived is kept."),
        N_("Sync again when you like."),
        _RETRY,
        "sync",
    ),
    "insecure-address": ErrorWords(
        N_("This address is not protected."),
        N_("On an unprotected address others could read what you send."),
        N_("Ask your hub for its address that begins with https://"),
        _COPY,
        "copy",
    ),
    "not-enrolled": ErrorWords(
        N_("This shelf is not connected to a hub yet."),
        _SAFE,
        N_("Connect with your hub's address and the code it gave you."),
        N_("Connect to a hub"),
        "enrol",
    ),
    "store-unwritable": ErrorWords(
        N_("The folder of the shelf cannot be written."),
        N_("New things cannot be kept until it can."),
        N_("Check that the disk is connected and the folder is yours, or ask your IT team."),
        _COPY,
        "copy",
    ),
    "bad-record": ErrorWords(
        N_("The hub sent something that cannot be read."),
        N_("It was left out. Everything else on your shelf is as it was."),
        N_("Send the details to the people who run your hub."),
        _COPY,
        "copy",
    ),
    "quota-exceeded": ErrorWords(
        N_("This file is larger than all the room for files."),
        N_("It was not downloaded; nothing was spent on it."),
        N_("Read the text, or ask your IT team for more room."),
        _COPY,
        "copy",
    ),
    "not-attachable": ErrorWords(
        N_("This file cannot be attached."),
        N_("Nothing was copied or sent."),
        N_("Choose another file of at most 25 MB."),
        _COPY,
        "copy",
    ),
    "too-many-attachments": ErrorWords(
        N_("These are too many files for one message."),
        N_("Nothing was copied or sent."),
        N_("Attach at most ten, and send the others with a reply."),
        _COPY,
        "copy",
    ),
    "hub-too-old": ErrorWords(
        N_("Your hub needs to be brought up to date."),
        _READ_ON,
        N_("What you write is still delivered. Tell the people who run the hub."),
        _COPY,
        "copy",
    ),
    "bad-certificate": ErrorWords(
        N_("This computer does not trust the certificate of the hub's server."),
        N_("Nothing was sent and nothing was kept."),
        N_("Check the date of this computer. In an office that inspects its traffic, ask the IT team."),
        _COPY,
        "copy",
    ),
    "other-hub": ErrorWords(
        N_("This shelf belongs to another hub."),
        N_("Nothing was changed: two hubs never mix on one shelf."),
        N_("Use another folder for the other hub; your IT team can set it up."),
        _COPY,
        "copy",
    ),
    "secrets-unusable": ErrorWords(
        N_("The secret that names this computer to the hub cannot be read or kept."),
        N_("You can read everything, and what you wrote waits here."),
        N_("Connect again with a new code from your hub."),
        N_("Connect again"),
        "enrol",
    ),
    "sync-busy": ErrorWords(
        N_("Another sync is working on this shelf."), _SAFE, N_("Wait until it has finished."), _RETRY, "sync"
    ),
    "not-a-question": ErrorWords(
        N_("Something is missing in what you wrote, or it is too long."),
        _SAFE,
        N_("Give it a title of one line, and keep the details under 40,000 letters."),
        _COPY,
        "copy",
    ),
    "bug": ErrorWords(
        N_("Hubshelf made a mistake."),
        _SAFE,
        N_("Send the details to the people who run your hub."),
        _COPY,
        "copy",
    ),
    "file-not-found": ErrorWords(
        N_("This file is not on your shelf."), _READ_ON, N_("Download it again."), _RETRY, "none"
    ),
    "code-refused": ErrorWords(
        N_("The hub did not accept this code."),
        N_("Nothing has changed. A code works once, and only for some weeks."),
        N_("Check it letter by letter, or ask your hub for a new one."),
        _RETRY,
        "none",
    ),
}
_ALIASES = {
    "unreachable": "offline",
    "timed-out": "offline",
    "cut-off": "offline",
    "bad-signature": "not-trusted",
    "rolled-back": "not-trusted",
    "wrong-hash": "not-trusted",
    "other-content": "not-trusted",
    "damaged": "store-damaged",
    "invitation-refused": "code-refused",
}


def is_known(error: BaseException | None) -> TypeGuard[KnownError]:
    """Whether `error` is one that people are told about, rather than a fault of the program."""
    return isinstance(error, KnownError)


def words_for(error: KnownError) -> ErrorWords:
    """The words for an error, translated; an unknown code falls back on what the error itself says."""
    if error.code not in known_codes():
        return ErrorWords(str(error), _(_SAFE), error.advice, _(_COPY), "copy")
    return words_of_code(error.code)


def words_of_code(code: str) -> ErrorWords:
    """The translated words of a code that is in the table. Raises KeyError for another."""
    found = _TABLE[_ALIASES.get(code, code)]
    return ErrorWords(_(found.sentence), _(found.consequence), _(found.next_step), _(found.button), found.action)


def details(error: KnownError) -> str:
    """What to send to an IT team: code, message and advice, in the program's own words."""
    return f"{error.code}: {error}\n{error.advice}"


def known_codes() -> set[str]:
    """Every code that has words of its own."""
    return set(_TABLE) | set(_ALIASES)
