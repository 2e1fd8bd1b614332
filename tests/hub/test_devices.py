"""A member's own devices over HTTP: who may list, revoke and move what, and what they are told."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client

from hub.models import AuditEvent, Device, Member
from hub.planes import devices as plane
from sync.protocol import paths
from sync.protocol.devices import DevicesAnswer, DevicesRequest, MoveRequest
from sync.protocol.messages import token_hash
from sync.protocol.messages_v1 import verify_answer

pytestmark = pytest.mark.django_db(transaction=True)
NONCE = "7" * 32


@pytest.fixture(autouse=True)
def two_members() -> None:
    """Amina with two devices, Joe with one; the token of each is its id's last letter, 64 times."""
    plane._asked.clear()
    for email, names in (("amina@ministry.example", "ab"), ("joe@ministry.example", "c")):
        member = Member.objects.create(email=email)
        for name in names:
            Device.objects.create(id=f"device-{name}", member=member, name=name, token_hash=token_hash(name * 64))


def post(client: Client, path: str, who: str, message: MoveRequest | DevicesRequest) -> HttpResponse:
    return client.post(
        path, message.to_bytes(), content_type="application/json", headers={"Authorization": f"Bearer {who * 64}"}
    )


def listed(answer: HttpResponse, who: str) -> dict[str, bool]:
    """The devices of an authentic answer: id → whether it has access."""
    assert answer.status_code == 200, answer.content
    verify_answer(who * 64, NONCE, answer.content, answer[paths.MAC_HEADER])
    return {one.id: not one.revoked for one in DevicesAnswer.from_bytes(answer.content).devices}


def code(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_one_sees_and_revokes_only_ones_own_others(client: Client) -> None:
    ask = post(client, paths.DEVICES, "a", DevicesRequest(NONCE, system="Linux"))
    assert listed(ask, "a") == {"device-a": True, "device-b": True}
    assert Device.objects.get(pk="device-a").system == "Linux"
    assert code(post(client, paths.DEVICES, "a", DevicesRequest(NONCE, "device-c"))) == (404, "no-such-device")
    assert code(post(client, paths.DEVICES, "a", DevicesRequest(NONCE, "device-a"))) == (422, "own-device")
    assert not Device.objects.exclude(revoked=None).exists()
    revoked = post(client, paths.DEVICES, "a", DevicesRequest(NONCE, "device-b"))
    assert listed(revoked, "a") == {"device-a": True, "device-b": False}
    told = post(client, paths.DEVICES, "b", DevicesRequest(NONCE))
    assert (code(told), told.json()["forget"]) == ((401, "device-revoked"), True)
    event = AuditEvent.objects.get(kind="device-revoked")
    assert (event.actor, event.target) == (Device.objects.get(pk="device-a").member_id, "device-b")


def test_a_list_is_not_asked_for_all_day(client: Client) -> None:
    for _ in range(60):
        post(client, paths.DEVICES, "a", DevicesRequest(NONCE))
    assert code(post(client, paths.DEVICES, "a", DevicesRequest(NONCE))) == (429, "too-many")
    assert listed(post(client, paths.DEVICES, "c", DevicesRequest(NONCE)), "c") == {"device-c": True}


def test_a_place_is_given_once_and_the_same_claim_is_answered_again(client: Client) -> None:
    claim = MoveRequest(NONCE, "device-d", "d" * 64, "New", "Windows")
    for _ in range(2):
        answer = post(client, paths.MOVE, "a", claim)
        assert answer.status_code == 200
        verify_answer("a" * 64, NONCE, answer.content, answer[paths.MAC_HEADER])
    new = Device.objects.get(pk="device-d")
    assert (new.member.email, new.system, new.revoked) == ("amina@ministry.example", "Windows", None)
    late = post(client, paths.MOVE, "a", MoveRequest(NONCE, "device-e", "e" * 64))
    assert (code(late), late.json()["forget"]) == ((401, "device-moved"), True)
    assert code(post(client, paths.DEVICES, "a", DevicesRequest(NONCE))) == (401, "device-moved")
    taken = post(client, paths.MOVE, "b", MoveRequest(NONCE, "device-c", "f" * 64))
    assert code(taken) == (409, "device-known")
    assert Device.objects.get(pk="device-b").revoked is None
    assert code(post(client, paths.MOVE, "f", claim)) == (401, "unknown-device")
    assert AuditEvent.objects.get(kind="device-moved").target == "device-a device-d"
