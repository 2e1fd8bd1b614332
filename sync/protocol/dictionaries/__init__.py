"""The dictionaries of messages: what a coder has seen before it meets the first word of one.

Number 0 is the skeleton alone (the keys and phrases of messages); the others are the texts of one language and
then the skeleton. Both sides need the same bytes, so their SHA-256s stand here; `packaging/dictionaries.py` made
them.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

NUMBERS = {"": 0, "en": 1, "fr": 2, "ar": 3, "es": 4, "pt": 5, "sw": 6}
"""The number of each language's dictionary, as the wire names it."""

SHA256 = {
    "skeleton": "c64e5a54f02f13923f6d02274279eab5e07f0a9140237f289223e5f4d215411f",
    "en": "a39836e07524dbcbe17abe18dc40e1d3296f960f5161cbfa93fbcc542f0e3553",
    "fr": "3e2c08194d2b6453c18b4acb767dff95a529fbe52a2fe7f289432819c8f99725",
    "ar": "95c80f33cc06f657f094b769e198bd09201a28442f034aa7eaa25265e625665e",
    "es": "9f0af32b334db6d98bb8de0d460c2908f68076e7137a4ee785a6b9289a62a9c3",
    "pt": "f299c249fc2a686fdd83fe828e3673495a0871cf615a7533cf20e686d46d4467",
    "sw": "daa1a7d18d89a569cae58b585d88627d2a12ed70b4788ba6ffb8131c33aedb27",
}


def number_of(lang: str) -> int:
    """Return the number of the dictionary for a BCP 47 language: 0 where it has none of its own."""
    return NUMBERS.get(lang.lower().partition("-")[0], 0)


@cache
def dictionary(number: int) -> bytes:
    """Return a dictionary's bytes; raises KeyError for a number that has none, RuntimeError for a damaged copy."""
    lang = {value: key for key, value in NUMBERS.items()}[number]
    return (_read(lang) if lang else b"") + _read("skeleton")


def _read(name: str) -> bytes:
    data = files(__name__).joinpath("2", f"{name}.txt").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise RuntimeError(f"The dictionary “{name}” of this installation is damaged. Install Hubshelf again.")
    return data
