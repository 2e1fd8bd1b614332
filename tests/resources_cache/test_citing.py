"""Citations: whose name is what, five styles in several languages, and files that other programs read back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.citing.formats import bibtex, ris
from resources_cache.citing.formatted import LANGUAGES, STYLES, cite
from resources_cache.citing.sources import Name, Source, source, source_lines

GUIDE: dict[str, Any] = {
    "id": "r1",
    "type": "resource",
    "resource_type": "guide",
    "title": "Offline-first platforms: a planning guide",
    "authors": ["Grace Wairimu", "Diallo, Amina", "Ministry of Education"],
    "publisher": "Hub & Co",
    "year": 2024,
    "lang": "en",
    "url": "https://x.example/g?a=1&b=2_c",
    "identifiers": {"doi": "https://doi.org/10.1234/abc_d"},
    "summary": "For ministries: 100 % of it.",
    "subjects": ["offline", "schools, rural"],
}
FRENCH = {"id": "r2", "title": "Études <des> écoles", "authors": ["Ministère de l’Éducation"], "lang": "fr",
          "url": "https://x.example/é"}  # fmt: skip
ARABIC = {"id": "r3", "title": "المدرسة دون اتصال", "authors": ["منال السرحان الخوالدة", "رَهَف الدُّغيمات"],
          "publisher": "مركز مِدرار", "year": 2024, "lang": "ar"}  # fmt: skip
NOBODY = {"id": "r4", "title": "No author at all", "year": 2020, "lang": "en"}
DAY = date(2026, 11, 22)


def one(record: dict[str, Any], style: str, lang: str = "en") -> str:
    (entry,) = cite([source(record)], style, lang, DAY)
    return entry.text


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Grace Wairimu", Name("Wairimu", "Grace")),
        ("Diallo, Amina", Name("Diallo", "Amina")),
        ("Jan van der Berg", Name("van der Berg", "Jan")),
        ("Diallo A.B.", Name("Diallo", "A.B.")),
        ("Mwanaidi Salehe Kombora", Name("Kombora", "Mwanaidi Salehe")),
        ("منال السرحان الخوالدة", Name(literal="منال السرحان الخوالدة")),
        ("አበበ ቢቂላ", Name(literal="አበበ ቢቂላ")),
        ("Ministry of Education", Name(literal="Ministry of Education")),
        ("Ministère de l’Éducation", Name(literal="Ministère de l’Éducation")),
        ("UNESCO", Name(literal="UNESCO")),
        ("Hub & Co", Name(literal="Hub & Co")),
        ("Smith, J., Jr.", Name(literal="Smith, J., Jr.")),
        ({"family": "Osei", "given": "Ben"}, Name("Osei", "Ben")),
        ({"name": "UNICEF"}, Name(literal="UNICEF")),
    ],
)
def test_names_are_taken_apart_where_that_is_safe(written: Any, name: Name) -> None:
    assert source({"id": "x", "authors": [written]}).authors == (name,)


def test_spanish_has_two_family_names() -> None:
    assert source({"lang": "es", "authors": ["María García López"]}).authors == (Name("García López", "María"),)


def test_the_five_styles() -> None:
    assert set(STYLES) == {"apa", "chicago", "harvard", "vancouver", "mla"}
    assert one(GUIDE, "apa") == (
        "Wairimu, G., Diallo, A., & Ministry of Education. (2024). Offline-first platforms: a planning guide. "
        "Hub & Co. https://doi.org/10.1234/abc_d"
    )
    assert one(GUIDE, "chicago") == (
        "Wairimu, Grace, Amina Diallo, and Ministry of Education. 2024. Offline-first Platforms: A Planning "
        "Guide. Hub & Co. https://doi.org/10.1234/abc_d."
    )
    assert one(GUIDE, "harvard") == (
        "Wairimu, G., Diallo, A. and Ministry of Education (2024) Offline-first platforms: a planning guide. "
        "Hub & Co. Available at: https://doi.org/10.1234/abc_d."
    )
    assert one(GUIDE, "vancouver") == (
        "Wairimu G, Diallo A, Ministry of Education. Offline-first platforms: a planning guide [Internet]. "
        "Hub & Co; 2024 [cited 2026 Nov 22]. Available from: https://x.example/g?a=1&b=2_c doi:10.1234/abc_d"
    )
    assert one(GUIDE, "mla") == (
        "Wairimu, Grace, et al. Offline-first Platforms: A Planning Guide. Hub & Co, 2024, "
        "https://doi.org/10.1234/abc_d."
    )


def test_no_year_no_author_and_other_languages() -> None:
    assert one(FRENCH, "apa") == (
        "Ministère de l’Éducation. (n.d.). Études <des> écoles. Retrieved November 22, 2026, from https://x.example/é"
    )
    assert "(s.\u00a0d.)" in one(FRENCH, "apa", "fr")
    assert "22 novembre 2026" in one(FRENCH, "chicago", "fr-CA")
    assert one(NOBODY, "apa") == "No author at all. (2020)."
    for style in STYLES:
        assert one(NOBODY, style).count("No author") == 1, "the title stands in the author's place, once"
        arabic = one(ARABIC, style, "ar")
        assert "منال السرحان الخوالدة" in arabic
        assert "رَهَف الدُّغيمات" in arabic
        assert one({}, style) is not None
    assert "et" in one({**FRENCH, "authors": ["A. Un", "B. Deux"]}, "chicago", "fr").split()
    assert {"en", "fr", "ar", "es", "pt"} == set(LANGUAGES)
    assert one(GUIDE, "apa", "xx") == one(GUIDE, "apa")
    with pytest.raises(KeyError):
        one(GUIDE, "no-style")


def test_html_is_escaped_and_slants_titles() -> None:
    (entry,) = cite([source(FRENCH)], "apa", "en", DAY)
    assert "<i>Études &lt;des&gt; écoles</i>" in entry.html


def test_lists_follow_their_style() -> None:
    sources = [source(GUIDE), source(NOBODY), source(FRENCH)]
    by_name = [entry.text for entry in cite(sources, "apa", "en", DAY)]
    assert by_name == sorted(by_name, key=str.casefold)
    numbered = [entry.text for entry in cite(sources, "vancouver", "en", DAY)]
    assert [text[:6] for text in numbered] == ["1. Wai", "2. No ", "3. Min"]


def test_ris_as_it_is_written() -> None:
    assert ris([source({**NOBODY, "authors": ["Star* Maker"]})]) == (
        "TY  - RPRT\r\nID  - r4\r\nTI  - No author at all\r\nAU  - Maker, Star\r\nPY  - 2020\r\n"
        "LA  - en\r\nER  - \r\n\r\n"
    )


def test_bibtex_escapes_and_keys() -> None:
    written = bibtex(
        [
            source(
                {"id": "a", "title": r"50 % of {a_b} & C# \ $5 ~ ^", "authors": ["Ann and Bob Ltd"], "year": 2020}
            ),
            source({"id": "a", "title": r"50 % of", "authors": ["Ann and Bob Ltd"], "year": 2020}),
            source(ARABIC),
        ]
    )
    assert (
        r"title = {{50 \% of \{a\_b\} \& C\# \textbackslash{} \$5 \textasciitilde{} \textasciicircum{}}},"
        in written
    )
    assert "author = {{Ann and Bob Ltd}}," in written
    assert "author = {{منال السرحان الخوالدة} and {رَهَف الدُّغيمات}}," in written
    keys = [line.partition("{")[2].rstrip(",") for line in written.splitlines() if line.startswith("@")]
    assert keys == ["ann2020", "ann2020-2", "2024"]


@given(
    st.dictionaries(
        st.sampled_from(["title", "authors", "publisher", "year", "url", "identifiers", "lang", "subjects"]),
        st.one_of(
            st.none(), st.integers(), st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3),
            st.dictionaries(st.sampled_from(["doi", "name", "family", "given"]), st.text(max_size=20)),
        ),
    )
)  # fmt: skip
def test_any_record_makes_sound_lines(record: dict[str, Any]) -> None:
    found = source(record)
    assert isinstance(found, Source)
    for line in ris([found]).split("\r\n"):
        assert line == "" or line[2:6] == "  - "
        assert "\n" not in line
    written = bibtex([found])
    assert written.count("{") - written.count(r"\{") == written.count("}") - written.count(r"\}")
    assert len(source_lines(found, "Hub").splitlines()) <= 3


def test_the_lines_below_what_is_copied() -> None:
    assert source_lines(source(GUIDE), "Sample hub") == (
        "Grace Wairimu; Amina Diallo; Ministry of Education (2024). Offline-first platforms: a planning guide. "
        "Hub & Co.\nhttps://doi.org/10.1234/abc_d\nSample hub: hubshelf://resource/r1"
    )
    assert source_lines(source({"id": "a/b"})) == "hubshelf://resource/a%2Fb"
