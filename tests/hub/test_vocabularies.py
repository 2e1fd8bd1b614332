"""Vocabularies on the hub: recognised again, changed where they changed, published as a stream of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import ImportProblem, InvalidInput, NotFound
from hub.models import Concept, Resource, ResourceTranslation, Vocabulary
from hub.publishing import records, served
from hub.publishing.sealer import publish
from hub.skos.storing import import_vocabulary, languages_served, listed, remove
from hub.vocabularies import load_taxonomies
from sync.protocol.feeds import Index
from tests.hub.publishing_reader import Reader, check_every_way, truth
from tests.hub.test_publishing_feeds import fresh_home
from tests.hub.vocabulary_files import PREFIXES, SCHEME, TEACHER_EDUCATION, TURTLE, WATER, write

pytestmark = pytest.mark.django_db(transaction=True)
STREAM = "public/vocabularies"
NEWER = PREFIXES + SCHEME + TEACHER_EDUCATION.replace("Instructor training", "Teacher training") + (
    ':c3 a skos:Concept ; skos:inScheme <http://thesaurus.example/> ; skos:prefLabel "Radio"@en , "Radio"@fr .\n'
)  # fmt: skip


def counts(report: object) -> tuple[int, ...]:
    return tuple(getattr(report, name) for name in ("created", "updated", "unchanged", "deleted"))


@pytest.fixture(autouse=True)
def hub() -> Path:
    return fresh_home()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path, "School thesaurus.ttl", TURTLE)


def test_the_same_file_again_changes_nothing_and_a_newer_one_what_changed(file: Path, tmp_path: Path) -> None:
    first = import_vocabulary(file, languages=["en", "fr", "es"])
    assert counts(first) == (2, 0, 0, 0)
    assert first.vocabulary == listed()[0]
    assert (first.vocabulary.id, first.vocabulary.title) == ("school-thesaurus", "School thesaurus")
    assert (first.vocabulary.rights, first.vocabulary.languages) == (
        "http://licence.example/by",
        ["en", "es", "fr"],
    )
    assert (first.vocabulary.concepts, first.vocabulary.labels) == (2, 6)
    assert counts(import_vocabulary(file)) == (0, 0, 2, 0)
    assert counts(import_vocabulary(write(tmp_path, "another name.ttl", NEWER))) == (1, 1, 0, 1)
    assert sorted(Concept.objects.values_list("pk", flat=True)) == ["school-thesaurus:c1", "school-thesaurus:c3"]
    assert Vocabulary.objects.count() == 1


def test_a_file_that_cannot_be_read_changes_nothing(file: Path, tmp_path: Path) -> None:
    import_vocabulary(file)
    with pytest.raises(ImportProblem):
        import_vocabulary(write(tmp_path, "cut.ttl", NEWER[:-30]))
    assert counts(import_vocabulary(file)) == (0, 0, 2, 0)


def test_ids_are_short_and_never_two_vocabularies_share_one(file: Path, tmp_path: Path) -> None:
    import_vocabulary(file, key="school")
    other = TURTLE.replace("thesaurus.example", "other.example")
    for key, wrong in (("school", "Another vocabulary is here as school"), ("Not an id", "cannot be the id")):
        with pytest.raises(InvalidInput, match=wrong):
            import_vocabulary(write(tmp_path, "other.ttl", other), key=key)
    with pytest.raises(InvalidInput, match="This vocabulary is here as school"):
        import_vocabulary(file, key="mine")
    odd = TURTLE.replace(":c2 a", "<http://elsewhere.example/a/b?c=d e> a").replace(
        ":c1 a", "<http://thesaurus.example/ü> a"
    )
    import_vocabulary(
        write(tmp_path, "odd.ttl", odd.replace("http://thesaurus.example/>", "http://odd.example/>"))
    )
    found = list(Concept.objects.values_list("pk", flat=True))
    assert len(found) == 4
    assert all(len(pk) <= 64 and pk.replace(":", "").replace("-", "").isalnum() and pk.isascii() for pk in found)


def test_labels_of_the_languages_that_the_hub_serves_are_published(file: Path, tmp_path: Path) -> None:
    Resource.objects.create(id="r1", title="Écoles", lang="fr-CA", state="published")
    ResourceTranslation.objects.create(resource_id="r1", lang="es", title="Escuelas")
    Resource.objects.create(id="r2", title="Draft", lang="ru", state="draft")
    assert languages_served() == {"fr", "es"}
    load_taxonomies()
    assert languages_served() == {"en", "fr", "es", "pt", "ar", "sw"}
    import_vocabulary(file)
    published = {record.body["id"]: record for record in records.public_records({"concept": _all()})}
    assert published["school-thesaurus:c1"].body["labels"] == {
        "en": ["Teacher education", "Instructor training"],
        "es": ["Formación de docentes"],
        "fr": ["Formation des enseignants"],
    }
    assert {record.stream for record in published.values()} == {STREAM}
    import_vocabulary(file, languages=["en-GB", "ru"])
    published = {record.body["id"]: record for record in records.public_records({"concept": _all()})}
    assert published.keys() == {"school-thesaurus:c1"}, "one label leads nowhere"
    assert published["school-thesaurus:c1"].body["labels"].keys() == {"en", "ru"}
    with pytest.raises(InvalidInput, match="is no language"):
        import_vocabulary(file, languages=["x1"])


def _all() -> list[str]:
    return list(Concept.objects.values_list("pk", flat=True))


def test_readers_are_led_from_every_state_to_the_next_and_nothing_new_costs_nothing(
    hub: Path, file: Path, tmp_path: Path
) -> None:
    reader, states = Reader(hub), {}

    def published() -> tuple[int, int, int]:
        done = publish()
        states[done.version] = truth()
        check_every_way(reader, states)
        return done.put, done.deleted, done.version

    import_vocabulary(file, languages=["en", "fr"])
    assert published() == (3, 0, 1)
    assert states[1][STREAM].keys() == {"school-thesaurus", "school-thesaurus:c1", "school-thesaurus:c2"}
    import_vocabulary(file, languages=["en", "fr"])
    assert published() == (0, 0, 1)
    import_vocabulary(file, languages=["en", "fr", "es"])
    assert published()[:2] == (1, 0), "only one concept has a Spanish label"
    import_vocabulary(write(tmp_path, "newer.ttl", NEWER), languages=["en", "fr", "es"])
    assert published()[:2] == (2, 1)
    assert b"Eau" not in b"".join(states[max(states)][STREAM].values())
    remove("school-thesaurus")
    assert published()[:2] == (0, 3)
    assert STREAM not in truth()
    import_vocabulary(write(tmp_path, "again.ttl", PREFIXES + SCHEME + WATER), languages=["en", "fr"])
    assert published()[:2] == (2, 0)


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(NotFound, match="There is no vocabulary none"):
        remove("none")


def test_the_stream_is_listed_before_the_texts(hub: Path, file: Path) -> None:
    load_taxonomies()
    import_vocabulary(file)
    publish()
    index = Index.from_bytes(Reader(hub).document(Reader(hub).head().index))
    assert [feed.name for feed in index.feeds] == ["public/vocab", STREAM]
    assert served.index_of(1) is not None
