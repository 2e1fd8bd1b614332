"""Between the outbox and the wire: what leaves, and what a verified answer changes in the stores."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from resources_cache.attachments import Attachments
from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Item, Own
from sync.actions import Deliver
from sync.answers import read_all, require
from sync.errors import CaptivePortal, Offline, Unreachable
from sync.inlined import Inlined
from sync.protocol import envelope, limits, messages_v1
from sync.protocol.errors import ProtocolError
from sync.protocol.messages import Operation, Receipt, SyncRequest, SyncResponse
from sync.protocol.paths import MAC_HEADER, SYNC, SYNC_V1
from sync.protocol.problems import Problem
from sync.transport import Request, Transport

_PENDING = 100_000
"""More than anybody writes between two syncs (count)."""
_SETTLED_STATES = ("delivered", "closed", "declined")
_LOOKED_AT = ("removed", "changed", "stays")
_OLD_EPOCH = 2**32


def waiting_operations(own: Own) -> list[Operation]:
    """Return what waits in the outbox as operations, in order."""
    return operations(own.outbox.pending(_PENDING), own.device().epoch)


def operations(items: Iterable[Item], device_epoch: int) -> list[Operation]:
    """Return items of the outbox as operations of this device's present epoch."""
    return [_operation(item, device_epoch) for item in items]


def _operation(item: Item, device_epoch: int) -> Operation:
    epoch, counter = item.epoch, item.counter
    if epoch < device_epoch:
        # It was offered in an epoch whose numbers may have been given twice (a copied folder, a backup). The
        # hub knows it by its id if it has it; else it takes a number of this epoch, made from the old one,
        # which no other item can have.
        epoch, counter = device_epoch, epoch * _OLD_EPOCH + counter
    return Operation(item.id, epoch, counter, item.kind, _body(item))


def _body(item: Item) -> dict[str, Any]:
    if item.kind == "reply":
        return {key: item.body[key] for key in ("target", "body", "attachments") if key in item.body}
    if item.kind == "rate":
        return {key: item.body[key] for key in ("target", "satisfied", "body", "publish") if key in item.body}
    if item.kind == "report":
        return {key: item.body[key] for key in ("target", "reason", "body") if key in item.body}
    return {"title": item.title, **item.body}


def exchange(transport: Transport, own: Own, token: str, request: SyncRequest, inlined: Inlined) -> SyncResponse:
    """Send operations, noted on disk as leaving before they leave, and return the hub's verified answer.

    What the hub put behind its answer goes to `inlined`; where the link is cut in the middle of that, the answer
    itself counts. Raises Offline, CaptivePortal (no MAC), HubProblem (refused as a whole), ProtocolError (BadMac
    and what an authentic answer cannot be), BudgetReached, CacheError.
    """
    outgoing = request.operations
    first_time = {item.id for item in own.outbox.items(["waiting"])} if outgoing else set()
    leaving = {item.id for item in own.outbox.begin_sending([operation.id for operation in outgoing])}
    # One that was withdrawn since the sync began stays here.
    request = replace(request, operations=tuple(one for one in outgoing if one.id in leaving))
    try:
        try:
            return _ask(transport, token, request, inlined)
        except CaptivePortal as portal:
            if portal.status != 404:
                raise
            # A hub of before has no such address; what it can take, it takes at the old one.
            try:
                return _ask_as_before(transport, token, request)
            except (CaptivePortal, ProtocolError):
                raise portal from None
    except Unreachable:
        # Nothing has left this computer, so the person may still change it.
        own.outbox.never_left(first_time & leaving)
        raise


