"""What rides along with an answer: the right things, in order, never more than the caller's room."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.models import HubState
from hub.planes import inlining
from hub.planes.heads import HeadInForce
from hub.publishing import served
from sync.protocol import documents, envelope, limits
from sync.protocol.feeds import (
    Feed,
    History,
    Index,
    Parts,
    Run,
    SegmentRef,
    Snapshot,
    SnapshotRef,
    StreamSize,
)
from sync.protocol.head import ObjectRef
from sync.protocol.messages import SyncRequest, SyncResponse
from sync.protocol.subscriptions import Subscription

pytestmark = pytest.mark.django_db
EPOCH, VERSION, PLENTY = 3, 9, 1 << 20
TOKEN, NONCE = "d4" * 32, bytes(12)
Thing = tuple[bytes, str, int, int, bytes]
"""(kind, hash, size, offset, bytes)"""


def noise(size: int, seed: object) -> bytes:
    return random.Random(repr(seed)).randbytes(size)


class Publication:
    """A publication made by hand, with segments of chosen sizes; their content is noise."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.indexes: dict[str, str] = {}
        self.bulk: bytes | None = None
        """The object in which all snapshots lie; each has one of its own where there is none."""

    def segment(self, size: int, name: object) -> SegmentRef:
        ref = served.put(self.home, noise(size, name))
        return SegmentRef(ref.hash, ref.size)

    def run(self, start: int, end: int, size: int, name: object) -> Run:
        return Run(start, end, (self.segment(size, (name, start, end)),))

    def snapshot(self, name: str, at: int, sizes: Sequence[int]) -> SnapshotRef:
        pieces = [noise(size, (name, at, number)) for number, size in enumerate(sizes)]
        # One object may hold several snapshots, as those of one publication do.
        whole = self.bulk or b"before" + b"".join(pieces)
        before = whole[: whole.index(pieces[0])]
        bulk = served.put(self.home, whole)
        segments = tuple(SegmentRef(hashlib.sha256(piece).hexdigest(), len(piece)) for piece in pieces)
        listed = Snapshot(name, at, ObjectRef(bulk.hash, bulk.size), len(before), segments)
        return SnapshotRef(at, served.put_document(self.home, listed.to_bytes()), sum(sizes))

    def feed(
        self,
        name: str,
        runs: Sequence[Run],
        older: Sequence[Run] = (),
        snapshot: Sequence[int] = (900,),
        streams: Sequence[str] = (),
        parts: Sequence[Feed] = (),
    ) -> Feed:
        history = parts_ref = None
        if older:
            listed = History(name, older[0].start, (*older, *runs))
            history = served.put_document(self.home, listed.to_bytes())
        if parts:
            parts_ref = served.put_document(self.home, Parts(name, tuple(parts)).to_bytes())
        sizes = tuple(StreamSize(stream, 1, 1) for stream in streams or (name,))
        newest = runs[-1].end if runs else 1
        return Feed(name, newest, sizes, (self.snapshot(name, 1, snapshot),), tuple(runs), history, parts_ref)

    def publish(self, version: int, *feeds: Feed) -> HeadInForce:
        index = served.put_document(self.home, Index(EPOCH, version, feeds).to_bytes())
        self.indexes[str(version)] = index.hash
        HubState.objects.update_or_create(
            key=served.INDEXES, defaults={"value": {"epoch": EPOCH, "versions": self.indexes}}
        )
        return HeadInForce(b"", (EPOCH, version), index.hash)


@pytest.fixture
def made(tmp_path: Path) -> Publication:
    (tmp_path / "served").mkdir()
    return Publication(tmp_path)


def things(made: Publication, request: SyncRequest, head: HeadInForce) -> list[Thing]:
    """What the hub sends along, read as a shelf reads it; the framed bytes never exceed the room."""
    framed = b"".join(inlining.things(made.home, request, head))
    assert len(framed) <= request.room
    reader = envelope.AnswerReader(TOKEN, NONCE)
    found: list[Thing] = []
    begun, current = None, b""
    for event in reader.feed(envelope.answer(TOKEN, NONCE, SyncResponse(EPOCH, 0)) + framed):
        if isinstance(event, envelope.Message):
            continue
        if isinstance(event, envelope.Begun):
            begun, current = event, b""
        elif isinstance(event, envelope.Piece):
            current += event.data
        else:
            assert begun is not None
            found.append((begun.kind, begun.hash, begun.size, begun.offset, current))
    assert reader.finished
    return found


def named(found: list[Thing]) -> list[tuple[bytes, str]]:
    return [(kind, digest) for kind, digest, *_ in found]


def request(at: int, room: int = PLENTY, version: int | None = None, **fields: object) -> SyncRequest:
    return SyncRequest(head=(EPOCH, at if version is None else version), at=at, room=room, **fields)  # type: ignore[arg-type]


def index_ref(head: HeadInForce, made: Publication) -> ObjectRef:
    raw = served.document(made.home, head.index)
    assert raw is not None
    return ObjectRef(head.index, len(raw))


