"""The admin as a facilitator clicks through it: every page opens, every action does what it says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.home import prepare
from hub.invitations import code_hash
from hub.models import (
    AuditEvent,
    Device,
    Edition,
    Event,
    ExpertProfile,
    Invitation,
    Member,
    Message,
    Organisation,
    PersonalItem,
    Request,
    RequestReply,
    Resource,
    ResourceTheme,
    StoredFile,
    StreamRecord,
    Summary,
    SummaryCitation,
    Theme,
    Thread,
)
from hub.publishing import keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("boss@hub.example", "boss@hub.example", "a long password")
    client.force_login(user)
    return client


@pytest.fixture
def content() -> dict[str, Any]:
    now = timezone.now()
    member = Member.objects.create(email="officer@ministry.example", name="Amina")
    theme = Theme.objects.create(id="data-and-evidence", labels={"en": "Data and evidence"})
    resource = Resource.objects.create(
        id="res-1", title="School meals", state="draft", authors=["A", "B"], year=2024
    )
    ResourceTheme.objects.create(resource=resource, theme=theme)
    thread = Thread.objects.create(id="thr-1", title="Meals", updated=now - timedelta(days=30))
    return {
        "member": member,
        "resource": resource,
        "thread": thread,
        "message": Message.objects.create(id="msg-1", thread=thread, author_name="Bo", body="A post to moderate."),
        "summary": Summary.objects.create(id="sum-1", thread=thread, title="S", body="See [1] and [2]."),
        "request": Request.objects.create(
            id="q-1", member=member, title="How do we start?", created=now - timedelta(days=3)
        ),
        "device": Device.objects.create(id="dev-1", member=member, token_hash="a" * 64, name="Laptop"),
        "organisation": Organisation.objects.create(id="org-1", name="Trust"),
        "expert": ExpertProfile.objects.create(id="exp-1", name="Bo"),
        "event": Event.objects.create(id="eve-1", title="Webinar"),
    }


def act(browser: Client, model: str, action: str, *keys: str) -> str:
    answer = browser.post(
        reverse(f"admin:hub_{model}_changelist"), {"action": action, "_selected_action": keys}, follow=True
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_page_opens(browser: Client, content: dict[str, Any]) -> None:
    for model, admin in site._registry.items():
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        assert (
            browser.get(
                reverse(f"admin:{label}_changelist"), {"q": "a"} if admin.search_fields else {}
            ).status_code
            == 200
        )
        if admin.has_add_permission(_request(browser)):
            assert browser.get(reverse(f"admin:{label}_add")).status_code == 200, label
        row = model._default_manager.first()
        if row is not None:
            assert browser.get(reverse(f"admin:{label}_change", args=[row.pk])).status_code == 200, label


def _request(browser: Client) -> Any:
    return browser.get(reverse("admin:index")).wsgi_request


def test_the_first_page_shows_what_waits(browser: Client, content: dict[str, Any]) -> None:
    page = browser.get(reverse("admin:index")).content.decode()
    assert "How do we start?" in page
    assert "3\xa0days" in page
    assert "A post to moderate." in page
    assert page.index("Questions waiting") < page.index("Messages to moderate") < page.index("Library")


def test_only_facilitators_get_in(client: Client) -> None:
    user = get_user_model().objects.create_user("member@hub.example", password="a long password")
    client.force_login(user)
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_answers_carry_safe_headers(browser: Client) -> None:
    answer = browser.get(reverse("admin:index"))
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_admin_speaks_french_and_arabic(browser: Client) -> None:
    french = browser.get(reverse("admin:index"), headers={"accept-language": "fr"}).content.decode()
    assert "Déconnexion" in french
    arabic = browser.get(reverse("admin:index"), headers={"accept-language": "ar"}).content.decode()
    assert 'dir="rtl"' in arabic


def test_publishing_and_withdrawing(browser: Client, content: dict[str, Any]) -> None:
    before = content["resource"].updated
    assert "1 resource is now published" in act(browser, "resource", "publish", "res-1")
    resource = Resource.objects.get()
    assert resource.state == "published"
    assert resource.updated > before
    act(browser, "resource", "withdraw", "res-1")
    assert Resource.objects.get().state == "withdrawn"
    assert AuditEvent.objects.filter(target="res-1").count() == 2


def test_publishing_the_hub_from_the_first_page(
    browser: Client, content: dict[str, Any], settings: Any, tmp_path: Path
) -> None:
    settings.HOME = tmp_path  # what is published here is no other test's business
    prepare(tmp_path)
    keys.ensure_keys(tmp_path)
    act(browser, "resource", "publish", "res-1")
    page = browser.post(reverse("admin:hub_publish"), follow=True).content.decode()
    assert "Published: " in page
    assert StreamRecord.objects.filter(record_id="res-1", deleted=False).exists()
    assert browser.get(reverse("admin:hub_publish")).status_code == 405


def test_editing_a_resource_with_its_text_and_a_file(browser: Client, content: dict[str, Any]) -> None:
    url = reverse("admin:hub_resource_change", args=["res-1"])
    form: dict[str, Any] = {
        "title": "School meals, revised", "lang": "en", "state": "published", "authors": "A\r\nC", "year": "2025",
        "bibliographic": "{}", "extra": "{}",
        "editions-TOTAL_FORMS": "1", "editions-INITIAL_FORMS": "0", "editions-0-lang": "en",
        "editions-0-format": "html", "editions-0-body": "<p>Good</p><script>bad()</script>",
        "files-TOTAL_FORMS": "1", "files-INITIAL_FORMS": "0",
        "files-0-upload": SimpleUploadedFile("../guide.pdf", b"%PDF- guide", "application/pdf"),
    }  # fmt: skip
    for prefix in ("resourcetheme_set", "translations", "identifiers"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    answer = browser.post(url, form)
    assert answer.status_code == 302, answer.context["errors"]
    resource = Resource.objects.get()
    assert (resource.title, resource.authors, resource.countries) == ("School meals, revised", ["A", "C"], [])
    assert Edition.objects.get().body == "<p>Good</p>"
    stored = StoredFile.objects.get()
    assert (stored.name, stored.size, stored.media_type) == ("guide.pdf", 11, "application/pdf")


def reply_form(**fields: str) -> dict[str, str]:
    management = {"replies-TOTAL_FORMS": "0", "replies-INITIAL_FORMS": "0"}
    return {"reply": "", "reply_author": "", "new_state": "", "assigned_to": "", **management, **fields}


def test_answering_a_question(browser: Client, content: dict[str, Any]) -> None:
    url = reverse("admin:hub_request_change", args=["q-1"])
    page = browser.get(url).content.decode()
    assert "Your answer" in page
    answer = browser.post(url, reply_form(reply="Start small.", reply_author="Bo"), follow=True)
    assert "Answered." in answer.content.decode()
    assert Request.objects.get().state == "delivered"
    reply = RequestReply.objects.get()
    assert (reply.body, reply.author_name) == ("Start small.", "Bo")
    assert PersonalItem.objects.filter(member=content["member"]).count() == 2
    assert "Start small." in browser.get(url).content.decode()


def test_moving_and_assigning_a_request(browser: Client, content: dict[str, Any]) -> None:
    url = reverse("admin:hub_request_change", args=["q-1"])
    browser.post(url, reply_form(new_state="triaged", assigned_to="Bo"))
    request = Request.objects.get()
    assert (request.state, request.assigned_to, request.revision) == ("triaged", "Bo", 2)
    assert browser.post(url, reply_form(new_state="closed")).status_code == 200  # not offered: the form says so
    both = browser.post(url, reply_form(new_state="scoped", reply="Text"))
    assert "An answer delivers the request by itself" in both.content.decode()
    assert Request.objects.get().state == "triaged"
    assert RequestReply.objects.count() == 0


def test_the_list_of_requests_begins_with_what_waits(browser: Client, content: dict[str, Any]) -> None:
    member = content["member"]
    Request.objects.create(member=member, title="Done long ago", state="delivered", anonymous=True,
                           created=timezone.now() - timedelta(days=90))  # fmt: skip
    page = browser.get(reverse("admin:hub_request_changelist")).content.decode()
    assert page.index("How do we start?") < page.index("Done long ago")
    assert "anonymous" in page
    page = browser.get(reverse("admin:hub_request_changelist"), {"waiting": "us"}).content.decode()
    assert "Done long ago" not in page


def test_moderation(browser: Client, content: dict[str, Any]) -> None:
    before = content["thread"].updated
    act(browser, "message", "approve", "msg-1")
    assert Message.objects.get().state == "published"
    assert Thread.objects.get().updated > before
    act(browser, "message", "remove", "msg-1")
    assert Message.objects.get().state == "removed"


def test_a_summary_warns_of_numbers_that_cite_nothing(browser: Client, content: dict[str, Any]) -> None:
    form = {
        "thread": "thr-1", "title": "S", "body": "See [1] and [2].", "lang": "en", "state": "published",
        "summarycitation_set-TOTAL_FORMS": "1", "summarycitation_set-INITIAL_FORMS": "0",
        "summarycitation_set-0-message": "msg-1", "summarycitation_set-0-position": "1",
    }  # fmt: skip
    answer = browser.post(reverse("admin:hub_summary_change", args=["sum-1"]), form, follow=True)
    assert "cites [2]" in answer.content.decode()
    assert SummaryCitation.objects.get().message_id == "msg-1"


def test_devices_are_revoked_and_never_edited(browser: Client, content: dict[str, Any]) -> None:
    act(browser, "device", "revoke", "dev-1")
    assert Device.objects.get().revoked is not None
    assert browser.get(reverse("admin:hub_device_add")).status_code == 403


def test_a_code_is_shown_once(browser: Client, content: dict[str, Any]) -> None:
    answer = browser.post(reverse("admin:hub_invitation_add"), {"member": content["member"].pk}, follow=True)
    page = answer.content.decode()
    code = page.split("shown only now: ")[1][:14]
    assert Invitation.objects.get().code_hash == code_hash(code)
    assert code not in browser.get(reverse("admin:hub_invitation_changelist")).content.decode()
    assert "shown only now" in act(browser, "member", "make_codes", content["member"].pk)
    assert Invitation.objects.count() == 2
