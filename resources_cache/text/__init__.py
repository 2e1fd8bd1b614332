"""Text for searching: what is indexed, what is asked, and what is shown of it. Knows no database."""

from resources_cache.text.folding import RULES, STOP_WORDS, fold, key, prepare
from resources_cache.text.queries import Query, parse, query
from resources_cache.text.snippets import END, START, snippet, strip_html

__all__ = [
    "END",
    "RULES",
    "START",
    "STOP_WORDS",
    "Query",
    "fold",
    "key",
    "parse",
    "prepare",
    "query",
    "snippet",
    "strip_html",
]
