"""What can stand in the way of an update. Whatever it is, the version that is here goes on."""

from __future__ import annotations

from sync.errors import SyncError


class UpdatesOff(SyncError):
    code = "updates-off"
    advice = "Your IT team brings the program up to date, or can allow it to do so by itself."


class NoUpdate(SyncError):
    code = "no-update"
    advice = "There is nothing to do: the newest version that your hub gives to this computer is here."


class NothingBefore(SyncError):
    code = "nothing-before"
    advice = "The version that was installed on this computer is the one that runs."
