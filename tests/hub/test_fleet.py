"""What PCs tell of themselves: what the hub keeps of it, and what the team sees."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub import fleet, site_codes
from hub.errors import InvalidInput, NotFound
from hub.models import AuditEvent, Device, Member
from sync.protocol.telling import About

pytestmark = pytest.mark.django_db

TOLD = About("0.2", "linux-x86_64", "2026-11-20T08:00:00Z", {"offline": 3, "captive-portal": 1}, 12_000, 340)


@pytest.fixture
def device() -> Device:
    member = Member.objects.create(email="amina@ministry.example", name="Amina")
    return Device.objects.create(id="d1", member=member, name="Desk 4", token_hash="a" * 64)


@pytest.fixture
def browser(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("team", "team@hub.example", "x")
    client.force_login(user)
    return client


def now_of(device: Device) -> Device:
    return Device.objects.get(pk=device.pk)


def test_what_was_told_is_kept_and_forgotten(device: Device) -> None:
    fleet.note(device, TOLD.to_json())
    kept = now_of(device)
    assert (kept.version, kept.system, kept.free_mb, kept.shelf_mb) == ("0.2", "linux-x86_64", 12_000, 340)
    assert kept.in_step is not None
    assert kept.in_step.isoformat() == "2026-11-20T08:00:00+00:00"
    assert fleet.failures(kept) == "offline 3, captive-portal 1"
    fleet.note(device, None)
    assert now_of(device).told is not None
    fleet.note(device, {})
    gone = now_of(device)
    assert (gone.version, gone.in_step, gone.failures, gone.free_mb, gone.told) == ("", None, {}, None, None)


@pytest.mark.parametrize(
    "about",
    [
        [],
        "x",
        {"version": "<b>1</b>", "system": "linux"},
        {"version": "1", "system": "linux", "failed": {"=cmd()": 1}},
        {"version": "1", "system": "linux", "failed": {f"c{n}": 1 for n in range(9)}},
        {"version": "1", "system": "linux", "failed": {"offline": -1}},
        {"version": "1", "system": "linux", "failed": {"offline": True}},
        {"version": "1", "system": "linux", "in_step": "yesterday"},
        {"version": "1", "system": "linux", "free_mb": 10**12},
        {"version": "1", "system": "linux", "more": "x" * 600},
        {"version": "1" * 41, "system": "linux"},
    ],
)
def test_what_no_pc_tells_is_passed_over(device: Device, about: object) -> None:
    fleet.note(device, about)
    assert now_of(device).told is None


def test_a_time_that_is_none_hurts_nobody(device: Device) -> None:
    fleet.note(device, {"version": "1", "system": "linux", "in_step": "2026-99-99T99:99:99Z"})
    assert now_of(device).version == "1"
    assert now_of(device).in_step is None


def test_the_list_is_narrowed_and_written_as_csv(browser: Client, device: Device) -> None:
    fleet.note(device, TOLD.to_json())
    old = timezone.now() - timedelta(days=40)
    member = Member.objects.create(email="joe@ministry.example", name="=HYPERLINK(1)")
    Device.objects.create(id="d2", member=member, name="@Desk", token_hash="b" * 64, last_seen=old, created=old)
    Device.objects.create(id="d3", member=member, name="Here", token_hash="c" * 64, last_seen=timezone.now())
    page = reverse("admin:hub_device_changelist")

    def shown(**narrow: str) -> set[str]:
        answer = browser.get(page, narrow)
        assert answer.status_code == 200
        return {one.pk for one in answer.context["cl"].result_list}

    assert shown() == {"d1", "d2", "d3"}
    assert shown(silent="30") == {"d2"}
    assert shown(silent="90") == set()
    assert shown(failing="yes") == {"d1"}
    assert shown(failing="no") == set()
    assert shown(version="0.2") == {"d1"}
    answer = browser.post(page, {"action": "as_csv", "_selected_action": ["d1", "d2"]})
    assert answer["Content-Type"].startswith("text/csv")
    (event,) = AuditEvent.objects.filter(kind="devices-exported")
    assert (event.actor, event.target) == ("team", "2")
    rows = {one["id"]: one for one in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))}
    assert rows["d1"]["failures"] == "offline 3, captive-portal 1"
    assert rows["d1"]["in_step"] == "2026-11-20T08:00:00Z"
    assert (rows["d2"]["name"], rows["d2"]["member"]) == ("'@Desk", "'=HYPERLINK(1)")


def test_groups_are_given_in_the_list_and_noted(browser: Client, device: Device) -> None:
    page = reverse("admin:hub_device_changelist")
    form = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": "d1", "form-0-group": "pilot",
        "_save": "Save",
    }  # fmt: skip
    assert browser.post(page, form).status_code == 302
    assert now_of(device).group == "pilot"
    (event,) = AuditEvent.objects.filter(kind="device-grouped")
    assert (event.actor, event.target) == ("team", "d1 pilot")
    assert browser.get(reverse("admin:hub_device_change", args=["d1"])).status_code == 200
    assert browser.get(reverse("admin:hub_device_delete", args=["d1"])).status_code == 403


def test_a_group_is_told_to_who_does_not_know_it(device: Device) -> None:
    assert fleet.put_into_group(" pilot  PCs ", ["d1"]) == 1
    assert fleet.put_into_group("pilot PCs", ["d1"]) == 0
    assert fleet.news_of_group(now_of(device), "") == "pilot PCs"
    assert fleet.news_of_group(now_of(device), "pilot PCs") is None
    fleet.put_into_group("", ["d1"])
    assert fleet.news_of_group(now_of(device), "pilot PCs") == ""
    with pytest.raises(NotFound, match="d9"):
        fleet.put_into_group("x", ["d1", "d9"])
    with pytest.raises(InvalidInput):
        fleet.put_into_group("x" * 41, ["d1"])
    assert now_of(device).group == ""


def test_pcs_of_a_site_code_come_into_its_group() -> None:
    code, _text = site_codes.create(5, note="Office", group="pilot")
    site_codes.use(code, "d7", "Desk", "e" * 64)
    assert Device.objects.get(pk="d7").group == "pilot"
