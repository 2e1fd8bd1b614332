"""Runs in the system's Python, which alone has Xapian: indexes a collection, then answers one query a line.

First line in: {"lang": …, "documents": [{"_id", "title", "text"}, …]}; each further line a query as a JSON string;
each line out the ids of the best 20 as a JSON list. Words joined by OR, stems of the language that Xapian has.
"""

import json
import sys

import xapian

LANGUAGES = {"ar": "arabic", "de": "german", "en": "english", "es": "spanish", "ro": "romanian", "ru": "russian",
             "tr": "turkish"}  # fmt: skip


def main() -> None:
    given = json.loads(sys.stdin.readline())
    stem = xapian.Stem(LANGUAGES.get(given["lang"], "none"))
    database = xapian.WritableDatabase("", xapian.DB_BACKEND_INMEMORY)
    writer = xapian.TermGenerator()
    writer.set_stemmer(stem)
    for document in given["documents"]:
        made = xapian.Document()
        writer.set_document(made)
        writer.index_text(document["title"], 3)
        writer.increase_termpos()
        writer.index_text(document["text"])
        made.set_data(document["_id"])
        database.add_document(made)
    parser = xapian.QueryParser()
    parser.set_stemmer(stem)
    parser.set_stemming_strategy(xapian.QueryParser.STEM_SOME)
    parser.set_default_op(xapian.Query.OP_OR)
    parser.set_database(database)
    enquire = xapian.Enquire(database)
    for line in sys.stdin:
        enquire.set_query(parser.parse_query(json.loads(line), 0))
        found = [match.document.get_data().decode() for match in enquire.get_mset(0, 20)]
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


main()
