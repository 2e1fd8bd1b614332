"""Joining a hub: as a member with a one-time code, or as a guest who only reads.

Device id and token are made and kept before they are sent, so that a lost answer is repaired by asking again
with the same code. A shelf belongs to one hub: another one is refused while anything of the first is on it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from resources_cache.errors import SettingLocked
from resources_cache.identity import new_id
from resources_cache.library import Library
from resources_cache.moving import MOVED_IN, MOVED_OUT
from resources_cache.own import Own
from sync.answers import read_all, require
from sync.catalogue import get_head, get_root
from sync.errors import NotTrusted, OtherHub, SecretsUnusable, from_wire
from sync.home import Home
from sync.protocol import VERSION, limits
from sync.protocol.errors import BadSignature, ProtocolError
from sync.protocol.head import root_version, verify_head
from sync.protocol.messages import EnrolRequest, EnrolResponse
from sync.protocol.paths import ENROL
from sync.protocol.sealed import keyring
from sync.protocol.trust import Root, advance, pin
from sync.secrets import PendingEnrolment
from sync.transport import Request, Transport, checked_base

Connect = Callable[[str | None], Transport]
JOINING = "joining"
"""Setting of own.db: true where a site code let this device in, and nobody approved the person yet."""


@dataclass(frozen=True)
class Enrolled:
    """The hub and who we are there; `member_name` is "" for a guest."""

    hub_name: str
    member_name: str


def enrol(home: Home, url: str, code: str, device_name: str, *, connect: Connect | None = None) -> Enrolled:
    """Turn a one-time code into this device's place on a hub.

    `url` is the hub's base address (https unless it is this computer). Asking again with the same code after a
    lost answer completes the first enrolment. Raises InsecureAddress, OtherHub, Offline, CaptivePortal,
    HubProblem (the code is unknown, used or expired), NotTrusted, SecretsUnusable, CacheError (SettingLocked: an
    administrator decided for another hub).
    """
    base = _allowed(home, checked_base(url))
    code = code.strip()
    transport = (connect or home.connect)(base)
    try:
        with home.own() as own, home.library() as library:
            known = _check_same_hub(own, library, transport, base)
            pending = _pending(home, base, code)
            try:
                first = _first_root(home, transport)  # before a code is told to somebody else
                answer = _ask(transport, EnrolRequest(code, pending.device, pending.token, device_name[:200]))
                root = _agreed(known, _follows(first, pin(answer.root), transport))
            except ProtocolError as error:
                raise from_wire(error) from error
            home.secrets().keep_token(pending.token)
            if keys := tuple(keyring(answer.keys).values()):
                # Newest last, as they are kept; without them the next sync is given them.
                with suppress(SecretsUnusable):
                    home.secrets().keep_member_keys(reversed(keys))
            own.set_setting(JOINING, answer.joining)
            _join(own, library, base, answer.hub, answer.member, root, fresh=known is None)
            home.secrets().forget_pending()
            home.secrets().forget_claim()
            home.log.note("joined", joining=answer.joining, again=known is not None)
    finally:
        transport.close()
    return Enrolled(answer.hub, answer.member)


def connect_guest(home: Home, url: str, *, connect: Connect | None = None) -> Enrolled:
    """Read a hub's public content without an account; its first root is trusted as it comes.

    Raises InsecureAddress, OtherHub, Offline, CaptivePortal, HubProblem, NotTrusted, CacheError (SettingLocked).
    """
    base = _allowed(home, checked_base(url))
    transport = (connect or home.connect)(base)
    try:
        with home.own() as own, home.library() as library:
            known = _check_same_hub(own, library, transport, base)
            try:
                root = known or _first_root(home, transport) or pin(get_root(transport, 1))
                document = get_head(transport, None)
                assert document is not None, "a head was asked for without a known one"
                while root.version < root_version(document):
                    root = advance(root, get_root(transport, root.version + 1))
                head = verify_head(document, root, (0, 0), VERSION)
            except ProtocolError as error:
                raise from_wire(error) from error
            _join(own, library, base, head.hub, None, root, fresh=known is None)
    finally:
        transport.close()
    return Enrolled(head.hub, "")


def _allowed(home: Home, base: str) -> str:
    """Return the address of a hub that this shelf may join. Raises SettingLocked where another one was decided."""
    decided = home.policies.locked.get("hub_url")
    if decided is not None and decided[0] != base:
        raise SettingLocked(f"Your administrator decided that this PC belongs to {decided[0]}.")
    return base


def _first_root(home: Home, transport: Transport) -> Root | None:
    """Return the hub's first root where an administrator named its fingerprint, None where nobody did.

    Raises OtherHub where it is another, ProtocolError, SyncError.
    """
    wanted = home.policies.value("hub_key")
    if wanted is None:
        return None
    root = pin(get_root(transport, 1))
    if root.fingerprint != wanted:
        raise OtherHub(f"The hub there has the key {root.fingerprint[:16]}, not the one that was decided.")
    return root


def _follows(first: Root | None, offered: Root, transport: Transport) -> Root:
    """Return the root that was offered, which leads back to `first`. Raises BadSignature, SyncError."""
    root = first
    while root is not None and root.version < offered.version:
        root = advance(root, get_root(transport, root.version + 1))
    if root is not None and root.document != offered.document:
        raise BadSignature("The hub offers a root that does not follow from its first one.")
    return offered


def _check_same_hub(own: Own, library: Library, transport: Transport, base: str) -> Root | None:
    """Return the root that this shelf already trusts for the hub at `base`; None for a fresh start.

    A hub that moved to another address is known by its root document. Raises OtherHub.
    """
    address, document = own.setting("hub_url"), own.setting("root")
    empty = not library.counts() and not library.cursors()
    if not isinstance(document, str) or (empty and address != base):
        if not empty:
            raise OtherHub("This shelf holds content of a hub that it no longer knows by name.")
        return None
    if empty:
        return None
    try:
        known = pin(document.encode())
    except ProtocolError as error:
        raise NotTrusted("The keys of this shelf's hub cannot be read any more.") from error
    if address != base and get_root(transport, known.version) != known.document:
        raise OtherHub(f"This shelf holds the content of {own.setting('hub_name') or address}.")
    return known


def _agreed(known: Root | None, offered: Root) -> Root:
    """Return the root to trust: a shelf with content keeps its own, which the next sync brings forward."""
    if known is None:
        return offered
    if offered.version == known.version and offered.document != known.document:
        raise BadSignature("The hub shows other keys than those that this shelf has trusted so far.")
    return known


def _pending(home: Home, base: str, code: str) -> PendingEnrolment:
    store = home.secrets()
    hashed = hashlib.sha256(code.encode()).hexdigest()
    found = store.pending()
    if found is not None and (found.hub, found.code_hash) == (base, hashed):
        return found
    if found is not None and (found.hub, found.code_hash) == ("", hashed):
        # The code went to the hub on a stick, perhaps: for that it is this device's already.
        pending = PendingEnrolment(base, hashed, found.device, found.token)
        store.keep_pending(pending)
        return pending
    # A new device each time: a hub never gives a known one to somebody who only has a code.
    pending = PendingEnrolment(base, hashed, new_id(), secrets.token_hex(32))
    store.keep_pending(pending)
    return pending


def _ask(transport: Transport, request: EnrolRequest) -> EnrolResponse:
    body = request.to_bytes()
    with transport.open(Request("POST", ENROL, {"Content-Type": "application/json"}, body)) as reply:
        require(reply, 200)
        return EnrolResponse.from_bytes(read_all(reply, 2 * limits.ROOT))


def _join(
    own: Own, library: Library, base: str, hub_name: str, member: str | None, root: Root, *, fresh: bool
) -> None:
    """Keep what the shelf knows of its hub; `hub_url` last, since it is what makes a shelf belong."""
    if fresh:
        library.clear()
        own.set_setting("head_seen", None)
        own.set_setting("hub_epoch", None)
    # A shelf that was moved away, or was to become another device, begins here as this one.
    own.set_setting(MOVED_OUT, None)
    own.set_setting(MOVED_IN, None)
    own.set_setting("root", root.document.decode())
    own.set_setting("hub_name", hub_name)
    own.set_setting("member", member)
    own.set_setting("guest", member is None)
    own.set_setting("hub_url", base)
