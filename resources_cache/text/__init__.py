"""Text for searching: what is indexed, what is asked, and what is shown of it. Knows no database."""

from resources_cache.text.folding import fold
from resources_cache.text.languages import PLAIN, guess, language
from resources_cache.text.queries import Group, Query, parse, query
from resources_cache.text.snippets import END, START, snippet, strip_html
from resources_cache.text.words import RULES, key, prepare, text_language

__all__ = [
    "END",
    "PLAIN",
    "RULES",
    "START",
    "Group",
    "Query",
    "fold",
    "guess",
    "key",
    "language",
    "parse",
    "prepare",
    "query",
    "snippet",
    "strip_html",
    "text_language",
]