def a_day(made: Publication) -> tuple[HeadInForce, list[Run]]:
    """Version 8, then 9 with a run each for three feeds."""
    before = [
        made.feed(f"public/{name}", [made.run(1, 8, 100, name)]) for name in ("cards/en", "people", "talk/en")
    ]
    made.publish(8, *before)
    runs = [made.run(8, 9, 500, name) for name in ("cards/en", "people", "talk/en")]
    after = [
        made.feed(feed.name, [*feed.recent, run])
        for feed, run in zip(reversed(before), reversed(runs), strict=True)
    ]
    return made.publish(9, *after), runs


def test_a_days_news_comes_as_an_index_patch_and_runs_the_most_useful_first(made: Publication) -> None:
    head, runs = a_day(made)
    found = things(made, request(8), head)
    assert named(found) == [(b"p", head.index), *((b"o", run.segments[0].hash) for run in runs)]
    patch = found[0][4]
    old = served.document(made.home, patch[:32].hex())
    assert patch[:32].hex() == made.indexes["8"]
    assert old is not None
    raw = documents.unpatch(patch[32:], old, index_ref(head, made), limits.DOCUMENT)
    assert Index.from_bytes(raw).version == VERSION
    for _, digest, size, offset, data in found[1:]:
        assert (hashlib.sha256(data).hexdigest(), len(data), offset) == (digest, size, 0)


def test_who_is_in_step_gets_nothing(made: Publication) -> None:
    head, _ = a_day(made)
    assert things(made, request(9), head) == []
    assert things(made, request(8, room=0), head) == []


def test_who_has_the_index_already_does_not_get_it_again(made: Publication) -> None:
    head, runs = a_day(made)
    found = things(made, request(8, version=9), head)
    assert named(found) == [(b"o", run.segments[0].hash) for run in runs]


@pytest.mark.parametrize("known", [(EPOCH, 2), (EPOCH - 1, 8), (0, 0)])
def test_without_a_common_base_the_index_comes_whole(made: Publication, known: tuple[int, int]) -> None:
    head, _ = a_day(made)
    found = things(made, SyncRequest(head=known, at=known[1], room=PLENTY), head)
    assert named(found)[0] == (b"d", head.index)
    # What a shelf is complete at in another epoch says nothing about this one: it begins with the snapshot.
    assert named(found)[1][0] == (b"o" if known[0] == EPOCH else b"d")
    raw = documents.unpack(found[0][4], index_ref(head, made), limits.DOCUMENT)
    assert Index.from_bytes(raw).version == VERSION


def test_what_does_not_fit_ends_the_list(made: Publication) -> None:
    head, runs = a_day(made)
    whole = inlining.things(made.home, request(8), head)
    for fitting in range(len(whole) + 1):
        # A thing's frame is counted at its longest, so a little more room than its bytes is asked for.
        room = sum(map(len, whole[:fitting])) + 63
        assert len(things(made, request(8, room), head)) in (fitting, max(0, fitting - 1))
    large = made.feed("public/cards/en", [made.run(1, 8, 100, "cards/en"), made.run(8, 9, 90_000, "large")])
    small = made.feed("public/people", [made.run(1, 8, 100, "people"), runs[1]])
    assert named(things(made, request(8, 5000), made.publish(9, small, large)))[1:] == []


def test_what_the_caller_has_is_skipped_or_continued(made: Publication) -> None:
    head, runs = a_day(made)
    first, second, third = (run.segments[0].hash for run in runs)
    found = things(made, request(8, have=((first[:16], 500), (second[:16], 123), (third[:16], 0))), head)
    assert [(digest, offset, len(data)) for _, digest, _, offset, data in found[1:]] == [
        (second, 123, 377),
        (third, 0, 500),
    ]
    assert found[1][4] == noise(500, ("people", 8, 9))[123:]


def test_who_was_away_gets_the_history_and_the_way_through_it(made: Publication) -> None:
    older = [
        made.run(1, 2, 50, "a"),
        made.run(2, 6, 60, "merged"),
        made.run(2, 3, 50, "b"),
        made.run(3, 6, 50, "c"),
    ]
    feed = made.feed("public/cards/en", [made.run(6, 9, 70, "d")], older, snapshot=(90_000,))
    head = made.publish(9, feed)
    assert feed.history is not None
    found = things(made, request(2, version=9), head)
    assert named(found) == [
        (b"d", feed.history.hash),
        (b"o", older[1].segments[0].hash),
        (b"o", feed.recent[0].segments[0].hash),
    ]
    raw = documents.unpack(found[0][4], feed.history, limits.DOCUMENT)
    assert History.from_bytes(raw).runs[1] == older[1]


