"""Harvests of real answers through a real server into an inbox: nothing twice, nothing lost, faults said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.harvest import inbox
from hub.harvest.running import harvest
from hub.models import AuditEvent, Harvest, InboxItem, PublicState, Resource, Source
from tests.hub.harvest_server import Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


def source(server: Server, kind: str = "oai", path: str = "/oai") -> Source:
    return Source.objects.create(name=f"{kind} {path}", kind=kind, url=server.url + path)


def counts(run: Harvest) -> dict[str, int]:
    names = ("read", "new", "changed", "unchanged", "deleted", "refused")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


RECORD = """<record><header{status}><identifier>oai:x:{key}</identifier>
<datestamp>2026-01-0{day}</datestamp></header>
{metadata}</record>"""
DC = """<metadata><oai_dc:dc xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/">{fields}</oai_dc:dc></metadata>"""


def record(key: str, title: str = "", more: str = "", deleted: bool = False, day: int = 1) -> str:
    fields = (f"<dc:title>{title}</dc:title>" if title else "") + more
    status = ' status="deleted"' if deleted else ""
    return RECORD.format(key=key, status=status, day=day, metadata="" if deleted else DC.format(fields=fields))


def page(*records: str, token: str = "", day: str = "2026-02-03") -> str:
    end = f"<resumptionToken>{token}</resumptionToken>" if token else ""
    return (
        '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>{day}T10:00:00Z</responseDate><request/><ListRecords>{''.join(records)}{end}</ListRecords></OAI-PMH>"
    )


def serve(server: Server, **pages: str) -> None:
    for name, text in pages.items():
        (server.folder / name).write_text(text)
    server.list_records = "first"


def test_a_harvest_comes_once_goes_on_and_marks_what_is_gone(server: Server) -> None:
    serve(
        server,
        first=page(record("1", "Radio lessons"), record("2", "Water in schools"), token="second"),
        second=page(record("3", "Roofs"), record("4", deleted=True)),
    )
    where = source(server)
    run = harvest(where)
    assert (run.whole, run.error, run.pages) == (True, "", 2)
    assert counts(run) == {"read": 4, "new": 3, "deleted": 1}
    assert InboxItem.objects.filter(state="new").count() == 3
    again = harvest(where)
    assert counts(again) == {"read": 4, "unchanged": 4}
    assert "from=2026-02-03" in server.asked[-2]
    serve(server, first=page(record("1", "Radio lessons, again"), record("2", deleted=True)))
    third = harvest(where)
    assert counts(third) == {"read": 2, "changed": 1, "deleted": 1}
    gone = InboxItem.objects.get(key="oai:x:2")
    assert (gone.state, gone.deleted, gone.title) == ("gone", True, "Water in schools")


def test_an_interrupted_harvest_goes_on_from_its_token(server: Server) -> None:
    serve(
        server,
        first=page(record("1", "One"), token="second"),
        second=page(record("2", "Two"), token="third"),
        third=page(record("3", "Three")),
    )
    where, server.fail_after = source(server), 2
    run = harvest(where)
    assert (run.whole, run.pages) == (False, 2)
    assert "error" in run.error
    server.fail_after = 10_000
    after = harvest(Source.objects.get(pk=where.pk))
    assert (after.whole, counts(after)) == (True, {"read": 1, "new": 1})
    assert "resumptionToken=third" in server.asked[3]
    assert len(server.asked) == 4


def test_a_token_that_is_no_longer_good_begins_anew(server: Server, shared_data: Path) -> None:
    serve(
        server,
        first=page(record("1", "One")),
        old=(shared_data / "harvest/oai_sickle/badResumptionToken.xml").read_text(),
    )
    where = source(server)
    where.place = {"token": "old", "began": "2026-01-01"}
    where.save()
    run = harvest(where)
    assert (run.whole, counts(run)) == (True, {"read": 1, "new": 1})
    assert "begins anew" in run.problems[0]


def test_broken_pages_give_what_stands_before_and_are_asked_for_again(server: Server) -> None:
    broken = page(record("1", "One"), record("2", "Two")).replace("</ListRecords></OAI-PMH>", "<record><header>")
    serve(server, first=broken)
    where = source(server)
    run = harvest(where)
    assert (run.whole, run.new) == (False, 2)
    assert "no valid XML" in run.problems[0]
    serve(server, first=page(record("1", "One"), record("2", "Two"), record("3", "Three")))
    assert counts(harvest(where)) == {"read": 3, "new": 1, "unchanged": 2}


@pytest.mark.parametrize("bomb", ["entities", "external", "deep", "endless"])
def test_hostile_xml_hurts_nobody(server: Server, bomb: str) -> None:
    text = {
        "entities": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
        + "]>"
        + page(record("1", "&j;")).partition("?>")[2],
        "external": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + page(record("1", "T&a;")).partition("?>")[2],
        "deep": page("<record>" * 100_000),
        "endless": page(record("1", "One"), token="first"),
    }[bomb]
    serve(server, first=text)
    run = harvest(source(server))
    assert run.ended is not None
    assert "root:" not in "".join(item.raw + str(item.record) for item in InboxItem.objects.all())
    assert len(server.asked) < 5


