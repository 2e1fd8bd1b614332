"""A request's timeline, what its asker says of the answer, and what of it the community may read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from hub import community_copies
from hub.community_copies import NotAllowed, share, thread_id
from hub.errors import InvalidInput
from hub.home import prepare
from hub.models import Device, Member, Message, Request, RequestKind, Thread
from hub.planes.operations import settle
from hub.publishing import keys
from hub.publishing.records import public_records
from hub.questions import Given, answer, change_state, given_file
from sync.protocol import limits
from sync.protocol.messages import Operation, Receipt, token_hash
from sync.protocol.uploads import attachment_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def device() -> Device:
    home: Path = settings.HOME
    prepare(home)
    keys.ensure_keys(home)
    member = Member.objects.create(email="officer@ministry.example", name="Amina Wanjiru")
    return Device.objects.create(id="device-1", member=member, token_hash="0" * 64)


def send(device: Device, number: int, kind: str, /, **body: Any) -> Receipt:
    (receipt,) = settle(device, [Operation(f"op-{number}", 1, number, kind, body)])
    return receipt


def asked(device: Device, number: int = 1, /, **body: Any) -> Request:
    assert send(device, number, "ask", **{"title": "Solar tablets?", "body": "For 40 schools.", **body}).accepted
    return Request.objects.get(pk=f"op-{number}")


def items(device: Device) -> list[dict[str, Any]]:
    return [item.body for item in device.member.personal_items.order_by("seq")]


def told(device: Device) -> str:
    """Everything that the public streams and the members' streams say."""
    return "\n".join(str(record) for record in public_records())


def test_the_personal_plane_tells_each_step_with_its_time(device: Device) -> None:
    request = asked(device, decision="The budget of 2027", needed_by="2026-12-01")
    assert "history" not in items(device)[-1]  # what is just received has its time already
    assert items(device)[-1]["decision"] == "The budget of 2027"
    change_state(request.pk, "assigned", "bo")
    change_state(request.pk, "waiting", "bo")
    send(device, 2, "reply", target=request.pk, body="In Kitui.")
    answer(request.pk, "Forty.", "Bo")
    (last,) = [item for item in items(device) if item["type"] == "request"][-1:]
    assert [state for state, _ in last["history"]] == ["assigned", "waiting", "in-progress", "delivered"]
    assert all(time.endswith("Z") for _, time in last["history"])


def test_what_the_asker_says_is_stored_once_and_sent_to_their_devices(device: Device) -> None:
    request = asked(device)
    answer(request.pk, "Forty.", "Bo")
    said = {"target": request.pk, "satisfied": "partly", "body": "  The costs are missing. ", "publish": True}
    first = send(device, 2, "rate", **said)
    assert first.accepted
    assert send(device, 2, "rate", **{**said, "satisfied": "no"}) == first
    request.refresh_from_db()
    assert (request.satisfaction, request.satisfaction_words, request.may_publish) == (
        "partly", "The costs are missing.", True,
    )  # fmt: skip
    assert (items(device)[-1]["satisfied"], items(device)[-1]["publish"]) == ("partly", True)
    assert send(device, 3, "rate", **{**said, "satisfied": "yes", "publish": False}).accepted
    request.refresh_from_db()
    assert (request.satisfaction, request.may_publish) == ("yes", False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"satisfied": "perhaps"}, "bad-field"),
        ({"satisfied": None}, "bad-field"),
        ({"satisfied": ["yes"]}, "bad-field"),
        ({"publish": "yes"}, "bad-field"),
        ({"body": 7}, "bad-field"),
        ({"body": "x" * (limits.BODY + 1)}, "too-long"),
        ({"target": "nothing"}, "no-such-target"),
        ({"target": {"id": 1}}, "no-such-target"),
        ({"target": None}, "no-such-target"),
    ],
)
def test_what_cannot_be_is_refused_in_words(device: Device, change: dict[str, Any], code: str) -> None:
    request = asked(device)
    answer(request.pk, "Forty.", "Bo")
    receipt = send(device, 2, "rate", **{"target": request.pk, "satisfied": "yes", "publish": True, **change})
    assert receipt.problem is not None
    assert (receipt.accepted, receipt.problem.code, receipt.problem.action) == (False, code, "drop")
    request.refresh_from_db()
    assert (request.satisfaction, request.may_publish) == ("", None)


def test_only_the_asker_says_it_and_only_of_an_answer(device: Device) -> None:
    request = asked(device)
    early = send(device, 2, "rate", target=request.pk, satisfied="yes")
    assert early.problem is not None
    assert early.problem.code == "not-answered"
    answer(request.pk, "Forty.", "Bo")
    stranger = Member.objects.create(email="other@ministry.example")
    other = Device.objects.create(id="device-2", member=stranger, token_hash="1" * 64)
    assert not send(other, 3, "rate", target=request.pk, satisfied="no", publish=True).accepted
    request.refresh_from_db()
    assert request.satisfaction == ""