def test_a_new_reader_gets_the_lists_of_all_and_the_content_of_small_feeds(made: Publication) -> None:
    small = made.feed("public/cards/ar", [made.run(1, 9, 40, "p")], snapshot=(300, 200))
    large = made.feed("public/cards/en", [made.run(1, 9, 40, "c")], snapshot=(inlining.SMALL, 1))
    head = made.publish(9, small, large)
    found = things(made, SyncRequest(room=PLENTY), head)
    pieces = [
        hashlib.sha256(noise(size, ("public/cards/ar", 1, n))).hexdigest() for n, size in enumerate((300, 200))
    ]
    assert named(found) == [
        (b"d", head.index),
        (b"d", small.snapshots[0].document.hash),
        *((b"o", piece) for piece in pieces),
        (b"o", small.recent[0].segments[0].hash),
        (b"d", large.snapshots[0].document.hash),
        (b"o", large.recent[0].segments[0].hash),
    ]
    assert [data for *_, data in found[2:4]] == [
        noise(300, ("public/cards/ar", 1, 0)),
        noise(200, ("public/cards/ar", 1, 1)),
    ]


def test_what_lies_behind_a_large_snapshot_is_left_to_the_same_range(made: Publication) -> None:
    sizes = {"public/cards/ar": (inlining.SMALL, 1), "public/cards/en": (300, 200)}
    made.bulk = b"".join(noise(size, (name, 1, n)) for name, of in sizes.items() for n, size in enumerate(of))
    large, small = (
        made.feed(name, [made.run(1, 9, 40, name)], snapshot=snapshot) for name, snapshot in sizes.items()
    )
    head = made.publish(9, large, small)
    lists = [
        (b"d", head.index),
        (b"d", large.snapshots[0].document.hash),
        (b"d", small.snapshots[0].document.hash),
    ]
    onward = [(b"o", feed.recent[0].segments[0].hash) for feed in (large, small)]
    assert named(things(made, SyncRequest(room=PLENTY), head)) == lists + onward
    # What follows the snapshots comes last, as far as there is room.
    short = sum(len(data) for *_, data in things(made, SyncRequest(room=PLENTY), head)) + 4 * 50
    assert named(things(made, SyncRequest(room=short), head)) == lists + onward[:1]


def test_whoever_was_here_before_gets_a_snapshot_that_is_the_shorter_way(made: Publication) -> None:
    """It is continued after a cut like anything else; only a new reader would get too much of it at once."""
    feed = made.feed("public/cards/en", [made.run(1, 2, 90_000, "a")], snapshot=(900,))
    made.publish(2, feed)
    newer = made.snapshot("public/cards/en", 8, (inlining.SMALL, 4_000))
    last = made.run(8, 9, 300, "c")
    history = [made.run(2, 8, 90_000, "b"), last]
    listed = served.put_document(made.home, History(feed.name, 1, (*feed.recent, *history)).to_bytes())
    head = made.publish(9, Feed(feed.name, 9, feed.streams, (newer,), (last,), listed, None))
    found = named(things(made, request(2), head))
    pieces = [noise(size, (feed.name, 8, n)) for n, size in enumerate((inlining.SMALL, 4_000))]
    assert [digest for kind, digest in found if kind == b"o"] == [
        *(hashlib.sha256(piece).hexdigest() for piece in pieces),
        last.segments[0].hash,
    ]


def test_only_what_is_kept_comes_and_single_themes_by_their_parts(made: Publication) -> None:
    streams = [f"public/texts/en/{theme}" for theme in ("radio", "water")]
    parts = [made.feed(name, [made.run(1, 9, 60, name)], snapshot=(90_000,)) for name in streams]
    texts = made.feed("public/texts/en", [made.run(1, 9, 100, "t")], streams=streams, parts=parts)
    other = made.feed("public/cards/fr", [made.run(1, 9, 100, "f")])
    head = made.publish(9, other, texts)
    assert texts.parts is not None
    some = Subscription(["en"], ["water"])
    assert named(things(made, request(1, version=9, streams=some), head)) == [
        (b"d", texts.parts.hash),
        (b"o", parts[1].recent[0].segments[0].hash),
    ]
    everything_english = Subscription(["en"])
    assert named(things(made, request(1, version=9, streams=everything_english), head)) == [
        (b"o", texts.recent[0].segments[0].hash)
    ]


def test_what_is_missing_on_the_disk_ends_the_list_and_not_the_answer(made: Publication) -> None:
    head, runs = a_day(made)
    served.served_path(made.home, runs[1].segments[0].hash).unlink()
    assert named(things(made, request(8, version=9), head)) == [(b"o", runs[0].segments[0].hash)]
    served.served_path(made.home, runs[0].segments[0].hash).write_bytes(b"short")
    assert things(made, request(8, version=9), head) == []


@settings(max_examples=40)
@given(room=st.integers(0, 4000), have=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 600)), max_size=3))
def test_the_room_is_never_exceeded_and_what_comes_is_whole(room: int, have: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Publication(Path(folder))
        head, runs = a_day(made)
        held = {runs[which].segments[0].hash[:16]: size for which, size in have}
        found = things(made, request(8, room, have=tuple(held.items())), head)
        for kind, digest, size, offset, data in found:
            assert len(data) == size - offset
            if kind == envelope.OBJECT:
                assert offset == held.get(digest[:16], 0) < size
        wanted = named(things(made, request(8, have=tuple(held.items())), head))
        assert named(found) == wanted[: len(found)]
