"""Reports to the moderators: taken in once, bounded, handled in the admin, and told to who reported."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from hub.models import AuditEvent, Device, Member, Message, Report, Resource, Thread
from hub.planes.operations import settle
from hub.publishing.records import public_records
from hub.reports import MOST_A_DAY
from sync.protocol.messages import Operation, Receipt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def device() -> Device:
    thread = Thread.objects.create(id="t-1", title="Meals")
    Message.objects.create(id="m-1", thread=thread, author_name="Bo", body="Call me: 555", state="published")
    Message.objects.create(id="m-0", thread=thread, author_name="Bo", body="Not yet", state="pending")
    for number in range(MOST_A_DAY + 1):
        Resource.objects.create(id=f"r-{number}", title=f"Guide {number}", state="published")
    member = Member.objects.create(email="officer@ministry.example", name="Amina Wanjiru")
    return Device.objects.create(id="device-1", member=member, token_hash="0" * 64)


@pytest.fixture
def browser(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("boss@hub.example", "boss@hub.example", "a long password")
    client.force_login(user)
    return client


def send(device: Device, number: int, **body: Any) -> Receipt:
    (receipt,) = settle(device, [Operation(f"op-{number}", 1, number, "report", body)])
    return receipt


def code(receipt: Receipt) -> str:
    assert receipt.problem is not None
    return receipt.problem.code


def test_a_report_is_taken_in_once_and_has_bounds(device: Device) -> None:
    first = send(device, 1, target="m-1", reason="private", body=" Her number. ")
    assert (first.accepted, first.state) == (True, "open")
    assert send(device, 1, target="m-1", reason="private", body="Again") == first
    (report,) = Report.objects.all()
    assert (report.words, report.message_id, report.member) == ("Her number.", "m-1", device.member)

    assert code(send(device, 2, target="m-1", reason="spam")) == "reported-already"
    assert code(send(device, 3, target="m-0", reason="spam")) == "report-gone"
    assert code(send(device, 4, target="r-1", reason=["spam"])) == "bad-field"
    assert code(send(device, 5, target="r-1", reason="spam", body="x" * 2001)) == "too-long"
    answers = [send(device, 10 + n, target=f"r-{n}", reason="wrong") for n in range(MOST_A_DAY)]
    assert [one.accepted for one in answers] == [True] * (MOST_A_DAY - 1) + [False]
    assert code(answers[-1]) == "too-many-reports"


def test_a_moderator_removes_the_message_and_who_reported_is_told(device: Device, browser: Client) -> None:
    other = Member.objects.create(email="teacher@school.example", name="Juma")
    tablet = Device.objects.create(id="device-2", member=other, token_hash="1" * 64)
    send(device, 1, target="m-1", reason="private")
    settle(tablet, [Operation("op-b", 1, 1, "report", {"target": "m-1", "reason": "spam"})])
    send(device, 2, target="r-1", reason="wrong", body="Page 12")
    assert "Reported by members" in browser.get("/admin/").content.decode()
    address = reverse("admin:hub_report_changelist")
    page = browser.get(address).content.decode()
    assert "Amina Wanjiru" in page
    assert reverse("admin:hub_message_change", args=["m-1"]) in page
    assert "Amina" not in "\n".join(str(record) for record in public_records())

    both = {"action": "remove", "_selected_action": ["op-1", "op-2"]}
    assert "Only a message can be removed here" in browser.post(address, both, follow=True).content.decode()
    browser.post(address, {"action": "stays", "_selected_action": "op-2"})
    assert Message.objects.get(pk="m-1").state == "removed"
    assert "m-1" not in {record.body["id"] for record in public_records()}
    told = {item.item_id: item.body["state"] for item in device.member.personal_items.all()}
    assert told == {"op-1": "removed", "op-2": "stays"}
    assert [item.body["state"] for item in other.personal_items.all()] == ["removed"]
    assert AuditEvent.objects.filter(kind="report-removed", target="op-1", actor="boss@hub.example").exists()
    # It was handled: another moderator who is late changes nothing, and it may be reported anew.
    browser.post(address, {"action": "stays", "_selected_action": "op-1"})
    assert Report.objects.get(pk="op-1").state == "removed"
    assert send(device, 3, target="r-1", reason="wrong").accepted
