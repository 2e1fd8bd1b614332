"""JSON on the wire: equal values give equal bytes; too deep or too large is refused before it is parsed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol.errors import Malformed, ProtocolError, TooLarge
from sync.protocol.wire_json import dump, load_object


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_in_any_other_way(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        load_object(data, 100, "thing")


@pytest.mark.parametrize("levels", [40, 90_000])
def test_deep_nesting_is_refused_before_it_is_parsed(levels: int) -> None:
    with pytest.raises(Malformed):
        load_object(b'{"a":' + b"[" * levels + b"]" * levels + b"}", 1_000_000, "thing")


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert load_object(b'{"a":"' + b"[" * 100 + b'\\""}', 1000, "thing")["a"].startswith("[[")


@pytest.mark.parametrize(
    "data", [b"[]", b"", b'{"a":NaN}', b'{"a":1,"a":1}', b"\xff", b'{"a":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_object_of_a_hub_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        load_object(data, 10_000, "thing")


def test_the_size_is_looked_at_first() -> None:
    with pytest.raises(TooLarge):
        load_object(b"x" * 101, 100, "thing")


def test_equal_values_give_equal_bytes() -> None:
    assert dump({"b": 1, "a": "é"}) == dump({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()
