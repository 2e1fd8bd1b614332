"""The one table of errors: what happened, what it means for the person's work, what to do next, and a button.

Which code leads to which row is in `error_codes`, where it is not the row's own name. A test walks every error
class and every problem of the wire, and fails where a row is missing or not translated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from desktop.error_rows_managed import ROWS as MANAGED
from desktop.error_rows_moving import ROWS as MOVING
from desktop.error_rows_packs import ROWS as PACKS
from desktop.error_rows_updates import ROWS as UPDATES
from desktop.words import N_

Weight = Literal["quiet", "care", "grave"]
"""quiet: nothing to do, it mends itself · care: a step would help · grave: work could be lost without one"""

Step = Literal[
    "again",
    "sync",
    "sync-page",
    "enrol",
    "free-space",
    "preferences",
    "outbox",
    "sign-in",
    "let-remove",
    "moving",
    "repair",
    "copy",
    "report",
    "none",
]
"""again: the same once more · sync: sync now · sign-in: open the network's own page · let-remove: let the hub
remove what it wants to, once · moving: one's own computers ·
repair: open the shelf anew, which mends what it can · copy: the details for an IT
team · report: the report of a crash"""


@dataclass(frozen=True)
class ErrorWords:
    """What happened; what it means for the work; what to do next; the button and the step it takes."""

    sentence: str
    consequence: str
    next_step: str
    button: str
    action: Step
    weight: Weight = "care"


_SAFE = N_("What you wrote is safe on this computer.")
_READ_ON = N_("Everything on your shelf can still be read and searched.")
_RETRY = N_("Try again")
_COPY = N_("Copy details")
_TELL = N_("Send the details to the people who run your hub.")
_ITSELF = N_("Hubshelf tries again by itself. You can go on working.")
_ONLY_THIS = N_("Only this did not go; everything else goes on.")

TABLE: dict[str, ErrorWords] = {
    "disk-full": ErrorWords(
        N_("The disk of this computer is full."),
        N_("Nothing new can be kept until there is room. What was saved before is safe."),
        N_("Remove downloaded files you no longer need, or empty the computer's bin."),
        N_("Free some space"),
        "free-space",
        "grave",
    ),
    "store-damaged": ErrorWords(
        N_("A file of the shelf is damaged."),
        N_("Nothing is deleted: the damaged file is kept beside a new one or the last good copy."),
        N_("Repair the shelf, then sync. If it happens often, tell your IT team: the disk may be failing."),
        N_("Repair"),
        "repair",
        "grave",
    ),
    "store-too-new": ErrorWords(
        N_("This shelf was last used by a newer version of Hubshelf."),
        N_("It was left untouched, so that nothing is lost."),
        N_("Install the newer version, or ask your IT team for it."),
        _COPY,
        "copy",
        "grave",
    ),
    "store-busy": ErrorWords(
        N_("Another program is using the shelf right now."),
        _SAFE,
        N_("Wait a moment, then try again."),
        _RETRY,
        "again",
    ),
    "file-damaged": ErrorWords(
        N_("The file that arrived was not the file the hub published."),
        N_("It was thrown away, so nothing damaged is shown."),
        N_("Download it again."),
        _RETRY,
        "again",
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
        "quiet",
    ),
    "captive-portal": ErrorWords(
        N_("The network answered with a page of its own instead of the hub."),
        N_("Nothing was stored. This happens on networks that ask you to sign in first."),
        N_("Open a web browser, sign in to the network, then try again."),
        N_("Sign in to the network"),
        "sign-in",
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
        _ITSELF,
        _RETRY,
        "sync",
        "quiet",
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
        "quiet",
    ),
    "cancelled": ErrorWords(
        N_("Stopped, as you asked."),
        N_("What had arrived is kept."),
        N_("Sync again when you like."),
        _RETRY,
        "sync",
        "quiet",
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
        _RETRY,
        "again",
        "grave",
    ),
    "bad-record": ErrorWords(
        N_("The hub sent something that cannot be read."),
        N_("It was left out. Everything else on your shelf is as it was."),
        _TELL,
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
        N_("Another sync is working on this shelf."),
        _SAFE,
        N_("Wait until it has finished."),
        _RETRY,
        "again",
        "quiet",
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
        _TELL,
        _COPY,
        "copy",
    ),
    "file-not-found": ErrorWords(
        N_("This file is not on your shelf."), _READ_ON, N_("Download it again."), _RETRY, "again"
    ),
    "code-refused": ErrorWords(
        N_("The hub did not accept this code."),
        N_("Nothing has changed. A code works once, and only for some weeks."),
        N_("Check it letter by letter, or ask your hub for a new one."),
        N_("Connect again"),
        "enrol",
    ),
    "code-used": ErrorWords(
        N_("This code was used already."),
        N_("Nothing has changed. A code works once, for one computer."),
        N_("Ask your hub for a new one."),
        N_("Connect again"),
        "enrol",
    ),
    "code-expired": ErrorWords(
        N_("This code is too old."),
        N_("Nothing has changed. A code works only for some weeks."),
        N_("Ask your hub for a new one."),
        N_("Connect again"),
        "enrol",
    ),
    "too-many-codes": ErrorWords(
        N_("Too many wrong codes were tried."),
        N_("Nothing has changed. The hub waits for a while before it looks at another one."),
        N_("Try again in ten minutes."),
        N_("Connect again"),
        "enrol",
        "quiet",
    ),
    "member-inactive": ErrorWords(
        N_("Your membership of the hub is not active."),
        N_("You can read what is here, and what you wrote waits here."),
        N_("Ask the people who run your hub."),
        _COPY,
        "copy",
    ),
    "device-known": ErrorWords(
        N_("The hub knows this computer already."),
        N_("Nothing has changed."),
        N_("Ask your hub for a new code and connect with it."),
        N_("Connect again"),
        "enrol",
    ),
    "refused": ErrorWords(
        N_("The hub could not take this as it is."),
        _ONLY_THIS,
        N_("Change it and send it again, or take it back."),
        N_("Open Outbox"),
        "outbox",
    ),
    "too-long": ErrorWords(
        N_("This is too long to be sent."),
        _ONLY_THIS,
        N_("Make it shorter, or send it in two parts."),
        N_("Open Outbox"),
        "outbox",
    ),
    "something-empty": ErrorWords(
        N_("Something that the hub needs is empty."),
        _ONLY_THIS,
        N_("Fill it in and send it again."),
        N_("Open Outbox"),
        "outbox",
    ),
    "no-such-target": ErrorWords(
        N_("What this replies to is no longer on the hub."),
        _ONLY_THIS,
        N_("Ask it as a new question, or take it back."),
        N_("Open Outbox"),
        "outbox",
    ),
    "report-gone": ErrorWords(
        N_("What you reported is no longer on the hub."),
        _ONLY_THIS,
        N_("Somebody may have removed it already. You can take this back."),
        N_("Open Outbox"),
        "outbox",
    ),
    "reported-already": ErrorWords(
        N_("You have reported this already."),
        _ONLY_THIS,
        N_("The moderators will look at it. You can take this one back."),
        N_("Open Outbox"),
        "outbox",
    ),
    "too-many-reports": ErrorWords(
        N_("You have reported as much today as the hub takes in a day."),
        _ONLY_THIS,
        N_("Send it again tomorrow."),
        N_("Open Outbox"),
        "outbox",
    ),
    "request-closed": ErrorWords(
        N_("This question is closed."),
        _ONLY_THIS,
        N_("Ask a new question."),
        N_("Open Outbox"),
        "outbox",
    ),
    "refused-before": ErrorWords(
        N_("The hub refused this long ago."),
        _ONLY_THIS,
        N_("Take it back, or write it anew."),
        N_("Open Outbox"),
        "outbox",
    ),
    "not-known-yet": ErrorWords(
        N_("This hub does not know this kind of message yet."),
        _ONLY_THIS,
        N_("Tell the people who run the hub, or send it as a question."),
        N_("Open Outbox"),
        "outbox",
    ),
    "copied-shelf": ErrorWords(
        N_("This shelf was copied or put back from an older copy."),
        _SAFE,
        N_("Nothing is sent twice. Sync once more: what waits is then sent in its turn."),
        _RETRY,
        "sync",
        "quiet",
    ),
    "no-attachments-here": ErrorWords(
        N_("Files cannot be attached to a reply in a discussion."),
        _ONLY_THIS,
        N_("Send it without the file, or ask a question with it."),
        N_("Open Outbox"),
        "outbox",
    ),
    "attachment-lost": ErrorWords(
        N_("This computer’s copy of an attached file is missing or damaged."),
        N_("The file was not sent. What you wrote is safe."),
        N_("Attach the file again in a reply."),
        N_("Open Outbox"),
        "outbox",
    ),
    "attachment-refused": ErrorWords(
        N_("The hub cannot take an attached file."),
        N_("What you wrote is safe."),
        N_("Choose another file of at most 25 MB, and send it with a reply."),
        N_("Open Outbox"),
        "outbox",
    ),
    "hub-full": ErrorWords(
        N_("The hub has no room for an attached file right now."),
        N_("What you wrote goes without waiting for it."),
        _ITSELF,
        _RETRY,
        "sync",
        "quiet",
    ),
    "upload-again": ErrorWords(
        N_("An attached file has not arrived whole yet."),
        N_("What came is kept. What you wrote is safe."),
        _ITSELF,
        _RETRY,
        "sync",
        "quiet",
    ),
    "hub-crowded": ErrorWords(
        N_("The hub asks you to come back later."),
        _SAFE,
        _ITSELF,
        _RETRY,
        "sync",
        "quiet",
    ),
    "no-key": ErrorWords(
        N_("The discussions for members cannot be opened yet."),
        N_("Everything else on your shelf is as it was."),
        N_("Sync again: the hub gives the key to its members’ computers."),
        _RETRY,
        "sync",
    ),
    "hub-broken": ErrorWords(
        N_("The hub has published something that cannot be used."),
        N_("It was left out. Everything else on your shelf is as it was."),
        _TELL,
        _COPY,
        "copy",
    ),
    "hub-waits": ErrorWords(
        N_("The hub needs the help of its team first."),
        _SAFE,
        N_("If it goes on, ask the people who run your hub."),
        _RETRY,
        "sync",
    ),
    "link-refused": ErrorWords(
        N_("This link cannot be opened."),
        N_("It is not a whole link of Hubshelf."),
        N_("Check that it was copied whole, or ask for it again."),
        _COPY,
        "copy",
    ),
    "not-answering": ErrorWords(
        N_("Hubshelf is open already, but does not answer."),
        _SAFE,
        N_("Wait a moment and try again. If it goes on, restart the computer."),
        _COPY,
        "copy",
    ),
    "link-of-other-kind": ErrorWords(
        N_("This link cannot be opened."),
        N_("It leads to something that this version of Hubshelf does not know."),
        N_("Check that it was copied whole, or ask for it again."),
        _COPY,
        "copy",
    ),
    "link-without-record": ErrorWords(
        N_("This link cannot be opened."),
        N_("It does not name anything that could be on a shelf."),
        N_("Check that it was copied whole, or ask for it again."),
        _COPY,
        "copy",
    ),
    "link-without-words": ErrorWords(
        N_("This link cannot be opened."),
        N_("It does not say what to search for, or says too much."),
        N_("Check that it was copied whole, or ask for it again."),
        _COPY,
        "copy",
    ),
    "not-published": ErrorWords(
        N_("The hub has not published anything yet."),
        _SAFE,
        N_("Sync again later, or ask the people who run your hub."),
        _RETRY,
        "sync",
        "quiet",
    ),
    "ended-badly": ErrorWords(
        N_("Hubshelf did not end as it should last time."),
        N_("What you wrote is safe, and what was open is open again."),
        N_("If the power went away, there is nothing to do."),
        N_("Look at the report"),
        "report",
    ),
    "ended-again": ErrorWords(
        N_("Hubshelf ended twice in a row."),
        N_("What you wrote is safe. This time it begins at Home, so that what was open cannot bring it down."),
        N_("Send the report to the people who run your hub."),
        N_("Look at the report"),
        "report",
    ),
    "own-from-backup": ErrorWords(
        N_("The file with your own work was damaged. The last good copy was put back."),
        N_("What you wrote after that copy may be missing. The damaged file was kept: nothing was deleted."),
        N_("Look whether all is there. Tell your IT team: the disk may be failing."),
        N_("Open Outbox"),
        "outbox",
        "grave",
    ),
    "own-begun-anew": ErrorWords(
        N_("The file with your own work was damaged, and there was no good copy of it."),
        N_("A new one was begun. The damaged file was kept, so that your work can perhaps be saved from it."),
        N_("Tell your IT team now. To go on, connect again with a new code from your hub."),
        N_("Connect again"),
        "enrol",
        "grave",
    ),
    "library-begun-anew": ErrorWords(
        N_("The file with what came from the hub was damaged, and was begun anew."),
        N_("Your own work is safe. What is missing now comes again with the next sync."),
        N_("Sync when the link is good. If it happens often, tell your IT team: the disk may be failing."),
        N_("Sync now"),
        "sync",
    ),
    "mass-deletion": ErrorWords(
        N_("The hub wants to remove more than a fifth of your shelf."),
        N_("Nothing was removed. What you have can be read on; what is new waits until you decide."),
        N_("Ask the people who run your hub whether they mean it. If they do, let it happen."),
        N_("Let it happen"),
        "let-remove",
        "grave",
    ),
    "clock-wrong": ErrorWords(
        N_("The date or the time of this computer is wrong."),
        N_("Your work is safe and is sent as usual. Dates may look odd, and some networks may refuse to connect."),
        N_("Set the date, the time and the time zone, or ask your IT team to."),
        _COPY,
        "copy",
    ),
    "unknown": ErrorWords(
        N_("Something did not work."),
        _SAFE,
        N_("Try again. If it goes on, send the details to your IT team."),
        _COPY,
        "copy",
    ),
    **{code: ErrorWords(*row) for code, row in MANAGED.items()},
    **{code: ErrorWords(*row) for code, row in MOVING.items()},
    **{code: ErrorWords(*row) for code, row in UPDATES.items()},
    **{code: ErrorWords(*row) for code, row in PACKS.items()},
}
