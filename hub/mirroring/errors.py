"""What can go wrong with a mirror. What it had before stays as it was, and the next run goes on from there."""

from __future__ import annotations

from hub.errors import HubError


class MirrorProblem(HubError):
    """The mirror could not be written."""

    code = "mirror-unwritable"
    advice = "Check the folder and its rights, then run the command again: it goes on where it stopped."


class MirrorNoRoom(MirrorProblem):
    code = "mirror-no-room"
    advice = "Make room there; nothing was removed, and what the mirror served it serves still."


class MirrorUnreachable(MirrorProblem):
    code = "mirror-unreachable"
    advice = "Check the address and the network, then run the command again: it goes on where it stopped."


class MirrorRefused(MirrorProblem):
    code = "mirror-refused"
    advice = (
        "The server must take PUT, MKCOL and DELETE (WebDAV). The user's name stands in HUBSHELF_MIRROR_USER, the "
        "password in the file of --password-file."
    )
