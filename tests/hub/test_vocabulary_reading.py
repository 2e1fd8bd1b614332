"""SKOS files as people have them, and as nobody should: read, or refused in words; nothing is fetched."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hub.errors import ImportProblem
from hub.skos import apart, reading
from hub.skos.apart import read_apart
from tests.hub.vocabulary_files import JSON_LD, LABELS, PREFIXES, SCHEME, TRIPLES, TURTLE, XML, write

REFUSED = [
    ("empty.ttl", " \n", "the file is empty"),
    ("page.rdf", "<!DOCTYPE html>\n<html><body>Not found</body></html>", "this is a web page"),
    ("page.ttl", "<html><body>Not found</body></html>", "not well-formed Turtle"),
    ("packed.ttl", b"PK\x03\x04\x00\x00", "this is a ZIP file"),
    ("cut.ttl", TURTLE[:-20], "not well-formed Turtle"),
    ("bytes.ttl", b'<http://a/1> <http://a/2> "\xff\xfe"@en .', "not well-formed Turtle"),
    ("cut.rdf", XML[:-300], "not well-formed RDF/XML"),
    ("cut.jsonld", JSON_LD[:-40], "not well-formed JSON-LD"),
    ("prefix.ttl", 'skos:a skos:b "c"@en .', "not well-formed Turtle, line 1: "),
    ("nested.jsonld", '{"http://a/b":' * 100_000 + "1" + "}" * 100_000, "not well-formed JSON-LD"),
    ("other.ttl", "<http://a/1> <http://a/2> <http://a/3> .", "it holds no SKOS concept"),
    ("bare.ttl", PREFIXES + ':c a skos:Concept ; skos:prefLabel "Eau" .', "it holds no SKOS concept"),
    (
        "laughs.rdf",
        XML.replace('<!ENTITY skos "', '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY skos "'),
        "it declares XML entities",
    ),
    ("laughs2.rdf", XML.replace('<!ENTITY skos "', "<!ENTITY b '%a;'><!ENTITY skos \""), "XML entities"),
    (
        "outside.rdf",
        XML.replace("<!ENTITY skos", '<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY skos'),
        "it declares XML entities",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ttl", TURTLE),
        ("a.nt", TRIPLES),
        ("a.rdf", XML),
        ("a.jsonld", JSON_LD),
        ("b.txt", TURTLE),
        ("b.txt", XML),
    ],
)
def test_every_notation_says_the_same(tmp_path: Path, name: str, content: str) -> None:
    found = read_apart(write(tmp_path, name, content))
    assert found["concepts"] == LABELS
    assert found["schemes"] == [
        {
            "uri": "http://thesaurus.example/",
            "concepts": 2,
            "titles": {"en": "School thesaurus"},
            "rights": "http://licence.example/by",
        }
    ]
    assert found["left_out"] == {}


def test_what_serves_no_search_is_left_out_and_counted(tmp_path: Path) -> None:
    long = "x" * (reading.MAX_LABEL + 1)
    many = " , ".join(f'"label {n}"@en' for n in range(reading.MAX_LABELS + 5))
    odd = [
        PREFIXES + SCHEME,
        f':c1 a skos:Concept ; skos:prefLabel "Eau"@fr , "{long}"@en , "bare" , "  "@en .',
        ':old a skos:Concept ; skos:prefLabel "Old"@en ; owl:deprecated true .',
        '[] a skos:Concept ; skos:prefLabel "Nameless"@en .',
        ':group a skos:Collection ; skos:inScheme <http://thesaurus.example/> ; skos:prefLabel "G"@en .',
        f':c2 a skos:Concept ; skos:prefLabel "First"@en ; skos:altLabel {many} .',
        ":c3 a skos:Concept ; skosxl:prefLabel :l1 ; skosxl:altLabel :l2 .",
        ':l1 skosxl:literalForm "École"@fr-CA .',
        ':l2 skosxl:literalForm "Jam\\u0000e\\nb"@en .',
    ]
    found = read_apart(write(tmp_path, "odd.ttl", "\n".join(odd)))
    assert found["concepts"].keys() == {f"http://thesaurus.example/c{n}" for n in (1, 2, 3)}
    assert found["concepts"]["http://thesaurus.example/c1"] == {"fr": ["Eau"]}
    assert found["concepts"]["http://thesaurus.example/c2"]["en"][:2] == ["First", "label 0"]
    assert len(found["concepts"]["http://thesaurus.example/c2"]["en"]) == reading.MAX_LABELS
    assert found["concepts"]["http://thesaurus.example/c3"] == {"fr-ca": ["École"], "en": ["Jam e b"]}
    assert found["left_out"] == {
        "labels without a language": 1,
        "labels longer than 120 characters": 1,
        "concepts marked as deprecated": 1,
        "concepts without an address": 1,
        "labels beyond 100 of one concept": 6,
    }


@pytest.mark.parametrize(("name", "content", "why"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_cannot_be_used_is_refused_in_words(
    tmp_path: Path, name: str, content: str | bytes, why: str
) -> None:
    with pytest.raises(ImportProblem) as refused:
        read_apart(write(tmp_path, name, content))
    assert f"{name} was not loaded: " in str(refused.value)
    assert why in str(refused.value)
    assert refused.value.advice.endswith(".")


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportProblem, match="There is no file"):
        read_apart(tmp_path / "none.ttl")
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    with pytest.raises(reading.Unusable, match="larger than"):
        reading.read(write(tmp_path, "a.ttl", TURTLE))


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_STATEMENTS", 5), ("MAX_CONCEPTS", 1)], ids=["statements", "concepts"]
)
def test_counts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    path = write(tmp_path, "a.ttl", TURTLE)
    monkeypatch.setattr(reading, limit, value)
    with pytest.raises(reading.Unusable, match=f"more than {value}"):
        reading.read(path)


@pytest.mark.parametrize(("bound", "value"), [("_BYTES", 60 << 20), ("_PATIENCE", 0.0001)], ids=["memory", "time"])
def test_a_file_that_costs_too_much_ends_its_own_process_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: float
) -> None:
    path = write(tmp_path, "costly.ttl", PREFIXES + SCHEME + ":c1 skos:related :c2 .\n" * 1_000_000)
    monkeypatch.setattr(apart, bound, value)
    with pytest.raises(ImportProblem, match="not loaded: (reading it takes too much|it needs too much)"):
        read_apart(path)


def test_nothing_is_fetched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        context = JSON_LD[JSON_LD.index("{", 1) : JSON_LD.index('},\n "graph"') + 1]
        with pytest.raises(ImportProblem, match="its JSON-LD context lies elsewhere"):
            read_apart(write(tmp_path, "a.jsonld", JSON_LD.replace(context, f'"{address}"')))
        outside = XML.replace("<!DOCTYPE rdf:RDF [", f'<!DOCTYPE rdf:RDF SYSTEM "{address}" [')
        assert read_apart(write(tmp_path, "a.rdf", outside))["concepts"] == LABELS
        imports = f"{TURTLE}<http://thesaurus.example/> owl:imports <{address}> .\n"
        assert read_apart(write(tmp_path, "a.ttl", imports))["concepts"] == LABELS
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.real_input
def test_the_unesco_thesaurus(shared_data: Path) -> None:
    found = read_apart(shared_data / "vocab" / "unesco_thesaurus" / "unesco-thesaurus.ttl")
    assert len(found["concepts"]) == 4414
    assert found["schemes"][0]["titles"]["fr"] == "Thésaurus de l'UNESCO"
    assert found["schemes"][0]["rights"] == "http://creativecommons.org/licenses/by-sa/3.0/igo/"
    labels = found["concepts"]["http://vocabularies.unesco.org/thesaurus/concept10"]
    assert labels["fr"] == ["Droit à l'éducation"]
    assert labels.keys() == {"en", "es", "fr", "ru"}
