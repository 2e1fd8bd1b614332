"""`POST /u/v2/sync`: who is let in, what takes effect once, what it costs the hub, what is told on failure."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pysqlite3 import dbapi2

from hub import personal_feed
from hub.home import prepare
from hub.invitations import invite
from hub.models import Device, Member, Request, Resource, Thread
from hub.models import Operation as StoredOperation
from hub.planes import heads
from hub.planes.retention import thin
from hub.publishing import epochs, keys, served
from hub.publishing.sealer import publish
from hub.questions import answer as answer_question
from sync.protocol import documents, envelope, limits, paths
from sync.protocol.feeds import Index
from sync.protocol.head import ObjectRef
from sync.protocol.messages import EnrolRequest, Operation, SyncRequest, SyncResponse, token_hash
from sync.protocol.routes import Place, plan
from sync.protocol.subscriptions import Subscription
from sync.protocol.wire_json import sha256

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "d4" * 32


@pytest.fixture
def hub() -> Path:
    home: Path = settings.HOME
    prepare(home)
    keys.ensure_keys(home)
    return home


@pytest.fixture
def device() -> Device:
    member = Member.objects.create(email="officer@ministry.example", name="Amina")
    return Device.objects.create(id="device-1", member=member, token_hash=token_hash(TOKEN))


def post(client: Client, body: bytes) -> HttpResponse:
    return client.post(paths.SYNC, body, content_type="application/octet-stream")  # type: ignore[return-value]


def asked(request: SyncRequest, token: str = TOKEN) -> tuple[bytes, bytes]:
    nonce = secrets.token_bytes(12)
    return envelope.ask(token, nonce, request), nonce


def sync(client: Client, *operations: Operation, token: str = TOKEN, **fields: Any) -> SyncResponse:
    """Send a request and return the verified message of its answer."""
    request = SyncRequest(operations=operations, **fields)
    body, nonce = asked(request, token)
    answer = post(client, body)
    assert answer.status_code == 200, answer.content
    message, _ = read(answer.content, token, nonce, operations)
    return message


def read(
    content: bytes, token: str, nonce: bytes, operations: tuple[Operation, ...] = ()
) -> tuple[SyncResponse, list[tuple[bytes, str, int, int, bytes]]]:
    """Return the message and the things of an answer, each (kind, hash, size, offset, bytes)."""
    reader = envelope.AnswerReader(token, nonce, operations=operations)
    message, things, current = None, [], b""
    begun: envelope.Begun | None = None
    for event in reader.feed(content):
        if isinstance(event, envelope.Message):
            message = event.response
        elif isinstance(event, envelope.Begun):
            begun, current = event, b""
        elif isinstance(event, envelope.Piece):
            current += event.data
        else:
            assert begun is not None
            things.append((begun.kind, begun.hash, begun.size, begun.offset, current))
    assert reader.finished
    assert message is not None
    return message, things


def problem_of(answer: HttpResponse) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.content)
    return found


def ask(number: int, title: str = "How many tablets?", **body: Any) -> Operation:
    return Operation(f"op-{number}", 1, number, "ask", {"title": title, **body})


def test_a_question_takes_effect_once_however_often_it_is_sent(client: Client, hub: Path, device: Device) -> None:
    first = sync(client, ask(1, "Où est l'eau ?", body="Près de l'école", lang="fr", themes=["water"]))
    again = sync(client, ask(1, "Où est l'eau ?"), ask(2))
    assert Request.objects.count() == 2
    assert first.receipts[0] == again.receipts[0]
    assert (first.receipts[0].accepted, first.receipts[0].effect) == (True, "op-1")
    assert first.items[0]["body"] == "Près de l'école"
    assert first.items[0]["state"] == "submitted"
    assert first.cursor == 1


def test_an_answer_reaches_the_asker_by_cursor(client: Client, hub: Path, device: Device) -> None:
    sent = sync(client, ask(1))
    epoch, _ = epochs.current()
    answer_question("op-1", "Forty, in pairs.", "Facilitator")
    news = sync(client, personal=(epoch, sent.cursor))
    assert [(item["type"], item.get("state")) for item in news.items] == [
        ("request", "delivered"),
        ("reply", None),
    ]
    assert sync(client, personal=(epoch, news.cursor)).items == ()
    assert len(sync(client, personal=(epoch + 5, news.cursor)).items) == 3
    assert sync(client, personal=(epoch, news.cursor + 9)).cursor == news.cursor


def test_more_news_than_one_answer_takes(client: Client, hub: Path, device: Device) -> None:
    with_items = limits.PERSONAL_ITEMS + 3
    with transaction.atomic():
        for number in range(with_items):
            personal_feed.append(device.member, {"id": f"x{number}", "type": "request"})
    epoch, _ = epochs.current()
    first = sync(client, personal=(epoch, 0))
    assert (len(first.items), first.more, first.cursor) == (limits.PERSONAL_ITEMS, True, limits.PERSONAL_ITEMS)
    rest = sync(client, personal=(epoch, first.cursor))
    assert (len(rest.items), rest.more, rest.cursor) == (3, False, with_items)


def test_one_bad_operation_never_blocks_the_next(client: Client, hub: Path, device: Device) -> None:
    strange = [Operation("op-3", 1, 3, "dance", {}), Operation("op ✗", 1, 4, "ask", {})]
    bad = [ask(1, ""), ask(2, kind="prophecy"), *strange]
    receipts = sync(client, *bad, ask(5, "Good")).receipts
    assert [receipt.accepted for receipt in receipts] == [False] * 4 + [True]
    assert Request.objects.get().title == "Good"


def test_a_question_names_its_attachments(client: Client, hub: Path, device: Device) -> None:
    file = {"hash": "ab" * 32, "size": 5000, "name": "plan.pdf", "media_type": "application/pdf"}
    answer = sync(client, ask(1, attachments=[file]), ask(2, attachments=[{"hash": "../x"}]))
    assert [receipt.accepted for receipt in answer.receipts] == [True, False]
    assert [item["attachments"] for item in answer.items] == [[file]]
    reply = Operation("op-3", 1, 3, "reply", {"target": "op-1", "body": "See this.", "attachments": [file]})
    assert sync(client, reply, personal=(answer.epoch, 1)).items[1]["attachments"] == [file]
    Thread.objects.create(id="t1", title="Radio lessons", lang="en")
    public = Operation("op-4", 1, 4, "reply", {"target": "t1", "body": "See this.", "attachments": [file]})
    assert not sync(client, public).receipts[0].accepted
    assert set(Request.objects.values_list("id", flat=True)) == {"op-1"}


@pytest.mark.parametrize(
    ("change", "code", "forget"),
    [
        ("stranger", "unknown-device", None),
        ("revoked", "device-revoked", True),
        ("member left", "member-inactive", True),
        ("member suspended", "member-inactive", None),
    ],
)
def test_who_may_not_sync(
    client: Client, hub: Path, device: Device, change: str, code: str, forget: bool | None
) -> None:
    if change == "revoked":
        Device.objects.update(revoked="2026-01-01T00:00:00Z")
    if change.startswith("member"):
        Member.objects.update(state=change.split()[1])
    body, _ = asked(SyncRequest(operations=(ask(1),)), "99" * 32 if change == "stranger" else TOKEN)
    refused = post(client, body)
    told = problem_of(refused)
    assert refused.status_code in (401, 403)
    assert (told["type"].rpartition(":")[2], told["action"], told.get("forget")) == (code, "auth", forget)
    assert Request.objects.count() == 0


def test_a_request_that_was_changed_on_its_way_has_no_effect(client: Client, hub: Path, device: Device) -> None:
    body, _ = asked(SyncRequest(operations=(ask(1),)))
    for place in (40, 50, len(body) - 1):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        refused = post(client, changed)
        assert refused.status_code == 400
        assert problem_of(refused)["action"] == "retry"
    assert Request.objects.count() == 0


@pytest.mark.parametrize("page", [b"", b"\x02", b"{}", b"\x01" + b"x" * 99, b"<html>" * 40])
def test_what_is_no_envelope_is_a_problem_document(client: Client, hub: Path, device: Device, page: bytes) -> None:
    assert problem_of(post(client, page))["status"] in (400, 401)


def test_an_oversized_request_is_not_read(client: Client, hub: Path, device: Device) -> None:
    assert post(client, b"\x02" * (limits.SYNC_REQUEST + 1)).status_code == 413


def test_messages_are_posted(client: Client, hub: Path) -> None:
    refused = client.get(paths.SYNC)
    assert (refused.status_code, refused["Allow"]) == (405, "POST")


def test_an_idle_check_asks_the_database_little_and_writes_once_a_minute(
    client: Client, hub: Path, device: Device
) -> None:
    publish()
    order = epochs.current()
    idle: dict[str, Any] = {"head": order, "personal": (order[0], 0), "at": order[1], "room": 65536}
    answer = sync(client, **idle)
    assert (answer.items, answer.receipts, answer.head, answer.more) == ((), (), None, False)
    seen = _last_seen()
    with CaptureQueriesContext(connection) as asked_for:
        sync(client, **idle)
    statements = [query["sql"] for query in asked_for.captured_queries]
    assert len(statements) <= 2, statements  # who asks, and the epoch
    assert all(statement.startswith("SELECT") for statement in statements)
    assert _last_seen() == seen
    Device.objects.update(last_seen=seen - timedelta(seconds=61))
    sync(client, **idle)
    assert _last_seen() >= seen
    Device.objects.update(last_seen=seen + timedelta(days=400))  # the hub's clock was wrong for a while
    sync(client, **idle)
    assert _last_seen() < seen + timedelta(days=1)


def _last_seen() -> datetime:
    seen = Device.objects.get().last_seen
    assert seen is not None
    return seen


def test_an_idle_answer_is_small(client: Client, hub: Path, device: Device) -> None:
    publish()
    order = epochs.current()
    body, _ = asked(SyncRequest(head=order, personal=(order[0], 0), at=order[1], room=65536))
    answer = post(client, body)
    assert len(body) + len(answer.content) <= 200


def test_the_head_comes_when_it_is_newer(client: Client, hub: Path, device: Device) -> None:
    served.head_path(hub).unlink(missing_ok=True)
    assert sync(client).head is None
    publish()
    order = epochs.current()
    found = sync(client)
    assert found.head is not None
    assert sync(client, head=order).head is None
    assert sync(client, head=(order[0], order[1] - 1)).head == found.head


def test_a_days_news_rides_along_with_one_answer(client: Client, hub: Path, device: Device) -> None:
    for number in range(30):
        Resource.objects.create(id=f"r{number}", title=f"Water at school {number}", lang="en", state="published")
    before = publish()
    old = index_in_force(hub)
    Resource.objects.filter(pk="r3").update(title="Clean water at school", updated=timezone.now())
    Thread.objects.create(id="t1", title="Radio lessons", lang="en")
    after = publish()
    assert after.version > before.version
    at = before.version
    request = SyncRequest((before.epoch, at), (before.epoch, 0), at=at, room=65536)
    body, nonce = asked(request)
    answer = post(client, body)
    message, things = read(answer.content, TOKEN, nonce)
    assert message.head is not None
    (kind, digest, *_, data), *objects = things
    new = index_in_force(hub)
    assert (kind, digest, data[:32].hex()) == (b"p", sha256(new), sha256(old))
    index = Index.from_bytes(documents.unpatch(data[32:], old, ObjectRef(digest, len(new)), limits.DOCUMENT))
    # Exactly what a shelf at that version would ask for, in its order.
    wanted = []
    for feed in Subscription().choose(index.feeds):
        for leg in plan(feed, Place(before.epoch, at), before.epoch, None) or ():
            if leg.run is not None:
                wanted += [segment.hash for segment in leg.run.segments]
    news = [digest for kind, digest, *_ in objects if kind == b"o"]
    assert news[: len(wanted)] == wanted
    assert wanted
    assert all(sha256(data) == digest for kind, digest, *_, data in objects if kind == b"o")


def index_in_force(hub: Path) -> bytes:
    head = heads.in_force(hub)
    assert head is not None
    raw = served.document(hub, head.index)
    assert raw is not None
    return raw


@pytest.mark.parametrize("counter", [3, 2, 1])
def test_a_device_put_back_from_an_image_of_its_disk_is_told_so(
    client: Client, hub: Path, device: Device, counter: int
) -> None:
    sync(client, ask(1))
    sync(client, ask(3))  # 2 was withdrawn before it left
    body, _ = asked(SyncRequest(operations=(Operation("op-new", 1, counter, "ask", {"title": "Again"}),)))
    refused = post(client, body)
    assert refused.status_code == 409
    assert problem_of(refused)["action"] == "resync"
    assert set(Request.objects.values_list("id", flat=True)) == {"op-1", "op-3"}
    # What it does then: a new epoch of its own, and everything that has no receipt once more.
    again = sync(client, ask(1), Operation("op-new", 2, 2**32 + counter, "ask", {"title": "Again"}))
    assert [receipt.accepted for receipt in again.receipts] == [True, True]
    # A number made from an earlier epoch stands outside this one's order.
    assert sync(client, Operation("op-next", 2, 1, "ask", {"title": "Next"})).receipts[0].accepted
    assert Request.objects.count() == 4


def test_what_was_sent_before_is_known_under_any_number(client: Client, hub: Path, device: Device) -> None:
    first = sync(client, ask(1), ask(2))
    again = sync(client, ask(2), ask(1), Operation("op-1", 7, 1, "ask", {"title": "?"}))
    assert [receipt.id for receipt in again.receipts] == ["op-2", "op-1", "op-1"]
    assert again.receipts[1] == first.receipts[0]
    assert Request.objects.count() == 2


def test_after_years_a_repeated_operation_still_has_no_second_effect(
    client: Client, hub: Path, device: Device
) -> None:
    sync(client, ask(1), ask(2, ""))
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    StoredOperation.objects.update(created=datetime(2024, 3, 27, tzinfo=UTC))
    sync(client, ask(3))
    StoredOperation.objects.filter(pk="op-3").update(created=datetime(2024, 4, 2, tzinfo=UTC))
    assert thin(now) == 2
    assert thin(now) == 0
    assert StoredOperation.objects.get(pk="op-1").receipt == {}
    assert StoredOperation.objects.get(pk="op-3").receipt
    accepted, rejected, recent = sync(client, ask(1), ask(2, ""), ask(3)).receipts
    assert (accepted.accepted, accepted.effect, accepted.received) == (True, "op-1", "2024-03-27T00:00:00Z")
    assert rejected.problem is not None
    assert (rejected.accepted, rejected.problem.action) == (False, "drop")
    assert recent.state == "submitted"
    assert Request.objects.count() == 2


@contextmanager
def locked_database(wait_ms: int = 50) -> Iterator[None]:
    """Hold the write lock, as a long import would, from another connection."""
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
    other = dbapi2.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
        connection.connection.execute("PRAGMA busy_timeout = 5000")


@pytest.mark.usefixtures("sqlite_only")
def test_a_locked_database_loses_nothing_and_hinders_no_reading(client: Client, hub: Path, device: Device) -> None:
    sync(client, ask(1))
    Device.objects.update(last_seen=timezone.now() - timedelta(days=1))
    epoch, _ = epochs.current()
    with locked_database():
        answer = sync(client, ask(2), personal=(epoch, 0))
    assert answer.receipts == ()
    assert [item["id"] for item in answer.items] == ["op-1"]
    assert sync(client, ask(2)).receipts[0].accepted


@pytest.mark.usefixtures("sqlite_only")
def test_who_must_wait_is_told_how_long(client: Client, hub: Path) -> None:
    code = invite("officer@ministry.example")
    request = EnrolRequest(code, "device-9", TOKEN, "").to_bytes()
    with locked_database():
        busy = client.post(paths.ENROL, request, content_type="application/json")
    assert (busy.status_code, json.loads(busy.content)["action"]) == (503, "retry")
    assert int(busy["Retry-After"]) > 0
    wrong = EnrolRequest("WRNG-0000-0000", "d", TOKEN, "").to_bytes()
    answers = [
        client.post(paths.ENROL, wrong, content_type="application/json", REMOTE_ADDR="192.0.2.33")
        for _ in range(21)
    ]
    assert answers[0].status_code == 403
    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "600")
    assert "Retry-After" not in answers[0]
