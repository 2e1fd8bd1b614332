"""Words found at a glance are those that looking at each word finds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resources_cache.text.folding import WORD, fold
from resources_cache.text.languages import BEGINNINGS_STAY
from resources_cache.text.matching import Finder
from resources_cache.text.words import key

LETTERS = "aedcoiunsétçœæßøİıı\u0301\u00ad\u200bTS12½ﬁ'-.  \n"


def alike(finder: Finder[int], text: str, lang: str) -> None:
    """Each way to find words finds what looking at each word finds."""
    slow = [one for one in finder._one_by_one(text) if " " not in key(text[one[0] : one[1]], lang)]
    ways = {"find": finder.find(text)}
    if finder._glance is not None and (starts := finder._glance.starts(text)) is not None:
        ways["bytes"] = finder._beginning_at(text, starts)
    lowered = text.lower()
    if len(lowered) == len(text) and (pattern := finder._pattern()) is not None:
        ways["pattern"] = finder._at_a_glance(text, lowered, pattern)
    for name, found in ways.items():
        assert [one for one in found if " " not in key(text[one[0] : one[1]], lang)] == slow, name


@given(
    st.text(LETTERS, max_size=120),
    st.lists(st.text("aedcoiunsétœß1", min_size=1, max_size=9), min_size=1, max_size=4),
    st.lists(st.text("aedcoiunst", min_size=2, max_size=5), max_size=2),
    st.sampled_from(sorted(BEGINNINGS_STAY)),
)
@example("Deux œuvres et des ŒUVRES", ["œuvre"], [], "fr")
@example("an edu\u00adcation, re-education, E\u0301DUCATION", ["education"], ["ed"], "en")
@example("\xad1 \u0301a", ["1", "a"], [], "en")
@example("dying skis", ["die", "ski"], [], "en")
@example("cœur, coeurs, Co", ["coeur", "œuvre"], ["co"], "fr")
def test_a_glance_finds_what_looking_at_each_word_finds(
    text: str, asked: list[str], beginnings: list[str], lang: str
) -> None:
    words = {form: n for n, word in enumerate(asked) for form in key(word, lang).split()}
    alike(Finder(words, dict.fromkeys(beginnings, -1), lang), text, lang)


ARABIC = (
    "وتستهدف المدارس الابتدائية تدريب المعلمين والمعلمات، ومدرسة ابتدائيّة للأطفال في السَّنة. إيرادات الدولة"
    " وسيلة الوسائل؛ مصالحها ومصلحتنا، قاعة القاعات"
    " schools في Écoles مســتقبل هوائية وماء المياه بأسماء التلاميذ والآباء"
)


@given(
    st.lists(st.sampled_from(ARABIC.split()), max_size=30).map(" ".join),
    st.lists(st.sampled_from(WORD.findall(ARABIC)), min_size=1, max_size=4),
    st.lists(st.sampled_from(["ال", "مدر", "وس", "sch"]), max_size=1),
)
@example(ARABIC, WORD.findall(ARABIC)[:12], [])
@example(ARABIC, WORD.findall(ARABIC)[12:24], ["وم"])
def test_stems_that_lost_what_stood_before_them_too(text: str, asked: list[str], beginnings: list[str]) -> None:
    words = {form: n for n, word in enumerate(asked) for form in key(word, "ar").split()}
    alike(Finder(words, dict.fromkeys(map(fold, beginnings), -1), "ar"), text, "ar")


@pytest.mark.parametrize(
    ("lang", "quick"), [("en", True), ("fr", True), ("ar", True), ("tr", False), ("id", False)]
)
def test_only_where_stems_show_in_the_word_a_glance_is_enough(lang: str, quick: bool) -> None:
    finder = Finder({key("water", lang): 1}, {}, lang)
    assert (finder._glance is not None) == quick
    assert list(finder.find("Water for water")) == [(0, 5, 1), (10, 15, 1)]
    assert list(finder.find("Water für δ water")) == [(0, 5, 1), (12, 17, 1)]  # no code page has all of these
    assert Finder({"ماء": 1}, {}, "en")._glance is None


def test_a_long_text_is_looked_at_as_far_as_is_asked() -> None:
    text = "filling words " * 10_000 + "water"
    assert list(Finder({"water": 1}, {}, "ar").find(text)) == [(140_000, 140_005, 1)]
    assert list(Finder({"water": 1}, {}, "en").find(text)) == [(140_000, 140_005, 1)]
    assert next(Finder({"fill": 1}, {}, "en").find(text)) == (0, 7, 1)
