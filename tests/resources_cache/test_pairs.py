"""Which words of a text are neighbours: never missed, seldom claimed, and alike in SQL."""

from __future__ import annotations

import random

from hypothesis import assume, given
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from resources_cache.finding import _near
from resources_cache.text.pairs import neighbours, signature

WORDS = st.lists(st.text("abé教", min_size=1, max_size=3), max_size=80).map(" ".join)


def may_have(bits: bytes, phrase: str) -> bool:
    """Whether a signature has all bits of a phrase; a text of less than two words has none."""
    size = len(bits)
    return bool(bits) and all(
        bits[byte % size] >> bit & 1 for places in neighbours(phrase) for byte, bit in places
    )


@given(WORDS, st.integers(0, 78), st.integers(2, 6))
def test_what_a_text_has_is_never_missed(text: str, start: int, length: int) -> None:
    phrase = " ".join(text.split()[start : start + length])
    assert may_have(signature(text), phrase) or not neighbours(phrase)


@given(WORDS, st.lists(st.text("abcé教", min_size=1, max_size=3), min_size=2, max_size=5).map(" ".join))
def test_sqlite_sees_the_same(text: str, phrase: str) -> None:
    assume(signature(text))  # texts of less than two words have no row
    database = dbapi2.connect(":memory:")
    database.execute("CREATE TABLE pairs (bits BLOB)")
    database.execute("INSERT INTO pairs VALUES (?)", (signature(text),))
    found = database.execute(f"SELECT count(*) FROM pairs p WHERE {_near([phrase])}").fetchone()[0]
    database.close()
    assert bool(found) == may_have(signature(text), phrase)


def test_most_texts_without_a_phrase_show_it() -> None:
    chance = random.Random(3)
    words = [f"w{n}" for n in range(500)]
    texts = [" ".join(chance.choices(words, k=chance.choice((60, 600, 3000)))) for _ in range(300)]
    for length, share in ((2, 0.07), (3, 0.006)):
        phrases = [" ".join(chance.choices(words, k=length)) for _ in range(30)]
        lacking = [(t, p) for t in texts for p in phrases if f" {p} " not in f" {t} "]
        signatures = {text: signature(text) for text in texts}
        claimed = sum(may_have(signatures[text], phrase) for text, phrase in lacking)
        assert 0 < claimed < share * len(lacking), length


def test_sizes_are_bounded() -> None:
    assert signature("") == signature("one") == b""
    assert len(signature("two words")) == 8
    assert len(signature(" ".join(str(n) for n in range(50_000)))) == 8192
    assert neighbours("one") == []
