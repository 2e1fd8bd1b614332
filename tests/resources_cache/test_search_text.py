"""What people type finds what was written, in the scripts that the hubs' readers use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.text import END, PLAIN, START, guess, key, parse, prepare, query, snippet, strip_html
from resources_cache.text.languages import language
from resources_cache.text.words import alternatives


@pytest.mark.parametrize(
    ("lang", "written", "typed"),
    [
        ("fr", "Écoles", "ecole"), ("fr", "ÉCOLE", "école"), ("de", "Straße", "strasse"), ("da", "Øre", "ore"),
        ("tr", "İstanbul", "istanbul"), ("en", "policies", "policy"), ("en", "tablets", "tablet"),
        ("fr", "économies", "economie"), ("fr", "stratégies", "strategie"), ("fr", "formées", "former"),
        ("fr", "formées", "formee"), ("fr", "matières", "matiere"), ("es", "regiones", "region"),
        ("es", "información", "informacion"), ("es", "interés", "interes"), ("pt", "educação", "educacao"),
        ("ro", "populația", "populatie"), ("tr", "yapısı", "yapisi"), ("tr", "olduğu", "oldugu"),
        ("en", "cities", "city"), ("en", "days", "day"), ("fr", "cœur", "coeur"), ("ru", "школами", "школа"),
        ("el", "σχολεία", "σχολειο"), ("ar", "التَّعْلِيم", "تعليم"), ("ar", "إدارة", "اداره"),
        ("ar", "المدرسة", "مدرسه"), ("ar", "مبنى", "مبني"), ("fa", "کتاب", "كتاب"),
        ("hi", "विद्यालयों", "विद्यालय"),
        ("en", "١٢٣", "123"), ("en", "naïve", "naive"), ("en", "nai\u0308ve", "naïve"),
        ("en", "ﬁnance", "finance"),
        ("ko", "한국어", "한국어"), ("en", "co\u00adoperate", "cooperate"),
        ("vi", "Việt", "viet"), ("ja", "ガギ", "ガギ"),
        ("ja", "ｶﾞ", "ガ"), ("sw", "shule", "Shule"),
    ],
)  # fmt: skip
def test_spelling_forgives(lang: str, written: str, typed: str) -> None:
    """Whatever other languages are on the shelf, a typed word reaches the form that the text was indexed with."""
    assert prepare(written, lang).split()[0] in alternatives(
        typed, ["en", "fr", "ar", PLAIN, language(lang)]
    ) or prepare(written, lang) == prepare(typed, lang)


def test_each_language_has_its_own_stems() -> None:
    assert key("formation", "fr") != key("formation", PLAIN) == "formation"
    assert prepare("elimu ya watoto", "sw") == "elimu ya watoto"
    assert prepare("национальные schools", "ru").split()[1] == "school"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The quality of teaching in the schools of the north", "en"),
        ("La qualité de l'enseignement dans les écoles", "fr"),
        ("La calidad de la enseñanza en las escuelas", "es"), ("A qualidade do ensino nas escolas e não só", "pt"),
        ("Die Qualität des Unterrichts und der Schulen ist gut", "de"), ("Качество обучения в школах", "ru"),
        ("Якість освіти і її вплив на її країну їх", "uk"),
        ("جودة التعليم في المدارس", "ar"),
        ("کیفیت آموزش در مدارس پیشرفتگی", "fa"),
        ("Η ποιότητα της εκπαίδευσης", "el"), ("विद्यालय में शिक्षा की गुणवत्ता", "hi"),
        ("Ubora wa elimu katika shule za msingi", "sw"),
        ("教育政策について", PLAIN), ("", PLAIN), ("Budget 2019", "en"),
    ],
)  # fmt: skip
def test_a_text_that_does_not_say_is_looked_at(text: str, lang: str) -> None:
    assert guess(text) == lang


def test_tags_that_say_nothing_or_too_much() -> None:
    assert [language(tag) for tag in ("fr-CA", "EN_us", "und", "", "nb", "qqq", "zh-Hans", "x" * 900)] == [
        "fr", "en", "", "", "no", PLAIN, PLAIN, "",
    ]  # fmt: skip


def test_indic_words_stay_whole_and_apart() -> None:
    assert prepare("हिन्दी शिक्षा", "mr") == "हिन्दी शिक्षा"
    assert prepare("हिंदी", "hi") != prepare("हदी", "hi")


def test_unspaced_scripts_are_cut_into_pairs() -> None:
    assert prepare("教育政策") == "教育 育政 政策 策"
    assert query("教育政策 ") == '"教育 育政 政策"'
    assert query("教") == '"教"*'
    assert query("AI教育 ") == '"ai 教育"'


def test_expressions() -> None:
    en = ("en",)
    assert query("the use of tablets ", en) == '"use" OR "tablet"'
    assert query("policies", en) == '("polici" OR "policies"*)'
    assert query("tablets ", en) == '"tablet"'
    assert (
        query("politiques ", ("fr", "en"))
        == query("politiques ", ("en", "fr"))
        == '("politiqu" OR "polit" OR "politiques")'
    )
    assert '"educ"' in query("educatio", en)
    assert query("of the", en) == '"of" OR ("the" OR "the"*)'
    assert query('" ( * : ^ -') == ""
    assert query("") == ""
    assert query("water water ", en) == '"water" OR "water"'


def test_demands() -> None:
    en = ("en",)
    assert query('schools "digital tablets"', en) == '"digit tablet" AND ("digit tablet" OR "school")'
    assert query("water -fish ", en) == '("water") NOT ("fish")'
    assert query('water -"fish farms" ', en) == '("water") NOT ("fish farm")'
    assert query("title:water wells ", en) == 'title : "water" AND (title : "water" OR "well")'
    assert query("auteur:Diallo ", en) == 'names : "diallo"'
    assert query("2015-2017 ", en) == '("2015" OR "2016" OR "2017")'
    assert query("co-operation ", en) == '"co" OR "oper"'
    assert query("-fish", en) == '"fish"'
    found = parse("pays:ke year:2019-2015 water ", en)
    assert (found.country, found.years, found.expression()) == ("KE", (2015, 2019), '"water"')
    assert parse("country:Kenya ", en).required[0].words == ("kenya",)
    assert parse("year:2019", en).filtered
    assert not parse("year:2019", en).empty
    assert parse("http://example.org ", en).required == ()


def test_in_prose_quotation_marks_demand_nothing() -> None:
    prose = (
        'I was told that the so called "double shift" schools - and others -like these - may cost less in the end '
    )
    found = parse(prose, ("en",))
    assert found.required == found.excluded == ()
    assert ("doubl shift",) in [group.words for group in found.groups]
    assert ("doubl",) in [group.words for group in found.groups]


@given(st.text())
def test_prepared_text_holds_only_tokens(text: str) -> None:
    words = prepare(text).split(" ")
    assert all(word and not any(c.isspace() or c == '"' for c in word) for word in words if words != [""])
    assert prepare(text, "fr") == prepare(text.upper().lower(), "fr") or not text.isascii()


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
