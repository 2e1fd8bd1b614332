"""Everything the local stores raise that a person may meet.

    CacheError
    ├── DiskFull        no room for a write
    ├── StoreUnwritable the folder or disk refuses reading or writing
    ├── StoreDamaged    the database file is not sound
    ├── StoreTooNew     written by a newer Hubshelf
    ├── StoreBusy       another program keeps the database locked
    ├── BadRecord       a record from the hub that cannot be stored
    ├── FileDamaged     bytes that are not what their hash promises
    ├── QuotaExceeded   a file larger than all the room for files
    ├── NotFound        no such thing here
    ├── NotEditable     it has already left, so it cannot be changed
    └── SettingLocked   the administrator of this computer decided it

All of them are "known": they come from outside the program. A broken invariant is not among them;
it stays a plain Python exception and crashes loudly.
"""

from __future__ import annotations


class CacheError(Exception):
    """Base of the stores' known errors.

    ``str(error)`` says what happened and what it means, ``advice`` what to do next, ``code`` is a
    stable kebab-case name for programs.
    """

    code = "cache-error"
    default_advice = "Try again; if it happens again, run `hubshelf doctor`."

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice if advice is not None else self.default_advice


class DiskFull(CacheError):
    """There was no room for a write. The transaction was undone; nothing is half stored."""

    code = "disk-full"
    default_advice = "Free some space on this disk (My shelf can remove downloaded files), then try again."


class StoreUnwritable(CacheError):
    """The operating system refused to open, read or write the store."""

    code = "store-unwritable"
    default_advice = "Check that the folder exists, that it is yours, and that the disk is still connected."


class StoreDamaged(CacheError):
    """The database file is not a sound SQLite database."""

    code = "store-damaged"
    default_advice = "Close Hubshelf and open it again: it repairs what it can and says what it did."


class StoreTooNew(CacheError):
    """The store was written by a newer Hubshelf than this one."""

    code = "store-too-new"
    default_advice = "Install the newest Hubshelf; nothing in the store was touched."


class StoreBusy(CacheError):
    """Another program held the write lock for longer than we wait."""

    code = "store-busy"
    default_advice = "Wait a moment and try again; close other Hubshelf windows if it goes on."


class BadRecord(CacheError):
    """A record that has no id, or is not a JSON object. Nothing of its batch was stored."""

    code = "bad-record"
    default_advice = "Tell the people who run your hub; the rest of your shelf is untouched."


class FileDamaged(CacheError):
    """A file's bytes do not have the hash they were asked for by. ``expected`` and ``got`` are hex SHA-256."""

    code = "file-damaged"
    default_advice = "Download the file again."

    def __init__(self, message: str, expected: str, got: str, advice: str | None = None) -> None:
        super().__init__(message, advice)
        self.expected = expected
        self.got = got


class QuotaExceeded(CacheError):
    """One file is larger than all the room that files may take."""

    code = "quota-exceeded"
    default_advice = "Give downloaded files more room in Settings, or open this file on the hub."


class MassDeletion(CacheError):
    """The hub's deletions would take more than a fifth of the shelf at once. Nothing of the batch was stored."""

    code = "mass-deletion"
    default_advice = "Ask the people who run your hub whether they mean it; if so: hubshelf sync --let-remove."


class NotFound(CacheError):
    """No item, file or store of that name is here."""

    code = "not-found"
    default_advice = "Check the id; it may have been removed."


class NotEditable(CacheError):
    """The item has already been offered to the hub, so it can no longer be changed or withdrawn."""

    code = "not-editable"
    default_advice = "Send a reply to it instead."


class SettingLocked(CacheError):
    """A setting that the administrator of this computer decided. Nothing was changed."""

    code = "setting-locked"
    default_advice = "Ask the IT team; `hubshelf --show-policy` says what is decided, and where."
