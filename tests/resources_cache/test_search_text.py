"""What people type finds what was written, in the scripts that the hubs' readers use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.text import END, START, parse, prepare, query, snippet, strip_html


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Écoles", "ecole"), ("ÉCOLE", "école"), ("Straße", "strasse"), ("Øre", "ore"), ("İstanbul", "istanbul"),
        ("policies", "policy"), ("tablets", "tablet"), ("économies", "economie"), ("stratégies", "strategie"),
        ("classes", "class"), ("regiones", "region"),
        ("cities", "city"), ("days", "day"), ("cœur", "coeur"),
        ("التَّعْلِيم", "تعليم"), ("إدارة", "ادارة"), ("المدرسة", "مدرسه"), ("مبنى", "مبني"), ("کتاب", "كتاب"),
        ("١٢٣", "123"), ("naïve", "naive"), ("nai\u0308ve", "naïve"), ("ﬁnance", "finance"), ("한국어", "한국어"),
        ("co\u00adoperate", "cooperate"), ("Việt", "viet"), ("ガギ", "ガギ"), ("ｶﾞ", "ガ"),
    ],
)  # fmt: skip
def test_spelling_forgives(written: str, typed: str) -> None:
    assert prepare(written).split()[0] == prepare(typed).split()[0]


def test_indic_words_stay_whole_and_apart() -> None:
    assert prepare("हिन्दी शिक्षा") == "हिन्दी शिक्षा"
    assert prepare("हिंदी") != prepare("हदी")


def test_unspaced_scripts_are_cut_into_pairs() -> None:
    assert prepare("教育政策") == "教育 育政 政策 策"
    assert query("教育政策 ") == '"教育 育政 政策"'
    assert query("教") == '"教"*'
    assert query("AI教育 ") == '"ai 教育"'


def test_expressions() -> None:
    assert query('the use of "digital tablets" in scho') == '"digital tablet" OR "use" OR "scho"*'
    assert query("policies") == '("polici" OR "policies"*)'
    assert query("tablets ") == '"tablet"'
    assert query("of the") == '"the"*'
    assert query('" ( * : ^ -') == ""
    assert query("") == ""
    assert parse("a b").expression(every=True) == parse("a b").expression().replace(" OR ", " AND ")


@given(st.text())
def test_prepared_text_holds_only_tokens(text: str) -> None:
    words = prepare(text).split(" ")
    assert all(word and not any(c.isspace() or c == '"' for c in word) for word in words if words != [""])
    assert prepare(text) == prepare(text.upper().lower()) or not text.isascii()


@given(st.text(max_size=400), st.text(max_size=20))
def test_a_snippet_is_the_original_text_with_pairs_of_marks(text: str, asked: str) -> None:
    shown, _ = snippet(text, parse(asked))
    depth = 0
    for character in shown:
        depth += (character == START) - (character == END)
        assert depth in (0, 1)
    assert depth == 0
    plain = shown.replace(START, "").replace(END, "").removeprefix("… ").removesuffix(" …")
    assert plain.split() == [] or plain.split()[0] in text or text >= "\x00"


def test_snippets_keep_accents_and_mark_what_was_meant() -> None:
    text = "Rien ici. " * 60 + "Les Écoles du Sahel reçoivent des tablettes. " + "Fin. " * 80
    shown, matches = snippet(text, parse("ecole tablettes"))
    assert matches == 2
    assert f"Les {START}Écoles{END} du Sahel reçoivent des {START}tablettes{END}." in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 260
    assert snippet("日本の教育政策について", parse("教育政策 "))[0] == f"日本の{START}教育政策{END}について"
    assert snippet("the cat and the tablets", parse("the tablets"))[0] == f"the cat and the {START}tablets{END}"


def test_html_is_read_without_its_tags() -> None:
    html = "<style>p{}</style><p>Eau &amp; <b>for</b>age<!-- x --></p><script>alert(1)</script>"
    assert strip_html(html).split() == ["Eau", "&", "for", "age"]