@pytest.mark.real_input
def test_every_recorded_answer(server: Server, shared_data: Path) -> None:
    folder = shared_data / "harvest" / "oai_sickle"
    server.folder, server.list_records = folder, "ListRecords.xml"
    run = harvest(source(server))
    # Eight records of two ids, one of them deleted; one says no id.
    assert (run.whole, run.pages, run.read) == (True, 4, 7)
    assert "left out: 1" in run.problems[0]
    assert sorted((item.key[-3:], item.state) for item in InboxItem.objects.all()) == [
        ("310", "gone"),
        ("322", "new"),
    ]
    assert harvest(Source.objects.get(pk=run.source_id)).new == 0
    errors = {}
    for path in sorted([*folder.glob("*.xml"), *(shared_data / "harvest" / "oai_pyoai").rglob("0*.xml")]):
        server.folder, server.list_records = path.parent, path.name
        one = harvest(source(server, path=f"/{path.parent.name}/{path.name}"))
        errors[path.name] = one.error
        again = harvest(Source.objects.get(pk=one.source_id))
        assert (again.new, again.changed) == (0, 0), path
        there = len(re.findall(r"<record>", path.read_text(errors="replace")))
        if path.name not in ("ListRecords.xml", "ListRecords2.xml", "ListRecords3.xml"):
            nameless = sum(
                int(words.rpartition(": ")[2].rstrip(".")) for words in one.problems if "left out" in words
            )
            assert one.read + nameless == there, path
    assert "no XML" in errors["ListRecordsBroken.xml"]
    assert "BadArgument" in errors["badArgument.xml"]
    assert errors["noRecordsMatch.xml"] == ""
    assert errors["undefinedError.xml"]


@pytest.mark.real_input
def test_every_feed(server: Server, shared_data: Path) -> None:
    folder = shared_data / "harvest" / "feeds"
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SOURCE.txt")
    assert len(paths) > 800
    read = 0
    for number, path in enumerate(paths):
        raw = path.read_bytes()
        server.answers[f"/{number}"] = (200, {"Content-Type": "application/xml"}, raw)
        run = harvest(source(server, "feed", f"/{number}"))
        assert run.ended is not None, path
        again = harvest(Source.objects.get(pk=run.source_id))
        assert (again.new, again.changed, again.error) == (0, 0, run.error), path
        text = raw.decode("utf-8", "replace")
        there = len(re.findall(r"<(?:item|entry)[\s>]", text))
        if not run.error and not run.problems and "CDATA" not in text:
            assert run.read <= max(there, 1), path
        read += run.read
    assert read > 500
    scripts = [item for item in InboxItem.objects.all() if "<script" in (item.record.get("summary") or "").lower()]
    assert scripts == []


@pytest.mark.parametrize("content_type", ["application/rss+xml", "text/plain"])
def test_a_feed_is_asked_for_only_when_it_changed(server: Server, content_type: str) -> None:
    feed = (
        '<rss version="2.0"><channel><title>News</title><language>fr</language><item>'
        "<guid>a</guid><title>Une école</title>"
        "<link>https://example.org/a</link><description>&lt;b&gt;Gras&lt;/b&gt;</description></item></channel></rss>"
    )
    server.answers["/feed"] = (200, {"ETag": '"1"', "Content-Type": content_type}, feed.encode())
    where = source(server, "feed", "/feed")
    assert counts(harvest(where)) == {"read": 1, "new": 1}
    item = InboxItem.objects.get()
    assert (item.title, item.lang, item.record["summary"], item.record["publisher"]) == (
        "Une école",
        "fr",
        "Gras",
        "News",
    )
    assert counts(harvest(where)) == {}
    assert server.conditions == ["", '"1"']


def test_what_is_no_feed_is_said(server: Server) -> None:
    server.answers["/page"] = (200, {"Content-Type": "text/html"}, b"<html><body>Please sign in</body></html>")
    assert harvest(source(server, "feed", "/page")).error == "What came is no feed."
    server.answers["/away"] = (302, {"Location": "ftp://example.org/"}, b"")
    assert "http" in harvest(source(server, "feed", "/away")).error


def test_people_decide_and_what_they_decided_stays(server: Server) -> None:
    there = Resource.objects.create(
        title="Water and toilets in rural schools", year=2020, state=PublicState.PUBLISHED
    )
    serve(
        server,
        first=page(
            record("1", "Radio lessons", "<dc:rights>CC BY 4.0</dc:rights><dc:date>2021</dc:date>"),
            record("2", "Water and toilets in rural schools.", "<dc:description>What it costs.</dc:description>"),
            record("3", "Not for us"),
            record("4"),
        ),
    )
    where = source(server)
    assert counts(harvest(where)) == {"read": 4, "new": 3, "refused": 1}
    one, two, three, four = (InboxItem.objects.get(key=f"oai:x:{n}") for n in "1234")
    assert (two.likely_id, two.likely_by[:5], one.likely_id) == (there.pk, "title", None)
    made = inbox.accept(one.pk, "team")
    assert (made.title, made.state, made.redistributable, made.source) == ("Radio lessons", "draft", True, where)
    assert inbox.merge(two.pk, there.pk, "team").summary == "What it costs."
    inbox.reject(three.pk, "team")
    with pytest.raises(InvalidInput, match="no metadata"):
        inbox.accept(four.pk, "team")
    assert AuditEvent.objects.filter(kind__startswith="inbox-").count() == 3

    serve(
        server,
        first=page(
            record("1", "Radio lessons, new edition"), record("3", "Not for us!"), record("2", deleted=True)
        ),
    )
    harvest(where)
    states = {item.key[-1]: (item.state, item.fresh, item.deleted) for item in InboxItem.objects.all()}
    assert states["1"] == ("accepted", True, False)
    assert states["2"] == ("merged", True, True)
    assert states["3"] == ("rejected", True, False)
    assert Resource.objects.get(pk=made.pk).title == "Radio lessons", "nothing changes before a person says so"
    assert inbox.accept(one.pk, "team").pk == made.pk
    assert Resource.objects.get(pk=made.pk).title == "Radio lessons, new edition"
    assert Resource.objects.count() == 2
