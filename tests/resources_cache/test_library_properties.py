"""Whatever comes in whatever order: the shelf agrees with a simple model, and no question is an error."""

from __future__ import annotations

import re
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from resources_cache.cards import Cursor
from resources_cache.frequencies import documents, holds
from resources_cache.library import Library
from resources_cache.records import indexed
from resources_cache.search_index import languages
from resources_cache.text import parse, prepare, query
from resources_cache.text.spelling import mended

WORDS = st.sampled_from(
    ["eau", "École", "tablettes", "التعليم", "教育政策", "ไทย", "hindi हिन्दी", "", "the", "42"]
)
KINDS = st.sampled_from(["resource", "thread", "message", "text", "summary", "theme", "odd"])


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    id_ = draw(st.sampled_from(["a", "b", "c", "d", "e"]))
    if draw(st.integers(0, 3)) == 0:
        return {"id": id_, "deleted": True}
    parent = draw(st.sampled_from(["a", "b", "c"]))
    return {
        "id": id_, "type": draw(KINDS), "title": draw(WORDS), "summary": draw(WORDS), "body": draw(WORDS),
        "resource": parent, "thread": parent, "themes": draw(st.lists(st.sampled_from(["x", "y"]), max_size=2)),
    }  # fmt: skip


def content(library: Library) -> dict[str, Any]:
    found = {}
    for id_ in "abcde":
        record = library.get(id_)
        if record is not None:
            found[id_] = {k: v for k, v in record.items() if k not in ("texts", "messages", "summaries")}
    return found


def found_by(library: Library) -> dict[str, list[str]]:
    """Which records each word finds; scores, and so the order, depend on how rows lie in the file."""
    return {
        word: sorted(hit.id for hit in library.search(word).results) for word in ("eau", "ecole", "教育", "ไทย")
    }


def assert_sound(library: Library) -> None:
    assert [check for check in library.check() if not check.ok] == []


@settings(max_examples=60)
@given(st.lists(changes(), max_size=25), st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_any_chunking_gives_the_same_shelf(stream: list[dict[str, Any]], sizes: list[int]) -> None:
    expected: dict[str, Any] = {}
    for change in stream:
        expected.pop(change["id"], None)
        if not change.get("deleted"):
            expected[change["id"]] = change
    with (
        tempfile.TemporaryDirectory() as folder,
        Library(Path(folder) / "one.db") as whole,
        Library(Path(folder) / "two.db") as cut,
    ):
        whole.apply("s", stream, Cursor(1, 1))
        at = turn = 0
        while at < len(stream):
            size = sizes[turn % len(sizes)]
            cut.apply("s", stream[at : at + size], Cursor(1, turn))
            at, turn = at + size, turn + 1
        assert content(whole) == content(cut)
        assert content(cut) == {
            k: {n: x for n, x in v.items() if n not in ("texts", "messages", "summaries")}
            for k, v in expected.items()
        }
        assert found_by(whole) == found_by(cut)
        assert whole.facets() == cut.facets()
        assert_sound(whole)
        assert_sound(cut)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["s1", "s2", "s3"]), changes()), max_size=25),
    st.randoms(use_true_random=False),
)
def test_streams_may_come_in_any_order(history: list[tuple[str, dict[str, Any]]], random: Any) -> None:
    """In the end each record is in one stream; however the streams interleave, the shelves agree."""
    home = {change["id"]: stream for stream, change in history}
    ends = [
        (s, {"id": id_, "deleted": True}) for id_, where in home.items() for s in ("s1", "s2", "s3") if s != where
    ]
    history = history + ends
    queues = {s: [change for where, change in history if where == s] for s in ("s1", "s2", "s3")}
    with (
        tempfile.TemporaryDirectory() as folder,
        Library(Path(folder) / "one.db") as one,
        Library(Path(folder) / "two.db") as two,
    ):
        for n, (stream, change) in enumerate(history):
            one.apply(stream, [change], Cursor(1, n))
        while waiting := [s for s, queue in queues.items() if queue]:
            stream = random.choice(waiting)
            size = random.randint(1, 4)
            two.apply(stream, queues[stream][:size], Cursor(1, 0))
            del queues[stream][:size]
        assert content(one) == content(two)
        assert found_by(one) == found_by(two)
        assert_sound(one)
        assert_sound(two)


