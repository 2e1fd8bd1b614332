"""Both planes over HTTP, the personal one as older clients speak it (protocol 1): who gets what, exactly once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from hub.home import prepare
from hub.invitations import invite
from hub.models import Device, Edition, Invitation, Member, Message, PersonalItem, Request, Resource, Thread
from hub.publishing import epochs, keys, served
from hub.publishing.sealer import publish
from hub.questions import answer as answer_question
from sync.protocol import VERSION, documents, limits, paths, trust
from sync.protocol.feeds import Index, Snapshot
from sync.protocol.head import ObjectRef, verify_head
from sync.protocol.messages import EnrolRequest, EnrolResponse, Operation, token_hash
from sync.protocol.messages_v1 import SyncRequest, SyncResponse, verify_answer
from sync.protocol.segments import decode

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN, NONCE = "d" * 64, "7" * 32


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


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def document(client: Client, ref: ObjectRef) -> bytes:
    return documents.unpack(body(client.get(paths.document_path(ref.hash))), ref, limits.DOCUMENT)


def sync(
    client: Client,
    *operations: Operation,
    token: str = TOKEN,
    head: tuple[int, int] = (0, 0),
    personal: tuple[int, int] = (0, 0),
) -> SyncResponse:
    answer = post(client, *operations, token=token, head=head, personal=personal)
    assert answer.status_code == 200, answer.content
    verify_answer(token, NONCE, answer.content, answer[paths.MAC_HEADER])
    return SyncResponse.from_bytes(answer.content)


def post(
    client: Client,
    *operations: Operation,
    token: str = TOKEN,
    head: tuple[int, int] = (0, 0),
    personal: tuple[int, int] = (0, 0),
) -> HttpResponse:
    request = SyncRequest(NONCE, head, personal, operations).to_bytes()
    return client.post(  # type: ignore[return-value]
        paths.SYNC_V1, request, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    )


def ask(number: int, title: str = "How many tablets?", **body: Any) -> Operation:
    return Operation(f"op-{number}", 1, number, "ask", {"title": title, **body})


def test_a_reader_finds_everything_from_the_head(client: Client, hub: Path) -> None:
    served.head_path(hub).unlink(missing_ok=True)
    assert client.get(paths.HEAD).status_code == 404
    resource = Resource.objects.create(id="r1", title="Water", lang="en", state="published")
    Edition.objects.create(id="e1", resource=resource, lang="en", body="Boil it.")
    Resource.objects.create(id="r2", title="Not yet", lang="en", state="draft")
    publish()
    root = trust.pin(client.get(f"{paths.ROOT}1").content)
    head = verify_head(client.get(paths.HEAD).content, root, (0, 0), VERSION)
    index = Index.from_bytes(document(client, head.index))
    found = {}
    for feed in index.feeds:
        snapshot = Snapshot.from_bytes(document(client, feed.snapshots[0].document))
        assert (snapshot.at, feed.recent) == (feed.last, ())
        for ref, start in zip(snapshot.segments, snapshot.offsets(), strict=True):
            asked = {"Range": f"bytes={start}-{start + ref.size - 1}"}
            answer = client.get(paths.object_path(snapshot.bulk.hash), headers=asked)
            assert answer.status_code == 206
            for stream, record in decode(body(answer), ref).changes:
                found[record["id"]] = (stream, record["type"])
    assert found["r1"] == ("public/cards/en", "resource")
    assert found["e1"] == ("public/texts/en/other", "text")
    assert "r2" not in found


def test_a_head_is_not_sent_twice(client: Client, hub: Path) -> None:
    publish()
    first = client.get(paths.HEAD)
    again = client.get(paths.HEAD, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=199999-", 206, slice(199_999, None)),
        ("bytes=100-9999999", 206, slice(100, None)),
        ("bytes=200000-", 416, slice(0, 0)),
        ("bytes=5-2", 200, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_ranges(client: Client, hub: Path, asked: str, status: int, expected: slice) -> None:
    data = bytes(n % 251 for n in range(200_000))
    ref = served.put(hub, data)
    answer = client.get(paths.object_path(ref.hash), headers={"Range": asked})
    assert answer.status_code == status
    assert body(answer) == data[expected]


@pytest.mark.parametrize("name", ["0" * 64, "..%2F..%2Fsecret_key", "A" * 64, "head"])
def test_nothing_but_objects_is_handed_out(client: Client, hub: Path, name: str) -> None:
    assert client.get(paths.OBJECTS + name).status_code == 404


def test_a_code_becomes_a_device_once(client: Client, hub: Path) -> None:
    code = invite("officer@ministry.example", name="Amina")
    request = EnrolRequest(code.lower().replace("-", " "), "device-9", TOKEN, "Room 12").to_bytes()
    first = client.post(paths.ENROL, request, content_type="application/json")
    again = client.post(paths.ENROL, request, content_type="application/json")
    assert first.status_code == again.status_code == 200
    assert EnrolResponse.from_bytes(again.content).member == "Amina"
    assert trust.pin(EnrolResponse.from_bytes(first.content).root).version == 1
    assert Device.objects.count() == 1
    assert TOKEN not in Device.objects.get().token_hash
    thief = EnrolRequest(code, "device-9", "e" * 64, "").to_bytes()
    refused = client.post(paths.ENROL, thief, content_type="application/json")
    assert refused.status_code == 403
    assert json.loads(refused.content)["type"].endswith("code-used")


def test_wrong_codes_are_refused_and_slowed_down(client: Client, hub: Path) -> None:
    answers = [
        client.post(
            paths.ENROL,
            EnrolRequest(f"WRNG-0000-{n:04}", "d", TOKEN, "").to_bytes(),
            content_type="application/json",
            REMOTE_ADDR="192.0.2.7",
        ).status_code
        for n in range(22)
    ]
    assert answers[:20] == [403] * 20
    assert answers[20:] == [429] * 2


def test_behind_a_proxy_one_guesser_does_not_shut_others_out(client: Client, hub: Path, settings: Any) -> None:
    settings.BEHIND_PROXY = True

    def guess(caller: str) -> int:
        request = EnrolRequest("WRNG-0000-0000", "d", TOKEN, "").to_bytes()
        forwarded = {"X-Forwarded-For": f"198.51.100.9, {caller}"}
        return client.post(paths.ENROL, request, content_type="application/json", headers=forwarded).status_code

    assert [guess("192.0.2.8") for _ in range(21)][-1] == 429
    assert guess("192.0.2.9") == 403


def test_an_expired_code_is_refused(client: Client, hub: Path) -> None:
    code = invite("officer@ministry.example")
    Invitation.objects.update(expires="2020-01-01T00:00:00Z")
    request = EnrolRequest(code, "device-9", TOKEN, "").to_bytes()
    assert client.post(paths.ENROL, request, content_type="application/json").status_code == 403


def test_a_question_takes_effect_once_however_often_it_is_sent(client: Client, hub: Path, device: Device) -> None:
    first = sync(client, ask(1))
    again = sync(client, ask(1), ask(2, "And how many schools?"))
    assert Request.objects.count() == 2
    assert first.receipts[0] == again.receipts[0]
    assert again.receipts[0].accepted
    assert again.receipts[0].effect == "op-1"
    assert [item["id"] for item in first.items] == ["op-1"]


def test_an_answer_reaches_the_asker_by_cursor(client: Client, hub: Path, device: Device) -> None:
    asked = sync(client, ask(1))
    epoch, _ = epochs.current()
    answer_question("op-1", "Forty, in pairs.", "Facilitator")
    news = sync(client, personal=(epoch, asked.cursor))
    assert [(item["type"], item.get("state")) for item in news.items] == [
        ("request", "delivered"),
        ("reply", None),
    ]
    assert sync(client, personal=(epoch, news.cursor)).items == ()
    other_epoch = sync(client, personal=(epoch + 5, news.cursor))
    assert len(other_epoch.items) == 3


def test_one_bad_operation_never_blocks_the_next(client: Client, hub: Path, device: Device) -> None:
    bad = [
        ask(1, ""),
        ask(2, "x" * (limits.TITLE + 1)),
        ask(3, needed_by="soon"),
        ask(4, kind="prophecy"),
        ask(5, themes="water"),
        ask(6, body=7),
        Operation("op-7", 1, 7, "dance", {}),
        Operation("op-8", 1, 8, "reply", {"target": "nothing", "body": "?"}),
        Operation("op 9 ✗", 1, 9, "ask", {"title": "bad id"}),
    ]
    receipts = sync(client, *bad, ask(10, "Good")).receipts
    assert [receipt.accepted for receipt in receipts] == [False] * 9 + [True]
    assert all(receipt.problem and receipt.problem.action == "drop" for receipt in receipts[:9])
    assert Request.objects.get().title == "Good"
    assert sync(client, *bad).receipts[:8] == receipts[:8]


def test_a_reply_to_a_discussion_waits_for_moderation(client: Client, hub: Path, device: Device) -> None:
    thread = Thread.objects.create(id="t1", title="Radio lessons", lang="en")
    sync(client, Operation("op-1", 1, 1, "reply", {"target": thread.id, "body": "We tried."}))
    message = Message.objects.get(pk="op-1")
    assert (message.state, message.author_name) == ("pending", "Amina")


def test_a_follow_up_reopens_a_delivered_question(client: Client, hub: Path, device: Device) -> None:
    sync(client, ask(1))
    answer_question("op-1", "Forty.", "Facilitator")
    sync(client, Operation("op-2", 1, 2, "reply", {"target": "op-1", "body": "Per school?"}))
    assert Request.objects.get().state == "in-progress"
    assert Request.objects.get().revision == 3


def test_nobody_replies_to_the_question_of_another(client: Client, hub: Path, device: Device) -> None:
    stranger = Member.objects.create(email="other@ministry.example")
    Device.objects.create(id="device-2", member=stranger, token_hash=token_hash("f" * 64))
    sync(client, ask(1))
    answer = sync(client, Operation("op-2", 1, 1, "reply", {"target": "op-1", "body": "?"}), token="f" * 64)
    assert not answer.receipts[0].accepted
    assert answer.items == ()
    taken = sync(client, ask(1), token="f" * 64)
    assert not taken.receipts[0].accepted


def test_a_copied_device_is_told_so(client: Client, hub: Path, device: Device) -> None:
    sync(client, ask(1))
    refused = post(client, Operation("op-other", 1, 1, "ask", {"title": "Same number"}))
    assert refused.status_code == 409
    assert json.loads(refused.content)["action"] == "resync"


@pytest.mark.parametrize("change", ["revoked", "unknown", "no token", "member left"])
def test_who_may_not_sync(client: Client, hub: Path, device: Device, change: str) -> None:
    token = {"unknown": "9" * 64, "no token": ""}.get(change, TOKEN)
    if change == "revoked":
        Device.objects.update(revoked="2026-01-01T00:00:00Z")
    if change == "member left":
        Member.objects.update(state="left")
    refused = post(client, ask(1), token=token)
    assert refused.status_code in (401, 403)
    assert json.loads(refused.content)["action"] == "auth"
    assert Request.objects.count() == 0


@pytest.mark.parametrize("page", [b"", b"[]", b"{}", b"\xff\xfe", b'{"nonce":1}'])
def test_a_malformed_request_is_a_problem_document(client: Client, hub: Path, device: Device, page: bytes) -> None:
    answer = client.post(
        paths.SYNC_V1, page, content_type="application/json", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_an_oversized_request_is_not_read(client: Client, hub: Path, device: Device) -> None:
    answer = client.post(
        paths.SYNC_V1,
        b"{" + b" " * (limits.SYNC_REQUEST + 1),
        content_type="application/json",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert answer.status_code == 413


def test_an_older_client_gets_its_answers_and_no_head_that_it_could_not_read(
    client: Client, hub: Path, device: Device
) -> None:
    publish()
    assert sync(client, ask(1)).head is None


def test_the_feed_has_no_gaps(client: Client, hub: Path, device: Device) -> None:
    for number in range(1, 6):
        sync(client, ask(number))
    assert list(PersonalItem.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4, 5]


def test_a_restored_database_begins_a_new_epoch(client: Client, hub: Path, device: Device) -> None:
    Resource.objects.create(id="r1", title="Water", lang="en", state="published")
    before = publish()
    epochs.set_value("version", 0)  # what the database of yesterday says
    after = publish()
    assert after.epoch > before.epoch
    assert after.version > before.version


def test_the_description_is_served(client: Client) -> None:
    described = client.get("/u/v1/openapi.json").json()
    assert set(described["paths"]) == {
        f"/u/{one}" for one in ("v1/enrol", "v1/move", "v1/devices", "v1/sync", "v2/sync")
    }
