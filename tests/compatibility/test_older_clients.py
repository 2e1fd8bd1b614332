"""What a client of an earlier version said once, said to today's hub: answered, and of one effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sync.protocol import envelope, messages_v1
from sync.protocol.errors import ClientTooOld
from sync.protocol.head import verify_head
from sync.protocol.trust import pin
from tests.compatibility.conversation import TOKEN, Exchange, conversation
from tests.programs import HubProgram


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    """An empty hub that has published, serving."""
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.do("publish")
        hub.start()
        yield hub


def say(hub: HubProgram, one: Exchange, body: bytes | None = None) -> requests.Response:
    """Send a recorded request to `hub`, with another body if one is given."""
    sent = one.body if body is None else body
    return requests.request(one.method, hub.url + one.path, headers=dict(one.headers), data=sent, timeout=30)


def enrol(hub: HubProgram, one: Exchange) -> bytes:
    """Say the recorded enrolment with a code of this hub; return the hub's root."""
    recorded = json.loads(one.body)
    body = one.body.replace(recorded["code"].encode(), hub.do("invite", email="old@ministry.example").encode())
    answer = say(hub, one, body)
    assert answer.status_code == 200, answer.text
    assert set(json.loads(one.answer)) <= set(answer.json())
    return answer.json()["root"].encode()


def test_a_client_of_version_1_delivers_its_question_once(hub: HubProgram) -> None:
    said = conversation(1)
    enrol(hub, said[0])
    question, idle = (one for one in (said[1], said[-3]))
    assert (question.path, idle.path) == ("/u/v1/sync", "/u/v1/sync")
    answers = []
    for one in (question, question, idle):
        got = say(hub, one)
        assert got.status_code == 200, got.text
        nonce = json.loads(one.body)["nonce"]
        messages_v1.verify_answer(TOKEN, nonce, got.content, got.headers["Hubshelf-MAC"])
        answers.append(messages_v1.SyncResponse.from_bytes(got.content))
        assert answers[-1].head is None, "it could read neither this head nor what it leads to"
    (operation,) = messages_v1.SyncRequest.from_bytes(question.body).operations
    stored = hub.do("requests")
    assert {key: row["title"] for key, row in stored.items()} == {operation.id: "Solar tablets?"}
    assert answers[0].receipts == answers[1].receipts
    assert [(one.id, one.accepted) for one in answers[0].receipts] == [(operation.id, True)]
    # The item as the version-1 hub made it, but for the times.
    then = messages_v1.SyncResponse.from_bytes(question.answer)
    assert [_timeless(item) for item in answers[0].items] == [_timeless(item) for item in then.items]
    assert not answers[2].receipts
    assert not answers[2].more


def _timeless(item: object) -> dict[str, object]:
    assert isinstance(item, dict)
    return {key: value for key, value in item.items() if key not in ("created", "updated")}


def test_the_head_that_a_client_of_version_1_is_offered_tells_it_to_upgrade(hub: HubProgram) -> None:
    root = enrol(hub, conversation(1)[0])
    document = requests.get(hub.url + "/p/v1/head", timeout=30).content
    with pytest.raises(ClientTooOld):
        verify_head(document, pin(root), (0, 0), client=1)
    # In the words that version 1 reads: what is signed says that it serves newer clients only.
    assert json.loads(document.partition(b"\n")[0])["client"] == 2


def test_a_client_of_version_2_delivers_its_question_once(hub: HubProgram) -> None:
    said = conversation(2)
    enrol(hub, said[0])
    question = said[1]
    token, nonce, request = envelope.read_ask(question.body)
    assert token == TOKEN
    (operation,) = request.operations
    for _ in range(2):
        got = say(hub, question)
        assert got.status_code == 200, got.text
        reader = envelope.AnswerReader(token, nonce, operations=request.operations)
        events = list(reader.feed(got.content))
        assert reader.finished
        message = events[0]
        assert isinstance(message, envelope.Message)
        assert [(one.id, one.accepted) for one in message.response.receipts] == [(operation.id, True)]
        assert [item["title"] for item in message.response.items] == ["Solar tablets?"]
        assert message.response.head is not None
    assert list(hub.do("requests")) == [operation.id]