def test_an_answer_is_published_with_permission_only(device: Device) -> None:
    request = asked(device)
    answer(request.pk, "Forty, says the ministry.", "Bo")
    with pytest.raises(NotAllowed):
        share(request.pk, "bo", answers=True)
    assert not Thread.objects.exists()
    share(request.pk, "bo")  # the question itself is put to the community: that is what it is for
    assert "For 40 schools." in told(device)
    assert "says the ministry" not in told(device)
    send(device, 2, "rate", target=request.pk, satisfied="yes", publish=True)
    for _ in range(2):
        share(request.pk, "bo", answers=True)
    assert Message.objects.count() == 2
    assert "Forty, says the ministry." in told(device)
    send(device, 3, "rate", target=request.pk, satisfied="yes", publish=False)
    assert "says the ministry" not in told(device)
    assert "For 40 schools." in told(device)
    assert Message.objects.count() == 1, "erased: what is only withdrawn stays in older runs"


def test_a_helpdesk_request_leaves_the_community_with_the_permission(device: Device) -> None:
    request = asked(device, kind="helpdesk")
    answer(request.pk, "Forty.", "Bo")
    with pytest.raises(NotAllowed):
        share(request.pk, "bo")
    send(device, 2, "rate", target=request.pk, satisfied="yes", publish=True)
    share(request.pk, "bo", answers=True)
    assert "Solar tablets?" in told(device)
    send(device, 3, "rate", target=request.pk, satisfied="no")
    assert "Solar tablets?" not in told(device)
    assert not Thread.objects.exists()


def test_what_others_wrote_stays_on_the_hub_when_the_permission_goes(device: Device) -> None:
    request = asked(device, kind="helpdesk")
    answer(request.pk, "Forty.", "Bo")
    send(device, 2, "rate", target=request.pk, satisfied="yes", publish=True)
    thread = share(request.pk, "bo", answers=True)
    Message.objects.create(id="other", thread=thread, author_name="Kofi", body="Same here.", state="published")
    send(device, 3, "rate", target=request.pk, satisfied="no")
    assert told(device) == ""
    assert [message.body for message in Message.objects.all()] == ["Same here."]


@pytest.mark.parametrize("kind", RequestKind.values)
def test_what_is_confidential_is_never_shared(device: Device, kind: str) -> None:
    request = asked(device, kind=kind, confidential=True)
    answer(request.pk, "Forty.", "Bo")
    send(device, 2, "rate", target=request.pk, satisfied="yes", publish=True)
    request.refresh_from_db()
    assert request.may_publish is False
    with pytest.raises(NotAllowed):
        share(request.pk, "bo")
    Request.objects.update(may_publish=True)  # whatever a row may say
    for answers in (False, True):
        with pytest.raises(NotAllowed):
            share(request.pk, "bo", answers=answers)


def test_the_community_never_sees_who_asks_anonymously_and_the_facilitator_does(
    device: Device, client: Client
) -> None:
    request = asked(device, anonymous=True)
    thread = share(request.pk, "bo")
    assert thread.pk == thread_id(request)
    assert "For 40 schools." in told(device)
    assert "Amina" not in told(device)
    assert "officer@" not in told(device)
    assert Message.objects.get().member is None
    client.force_login(User.objects.create_superuser("bo", "bo@hub.example", "x"))
    page = client.get(reverse("admin:hub_request_change", args=[request.pk])).content.decode()
    assert "Amina Wanjiru" in page
    assert "anonymous to the community" in page
    named = asked(device, 2)
    share(named.pk, "bo")
    assert "Amina Wanjiru" in told(device)


def test_only_the_helpdesk_team_reads_what_is_confidential(device: Device, client: Client) -> None:
    request = asked(device, kind="helpdesk", confidential=True, title="The minister’s plan")
    moderator = User.objects.create_user("mo", is_staff=True)
    known = Permission.objects.filter(codename__in=["view_request", "change_request"])
    moderator.user_permissions.set(known)
    client.force_login(moderator)
    address = reverse("admin:hub_request_change", args=[request.pk])
    assert "minister’s plan" not in client.get(reverse("admin:hub_request_changelist")).content.decode()
    assert client.get(address).status_code != 200
    moderator.user_permissions.add(Permission.objects.get(codename="read_confidential"))
    client.force_login(User.objects.get(pk=moderator.pk))
    assert "minister’s plan" in client.get(address).content.decode()


