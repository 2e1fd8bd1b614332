"""The outbox by hand: one's own letters to the hub, which travel with a pack, and the hub's answers that come with
one.

What is left on a stick still waits, and goes by wire where a link comes first: by its id it takes effect once. A
person who has no device at the hub yet joins in the same way: the code travels in the letter.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from resources_cache.attachments import open_files
from resources_cache.identity import new_id, utc_now
from resources_cache.library import Library
from resources_cache.moving import MOVED_IN, MOVED_OUT
from resources_cache.own import Item, Own
from sync.actions import Deliver
from sync.delivery import deliver, mark_answered, waiting_operations
from sync.errors import NotEnrolled
from sync.home import Home
from sync.members import MemberAccess
from sync.packs import carrying, parcels
from sync.packs.transport import PackTransport
from sync.protocol import VERSION, by_hand, limits, packs, uploads
from sync.protocol.errors import ProtocolError
from sync.protocol.head import verify_head
from sync.protocol.messages import Operation, SyncRequest, batches, token_hash
from sync.protocol.packs import Volume
from sync.protocol.problems import Problem
from sync.protocol.trust import pin
from sync.secrets import PendingEnrolment

_NUMBER = "letters"
"""Setting: the number of the newest letter of this shelf."""
_SENT = "letters_sent"
"""Setting: the names of its newest envelopes, and the tags of those who wrote them."""
_SENT_KEPT = 400


@dataclass
class Letters:
    """Envelopes by their names in a pack, the items of the outbox that are in them, and the files that go
    along."""

    envelopes: dict[str, bytes] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    files: parcels.Outgoing | None = None


@dataclass(frozen=True)
class Heard:
    """What an answer by hand brought: whether there was one, receipts, personal records, the member that this
    shelf belongs to since then ("" for no change), what the hub refused, and how many attached files it
    confirmed."""

    came: bool = False
    receipts: int = 0
    records: int = 0
    member: str = ""
    problem: Problem | None = None
    files: int = 0


def join(home: Home, code: str, device_name: str) -> None:
    """Keep a one-time code for the next letter; the hub's answer by hand makes this shelf that of a member.

    Raises NotEnrolled before a pack of the hub was taken in, SecretsUnusable, CacheError.
    """
    code = code.strip()
    with home.own() as own:
        if not isinstance(own.setting("root"), str):
            raise NotEnrolled("This shelf belongs to no hub yet: import a pack of the hub first.")
    hashed = hashlib.sha256(code.encode()).hexdigest()
    found = home.secrets().pending()
    device, token = new_id(), secrets.token_hex(32)
    if found is not None and found.code_hash == hashed:
        device, token = found.device, found.token
    home.secrets().keep_pending(PendingEnrolment("", hashed, device, token, code, device_name[:200]))


def write_letters(home: Home, own: Own, library: Library) -> Letters:
    """Seal what waits, noted on disk as leaving before it leaves; no letters where there is nothing to say.

    Raises SecretsUnusable, CacheError.
    """
    found = Letters(files=outgoing(home, own, library))
    hub, who = _hub(own, library), _who(home, own)
    if found.files is None or hub is None or who is None:
        return found
    token, joining = who
    operations = [one for one in waiting_operations(own) if one.size <= limits.OPERATION]
    if not operations and joining is None and not own.setting(_NUMBER) and not found.files.entries:
        return found
    parcels.leave(own, found.files)
    files = by_hand.Files(tuple(found.files.hashes), tuple(parcels.wants(home, own, library)))
    ids = {one.id for one in operations}
    found.items = [item for item in own.outbox.items(["waiting", "sending"]) if item.id in ids]
    own.outbox.leave_by_hand(ids)
    for batch in batches(operations) or [[]]:
        name, data = _letter(own, library, hub, token, joining, batch, files)
        found.envelopes[name] = data
    return found


def outgoing(home: Home, own: Own, library: Library) -> parcels.Outgoing | None:
    """Return the attached files that go sealed with a letter; None where no letter goes. Raises SecretsUnusable,
    CacheError."""
    if own.setting(MOVED_OUT) or own.setting(MOVED_IN):
        return None  # it goes out from the new PC, once that is its hub's
    hub, who = _hub(own, library), _who(home, own)
    return None if hub is None or who is None else parcels.outgoing(home, own, who[0], hub)


def stayed(own: Own, letters: Letters, there: Iterable[str]) -> None:
    """Nothing of these letters reached the stick, unless some are `there`: their items can be changed again."""
    if not letters.envelopes.keys() & set(there):
        own.outbox.stayed(letters.items)


def mine(home: Home, own: Own) -> list[str]:
    """Return the names of this shelf's own envelopes and parcels and the tags of its answers, as far as they are
    kept. Raises SecretsUnusable, CacheError."""
    found, who = own.setting(_SENT), _who(home, own)
    tag = [] if who is None else [by_hand.tag_of(token_hash(who[0]))]
    return [*(one for one in found or () if isinstance(one, str)), *tag, *parcels.mine(own)]


def hear(home: Home, own: Own, library: Library, volume: Volume) -> Heard:
    """Take the hub's answer to this device, if the pack has one. An older one, or one that is not the hub's,
    changes nothing. Raises SecretsUnusable, CacheError."""
    pending = home.secrets().pending()
    token = None if own.setting("guest", False) else home.secrets().token()
    for one in (token, pending.token if pending is not None else None):
        if not one:
            continue
        hashed = token_hash(one)
        data = packs.answer_in(volume, by_hand.tag_of(hashed))
        if data is None:
            continue
        try:
            answer = by_hand.open_answer(data, hashed)
        except ProtocolError:
            continue
        return _take(home, own, library, answer, one, is_new=one != token)
    return Heard()


def _take(home: Home, own: Own, library: Library, answer: by_hand.Answer, token: str, *, is_new: bool) -> Heard:
    response, personal = answer.response, library.personal_cursor()
    epoch = own.setting("hub_epoch")
    if response.epoch < max(epoch if isinstance(epoch, int) else 0, personal[0]):
        return Heard()
    member = ""
    if is_new:
        if answer.enrolled is None:
            return Heard(True, problem=answer.problem)
        member = answer.enrolled.member
        home.secrets().keep_token(token)
        # The code stays beside it: should a link come, it makes the same device of this shelf.
        own.set_setting("member", member)
        own.set_setting("guest", False)
    elif answer.problem is not None and not response.receipts:
        return Heard(True, problem=answer.problem)
    if response.keys:
        access = MemberAccess(home.secrets(), PackTransport(carrying.store(home)), [])
        access.begin(token)
        access.take(response.keys)
    fits = (
        answer.since == (response.epoch, 0)
        if personal[0] != response.epoch
        else answer.since[0] == response.epoch and answer.since[1] <= personal[1] < response.cursor
    )
    if not fits:
        # What lies between is not here, or all of it is already: the next letter says where this shelf is.
        response = replace(response, items=(), cursor=personal[1])
    mine = {item.id for item in own.outbox.items()}
    settled = frozenset(receipt.id for receipt in response.receipts if receipt.id in mine)
    waiting = {item.id for item in own.outbox.items(["waiting", "sending"])}
    again = isinstance(epoch, int) and response.epoch != epoch
    reset = fits and personal[0] != response.epoch
    if not fits and personal[0] != response.epoch:
        response = replace(response, epoch=personal[0])
        again = False
    files = open_files(home.path, uploads.FILE)
    _accepted, records = deliver(own, library, files, Deliver(response, settled, again, reset))
    mark_answered(own, library)
    arrived = parcels.confirm(home, own, answer.arrived)
    return Heard(True, len(settled & waiting), records, member, answer.problem, arrived)


def _hub(own: Own, library: Library) -> bytes | None:
    """The key that the hub's verified head names for letters, None where it names none or there is no head."""
    stored, document = library.head(), own.setting("root")
    if stored is None or not isinstance(document, str):
        return None
    try:
        head = verify_head(stored.body, pin(document.encode()), (0, 0), VERSION)
    except ProtocolError:
        return None
    return bytes.fromhex(head.box) if head.box else None