@settings(max_examples=200)
@given(st.text(max_size=80))
@example('"')
@example('a" OR "b')
@example("NEAR(a b) AND NOT -x : ^ * {title} +")
@example("a\x00b \ud800 \U0010ffff")
@example("教育政策について書かれた" * 10)
@example("ال " * 50)
def test_any_text_is_a_question(text: str) -> None:
    with _shelf() as library:
        page = library.search(text)
        assert page.total >= len(page.results) >= 0
        if not query(text):
            assert page.total == 0


_OPERATORS = re.compile('[-:"“”«»–]')


@settings(max_examples=200)
@given(st.text(max_size=60))
@example("㐀㐀0")
def test_a_text_is_found_by_its_own_words(text: str) -> None:
    """Each prepared word survives preparing again, and the index tokenizes to just these words."""
    words = prepare(text).split()
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        library.apply("s", [{"id": "r", "type": "resource", "title": text}], Cursor(1, 1))
        assert_sound(library)
        asked = _OPERATORS.sub(" ", text)
        assert bool(words) == (library.search(asked).total == 1)


_TITLES = (
    "Écoles sans réseau: la formation des enseignants", "Water and sanitation in schools, 2015-2019",
    "教育政策について",     "تعليم البنات في الريف", "Türkiye'de okullaşma", "การศึกษาไทย", "Elimu ya msingi",
    "Ａ ½ ﬁ naïve co-operation",
)  # fmt: skip
_TYPED = st.lists(
    st.one_of(
        st.sampled_from(" ".join(_TITLES).split()),
        st.sampled_from(
            ["-", '"', "title:", "author:", "year:", "country:", "2019", "2015-2016", "“", ":", "the"]
        ),
        st.text(max_size=6),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(_TYPED, st.sampled_from(["", " "]))
@example(["a" * 20_000], "")
@example(["教" * 5_000], "")
@example(['"', "b " * 3_000, '"'], "")
@example(["-x " * 300], "")
def test_each_answer_has_a_word_of_the_query(typed: list[str], between: str) -> None:
    """And is there quickly, in processor time, whatever was typed."""
    with _answers() as library:
        text = between.join(typed)
        hits, took = [], float("inf")
        for _ in range(3):  # what Python tidies up in between is nobody's search
            if took >= 0.2:
                start = time.process_time()
                hits = library.search(text).results
                took = time.process_time() - start
        assert took < 0.2
        store = library._store
        wanted, _ = mended(parse(text, languages(store)), partial(holds, store), partial(documents, store))
        for hit in hits:
            record = library.get(hit.id)
            assert record is not None
            words = " " + " ".join(indexed(record).columns) + " "
            assert (
                any(f" {form} " in words for group in wanted.wanted for form in group.words)
                or any(f" {group.prefix}" in words for group in wanted.wanted if group.prefix)
                or (wanted.filtered and not wanted.wanted)
            )
            assert not any(f" {form} " in words for group in wanted.excluded for form in group.words)


def _answers() -> _shelf:
    shelf = _shelf()
    with shelf as library:
        if len(library.counts()) < 2:
            records = [
                {"id": f"t{n}", "type": "resource" if n % 2 else "thread", "title": title, "year": 2012 + n,
                 "authors": ["Aïssa Diallo"], "countries": ["KE"]}
                for n, title in enumerate(_TITLES)
            ]  # fmt: skip
            library.apply("t", records, Cursor(1, 1))
    return shelf


_OPEN: list[Library] = []


class _shelf:
    """One small shelf for all examples; opening one for each would be most of the time."""

    def __enter__(self) -> Library:
        if not _OPEN:
            library = Library(Path(tempfile.mkdtemp()) / "library.db")
            library.apply(
                "s", [{"id": "r", "type": "resource", "title": "a b 教育政策について", "summary": "x"}], Cursor()
            )
            _OPEN.append(library)
        return _OPEN[0]

    def __exit__(self, *_: object) -> None:
        return None
