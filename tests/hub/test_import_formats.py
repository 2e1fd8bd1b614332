"""Bibliographic formats and tables: what arrives, how duplicates meet, and what is said of bad input."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.imports import ImportReport, import_files, parse_mapping
from hub.models import Resource

pytestmark = pytest.mark.django_db

ERIC = {
    "response": {
        "docs": [
            {"id": "EJ1000001", "title": "Caring &amp; Leadership", "author": ["Smylie, Mark A."],
             "description": "The importance of caring.", "subject": ["Caring"], "language": ["Spanish"],
             "publicationtype": ["Journal Articles", "Reports - Research"], "publicationdateyear": 2016,
             "issn": ["ISSN-0195-6744"],
             "publisher": "University of Chicago Press. Journals Division, P.O. Box 1. Tel: 877-705-1878"},
            {"id": "EJ1000002", "description": "no title"},
            {"id": "EJ1000003", "title": "Old one"},
            "not an object",
        ]
    }
}  # fmt: skip
BIBTEX = r"""
@string{pub = "Springer"}
% a comment
@article{muller2001,
  author = {M{\"u}ller, J{\"o}rg and {World Bank} and Anna von Hicks},
  title = {The {DNA} of Schools: \emph{a} study of 5--10\% \& more},
  journal = {J. Schools}, year = 2001, doi = {https://doi.org/10.1234/XYZ.}, keywords = {one, two},
  url = {https://example.org/a\_b}
}
@book{2nd,
  title = {Second}, publisher = pub, isbn = {978-0-306-40615-7}, year = {2002}
}
@book{2nd,
  title = {Second again, under the same key}, year = {2003}
}
@incollection{child, title = {Chapter}, crossref = {parent}, year = {}}
@book{parent, title = {Whole Book}, year = {1999}, publisher = {P}}
@misc{notitle, year = {1999}}
@article{
  author = {No Key}, title = {Entry without a key}
}
@article{cut, title = {Cut off
"""
RIS = """TY  - JOUR
ID  - 7
AU  - Shannon, Claude E.
PY  - 1948/07//
TI  - A Mathematical Theory of Communication
JF  - Bell System Technical Journal
DO  - 10.1002/j.1538
SN  - 0005-8580
ER  -
TY  - BOOK
AU  - Nobody
ER  -
TY  - BOOK
TI  - A book
SN  - 0306406152
UR  - http://example.org/book
TY  - RPRT
TI  - A report behind a book without an end
"""


def take(path: Path, content: str | bytes) -> ImportReport:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_files([path])


def test_eric(tmp_path: Path) -> None:
    report = take(tmp_path / "eric.json", json.dumps(ERIC))
    assert (report.read, report.created) == (4, 2)
    assert [r.where for r in report.rejected] == ["record 2", "record 4"]
    resource = Resource.objects.get(pk="EJ1000001")
    assert resource.title == "Caring & Leadership"
    assert (resource.lang, resource.year, resource.resource_type) == ("es", 2016, "study")
    assert resource.url == "https://eric.ed.gov/?id=EJ1000001"
    assert resource.publisher == "University of Chicago Press"
    assert set(resource.identifiers.values_list("scheme", "value")) >= {
        ("eric", "EJ1000001"),
        ("issn", "0195-6744"),
    }
    assert Resource.objects.get(pk="EJ1000003").lang == "en"
    again = take(tmp_path / "eric.json", json.dumps(ERIC))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


def test_bibtex(tmp_path: Path) -> None:
    report = take(tmp_path / "refs.bib", BIBTEX)
    titles = set(Resource.objects.values_list("title", flat=True))
    assert titles == {
        "The DNA of Schools: a study of 5–10% & more", "Second", "Second again, under the same key", "Chapter",
        "Whole Book", "Entry without a key",
    }  # fmt: skip
    assert len(report.rejected) == 2
    article = Resource.objects.get(origin="bibtex:muller2001")
    assert article.authors == ["Müller, Jörg", "World Bank", "von Hicks, Anna"]
    assert article.identifiers.get(scheme="doi").value == "10.1234/xyz"
    assert (article.url, article.subjects) == ("https://example.org/a_b", ["one", "two"])
    chapter = Resource.objects.get(title="Chapter")
    assert (chapter.year, chapter.bibliographic["container-title"]) == (1999, "Whole Book")
    again = take(tmp_path / "refs.bib", BIBTEX)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 6)


def test_an_edited_bibtex_entry_updates_its_resource(tmp_path: Path) -> None:
    take(tmp_path / "refs.bib", "@book{a, title={First}, doi={10.1234/a}, abstract={Old}}")
    report = take(tmp_path / "refs.bib", "@book{a, title={First}, doi={10.1234/a}, abstract={New}}")
    assert (report.created, report.updated) == (0, 1)
    assert Resource.objects.get().summary == "New"


def test_ris(tmp_path: Path) -> None:
    report = take(tmp_path / "refs.ris", RIS)
    assert (report.read, report.created) == (4, 3)
    assert report.rejected[0].where == "record 2 (line 10)"
    paper = Resource.objects.get(title__startswith="A Math")
    assert (paper.year, paper.url) == (1948, "https://doi.org/10.1002/j.1538")
    book = Resource.objects.get(title="A book")
    assert book.identifiers.get(scheme="isbn").value == "9780306406157"


def test_csl_and_zotero(tmp_path: Path) -> None:
    csl = [{"id": "a", "type": "report", "title": "A <i>CSL</i> report", "issued": {"date-parts": [["2010", 1]]},
            "author": [{"family": "Diop", "given": "Awa", "non-dropping-particle": "de"}], "DOI": "10.1234/csl"},
           {"id": "b"}]  # fmt: skip
    zotero = {"config": {}, "collections": {"K": {"name": "Shelf", "items": [1]}}, "items": [
        {"itemType": "book", "itemID": 1, "title": "Zotero book", "date": "c2011-05", "abstractNote": "About.",
         "creators": [{"creatorType": "author", "firstName": "A", "lastName": "B"}, {"name": "Org"}],
         "tags": [{"tag": "x"}], "extra": ["DOI: 10.1234/Z"], "rights": "CC-BY-4.0"},
        {"itemType": "note", "note": "passed over"}, 7]}  # fmt: skip
    assert take(tmp_path / "c.json", json.dumps(csl)).created == 1
    report = take(tmp_path / "z.json", json.dumps(zotero))
    assert (report.read, report.created, len(report.rejected)) == (2, 1, 1)
    first = Resource.objects.get(title="A CSL report")
    assert (first.authors, first.year) == (["de Diop, Awa"], 2010)
    second = Resource.objects.get(title="Zotero book")
    assert (second.year, second.authors, second.subjects) == (2011, ["B, A", "Org"], ["x"])
    assert [c.name for c in second.collections.all()] == ["Shelf"]
    assert second.redistributable


def test_csv_by_usual_headers_and_by_mapping(tmp_path: Path) -> None:
    content = (
        "Project Id,Project Name,Abstract,Project Development Objective,Country,Approval Date,Project URL\r\n"
        'P100001,"Roads, schools","Line one\nline two",Objective,Republic of Chad,"January 17, 2020",https://e.org/p\r\n'
        "P100002,Second,,Only an objective,Western Africa,,ftp://no\r\n"
        "P100003,,No title,,,,\r\n"
    )
    report = take(tmp_path / "p.csv", content)
    assert (report.read, report.created) == (3, 2)
    assert report.rejected[0].where == "line 5"
    first = Resource.objects.get(pk="P100001")
    assert (first.countries, first.year, first.summary) == (["TD"], 2020, "Line one\nline two")
    second = Resource.objects.get(pk="P100002")
    assert (second.summary, second.countries, second.subjects) == ("Only an objective", [], ["Western Africa"])
    assert second.url == ""
    mapped = tmp_path / "m.csv"
    mapped.write_text("Nr;Heading, long;What\n1;Titre;Bien\n", encoding="cp1252")
    report = import_files([mapped], mapping=parse_mapping(['title="Heading, long",summary=What']))
    assert report.created == 1
    assert Resource.objects.get(title="Titre").summary == "Bien"
    refused = import_files([mapped], mapping=parse_mapping(["title=Nowhere"]))
    assert "Nowhere" in refused.rejected[0].reason
    with pytest.raises(InvalidInput):
        parse_mapping(["colour=What"])
    with pytest.raises(InvalidInput):
        parse_mapping(["title"])


def test_bare_numbers_in_a_table_are_no_ids(tmp_path: Path) -> None:
    take(tmp_path / "a.csv", "id,title\n1,First table\n")
    report = take(tmp_path / "b.csv", "id,title\n1,Second table\n")
    assert report.created == 1
    assert Resource.objects.count() == 2


def test_duplicates_fill_gaps_and_take_nothing_away(tmp_path: Path) -> None:
    take(tmp_path / "a.bib", "@article{k, title={Schools}, abstract={Kept}, doi={10.1234/S}, author={A, B}}")
    report = take(
        tmp_path / "b.ris", "TY  - JOUR\nTI  - Schools!\nDO  - doi:10.1234/s\nAB  - Other\nPY  - 1999\nER  -\n"
    )
    assert (report.created, report.updated) == (0, 1)
    resource = Resource.objects.get()
    assert (resource.title, resource.summary, resource.year) == ("Schools", "Kept", 1999)
    for name in ("a.bib", "b.ris"):
        again = import_files([tmp_path / name])
        assert (again.created, again.updated, again.unchanged) == (0, 0, 1)


def test_urls_are_compared_by_page_and_only_with_agreeing_titles(tmp_path: Path) -> None:
    table = (
        "title,url\n"
        "School feeding guide,HTTP://WWW.Example.org:80/guide/?utm_source=x&a=1#top\n"
        "School feeding guide 2nd edition,https://example.org/guide?a=1\n"
        "Quite another thing,https://example.org/guide?a=1\n"
        "First of the site,https://example.org/\n"
        "Second of the site,https://example.org\n"
    )
    report = take(tmp_path / "a.csv", table)
    assert (report.read, report.created) == (5, 4)


def test_chapters_share_an_isbn_and_stay_apart(tmp_path: Path) -> None:
    report = take(
        tmp_path / "a.bib",
        "@inbook{a, title={Teachers and pay}, isbn={9780306406157}}\n"
        "@inbook{b, title={School meals}, isbn={9780306406157}}",
    )
    assert report.created == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.json", b"", "empty"),
        ("spaces.bib", b" \n\t ", "empty"),
        ("a.pdf", b"%PDF-1.4 x", "PDF"),
        ("a.jsonl", gzip.compress(b"x", mtime=0), "gzip"),
        ("a.csv", b"\x00\x01\x02", "binary"),
        ("a.bin", b"hello world, this is a letter", "format is not known"),
        ("a.html", b"<!DOCTYPE html><p>x", "HTML"),
        ("a.json", b'{"response": ', "not valid JSON"),
        ("b.json", b"[" * 200_000, "nested too deeply"),
        ("c.json", b'{"a": 1}', "none of the known formats"),
        ("d.json", b"[]", "no records"),
        ("e.json", b"[1, 2, null]", "must be a JSON object"),
        ("e.csv", b"a,b\n1,2\n", "no column holds titles"),
        ("e.ris", b"only words", "no record"),
        ("e.bib", b"only words", "no entry"),
    ],
)
def test_bad_files_are_named_with_a_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    report = take(tmp_path / name, content)
    assert report.created == 0
    assert reason in report.rejected[0].reason
    assert report.rejected[0].file.endswith(name)


def test_old_encodings_are_read(tmp_path: Path) -> None:
    take(tmp_path / "a.bib", "@book{a, title={Éducation pour tous}}".encode("cp1252"))
    take(tmp_path / "b.csv", "title;lang\nتعليم الأطفال;ar\n".encode("utf-16"))
    line = json.dumps({"id": "u16", "type": "resource", "title": "Wide"})
    take(tmp_path / "c.jsonl", (line + "\n" + line + "\n").encode("utf-16"))
    assert set(Resource.objects.values_list("title", flat=True)) == {
        "Éducation pour tous",
        "تعليم الأطفال",
        "Wide",
    }


def test_missing_files_and_folders_are_reported_and_the_others_arrive(tmp_path: Path) -> None:
    good = tmp_path / "good.bib"
    good.write_text("@book{a, title={Good}}")
    report = import_files([tmp_path / "none.bib", tmp_path, good])
    assert report.created == 1
    assert ["no such file" in report.rejected[0].reason, "regular" in report.rejected[1].reason] == [True, True]