def _who(home: Home, own: Own) -> tuple[str, by_hand.Joining | None] | None:
    """The token that letters are written under, and the code that goes along, if any."""
    token = None if own.setting("guest", False) else home.secrets().token()
    if token:
        return token, None
    pending = home.secrets().pending()
    if pending is None or not pending.code:
        return None
    joining = by_hand.Joining(pending.code, pending.device, pending.name, token_hash(pending.token))
    return pending.token, joining


def _letter(
    own: Own,
    library: Library,
    hub: bytes,
    token: str,
    joining: by_hand.Joining | None,
    batch: list[Operation],
    files: by_hand.Files,
) -> tuple[str, bytes]:
    count = own.setting(_NUMBER)
    number = (count if isinstance(count, int) else 0) + 1
    own.set_setting(_NUMBER, number)
    request = SyncRequest(personal=library.personal_cursor(), operations=tuple(batch))
    hashed, order = token_hash(token), (own.device().epoch, number)
    letter = by_hand.Letter(by_hand.tag_of(hashed), order, utc_now(), request, joining, files)
    data = by_hand.seal_letter(letter, hashed, hub)
    name = hashlib.sha256(data).hexdigest()
    sent = own.setting(_SENT) or []
    own.set_setting(_SENT, list(dict.fromkeys([*sent, letter.tag, name]))[-_SENT_KEPT:])
    return packs.envelope_name(name), data