def _ask(transport: Transport, token: str, request: SyncRequest, inlined: Inlined) -> SyncResponse:
    nonce = secrets.token_bytes(envelope.NONCE)
    body = envelope.ask(token, nonce, request)
    reader = envelope.AnswerReader(token, nonce, operations=request.operations)
    answer: SyncResponse | None = None
    with transport.open(Request("POST", SYNC, {}, body)) as reply:
        require(reply, 200)
        try:
            for piece in reply.pieces():
                for event in reader.feed(piece):
                    if isinstance(event, envelope.Message):
                        answer = event.response
                    else:
                        inlined.take(event)
        except Offline:
            if answer is None:
                raise
        except ProtocolError as error:
            if answer is None:
                raise CaptivePortal(
                    "Something answered that is not the hub: the answer is not authenticated."
                ) from error
            # What was put behind an authentic answer is damaged: what is needed of it is fetched alone.
        finally:
            inlined.stop()
    if answer is None:
        raise CaptivePortal("Something answered that is not the hub: the answer is not authenticated.")
    return answer


def _ask_as_before(transport: Transport, token: str, request: SyncRequest) -> SyncResponse:
    """The same in the JSON of protocol 1, whose hubs know nothing of `at`, `room` and `have`."""
    nonce = secrets.token_hex(16)
    question = messages_v1.SyncRequest(nonce, request.head, request.personal, request.operations)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with transport.open(Request("POST", SYNC_V1, headers, question.to_bytes())) as reply:
        require(reply, 200)
        answer = read_all(reply, limits.SYNC_RESPONSE)
        mac = reply.headers.get(MAC_HEADER)
    if mac is None:
        raise CaptivePortal("Something answered that is not the hub: the answer is not authenticated.")
    messages_v1.verify_answer(token, nonce, answer, mac)
    old_answer = messages_v1.SyncResponse.from_bytes(answer)
    return SyncResponse(
        epoch=old_answer.epoch,
        cursor=old_answer.cursor,
        receipts=old_answer.receipts,
        items=old_answer.items,
        more=old_answer.more,
        head=old_answer.head,
    )


def deliver(own: Own, library: Library, files: FileStore, action: Deliver) -> tuple[int, int]:
    """Keep a verified answer; return how many operations were accepted and how many records changed.

    Each step is one transaction, in an order in which dying in between only repeats what has no second effect:
    re-offer, receipts, then personal items with their cursor. Raises CacheError.
    """
    answer = action.answer
    if action.renewed:
        own.outbox.reoffer()
        # A hub that was restored may have lost the bytes as well; it says so when it is asked.
        Attachments.of(own, files).reoffer()
    if action.renewed or own.setting("hub_epoch") is None:
        own.set_setting("hub_epoch", answer.epoch)
    accepted = 0
    for receipt in answer.receipts:
        if receipt.id in action.settled:
            accepted += _settle(own, receipt)
    if not (answer.items or action.reset or library.personal_cursor() != (answer.epoch, answer.cursor)):
        return accepted, 0
    applied = library.apply_personal(answer.items, answer.epoch, answer.cursor, reset=action.reset)
    return accepted, applied.put + applied.deleted


def _settle(own: Own, receipt: Receipt) -> bool:
    if receipt.accepted:
        own.outbox.receive(receipt.id, receipt.to_json())
        return True
    problem = receipt.problem or Problem("refused", "The hub refused this without saying why.", "drop", 422)
    own.outbox.set_aside(receipt.id, problem.to_json())
    return False


def mark_answered(own: Own, library: Library) -> int:
    """Mark what the hub's people have answered: delivered, closed, or replied to by somebody else; and reports
    that a moderator has looked at.

    Returns how many items changed. Raises CacheError.
    """
    received = [item for item in own.outbox.items(["received"]) if item.kind in ("ask", "report")]
    if not received:
        return 0
    answered = []
    for item in received:
        request = library.get(item.id)
        if request is None:
            continue
        if item.kind == "report":
            answered += [item.id] if request.get("state") in _LOOKED_AT else []
            continue
        replied = any(reply.get("mine") is not True for reply in request.get("replies", []))
        if replied or request.get("state") in _SETTLED_STATES:
            answered.append(item.id)
    return own.outbox.mark_answered(answered) if answered else 0
