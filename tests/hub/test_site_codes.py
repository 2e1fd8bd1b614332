"""Site codes over the wire: so many places and no more, once each, and nobody's place but one's own."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from hub import site_codes
from hub.errors import InvalidInput
from hub.home import prepare
from hub.models import AuditEvent, Device, KeyGrant, Member, Message, Request, Resource, SiteCode, Thread
from hub.planes import enrolment
from hub.planes.answers import Refused
from hub.publishing import keys, served
from hub.publishing.sealer import publish
from sync.protocol import paths
from sync.protocol.messages import EnrolRequest, EnrolResponse, Operation, Receipt
from sync.protocol.wire_json import sha256
from tests.hub.test_member_streams import ask as ask_as
from tests.hub.test_member_streams import fetch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hub() -> Path:
    home: Path = settings.HOME
    for name in ("served", "publishing", "keys", "members"):
        shutil.rmtree(home / name, ignore_errors=True)
    prepare(home)
    keys.ensure_keys(home)
    enrolment._failures.clear()
    return home


def enrol(client: Client, code: str, name: str, token: str = "") -> HttpResponse:
    message = EnrolRequest(code, f"device-{name}", token or sha256(name.encode()), f"PC {name}")
    return client.post(paths.ENROL, message.to_bytes(), content_type="application/json")


def problem(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def say(client: Client, pc: str, operation_kind: str, counter: int = 1, **body: object) -> Receipt:
    """Sync as the PC `pc` with one operation; return its receipt."""
    operation = Operation(f"{operation_kind}-{pc}-{counter}", 1, counter, operation_kind, dict(body))
    answer, _things = ask_as(client, pc, operations=(operation,))
    (receipt,) = answer.receipts
    return receipt


def test_a_code_lets_in_as_many_as_it_says(client: Client) -> None:
    code, text = site_codes.create(2, note="Third floor")
    assert text not in str(SiteCode.objects.values()[0])
    first = EnrolResponse.from_bytes(enrol(client, text, "a").content)
    assert (first.joining, first.member, first.email, tuple(first.keys)) == (True, "", "", ())
    assert enrol(client, text.lower().replace("-", " "), "b").status_code == 200
    assert problem(enrol(client, text, "c")) == (403, "site-code-used-up")
    code.refresh_from_db()
    assert (code.used, code.standing) == (2, "full")
    assert Device.objects.filter(site=code).count() == Member.objects.filter(state="joining").count() == 2
    kinds = list(AuditEvent.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["site-code-made", "enrol-site", "enrol-site"]


def test_a_lost_answer_takes_no_second_place(client: Client) -> None:
    _code, text = site_codes.create(1)
    once = enrol(client, text, "a")
    again = enrol(client, text, "a")
    assert once.content == again.content
    assert SiteCode.objects.get().used == 1
    assert problem(enrol(client, text, "a", token="f" * 64)) == (409, "device-known")


def test_a_lost_answer_is_given_again_after_the_end(client: Client) -> None:
    code, text = site_codes.create(1)
    enrol(client, text, "a")
    SiteCode.objects.update(expires=timezone.now() - timedelta(days=1))
    site_codes.revoke(code.pk)
    assert enrol(client, text, "a").status_code == 200
    assert SiteCode.objects.get().used == 1


@pytest.mark.usefixtures("sqlite_only")
def test_of_many_at_once_no_more_come_in_than_there_are_places() -> None:
    _code, text = site_codes.create(3)
    answers: list[int] = []

    def come(number: int) -> None:
        try:
            answers.append(enrol(Client(), text, f"pc{number}").status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [200] * 3 + [403] * 5
    assert SiteCode.objects.get().used == Device.objects.count() == 3


def test_by_hand_a_site_code_lets_nobody_in() -> None:
    _code, text = site_codes.create(1)
    with pytest.raises(Refused, match="not known here"):
        enrolment.enrol_hashed(text, "device-a", "PC", "0" * 64, site_codes=False)
    assert SiteCode.objects.get().used == 0


def test_ended_codes_say_so(client: Client) -> None:
    expired, text = site_codes.create(5)
    SiteCode.objects.filter(pk=expired.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert problem(enrol(client, text, "a")) == (403, "site-code-expired")
    revoked, text = site_codes.create(5)
    site_codes.revoke(revoked.pk)
    assert problem(enrol(client, text, "a")) == (403, "site-code-revoked")
    assert problem(enrol(client, "ABCD-EFGH-JKMN", "a")) == (403, "unknown-code")
    assert not Device.objects.exists()


def test_guessing_is_slowed_down_and_coming_in_is_not(client: Client) -> None:
    _code, text = site_codes.create(100)
    for number in range(30):  # an office behind one address
        assert enrol(client, text, f"pc{number}").status_code == 200
    codes = {problem(enrol(client, f"ABCD-EFGH-{number:04}", "x")) for number in range(21)}
    assert (429, "too-many-codes") in codes


@pytest.mark.parametrize(("uses", "days"), [(0, 1), (100_001, 1), (5, -1)])
def test_a_code_has_bounds(uses: int, days: int) -> None:
    with pytest.raises(InvalidInput):
        site_codes.create(uses, timezone.now() + timedelta(days=days))


def test_who_is_joining_reads_what_is_public_and_may_ask_and_nothing_else(client: Client, hub: Path) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    thread = Thread.objects.create(id="t1", title="Among ourselves", lang="en", visibility="members")
    Message.objects.create(id="m1", thread=thread, body="In trust.", state="published")
    publish()
    sealed = [path.name for path in (hub / "members").rglob("*") if path.is_file() and len(path.name) == 64]
    assert sealed, "there is something for members"
    _code, text = site_codes.create(1)
    enrol(client, text, "a")
    answer, things = ask_as(client, "a", room=1_000_000)
    assert answer.head is not None
    assert answer.keys == ()
    assert not set(things) & set(sealed)
    assert {fetch(client, name, "a")[0] for name in sealed if served.sealed_path(hub, name).is_file()} == {403}
    assert not KeyGrant.objects.exists()
    assert say(client, "a", "ask", kind="question", title="Solar?").accepted
    assert Request.objects.get().member.state == "joining"

    # Once the team approves, they are a member like any other.
    assert say(client, "a", "introduce", 2, name="Amina Wanjiru", email="Amina@ministry.example").accepted
    member = Member.objects.get()
    assert (member.name, member.said_email) == ("Amina Wanjiru", "amina@ministry.example")
    assert "amina" not in member.email
    site_codes.approve(member.pk)
    answer, _things = ask_as(client, "a", room=1_000_000)
    assert len(answer.keys) == 1
    assert Member.objects.get().email == "amina@ministry.example"
    late = say(client, "a", "introduce", 3, name="Somebody else", email="else@ministry.example")
    assert (late.accepted, late.problem and late.problem.code) == (False, "already-a-member")


def test_an_introduction_takes_nobodys_place(client: Client) -> None:
    Member.objects.create(email="joe@ministry.example", name="Joe")
    _code, text = site_codes.create(1)
    enrol(client, text, "a")
    assert say(client, "a", "introduce", name="Joe", email="joe@ministry.example").accepted
    joining = Member.objects.get(state="joining")
    with pytest.raises(InvalidInput, match="member already"):
        site_codes.approve(joining.pk)
    assert Member.objects.get(email="joe@ministry.example").devices.count() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "", "email": "a@b.example"},
        {"name": "A", "email": "nobody"},
        {"name": "A"},
        {"name": 3, "email": 4},
    ],
)
def test_an_introduction_without_sense_is_refused(client: Client, wrong: dict[str, object]) -> None:
    _code, text = site_codes.create(1)
    enrol(client, text, "a")
    assert not say(client, "a", "introduce", **wrong).accepted
    assert Member.objects.get().said_email == ""


def test_nobody_is_approved_before_they_said_who_they_are(client: Client) -> None:
    _code, text = site_codes.create(1)
    enrol(client, text, "a")
    with pytest.raises(InvalidInput, match="who sits"):
        site_codes.approve(Member.objects.get().pk)


def test_the_team_makes_codes_and_approves_in_the_admin(client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss", "boss@hub.example", "pw"))
    page = "/admin/hub/sitecode/add/"
    form = {"note": "Annex", "uses": 2, "expires_0": "2099-06-30", "expires_1": "12:00:00"}
    assert client.post(page, {**form, "uses": 0}).status_code == 200  # said in the form
    assert client.post(page, {**form, "expires_0": "2001-01-01"}).status_code == 200
    assert not SiteCode.objects.exists()
    made = client.post(page, form, follow=True)
    shown = next(str(message) for message in made.context["messages"])
    text = shown.split(": ")[1][:14]
    assert enrol(Client(), text, "a").status_code == 200
    say(Client(), "a", "introduce", name="Amina", email="amina@ministry.example")
    assert b"People who are joining" in client.get("/admin/").content
    member = Member.objects.get()
    chosen = {"action": "approve", "_selected_action": [member.pk]}
    client.post("/admin/hub/member/", chosen)
    member.refresh_from_db()
    assert member.state == "active"
    client.post("/admin/hub/sitecode/", {"action": "revoke", "_selected_action": [SiteCode.objects.get().pk]})
    assert SiteCode.objects.get().standing == "revoked"
    assert client.get("/admin/hub/sitecode/").status_code == 200
