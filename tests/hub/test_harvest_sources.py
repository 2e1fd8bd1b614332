"""Lists of sources, groups of Zotero, and what facilitators do with sources and their inbox."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.errors import InvalidInput
from hub.harvest import lists, running
from hub.harvest.running import harvest
from hub.models import AuditEvent, Harvest, InboxItem, Resource, Source
from tests.hub.harvest_server import Server
from tests.programs import HubProgram

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


class Group:
    """A Zotero library by the rules of its web API: versions that rise, pages, items that are gone."""

    def __init__(self, server: Server) -> None:
        self.version = 1
        self.items: dict[str, dict[str, Any]] = {}
        self.gone: dict[str, int] = {}
        self.between: Callable[[], None] = lambda: None
        server.answer = self.answer  # type: ignore[method-assign]

    def put(self, key: str, **data: Any) -> None:
        self.version += 1
        data = {"key": key, "itemType": "report", **data}
        self.items[key] = {"key": key, "version": self.version, "data": data}

    def erase(self, key: str) -> None:
        self.version += 1
        del self.items[key]
        self.gone[key] = self.version

    def answer(self, path: str, _condition: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        since, start = int(query.get("since", 0)), int(query.get("start", 0))
        headers = {"Last-Modified-Version": str(self.version)}
        if parts.path.endswith("/deleted"):
            gone = [key for key, version in self.gone.items() if version > since]
            return 200, headers, json.dumps({"items": gone, "tags": ["x"]}).encode()
        if not parts.path.endswith("/items/top"):
            return 404, {}, b"Not found"
        found = [item for item in self.items.values() if item["version"] > since]
        body = json.dumps(found[start : start + int(query["limit"])]).encode()
        headers["Total-Results"] = str(len(found))
        if start == 0:
            self.between()
        return 200, headers, body


def test_a_group_of_zotero_comes_by_its_versions(server: Server) -> None:
    group = Group(server)
    for number in range(250):
        group.put(f"K{number:03}", title=f"Report number {number}", rights="CC BY 4.0", date="2021")
    group.put("NOTE", itemType="note", note="<p>Private</p>")
    where, _new = lists.add("zotero", server.url + "/groups/7", "Our group", actor="team")
    run = harvest(where)
    assert (run.whole, run.error, run.pages, run.new) == (True, "", 3, 250)
    assert InboxItem.objects.get(key="K007").record["licence"] == "CC-BY-4.0"
    group.put("K007", title="Report number 7, second edition")
    group.put("K008", title="Report number 8", deleted=1)
    group.erase("K009")
    run = harvest(Source.objects.get(pk=where.pk))
    assert (run.whole, run.new, run.changed, run.deleted) == (True, 0, 1, 2)
    states = dict(InboxItem.objects.filter(key__in=["K008", "K009"]).values_list("key", "state"))
    assert states == {"K008": "gone", "K009": "gone"}
    run = harvest(Source.objects.get(pk=where.pk))
    assert (run.whole, run.new, run.changed, run.deleted) == (True, 0, 0, 0)


def test_a_group_that_changes_between_two_pages_loses_nothing(server: Server) -> None:
    group = Group(server)
    for number in range(150):
        group.put(f"K{number:03}", title=f"Report number {number}")
    turns = iter([lambda: group.erase("K000")])
    group.between = lambda: next(turns, lambda: None)()
    where, _new = lists.add("zotero", server.url + "/groups/7", actor="team")
    run = harvest(where)
    assert (run.whole, run.error) == (True, "")
    assert InboxItem.objects.filter(key__in=group.items).count() == 149
    group.between = lambda: group.put("K001", title=f"Again {group.version}")
    run = harvest(Source.objects.get(pk=where.pk))
    assert run.whole or "all the time" in run.error


def test_what_is_no_public_group_is_said(server: Server) -> None:
    where, _new = lists.add("zotero", server.url + "/groups/8", actor="team")
    assert "not public" in harvest(where).error
    for body in (b"<html>", b"{}", b"[" * 100_000):
        server.answers["/groups/8/items/top"] = (200, {}, body)
        assert "The source sent something" in harvest(where).error


def test_sources_are_added_once_and_their_turn_comes(server: Server) -> None:
    one, new = lists.add("feed", "https://example.org/feed", "News", every_minutes=60, actor="team")
    assert new
    assert lists.add("feed", "https://example.org/feed", "Other", actor="team") == (one, False)
    other, _new = lists.add("feed", "https://example.org/other", "News", actor="team")
    assert other.name == "News 2"
    assert AuditEvent.objects.filter(kind="source-added").count() == 2
    now = timezone.now()
    assert lists.due(now) == [one], "the other one is harvested by hand alone"
    one.harvested = now - timedelta(minutes=59)
    one.save()
    assert lists.due(now) == []
    assert lists.due(now + timedelta(minutes=2)) == [one]
    for address in (
        "ftp://example.org",
        "example.org",
        "https://u:p@example.org/x",
        "https://a b\n",
        "http://[",
        "",
    ):
        with pytest.raises(InvalidInput):
            lists.add("feed", address, actor="team")


@pytest.mark.real_input
def test_every_list_of_feeds(shared_data: Path) -> None:
    files = sorted(
        path for path in (shared_data / "harvest").glob("opml_*/**/*") if path.suffix in (".opml", ".xml")
    )
    assert len(files) > 50
    named, taken = set(), 0
    for path in files:
        text = path.read_text(errors="replace")
        named |= set(re.findall(r"<outline[^>]*\sxmlUrl=\"(https?://[^\"]+)\"", text))
        with suppress(InvalidInput):  # no feed in it
            taken += len(lists.add_feeds(path, actor="team").added)
            assert lists.add_feeds(path, actor="team").added == []
    found = set(Source.objects.values_list("url", flat=True))
    assert len(found) == taken > 200
    assert {html.unescape(one) for one in named} <= found


def test_lists_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    entity = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml version="2.0"><body>&a;</body></opml>'
    for name, text in {"a": "", "b": "<opml>", "c": entity, "d": "<opml>" * 100_000}.items():
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(InvalidInput):
            lists.add_feeds(path, actor="team")
    with pytest.raises(InvalidInput, match="cannot be read"):
        lists.add_feeds(tmp_path / "absent", actor="team")


FEED = (
    '<rss version="2.0"><channel><title>News</title><item><guid>{0}</guid><title>{1}</title>'
    "<link>https://example.org/{0}</link></item>"
    "<item><guid>b</guid><title>Roofs that last</title></item></channel></rss>"
)


def test_the_commands_from_source_to_resource(server: Server, tmp_path: Path) -> None:
    told = HubProgram(tmp_path / "hub").init().run
    server.answers["/feed"] = (200, {}, FEED.format("a", "A school for everybody").encode())
    opml = tmp_path / "feeds.opml"
    opml.write_text(
        f'<opml version="2.0"><body><outline type="rss" text="News" xmlUrl="{server.url}/feed"/></body></opml>'
    )
    (added,) = told("source", "import", str(opml))["added"]
    assert told("source", "add", "feed", server.url + "/feed")["new"] is False
    (run,) = told("source", "harvest", "News")["harvests"]
    assert (run["read"], run["new"], run["whole"]) == (2, 2, True)
    assert told("source", "harvest", "--due")["harvests"] == []
    assert told("source", "list")["sources"][0]["waiting"] == 2
    listed = told("inbox", "list", "--source", added["id"])
    assert listed["total"] == 2
    first, second = (item["id"] for item in sorted(listed["items"], key=lambda item: item["key"]))
    (made,) = told("inbox", "accept", first, "--publish")["resources"]
    assert (made["title"], made["state"]) == ("A school for everybody", "published")
    told("inbox", "merge", second, made["id"])
    told("inbox", "reject", second)
    assert told("inbox", "list")["total"] == 0
    assert told("inbox", "accept", "nothing", expect=1)["error"]["code"] == "not-found"
    server.answers["/feed"] = (500, {}, b"")
    failed = told("source", "harvest", expect=1)
    assert "status 500" in failed["harvests"][0]["error"]


@pytest.fixture
def browser(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("team", "team@hub.example", "x")
    client.force_login(user)
    return client


def act(browser: Client, model: str, action: str, *ids: str) -> str:
    page = reverse(f"admin:hub_{model}_changelist")
    answer = browser.post(page, {"action": action, "_selected_action": list(ids)}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_facilitators_harvest_and_decide_in_the_admin(browser: Client, server: Server) -> None:
    there = Resource.objects.create(title="Roofs that last!", year=None)
    server.answers["/feed"] = (
        200,
        {},
        FEED.format("a", "&lt;b&gt;A school&lt;/b&gt;&lt;script&gt;steal()&lt;/script&gt;").encode(),
    )
    where, _new = lists.add("feed", server.url + "/feed", "News", actor="team")
    assert "1 source is being harvested" in act(browser, "source", "harvest", where.pk)
    assert running.wait(where, 20)
    assert Harvest.objects.get().whole
    listed = browser.get(reverse("admin:hub_inboxitem_changelist")).content.decode()
    assert "Roofs that last!" in listed
    assert "A school" in listed
    assert "steal()" not in listed
    one, two = (InboxItem.objects.get(title=title) for title in ("A school", "Roofs that last"))
    page = browser.get(reverse("admin:hub_inboxitem_change", args=[two.pk]))
    assert "Roofs that last" in page.content.decode()
    said = act(browser, "inboxitem", "merge", one.pk, two.pk)
    assert "1 item is decided" in said
    assert "nothing was merged" in said
    assert InboxItem.objects.get(pk=two.pk).resource_id == there.pk
    act(browser, "inboxitem", "accept", one.pk)
    made = InboxItem.objects.get(pk=one.pk).resource
    assert made is not None
    assert made.state == "draft"
    assert browser.get(reverse("admin:hub_source_changelist")).status_code == 200
    assert browser.get(reverse("admin:hub_harvest_changelist")).status_code == 200
    assert AuditEvent.objects.filter(kind="inbox-accepted", actor="team").count() == 1
