"""Which row of `error_table.TABLE` speaks for which code, where that is not the row's own name.

`ALIASES`: codes of the stores, the engine and the wire. `PROBLEMS`: codes of a hub's problem documents (RFC 9457).
`BY_ACTION`: problems that a newer hub has and this client does not know.
"""

from __future__ import annotations

ALIASES: dict[str, str] = {
    "cache-error": "unknown",
    "sync": "unknown",
    "unreachable": "offline",
    "timed-out": "offline",
    "cut-off": "offline",
    "bad-signature": "not-trusted",
    "rolled-back": "not-trusted",
    "wrong-hash": "not-trusted",
    "other-content": "not-trusted",
    "damaged": "store-damaged",
    "invitation-refused": "code-refused",
    # Of the wire (sync.protocol.errors), where they come through as they are.
    "protocol": "not-trusted",
    "malformed": "captive-portal",
    "too-large": "not-trusted",
    "wrong-prefix": "not-trusted",
    "wrong-base": "not-trusted",
    "bad-mac": "not-trusted",
    "unknown-codec": "upgrade-needed",
    "client-too-old": "upgrade-needed",
    "pack": "pack-unreadable",
}
"""Code of an error → its row."""

PROBLEMS: dict[str, str] = {
    # Enrolment
    "unknown-code": "code-refused",
    "code-used": "code-used",
    "code-expired": "code-expired",
    "too-many-codes": "too-many-codes",
    "device-known": "device-known",
    "site-code-used-up": "site-code-used-up",
    "site-code-expired": "site-code-expired",
    "site-code-revoked": "site-code-expired",
    "already-a-member": "already-a-member",
    "still-joining": "still-joining",
    # Who asks
    "no-token": "auth-needed",
    "unknown-device": "auth-needed",
    "device-revoked": "device-revoked",
    "device-moved": "device-moved",
    "own-device": "no-such-device",
    "no-such-device": "no-such-device",
    "member-inactive": "member-inactive",
    "counter-reused": "copied-shelf",
    # What was sent
    "refused": "refused",
    "bad-id": "refused",
    "id-taken": "refused",
    "bad-field": "refused",
    "empty": "something-empty",
    "too-long": "too-long",
    "too-large": "too-long",
    "unknown-operation": "not-known-yet",
    "unknown-kind": "not-known-yet",
    "no-such-target": "no-such-target",
    "request-closed": "request-closed",
    "not-answered": "refused",
    "report-gone": "report-gone",
    "reported-already": "reported-already",
    "too-many-reports": "too-many-reports",
    "refused-before": "refused-before",
    # Files that go with it
    "bad-attachments": "attachment-refused",
    "no-attachments-here": "no-attachments-here",
    "attachment-lost": "attachment-lost",
    "file-too-large": "attachment-refused",
    "empty-file": "attachment-refused",
    "hub-full": "hub-full",
    "uploads-unfinished": "upload-again",
    "upload-busy": "upload-again",
    "no-such-upload": "upload-again",
    "completed-upload": "upload-again",
    "mismatching-upload-offset": "upload-again",
    "inconsistent-upload-length": "attachment-refused",
    "wrong-digest": "upload-again",
    "not-a-piece": "attachment-refused",
    "no-offset": "attachment-refused",
    "no-completeness": "attachment-refused",
    "no-length": "attachment-refused",
    "no-digest": "attachment-refused",
    "not-allowed": "refused",
    # The hub itself
    "busy": "hub-problem",
    "hub-error": "hub-problem",
    "unavailable": "hub-problem",
    "too-many": "hub-crowded",
    "not-found": "hub-problem",
    "not-published": "not-published",
    "method": "hub-problem",
    "cut-off": "offline",
    "bad-mac": "not-trusted",
    "malformed": "refused",
    "no-key": "no-key",
    "not-in-pack": "not-in-pack",
    "broken-catalogue": "hub-broken",
    "broken-segment": "hub-broken",
}
"""Code of a problem document → its row."""

BY_ACTION: dict[str, str] = {
    "retry": "hub-problem",
    "wait": "hub-waits",
    "auth": "auth-needed",
    "resync": "hub-problem",
    "upgrade": "upgrade-needed",
    "drop": "refused",
}
"""What a problem asks for → the row of one whose code is not known."""
