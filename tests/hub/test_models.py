"""Ids, the state machine of requests and its clock, the personal feed, invitations, objects, the database."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from hub import objects, personal_feed, questions
from hub.errors import InvalidInput, NotFound, ObjectMissing, TransitionRefused
from hub.ids import derived_id, is_importable_id, new_id
from hub.invitations import code_hash, invite, new_code, revoke
from hub.models import (
    ALLOWED_TRANSITIONS,
    AuditEvent,
    Device,
    Invitation,
    Member,
    PersonalItem,
    Request,
    RequestState,
    Theme,
)
from hub.vocabularies import load_taxonomies, taxonomies

LANGUAGES = {"en", "fr", "es", "pt", "ar", "sw"}


@pytest.fixture
def member(db: None) -> Member:
    return Member.objects.create(email="officer@ministry.example", name="Amina")


def ask(member: Member, **fields: object) -> Request:
    return Request.objects.create(member=member, title="How?", body="Tell me.", **fields)


def test_ids_are_uuid7_and_rise() -> None:
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 5000
    assert uuid.UUID(ids[0]).version == 7
    assert uuid.UUID(ids[0]).variant == uuid.RFC_4122
    assert derived_id("a", "b") == derived_id("a", "b") != derived_id("ab", "")


@pytest.mark.parametrize(
    ("value", "good"),
    [("a", True), ("A.b_c:d-9", True), ("x" * 64, True), ("x" * 65, False), ("", False), ("a b", False),
     (7, False),
     ("a\n", False), ("é", False), (None, False)],
)  # fmt: skip
def test_which_ids_are_kept(value: object, good: bool) -> None:
    assert is_importable_id(value) is good


@pytest.mark.django_db
@pytest.mark.usefixtures("sqlite_only")
def test_sqlite_is_current_durable_and_in_wal_mode() -> None:
    with connection.cursor() as cursor:
        values = {}
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            cursor.execute(f"PRAGMA {name}")
            values[name] = cursor.fetchone()[0]
        cursor.execute("SELECT sqlite_version()")
        version = tuple(int(part) for part in cursor.fetchone()[0].split("."))
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    assert version >= (3, 51, 3)


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
def test_every_taxonomy_has_every_language_and_loads_again_without_a_change() -> None:
    slugs = [concept["id"] for taxonomy in taxonomies() for concept in taxonomy["concepts"]]
    assert len(slugs) == len(set(slugs))
    for taxonomy in taxonomies():
        assert taxonomy["labels"].keys() == LANGUAGES
        assert all(concept["labels"].keys() == LANGUAGES for concept in taxonomy["concepts"])
    assert load_taxonomies() == len(slugs)
    theme = Theme.objects.get(pk="data-and-evidence")
    theme.labels["rw"] = "Amakuru"
    theme.save()
    before = list(Theme.objects.values_list("pk", "updated"))
    load_taxonomies()
    assert list(Theme.objects.values_list("pk", "updated")) == before
    assert Theme.objects.get(pk="data-and-evidence").labels["rw"] == "Amakuru"


def test_the_table_of_transitions_is_closed() -> None:
    assert ALLOWED_TRANSITIONS.keys() == set(RequestState)
    assert ALLOWED_TRANSITIONS[RequestState.CLOSED] == ALLOWED_TRANSITIONS[RequestState.DECLINED] == frozenset()
    for state, following in ALLOWED_TRANSITIONS.items():
        assert state not in following


def test_an_answer_delivers_and_feeds_the_asker(member: Member) -> None:
    request = ask(member)
    reply = questions.answer(request.pk, "  Like this.  ", "Team", ["res-1"])
    request.refresh_from_db()
    assert (request.state, request.revision) == ("delivered", 2)
    items = list(PersonalItem.objects.filter(member=member).values_list("seq", "body__type", "body__state"))
    assert items == [(1, "request", "delivered"), (2, "reply", None)]
    body = PersonalItem.objects.get(seq=2).body
    assert body == {
        "id": reply.pk, "type": "reply", "request": request.pk, "author": "Team", "body": "Like this.",
        "created": body["created"], "cites": ["res-1"],
    }  # fmt: skip
    assert AuditEvent.objects.get().target == request.pk
    questions.answer(request.pk, "And this.", "Team")
    request.refresh_from_db()
    assert (request.state, request.revision) == ("delivered", 3)


def test_what_cannot_be_answered_changes_nothing(member: Member) -> None:
    closed = ask(member, state="closed")
    with pytest.raises(TransitionRefused):
        questions.answer(closed.pk, "Late", "Team")
    with pytest.raises(InvalidInput):
        questions.answer(ask(member).pk, " \n ", "Team")
    with pytest.raises(NotFound):
        questions.answer("nothing", "Text", "Team")
    assert PersonalItem.objects.count() == 0
    assert closed.replies.count() == 0


def test_the_clock_stands_while_the_asker_is_asked_back(member: Member) -> None:
    now = timezone.now()
    request = ask(member, created=now - timedelta(hours=10))
    request.move_to(RequestState.WAITING, now - timedelta(hours=8))
    request.save()
    assert request.age(now) == timedelta(hours=2)
    request.move_to(RequestState.IN_PROGRESS, now - timedelta(hours=1))
    assert request.age(now) == timedelta(hours=3)
    with pytest.raises(ValueError):
        request.move_to(RequestState.TRIAGED)


def test_states_follow_the_table(member: Member) -> None:
    request = ask(member)
    assert questions.change_state(request.pk, "triaged", "me").revision == 2
    with pytest.raises(TransitionRefused):
        questions.change_state(request.pk, "submitted", "me")
    with pytest.raises(InvalidInput):
        questions.change_state(request.pk, "lost", "me")
    assert PersonalItem.objects.filter(member=member).count() == 1


def test_what_waits_comes_first_and_the_oldest_on_top(member: Member) -> None:
    now = timezone.now()
    done = ask(member, state="delivered", created=now - timedelta(days=9))
    young, old = ask(member, created=now), ask(member, created=now - timedelta(days=1))
    ask(member, state="closed")
    assert [r.pk for r in questions.listed()] == [old.pk, young.pk, done.pk]
    assert questions.listed(everything=True).count() == 4


def test_feeding_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        personal_feed.append(Member(email="x"), {"id": "1"})


test_feeding_outside_a_transaction_is_a_mistake = pytest.mark.django_db(transaction=True)(
    test_feeding_outside_a_transaction_is_a_mistake
)


@pytest.mark.django_db(transaction=True)
def test_numbers_of_the_feed_have_no_gaps_under_concurrent_writers() -> None:
    member = Member.objects.create(email="a@b.example")
    errors: list[BaseException] = []

    def feed(name: str) -> None:
        try:
            for number in range(10):
                with transaction.atomic():
                    personal_feed.append(member, {"id": f"{name}-{number}"})
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=feed, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(PersonalItem.objects.values_list("seq", flat=True)) == list(range(1, 41))


@pytest.mark.django_db
def test_codes_survive_handwriting_and_only_their_hash_is_kept() -> None:
    code = invite(" Officer@Ministry.example ", name="Amina", category="researcher", country="ke")
    assert len(code) == 14
    assert code_hash(code) == code_hash(code.lower().replace("-", " ").replace("0", "o").replace("1", "L"))
    assert code_hash("il0o-0000-0000") == code_hash("1100 0000 0000") != code_hash("1100-0000-0001")
    invitation = Invitation.objects.get()
    assert invitation.code_hash == code_hash(code)
    assert timedelta(days=29) < invitation.expires - timezone.now() <= timedelta(days=30)
    member = Member.objects.get()
    assert (member.email, member.country) == ("officer@ministry.example", "KE")
    invite("officer@ministry.example")
    assert Member.objects.get().name == "Amina"
    assert len({new_code() for _ in range(500)}) == 500


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"email": "nobody"}, {"category": "king"}, {"country": "Kenya"}])
def test_an_invitation_with_a_mistake_adds_nobody(options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        invite(options.pop("email", "a@b.example"), **options)
    assert Member.objects.count() == Invitation.objects.count() == 0


def test_a_revoked_device_stays_revoked(member: Member) -> None:
    device = Device.objects.create(member=member, token_hash="a" * 64)
    first = revoke(device.pk).revoked
    assert first is not None
    assert revoke(device.pk).revoked == first
    assert AuditEvent.objects.count() == 1
    with pytest.raises(NotFound):
        revoke("nothing")


def test_objects_are_named_by_their_content(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"content")
    stored = objects.put_file(source)
    assert objects.put_file(source) == stored
    path = objects.open_object(stored.hash)
    assert path.read_bytes() == b"content"
    assert path.parent.name == stored.hash[:2]
    assert list(path.parent.parent.glob(".incoming-*")) == []
    with pytest.raises(ObjectMissing):
        objects.open_object("0" * 64)
    with pytest.raises(ValueError):
        objects.object_path("../../etc/passwd")
