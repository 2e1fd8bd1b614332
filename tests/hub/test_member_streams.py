"""Discussions for members: sealed, given out against a token only, under a key that whoever leaves loses."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from django.conf import settings
from django.test import Client
from django.utils import timezone

from hub.backups import backup
from hub.home import members_folder, prepare, served_folder
from hub.invitations import invite, revoke
from hub.models import Device, FeedState, KeyGrant, Member, Message, Resource, Summary, Thread
from hub.publishing import epochs, keys, member_keys, members, served
from hub.publishing.sealer import publish
from sync.protocol import envelope, limits, paths, sealed
from sync.protocol.errors import Malformed, NoKey
from sync.protocol.feeds import Index, Run, SegmentRef, Snapshot
from sync.protocol.head import ObjectRef
from sync.protocol.messages import EnrolRequest, EnrolResponse, Operation, SyncRequest, SyncResponse, token_hash
from sync.protocol.segments import decode
from sync.protocol.wire_json import sha256
from tests.hub.publishing_reader import Reader, State, apply, check_every_way, part_of, priming, published

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "cadmium heron"
"""Stands in each text of a discussion for members, and nowhere else."""
OBJECT = paths.OBJECTS


@pytest.fixture
def hub() -> Path:
    home: Path = settings.HOME
    for name in ("served", "publishing", "keys", "members"):
        shutil.rmtree(home / name, ignore_errors=True)
    prepare(home)
    keys.ensure_keys(home)
    return home


def token_of(name: str) -> str:
    return sha256(name.encode())


@pytest.fixture
def devices() -> tuple[Device, Device]:
    found = []
    for name in ("ana", "ben"):
        member = Member.objects.create(email=f"{name}@ministry.example", name=name)
        found.append(Device.objects.create(id=name, member=member, token_hash=token_hash(token_of(name))))
    return found[0], found[1]


def discuss(key: str, lang: str = "en", *, visibility: str = "members", words: str = SECRET) -> Thread:
    thread = Thread.objects.create(id=key, title=f"About {words} {key}", lang=lang, visibility=visibility)
    Message.objects.create(id=f"{key}-m", thread=thread, body=f"We know of {words}, {key}.", state="published")
    Summary.objects.create(id=f"{key}-s", thread=thread, title=words, body=f"All of {words}", state="published")
    return thread


def public_content() -> None:
    Resource.objects.create(id="r1", title="A guide", summary="For everybody", lang="en", state="published")
    discuss("open", visibility="public", words="plain talk")


def ask(client: Client, name: str, **fields: object) -> tuple[SyncResponse, dict[str, bytes]]:
    """Sync as the device `name`; return the message and the things behind it, by name."""
    nonce = secrets.token_bytes(12)
    request = SyncRequest(**fields)  # type: ignore[arg-type]  # fields are passed on as they are
    body = envelope.ask(token_of(name), nonce, request)
    answer = client.post(paths.SYNC, body, content_type="application/octet-stream")
    assert answer.status_code == 200, answer.content
    reader = envelope.AnswerReader(token_of(name), nonce, operations=request.operations)
    found: dict[str, bytes] = {}
    message, begun = None, ""
    for event in reader.feed(answer.content):
        if isinstance(event, envelope.Message):
            message = event.response
        elif isinstance(event, envelope.Begun):
            begun = event.hash
            found[begun] = b""
        elif isinstance(event, envelope.Piece):
            found[begun] += event.data
    assert message is not None
    return message, found


def fetch(client: Client, digest: str, name: str = "") -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token_of(name)}"} if name else {}
    answer: Any = client.get(OBJECT + digest, headers=headers)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, content


class MemberReader(Reader):
    """Reads what is for members as docs/protocol.md says it, over HTTP with a token, and with given keys."""

    def __init__(self, home: Path, client: Client, name: str, ring: dict[str, bytes] | None = None) -> None:
        super().__init__(home)
        self._client, self._name = client, name
        self.ring = member_keys.keys(home) if ring is None else ring

    def index(self) -> Index:
        ref = self.head().members
        return Index(1, 0, ()) if ref is None else Index.from_bytes(self.document(ref))

    def document(self, ref: ObjectRef) -> bytes:
        return sealed.unseal_document(self._fetch(ref.hash, ref.size), self.ring, limits.DOCUMENT)

    def follow(self, feed: str, run: Run, before: State) -> State:
        found = {name: dict(rows) for name, rows in before.items()}
        for segment in run.segments:
            self._apply(found, self._fetch(segment.hash, segment.size), part_of(before, feed))
        return {name: rows for name, rows in found.items() if rows}

    def snapshot_bytes(self, listed: Snapshot) -> Iterator[tuple[SegmentRef, bytes]]:
        bulk = self._fetch(listed.bulk.hash, listed.bulk.size)
        for segment, offset in zip(listed.segments, listed.offsets(), strict=True):
            data = bulk[offset : offset + segment.size]
            assert sha256(data) == segment.hash
            inner = sealed.unseal(data, self.ring)
            yield SegmentRef(sha256(inner), len(inner)), inner

    def _apply(self, state: State, data: bytes, before: State) -> None:
        inner = sealed.unseal(data, self.ring)
        ref = SegmentRef(sha256(inner), len(inner))
        apply(state, decode(inner, ref, lambda size: priming(before, size)))

    def _fetch(self, digest: str, size: int) -> bytes:
        status, data = fetch(self._client, digest, self._name)
        assert (status, len(data), sha256(data)) == (200, size, digest)
        return data


def for_members() -> State:
    return {name: rows for name, rows in published().items() if sealed.for_members(name)}


def open_texts(home: Path) -> Iterator[bytes]:
    """Everything that can be read in what is served without a token, as it lies there and unpacked."""
    reader = Reader(home)
    for path in served_folder(home).rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            yield raw
            if "documents" in path.parts:
                yield zstd.decompress(raw)
    for name, feed in reader.feeds().items():
        assert name.startswith("public/")
        at = {ref.at: reader.snapshot(name, ref) for ref in feed.snapshots}
        for run in sorted(reader.runs(feed), key=lambda run: (run.start, run.end)):
            if run.start in at:  # else it leads from a state that is served no more
                at[run.end] = reader.follow(name, run, at[run.start])
    yield from (raw for _name, raw in reader.seen)


def test_nothing_for_members_is_in_what_is_served_to_all(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    public_content()
    secret = discuss("t1")
    publish()
    Message.objects.create(id="t1-n", thread=secret, body=f"News of {SECRET}", state="published")
    Message.objects.create(id="open-n", thread_id="open", body="News of plain talk", state="published")
    publish()
    texts = list(open_texts(hub))
    assert any(b"plain talk" in text for text in texts), "what is public can be read here"
    for text in texts:
        for trace in (SECRET.encode(), b"t1-m", b"members/"):
            assert trace not in text
    sealed_files = [path for path in members_folder(hub).rglob("*") if path.is_file()]
    assert len(sealed_files) > 3
    for path in sealed_files:
        data = path.read_bytes()
        assert SECRET.encode() not in data
        # Without a token nothing of it is given out, from either address, and the hub's member key never.
        assert fetch(client, path.name)[0] == 401
        assert client.get(paths.DOCUMENTS + path.name).status_code == 404
        with pytest.raises(NoKey):
            sealed.unseal(data[: sealed.OVERHEAD + 1], {})
    head = client.get(paths.HEAD).content
    assert b'"members":{"hash":' in head
    assert member_keys.key(hub).hex().encode() not in b"".join([head, *texts])


def test_a_hub_without_such_discussions_says_nothing_of_them(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    public_content()
    publish()
    assert b"members" not in client.get(paths.HEAD).content
    assert ask(client, "ana", room=100_000)[0].keys == ()
    assert not (hub / "keys" / "members.key").exists()
    assert not members_folder(hub).exists()


def test_only_a_device_with_access_is_given_sealed_bytes(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    discuss("t1")
    publish()
    digest = json.loads(client.get(paths.HEAD).content.split(b"\n")[0])["members"]["hash"]
    status, data = fetch(client, digest, "ana")
    assert (status, sha256(data)) == (200, digest)
    part = client.get(
        OBJECT + digest, headers={"Authorization": f"Bearer {token_of('ana')}", "Range": "bytes=4-11"}
    )
    assert (part.status_code, part.content) == (206, data[4:12])
    assert "public" not in part["Cache-Control"]  # no shared cache hands it on
    for name, code in (("", "no-token"), ("nobody", "unknown-device")):
        status, problem = fetch(client, digest, name)
        assert (status, json.loads(problem)["action"]) == (401, "auth")
        assert json.loads(problem)["type"].endswith(code)
        assert "forget" not in json.loads(problem)
    revoke("ana")
    status, problem = fetch(client, digest, "ana")
    assert (status, json.loads(problem)["forget"]) == (401, True)
    assert fetch(client, "0" * 64, "ana")[0] == 404


def test_every_way_leads_a_member_to_what_is_for_members(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    reader = MemberReader(hub, client, "ben")
    states: dict[int, State] = {}

    def release() -> None:
        version = publish().version
        states[version] = for_members()
        reader.ring = member_keys.keys(hub)

    public_content()
    for number in range(12):
        discuss(f"t{number}", "en" if number % 3 else "fr", words=f"{SECRET} {'detail ' * 40}{number}")
    release()
    for number in range(9):
        Message.objects.filter(pk=f"t{number}-m").update(body=f"Changed, {SECRET} {number}")
        if number % 2:
            Thread.objects.filter(pk=f"t{number}").update(state="withdrawn")
        release()
    assert check_every_way(reader, states) > 12
    assert set(states[max(states)]) == {"members/talk/en", "members/talk/fr"}
    # A publication that has nothing for members leaves their index as it is: no seal is like another.
    before = reader.head().members
    Resource.objects.update(title="A better guide")
    release()
    assert reader.head().members == before
    Thread.objects.filter(visibility="members").update(state="withdrawn")
    release()
    assert reader.head().members is None


def test_what_becomes_for_members_leaves_what_is_served_to_all(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    public_content()
    thread = discuss("t1", visibility="public")
    publish()
    assert any(SECRET.encode() in text for text in open_texts(hub))
    thread.visibility = "members"
    thread.save()
    states = {publish().version: for_members()}
    assert not any(SECRET.encode() in text for text in open_texts(hub))
    assert check_every_way(MemberReader(hub, client, "ana"), states) == 1
    thread.visibility = "public"
    thread.save()
    publish()
    assert any(SECRET.encode() in text for text in open_texts(hub))
    assert MemberReader(hub, client, "ana").index().feeds == ()


def test_erased_words_leave_the_sealed_snapshots_too(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    discuss("t1")
    kept = discuss("t2")
    publish()
    old = {path.name for path in members_folder(hub).rglob("*") if path.is_file()}
    Thread.objects.get(pk="t1").delete()
    publish()
    ring = member_keys.keys(hub)
    for path in members_folder(hub).rglob("*"):
        if path.is_file() and path.name in old:
            with pytest.raises(Malformed):  # what is left of the old bulk is blank
                decode(inner := sealed.unseal(path.read_bytes(), ring), SegmentRef(sha256(inner), len(inner)))
    reader = MemberReader(hub, client, "ana")
    (feed,) = reader.index().feeds
    state = reader.snapshot(feed.name, feed.snapshots[0])
    assert kept.pk in state["members/talk/en"]
    assert "t1" not in state["members/talk/en"]


def test_a_key_is_given_once_and_to_members_only(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    discuss("t1")
    publish()
    given = ask(client, "ana")[0].keys
    assert given == (member_keys.key(hub).hex(),)
    (name,) = sealed.keyring(given)
    assert ask(client, "ana", keys=(name,))[0].keys == ()
    assert ask(client, "ana", keys=("0" * 16,))[0].keys == given, "a wrong key is replaced"
    assert list(KeyGrant.objects.values_list("device", "key")) == [("ana", name)]
    code = invite("new@ministry.example")
    answer = client.post(
        paths.ENROL,
        EnrolRequest(code, "new", token_of("new"), "").to_bytes(),
        content_type="application/json",
    )
    assert EnrolResponse.from_bytes(answer.content).keys == given
    assert (hub / "keys" / "members.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("sqlite_only")
def test_who_loses_access_cannot_read_what_comes_after(
    client: Client, hub: Path, devices: tuple[Device, Device], tmp_path: Path
) -> None:
    thread = discuss("t1")
    publish()
    old = sealed.keyring(ask(client, "ana")[0].keys)
    assert sealed.keyring(ask(client, "ben")[0].keys) == old
    for number in range(6):  # enough for a history beside the newest runs
        Message.objects.create(id=f"t1-{number}", thread=thread, body=f"More {SECRET}", state="published")
        publish()
    (before,) = MemberReader(hub, client, "ben").index().feeds
    assert before.history is not None
    last = before.last
    revoke("ana")
    assert members.due(hub)
    published = publish()
    assert not members.due(hub)
    given = ask(client, "ben", keys=tuple(old))[0].keys
    new = sealed.keyring(given)
    assert new.keys().isdisjoint(old)
    assert list(member_keys.keys(hub)) == list(new)
    # All of it is under the new key; a carrier's copy is of no use to who has the old one.
    with pytest.raises(NoKey):
        MemberReader(hub, client, "ben", old).index()
    reader = MemberReader(hub, client, "ben", new)
    (feed,) = reader.index().feeds
    assert reader.snapshot(feed.name, feed.snapshots[0]) == for_members()
    assert (feed.last, feed.recent, feed.history) == (last, (), None), "who is in step fetches nothing anew"
    Message.objects.create(id="t1-n", thread=thread, body=f"After, {SECRET}", state="published")
    publish()
    (feed,) = reader.index().feeds
    assert [(run.start, run.end) for run in feed.recent] == [(last, feed.last)]
    assert feed.last > published.version - 1
    assert publish().version == epochs.current()[1], "and nothing more is replaced"
    assert list(member_keys.keys(hub)) == list(new)
    copy = backup(hub, tmp_path / "copy")
    assert bytes.fromhex((copy / "keys" / "members.key").read_text().strip()) == new[next(iter(new))]


def test_news_and_a_new_key_in_one_publication(client: Client, hub: Path, devices: tuple[Device, Device]) -> None:
    thread = discuss("t1")
    discuss("t2", "fr")
    versions = {publish().version: for_members()}
    ask(client, "ana")
    Member.objects.filter(pk=devices[0].member_id).delete()  # the device's row goes with it; its grant stays
    Message.objects.create(id="t1-n", thread=thread, body=f"After, {SECRET}", state="published")
    versions[publish().version] = for_members()
    reader = MemberReader(hub, client, "ben")
    reader.ring = {member_keys.newest_id(hub): member_keys.key(hub)}
    runs = [run for feed in reader.index().feeds for run in feed.recent]
    for feed in reader.index().feeds:
        assert [reader.snapshot(feed.name, one) for one in feed.snapshots] == [
            part_of(versions[max(versions)], feed.name)
        ]
    assert len(runs) == 1, "who was in step follows the run, under the new key"
    first, last = versions
    assert (runs[0].start, runs[0].end) == (first, last)
    assert reader.follow("members/talk/en", runs[0], part_of(versions[first], "members/talk/en")) == part_of(
        versions[last], "members/talk/en"
    )
    assert FeedState.objects.filter(name__startswith="members/").count() == 2


@pytest.mark.parametrize("state", ["suspended", "left"])
def test_the_key_is_replaced_only_where_somebody_has_it(
    client: Client, hub: Path, devices: tuple[Device, Device], state: str
) -> None:
    discuss("t1")
    publish()
    key = member_keys.key(hub)
    ask(client, "ben")
    revoke("ana")  # who never was given it
    publish()
    assert member_keys.key(hub) == key
    Member.objects.filter(email__startswith="ben").update(state=state)
    publish()
    assert member_keys.key(hub) != key


def test_a_restored_hub_begins_with_a_new_key(client: Client, hub: Path, devices: tuple[Device, Device]) -> None:
    discuss("t1")
    publish()
    key = member_keys.key(hub)
    epochs.begin_new_epoch(hub)
    version = publish().version
    assert member_keys.key(hub) != key
    assert check_every_way(MemberReader(hub, client, "ben"), {version: for_members()}) == 1


def test_a_publication_that_died_after_it_made_a_key_is_repaired_by_the_next(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    discuss("t1")
    publish()
    before = member_keys.keys(hub)
    for _death in range(2):
        member_keys.replace(hub)
    # What is served is still under the key before: whoever comes now is given both.
    given = sealed.keyring(ask(client, "ana")[0].keys)
    assert given.keys() > before.keys()
    assert ask(client, "ana", keys=(member_keys.newest_id(hub),))[0].keys == (), "the newest will do soon"
    assert MemberReader(hub, client, "ana", given).index().feeds
    publish()
    assert list(member_keys.keys(hub)) == [next(name for name in given if name not in before)]
    assert MemberReader(hub, client, "ana", given).index().feeds


def test_sealed_things_ride_along_for_those_who_may_have_them(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    public_content()
    thread = discuss("t1")
    first = publish().version
    epoch = epochs.current()[0]
    message, things = ask(client, "ana", room=200_000)
    ring = sealed.keyring(message.keys)
    reader = MemberReader(hub, client, "ana", ring)
    (feed,) = reader.index().feeds
    hidden = reader.head().members
    assert hidden is not None
    listed = Snapshot.from_bytes(reader.document(feed.snapshots[0].document))
    assert {hidden.hash, feed.snapshots[0].document.hash, listed.segments[0].hash} <= things.keys()
    for name in (hidden.hash, listed.segments[0].hash):
        assert sha256(things[name]) == name
        assert SECRET.encode() not in things[name]
    # In step: only what is new of either kind.
    Message.objects.create(id="t1-n", thread=thread, body=f"News of {SECRET}", state="published")
    publish()
    (feed,) = reader.index().feeds
    hidden = reader.head().members
    assert hidden is not None
    news = {"head": (epoch, first), "at": first, "keys": tuple(ring), "room": 200_000}
    _message, things = ask(client, "ana", **news)
    assert things.keys() == {reader.head().index.hash, hidden.hash, feed.recent[-1].segments[0].hash}
    # Whoever has all that is public and had no key until now has nothing for members yet.
    _message, things = ask(client, "ben", **{**news, "keys": ()})
    assert {hidden.hash, feed.snapshots[0].document.hash} <= things.keys()
    Resource.objects.update(title="A better guide")
    version = publish().version - 1
    _message, things = ask(client, "ana", **{**news, "head": (epoch, version), "at": version})
    assert hidden.hash not in things, "it is the same as before"
    assert len(things) > 1


def test_members_may_reply_where_only_members_read(
    client: Client, hub: Path, devices: tuple[Device, Device]
) -> None:
    discuss("t1")
    operation = Operation("op-1", 1, 1, "reply", {"target": "t1", "body": "So do we."})
    message, _things = ask(client, "ana", operations=(operation,))
    assert message.receipts[0].accepted
    assert Message.objects.get(pk="op-1").thread_id == "t1"


def test_a_damaged_key_keeps_nobody_from_asking(client: Client, hub: Path, devices: tuple[Device, Device]) -> None:
    public_content()
    discuss("t1")
    publish()
    (hub / "keys" / "members.key").write_text("not a key")
    operation = Operation("op-1", 1, 1, "ask", {"title": "How many?"})
    message, things = ask(client, "ana", operations=(operation,), room=100_000)
    assert message.receipts[0].accepted
    assert (message.keys, len(things) > 0) == ((), True)
    with pytest.raises(keys.KeysUnusable):
        publish()


def test_left_members_are_told_to_forget(client: Client, hub: Path, devices: tuple[Device, Device]) -> None:
    device = devices[0]
    body = envelope.ask(token_of("ana"), bytes(12), SyncRequest())
    Device.objects.filter(pk=device.pk).update(revoked=timezone.now())
    answer = client.post(paths.SYNC, body, content_type="application/octet-stream")
    assert (answer.status_code, json.loads(answer.content)["forget"]) == (401, True)
    assert served.read_head(hub) is None
