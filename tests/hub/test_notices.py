"""Notices: what a facilitator says became of a resource, and what shelves then get of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from hub import notices
from hub.models import AuditEvent, Edition, Resource
from hub.publishing.records import public_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("boss@hub.example", "boss@hub.example", "a long password")
    client.force_login(user)
    return client


@pytest.fixture
def old() -> Resource:
    old = Resource.objects.create(
        id="old", title="Costing guide", summary="How", authors=["A"], year=2020, lang="en", state="published"
    )
    Edition.objects.create(id="old-text", resource=old, lang="en", body="Whole text.")
    Resource.objects.create(id="new", title="Costing guide, 2nd edition", lang="en", state="published")
    return old


def wire() -> dict[str, dict[str, Any]]:
    return {record.body["id"]: record.body for record in public_records()}


def filled(resource: Resource, **given: str) -> dict[str, str]:
    form: dict[str, str] = {
        "title": resource.title, "summary": resource.summary, "lang": "en", "state": "published",
        "authors": "A", "year": "2020", "bibliographic": "{}", "extra": "{}",
    }  # fmt: skip
    for prefix in ("resourcetheme_set", "translations", "editions", "files", "identifiers"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return form | given


def test_a_notice_is_given_in_the_form_and_goes_onto_the_wire(browser: Client, old: Resource) -> None:
    address = reverse("admin:hub_resource_change", args=[old.pk])
    refused = browser.post(address, filled(old, notice_kind="superseded"))
    assert "takes its place" in refused.content.decode()
    assert "notice" not in wire()["old"]

    note = "en: The prices are of 2019.\nfr: Les prix sont de 2019."
    given = {"notice_kind": "superseded", "notice_by": "new", "notice_note": note, "notice_since": "2026-05-03"}
    assert browser.post(address, filled(old, **given)).status_code == 302
    assert wire()["old"]["notice"] == {
        "kind": "superseded",
        "note": {"en": "The prices are of 2019.", "fr": "Les prix sont de 2019."},
        "since": "2026-05-03",
        "by": "new",
    }
    assert "There is a newer edition: Costing guide, 2nd edition" in browser.get(address).content.decode()
    assert AuditEvent.objects.filter(kind="resource-superseded", target="old").exists()


def test_of_a_withdrawn_resource_the_record_stays_and_its_text_goes(browser: Client, old: Resource) -> None:
    assert "old-text" in wire()
    picked = {"action": "mark_withdrawn", "_selected_action": "old"}
    browser.post(reverse("admin:hub_resource_changelist"), picked)
    record = wire()["old"]
    assert (record["title"], record["authors"], record["notice"]["kind"]) == ("Costing guide", ["A"], "withdrawn")
    assert "old-text" not in wire()
    assert not {"summary", "editions", "files"} & set(record)

    browser.post(reverse("admin:hub_resource_changelist"), {**picked, "action": "unmark"})
    assert "notice" not in wire()["old"]
    assert "old-text" in wire()


def test_notes_are_bounded_and_have_a_language() -> None:
    assert notices.checked_note("pt-BR: Um\n dois\n\nar: x") == {"pt-BR": "Um dois", "ar": "x"}
    for bad in ("no language", "en: " + "x" * 1001, "\n".join(f"en-{n:02}: x" for n in range(21))):
        with pytest.raises(ValidationError):
            notices.checked_note(bad)
