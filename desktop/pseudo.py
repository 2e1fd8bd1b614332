"""A language that nobody speaks, made from the English words as they are asked for.

Every letter wears a mark, brackets stand around each string, and it is a third longer, as translations are:
what has no brackets on screen was never given to a translator, and what loses one is cut. The window speaks it
when its language is `qps` (a code of BCP 47 for private use), which no list of languages offers; tests and
pictures ask for it. Holes (`{count}`) and markup stay as they are.
"""

from __future__ import annotations

import gettext
import re

PSEUDO = "qps"
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARKED = "áƀçðéƒğħïĵķłɱñóþɋřşŧúṽŵẋýžÁƁÇÐÉƑĞĦÏĴĶŁṀÑÓÞɊŘŞŦÚṼŴẊÝŽ"
_LETTERS = str.maketrans(_PLAIN, _MARKED)
_KEPT = re.compile(r"(\{\w*\}|<[^>]*>|&\w+;)")
_FILLER = " óñé ŧẃó ŧħřéé ƒóúř ƒïṽé şïẋ şéṽéñ éïğħŧ ñïñé ŧéñ"


def pseudo(message: str) -> str:
    """`message` in the language that nobody speaks, a third longer and in brackets."""
    marked = "".join(part if _KEPT.fullmatch(part) else part.translate(_LETTERS) for part in _KEPT.split(message))
    more = max(1, round(len(_KEPT.sub("", message)) / 3))
    filler = (_FILLER * (more // len(_FILLER) + 1))[:more].rstrip()
    return f"[{marked}{filler}]"


class PseudoTranslations(gettext.NullTranslations):
    """A catalogue of `pseudo` words, with the two plural forms of English."""

    def gettext(self, message: str) -> str:
        """`message` in pseudo words."""
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The English plural form for `n` in pseudo words."""
        return pseudo(msgid1 if n == 1 else msgid2)
