"""Whatever facilitators do, every listed way leads a reader from what it had to exactly what is public."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, given, note
from hypothesis import settings as examples
from hypothesis import strategies as st

from hub.home import prepare, served_folder
from hub.models import (
    Edition,
    HubState,
    Message,
    Resource,
    ResourceTheme,
    StreamRecord,
    Summary,
    Theme,
    Thread,
    Touched,
)
from hub.publishing import epochs, keys, sealing, served
from hub.publishing.coding import Coders
from hub.publishing.sealer import forget, publish
from sync.protocol import documents, limits, paths
from sync.protocol.feeds import Snapshot
from sync.protocol.segments import PRIMED, stream_line
from sync.protocol.wire_json import sha256
from tests.hub.publishing_reader import Reader, State, check_every_way, truth

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = (
    "water school teacher girl book ministry policy reading grant village harvest budget language learning",
    "evidence radio lamp road river exam desk chalk lesson parent child meal bicycle rain season data letter",
)
THEMES = ("reading", "finance", "teachers")


def fresh_home() -> Path:
    home: Path = settings.HOME
    for name in ("served", "publishing", "keys"):
        shutil.rmtree(home / name, ignore_errors=True)
    prepare(home)
    keys.ensure_keys(home)
    return home


@pytest.fixture
def hub() -> Path:
    return fresh_home()


def prose(dice: random.Random, words: int) -> str:
    vocabulary = " ".join(WORDS).split()
    return " ".join(dice.choice(vocabulary) for _ in range(words)).capitalize() + "."


def add_resource(
    dice: random.Random, key: str, *, lang: str = "en", theme: str = "", words: int = 120
) -> Resource:
    resource = Resource.objects.create(
        id=key, title=prose(dice, 5), summary=prose(dice, 40), lang=lang, state="published"
    )
    if theme:
        Theme.objects.get_or_create(id=theme, defaults={"labels": {"en": theme}})
        ResourceTheme.objects.create(resource=resource, theme_id=theme)
    Edition.objects.create(id=f"text-{key}", resource=resource, lang=lang, body=prose(dice, words))
    return resource


def add_thread(dice: random.Random, key: str, lang: str = "en", messages: int = 2) -> Thread:
    thread = Thread.objects.create(id=key, title=prose(dice, 4), lang=lang)
    for number in range(messages):
        Message.objects.create(id=f"{key}-{number}", thread=thread, body=prose(dice, 30), state="published")
    return thread


class Hub:
    """A hub whose every published state is remembered."""

    def __init__(self, home: Path) -> None:
        self.reader = Reader(home)
        self.states: dict[int, State] = {}
        self.home = home

    def publish(self) -> int:
        version = publish().version
        self.states[version] = truth()
        return version

    def check(self) -> int:
        return check_every_way(self.reader, self.states)


ACTIONS = (
    "add", "add", "edit", "edit", "edit", "append", "retheme", "relang", "withdraw", "return", "erase", "thread",
    "message", "moderate", "hide", "summary", "bulk",
)  # fmt: skip


def act(dice: random.Random, action: str, number: int) -> None:
    """Change the hub's tables the way facilitators, imports and members do."""
    resources = list(Resource.objects.order_by("id"))
    threads = list(Thread.objects.order_by("id"))
    if action == "add" or not resources:
        lang, theme = dice.choice(("en", "fr")), dice.choice(("", *THEMES))
        add_resource(dice, f"r{number:04}é" if number % 7 == 0 else f"r{number:04}", lang=lang, theme=theme)
        return
    chosen = dice.choice(resources)
    if action == "edit":
        chosen.title = prose(dice, 4)
        chosen.save()
    elif action == "append":
        for edition in chosen.editions.all():
            edition.body += " " + prose(dice, 6)
            edition.save()
    elif action == "retheme":
        theme = Theme.objects.get_or_create(id=dice.choice(THEMES), defaults={"labels": {"en": "x"}})[0]
        ResourceTheme.objects.filter(resource=chosen).delete()
        ResourceTheme.objects.bulk_create([ResourceTheme(resource=chosen, theme=theme)])
    elif action == "relang":
        Resource.objects.filter(pk=chosen.pk).update(lang=dice.choice(("en", "fr", "sw")))
    elif action in ("withdraw", "return"):
        state = "withdrawn" if action == "withdraw" else "published"
        Resource.objects.filter(pk=chosen.pk).update(state=state)
    elif action == "erase":
        chosen.delete()
    elif action == "thread" or not threads:
        add_thread(dice, f"t{number:04}", dice.choice(("en", "fr")))
    elif action == "message":
        thread = dice.choice(threads)
        Message.objects.create(id=f"m{number:04}", thread=thread, body=prose(dice, 20), state="published")
    elif action == "moderate":
        Message.objects.filter(thread=dice.choice(threads)).update(state="removed")
    elif action == "hide":
        thread = dice.choice(threads)
        thread.visibility = "members" if thread.visibility == "public" else "public"
        thread.save(update_fields=["visibility"])
    elif action == "summary":
        thread = dice.choice(threads)
        summary = Summary.objects.create(id=f"s{number:04}", thread=thread, title="In short", body=prose(dice, 9))
        summary.cites.add(*thread.messages.all()[:1])
    elif action == "bulk":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE hub_edition SET body = body || ' Seen.' WHERE lang = 'en'")


HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("act"), st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=5)),
        st.tuples(st.sampled_from(("publish", "publish", "publish", "die", "whole")), st.just([])),
    ),
    min_size=6,
    max_size=24,
)


@examples(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(HAPPENINGS, st.randoms(use_true_random=False))
def test_every_way_leads_to_what_is_public(happenings: list[tuple[str, list[str]]], dice: random.Random) -> None:
    TransactionTestCase._fixture_teardown(TransactionTestCase("id"))  # an empty database for each example
    hub = Hub(fresh_home())
    number = 0
    for _ in range(4):
        number += 1
        act(dice, "add", number)
    add_thread(dice, "t0")
    hub.publish()
    for what, actions in happenings:
        for action in actions:
            number += 1
            act(dice, action, number)
        if what == "die":
            sealing.seal()
        elif what in ("publish", "whole"):
            publish(whole=what == "whole")
            hub.publish()
            note(f"version {max(hub.states)}")
    hub.publish()
    assert hub.check()
    assert not Touched.objects.exists()
    before = publish().version
    publish(whole=True)
    assert epochs.current()[1] == before  # the marks had told everything


def edit(key: str, note_text: str) -> None:
    edition = Edition.objects.get(resource_id=key)
    edition.body += f" {note_text}"
    edition.save()


def filled(home: Path, resources: int = 30) -> Hub:
    dice = random.Random(5)
    for number in range(resources):
        add_resource(dice, f"r{number:03}", theme=THEMES[number % 3], words=300)
    add_thread(dice, "t0")
    hub = Hub(home)
    hub.publish()
    return hub


def test_a_long_history_has_merged_runs_and_few_bytes_each_day(hub: Path) -> None:
    rows = filled(hub)
    for day in range(34):
        edit(f"r{day % 30:03}", f"Seen on day {day}.")
        rows.publish()
    assert rows.check() > 60
    feed = rows.reader.feeds()["public/texts/en"]
    found = {(run.start, run.end): run for run in rows.reader.runs(feed)}
    assert {end - start for start, end in found} >= {1, 2, 4, 8, 16}
    newest = found[feed.last - 1, feed.last]
    # One sentence in a text of 300 words: a patch, in a segment that is primed with the other texts.
    assert newest.size < 200
    assert len(feed.recent) == 4
    history = rows.reader.history(feed)
    assert history is not None
    assert len(history.to_bytes()) < 40_000
    data = served.served_path(hub, newest.segments[0].hash).read_bytes()
    assert data[3] == PRIMED


def test_a_record_is_numbered_by_the_version_that_sealed_it(hub: Path) -> None:
    rows = filled(hub, 3)
    edit("r001", "Once more.")
    version = rows.publish()
    changed = StreamRecord.objects.filter(seq=version)
    # The text, and the card that tells its size.
    assert set(changed.values_list("record_id", flat=True)) == {"r001", "text-r001"}
    assert rows.reader.feeds()["public/texts/en"].last == version
    assert rows.reader.feeds()["public/talk/en"].last < version
    assert publish().version == version


def test_the_head_speaks_version_two_and_leads_to_its_index(hub: Path) -> None:
    HubState.objects.create(key="mirrors", value=["https://mirror.example"])
    rows = filled(hub, 3)
    head, index = rows.reader.head(), rows.reader.index()
    assert (head.client, head.mirrors, head.epoch) == (2, ("https://mirror.example",), 1)
    assert (index.version, index.epoch) == (head.version, head.epoch)
    assert [feed.name for feed in index.feeds] == [
        "public/cards/en", "public/vocab", "public/talk/en", "public/texts/en",
    ]  # fmt: skip


def test_an_index_can_be_patched_from_an_earlier_one(hub: Path) -> None:
    rows = filled(hub, 3)
    before = rows.reader.head()
    edit("r000", "Anew.")
    rows.publish()
    head = rows.reader.head()
    assert served.index_of(head.version) == head.index.hash
    known = served.document(hub, served.index_of(before.version) or "")
    new = served.document(hub, head.index.hash)
    assert known is not None
    assert new is not None
    patch = documents.patch(new, known)
    assert documents.unpatch(patch, known, head.index, limits.DOCUMENT) == new
    assert len(patch) < len(documents.pack(new))
    assert served.index_of(head.version + 1) is None
    assert served.document(hub, "0" * 64) is None


def test_snapshots_of_one_publication_lie_in_one_object_in_order(hub: Path) -> None:
    rows = filled(hub)
    listed = [
        Snapshot.from_bytes(rows.reader.document(feed.snapshots[0].document))
        for feed in rows.reader.feeds().values()
    ]
    assert len({one.bulk for one in listed}) == 1
    listed.sort(key=lambda one: one.offset)
    assert [one.feed for one in listed] == [
        "public/cards/en", "public/vocab", "public/talk/en", "public/texts/en",
        "public/texts/en/finance", "public/texts/en/reading", "public/texts/en/teachers",
    ]  # fmt: skip
    for one, following in zip(listed, listed[1:], strict=False):
        assert following.offset == one.offset + sum(segment.size for segment in one.segments)


def test_a_snapshot_is_made_anew_when_the_runs_since_are_a_quarter_of_it(hub: Path) -> None:
    dice = random.Random(8)
    rows = filled(hub, 40)
    first = rows.reader.feeds()["public/texts/en"].snapshots
    grown = 0
    while len(rows.reader.feeds()["public/texts/en"].snapshots) == 1:
        for _ in range(6):
            grown += 1
            add_resource(dice, f"s{grown:03}", theme="reading", words=300)
        rows.publish()
        assert grown < 60
    feed = rows.reader.feeds()["public/texts/en"]
    assert feed.snapshots[1] == first[0]
    assert feed.snapshots[0].at == feed.last
    rows.check()


def test_a_publication_that_died_is_finished_under_its_number(hub: Path) -> None:
    rows = filled(hub, 6)
    # Not the oldest: what a run is primed with ends the same without that.
    edit("r004", "Before the power went.")
    died = sealing.seal()
    assert died.version is not None
    assert epochs.current()[1] < died.version
    edit("r001", "After it came back.")
    assert rows.publish() == died.version
    rows.check()


def test_a_disk_that_fails_before_the_commit_leaves_the_former_head(hub: Path) -> None:
    rows = filled(hub, 6)
    before = rows.reader.head()
    edit("r000", "A new sentence.")
    aside, blocked = served_folder(hub) / "aside", served_folder(hub) / "documents"
    blocked.rename(aside)
    blocked.write_text("no folder")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        publish()
    blocked.unlink()
    aside.rename(blocked)
    assert rows.reader.head() == before
    assert rows.publish() == before.version + 1
    rows.check()


def test_a_version_that_may_have_been_seen_is_not_given_again(hub: Path) -> None:
    rows = filled(hub, 6)
    former = served.read_head(hub)
    assert former is not None
    edit("r000", "A new sentence.")
    rows.publish()
    served.write_head(hub, former)  # as if the power had gone between the commit and the head
    assert rows.publish() == 3
    assert rows.reader.head().version == 3
    rows.check()


def test_changes_made_while_the_triggers_were_gone_are_found(hub: Path) -> None:
    rows = filled(hub, 3)
    with connection.cursor() as cursor:
        where = "" if connection.vendor == "sqlite" else " ON hub_resource"
        cursor.execute(f"DROP TRIGGER hub_mark_hub_resource_update{where}")
    Resource.objects.filter(pk="r001").update(title="Written past the marks")
    assert not Touched.objects.exists()
    rows.publish()
    rows.check()
    Resource.objects.filter(pk="r002").update(title="And marked again")
    assert list(Touched.objects.values_list("kind", "key")) == [("resource", "r002")]


def holding(hub: Hub, text: str) -> set[str]:
    """Return the names of the segments of all that is listed that hold `text`."""
    hub.reader.seen.clear()
    hub.check()
    return {name for name, raw in hub.reader.seen if text.encode() in raw}


def pieces(home: Path) -> set[str]:
    """Return the names of all segments in the files that are served, also in those that nothing leads to."""
    found = set()
    for path in (served_folder(home) / "objects").rglob("*"):
        # They lie one after another in a snapshot's object, and what was blanked follows as zeros.
        for piece in path.read_bytes().split(b"HS\x02")[1:] if path.is_file() else ():
            found.add(sha256(b"HS\x02" + piece))
    return found


@pytest.mark.parametrize("how", ["row deleted", "forgotten"])
def test_what_is_erased_leaves_everything_that_is_served(hub: Path, how: str) -> None:
    secret = "Amina Okafor of Kisumu"
    add_resource(random.Random(1), "r900", theme="finance", words=2000)
    edit("r900", secret)
    rows = filled(hub, 6)
    edit("r001", "Something else.")
    rows.publish()
    edit("r900", "Who also said this.")
    Resource.objects.filter(pk="r900").update(lang="sw")
    ResourceTheme.objects.filter(resource_id="r900").update(theme_id="reading")  # it moves to another stream
    rows.publish()
    held = holding(rows, secret)
    # The snapshots of the group and of its old part; the runs of the group and of its new part.
    assert len(held) >= 4
    assert held <= pieces(hub)
    if how == "row deleted":
        Resource.objects.get(pk="r900").delete()
        rows.publish()
    else:
        Resource.objects.filter(pk="r900").update(state="withdrawn")
        rows.publish()
        assert held <= pieces(hub)
        rows.states[forget(["text-r900"]).version] = truth()
    assert not holding(rows, secret)
    assert not held & pieces(hub)
    assert publish().version == max(rows.states)


def test_what_no_index_leads_to_goes_after_a_week_and_64_publications(hub: Path) -> None:
    rows = filled(hub, 3)
    first = rows.reader.head().index
    for day in range(66):
        edit("r000", f"Day {day}.")
        publish()
    assert served.document_path(hub, first.hash).exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hub_servedname SET left_at = '2020-01-01' WHERE left_at IS NOT NULL")
    edit("r000", "The last.")
    rows.publish()
    assert not served.document_path(hub, first.hash).exists()
    # The newest 64 are there, whatever their age: shelves are sent what differs from them.
    newest = epochs.current()[1]
    indexes = [served.index_of(version) for version in range(newest - 63, newest + 1)]
    assert all(served.document(hub, index or "") for index in indexes)
    feed = rows.reader.feeds()["public/texts/en"]
    assert rows.reader.runs(feed)
    for run in rows.reader.runs(feed):
        assert all(served.served_path(hub, segment.hash).exists() for segment in run.segments)
    for one in feed.snapshots:
        rows.reader.snapshot("public/texts/en", one)


@pytest.mark.parametrize("why", ["restored", "upgraded"])
def test_a_new_epoch_serves_everything_whole(hub: Path, why: str) -> None:
    rows = filled(hub, 4)
    edit("r000", "Twice.")
    rows.publish()
    if why == "restored":
        HubState.objects.filter(key="version").update(value=1)
    else:
        HubState.objects.filter(key="wire").update(value=1)
    before = rows.reader.head()
    rows.states = {}
    version = rows.publish()
    head = rows.reader.head()
    assert head.epoch > before.epoch
    assert head.version > before.version
    for feed in rows.reader.feeds().values():
        assert (feed.last, feed.recent, feed.history) == (version, (), None)
    rows.check()
    assert not list((hub / "publishing" / "changes").iterdir())


def test_a_lost_object_is_made_again(hub: Path) -> None:
    rows = filled(hub, 4)
    shutil.rmtree(served_folder(hub) / "objects")
    rows.publish()
    rows.check()


def test_a_feed_without_records_is_left_out_and_may_come_back(hub: Path) -> None:
    rows = filled(hub, 3)
    Thread.objects.update(state="withdrawn")
    rows.publish()
    assert "public/talk/en" not in rows.reader.feeds()
    rows.check()
    Thread.objects.update(state="published")
    rows.publish()
    assert "public/talk/en" in rows.reader.feeds()
    rows.check()


def test_segments_coded_beside_each_other_are_the_same() -> None:
    dice = random.Random(2)
    jobs = [[stream_line("public/texts/en"), prose(dice, 60_000).encode()] for _ in range(8)]
    with Coders(1) as alone, Coders(2) as beside:
        expected = [alone.submit(job, b"water " * 100).result() for job in jobs]
        coming = [beside.submit(job, b"water " * 100) for job in jobs]
        assert [future.result() for future in coming] == expected


def test_documents_are_handed_out_as_they_were_packed(client: Client, hub: Path) -> None:
    rows = filled(hub, 3)
    ref = rows.reader.head().index
    answer = client.get(paths.document_path(ref.hash))
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    assert documents.unpack(answer.content, ref, limits.DOCUMENT) == served.document(hub, ref.hash)
    part = client.get(paths.document_path(ref.hash), headers={"Range": "bytes=7-"})
    assert (part.status_code, part.content) == (206, answer.content[7:])
    for name in ("0" * 64, "..%2fhead", ref.hash[:10]):
        assert client.get(paths.DOCUMENTS + name).status_code == 404


def test_so_many_changes_that_a_run_is_no_use_begin_a_feed_anew(hub: Path) -> None:
    dice = random.Random(6)
    rows = filled(hub, 3)
    for number in range(40):
        add_resource(dice, f"big{number:03}", theme="reading", words=18_000)
    rows.publish()
    feed = rows.reader.feeds()["public/texts/en"]
    assert (feed.recent, len(feed.snapshots), feed.snapshots[0].at) == ((), 1, feed.last)
    assert rows.reader.feeds()["public/cards/en"].recent
    edit("big001", "And one more line.")
    rows.publish()
    rows.check()