def test_facilitators_see_what_was_said_and_share_from_the_list(device: Device, client: Client) -> None:
    request = asked(device)
    answer(request.pk, "Forty.", "Bo")
    send(device, 2, "rate", target=request.pk, satisfied="partly", body="The costs are missing.", publish=True)
    client.force_login(User.objects.create_superuser("bo", "bo@hub.example", "x"))
    page = client.get(reverse("admin:hub_request_change", args=[request.pk])).content.decode()
    assert "The costs are missing." in page
    chosen = {"action": "share_answers", "_selected_action": [request.pk]}
    page = client.post(reverse("admin:hub_request_changelist"), chosen, follow=True).content.decode()
    assert "next publication" in page
    assert Thread.objects.get().pk == thread_id(request)
    Request.objects.update(may_publish=False)
    page = client.post(reverse("admin:hub_request_changelist"), chosen, follow=True).content.decode()
    assert "has not allowed" in page


def test_a_discussion_that_was_taken_back_is_not_made_by_taking_back(device: Device) -> None:
    request = asked(device)
    community_copies.take_back_answers(request)
    assert not Thread.objects.exists()


def fetched(client: Client, token: str, digest: str, **headers: str) -> Any:
    return client.get(attachment_path(digest), headers={"Authorization": f"Bearer {token}", **headers})


def test_a_file_of_an_answer_is_for_the_asker_alone(client: Client, tmp_path: Path) -> None:
    prepare(settings.HOME)
    keys.ensure_keys(settings.HOME)
    mine, other = "a" * 64, "b" * 64
    for number, token in enumerate((mine, other), 1):
        member = Member.objects.create(email=f"m{number}@ministry.example")
        Device.objects.create(id=f"device-{number}", member=member, token_hash=token_hash(token))
    request = asked(Device.objects.get(pk="device-1"))
    file = tmp_path / "costing.csv"
    file.write_text("school,cost\n" * 500)
    reply = answer(request.pk, "Here.", "Bo", files=[given_file(file), given_file(file)])
    (named,) = items(Device.objects.get(pk="device-1"))[-1]["attachments"]
    assert (named["name"], named["size"], named["media_type"]) == ("costing.csv", 6000, "text/csv")
    whole = fetched(client, mine, named["hash"])
    assert (whole.status_code, b"".join(whole.streaming_content) if whole.streaming else whole.content) == (
        200, file.read_bytes(),
    )  # fmt: skip
    assert whole["Cache-Control"] == "private, no-store"
    rest = fetched(client, mine, named["hash"], Range="bytes=5990-")
    assert (rest.status_code, rest.content) == (206, file.read_bytes()[5990:])
    assert fetched(client, other, named["hash"]).status_code == 404
    assert fetched(client, "c" * 64, named["hash"]).status_code == 401
    assert fetched(client, mine, "0" * 64).status_code == 404
    assert fetched(client, mine, "..%2f..%2fhub.db").status_code == 404
    assert client.get(f"/p/v1/objects/{named['hash']}").status_code == 404
    assert (
        client.post(attachment_path(named["hash"]), headers={"Authorization": f"Bearer {mine}"}).status_code == 405
    )
    assert reply.attachments.count() == 1


def test_files_that_cannot_go_stop_the_answer(device: Device) -> None:
    request = asked(device)
    for given in (Given("empty.txt", "text/plain", []), Given("a/b.txt", "text/plain", [b"x"])):
        with pytest.raises(InvalidInput):
            answer(request.pk, "Here.", "Bo", files=[given])
    too_large = Given("film.mp4", "video/mp4", (b"x" * 2**20 for _ in range(26)))
    with pytest.raises(InvalidInput):
        answer(request.pk, "Here.", "Bo", files=[too_large])
    with pytest.raises(InvalidInput):
        answer(request.pk, "Here.", "Bo", files=[Given(f"{n}.txt", "text/plain", [b"%d" % n]) for n in range(11)])
    request.refresh_from_db()
    assert (request.state, request.replies.count()) == ("submitted", 0)
    assert not list((settings.HOME / "attachments" / "incoming").glob("given-*"))


def test_a_facilitator_attaches_files_in_the_admin(device: Device, client: Client) -> None:
    request = asked(device)
    client.force_login(User.objects.create_superuser("bo", "bo@hub.example", "x"))
    address = reverse("admin:hub_request_change", args=[request.pk])
    form = {
        "reply_author": "Bo", "new_state": "", "assigned_to": "",
        "replies-TOTAL_FORMS": "0", "replies-INITIAL_FORMS": "0",
    }  # fmt: skip
    file = SimpleUploadedFile("plan.pdf", b"%PDF-1.4 a plan", "application/pdf")
    alone = client.post(address, {**form, "reply": "", "reply_files": file})
    assert "write at least a line" in alone.content.decode()
    two = [SimpleUploadedFile("plan.pdf", b"%PDF-1.4 a plan", "application/pdf"),
           SimpleUploadedFile("b.csv", b"a,b", "text/csv")]  # fmt: skip
    client.post(address, {**form, "reply": "Here.", "reply_files": two})
    assert [one["name"] for one in items(device)[-1]["attachments"]] == ["plan.pdf", "b.csv"]
    assert "plan.pdf" in client.get(address).content.decode()
