"""A glance at a text says of a phrase what preparing the whole text would say."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resources_cache.text import parse, prepare
from resources_cache.text.phrases import Demands
from resources_cache.text.queries import Group

TEXTS = {
    "en": "The deep wells of the district: deep-well pumps, deeper WELLS. Teachers' training costs; school meals.",
    "fr": "Les écoles équipées du Sahel ; l'école équipe\u0301e a été rénovée. Œuvres complètes, cœur de l'œuvre.",
    "es": "Formación de docentes en la región: las formaciones docentes y niños pequeños en el año escolar.",
    "ar": "وتستهدف المدارس الابتدائية تدريب المعلمين والمعلمات، ومدرسة ابتدائيّة للأطفال في السَّنة",
    "tr": "Okulların bağlantısı ve öğretmen eğitimi; okul bağlantıları kuruldu.",
}  # fmt: skip


def slowly(phrase: Group, text: str, lang: str) -> bool:
    return any(f" {words} " in f" {prepare(text, lang)} " for words in phrase.words)


def phrase_of(written: str) -> Group:
    (found,) = parse(f'"{written}" ', tuple(TEXTS)).required
    return found


@pytest.mark.parametrize("lang", TEXTS)
def test_each_two_words_of_a_text_are_found_or_not_alike(lang: str) -> None:
    chance = random.Random(5)
    words = TEXTS[lang].replace(",", " ").split()
    pairs = [f"{one} {two}" for one, two in zip(words, words[1:], strict=False)]
    pairs += [f"{chance.choice(words)} {chance.choice(words)}" for _ in range(80)]
    seen = set()
    for pair in pairs:
        if len(pair.split()) < 2 or not parse(f'"{pair}" ', tuple(TEXTS)).required:
            continue
        phrase = phrase_of(pair)
        for tag, text in TEXTS.items():
            wanted = slowly(phrase, text, tag)
            seen.add(wanted)
            assert Demands([phrase], []).met([("body", text, tag)]) == wanted, (pair, tag)
    assert seen == {True, False}


@given(st.text("aeé\u0301st œß-'\n\u00ad", max_size=60), st.text("aeéstœß", min_size=1, max_size=5),
       st.text("aeéstœß", min_size=1, max_size=5), st.sampled_from(["en", "fr", "es"]))  # fmt: skip
@example("te\u0301 ate", "té", "ate", "fr")
def test_any_text_of_latin_letters(text: str, one: str, two: str, lang: str) -> None:
    found = parse(f'"{one} {two}" ', ("en", "fr", "es")).required
    for phrase in found:
        assert Demands([phrase], []).met([("body", text, lang)]) == slowly(phrase, text, lang)


def test_what_may_not_be_there_is_looked_for_too() -> None:
    wells, pumps = phrase_of("deep wells"), phrase_of("well pumps")
    assert Demands([wells], []).met([("body", TEXTS["en"], "en")])
    assert not Demands([wells], [pumps]).met([("body", TEXTS["en"], "en")])
    assert Demands([wells], [phrase_of("shallow wells")]).met([("body", TEXTS["en"], "en")])
