"""Whole numbers as LEB128: seven bits a byte, the lowest first, the top bit set on all but the last byte."""

from __future__ import annotations

from sync.protocol.errors import Malformed

_LONGEST = 8
"""Bytes: numbers below 2**53, as in the JSON of the protocol."""


def write_number(value: int) -> bytes:
    """Return `value` (0 ≤ value < 2**53) as LEB128; raises ValueError for any other."""
    if not 0 <= value < 2**53:
        raise ValueError(f"{value} is not written as a number")
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def read_number(data: bytes, place: int) -> tuple[int, int]:
    """Return (the number that begins at `place`, where the next thing begins).

    Raises Malformed for one that is cut short, 2**53 or more, or written longer than it needs.
    """
    found = try_number(data, place)
    if found is None:
        raise Malformed("A number is cut short.")
    return found


def try_number(data: bytes | bytearray, place: int) -> tuple[int, int] | None:
    """As `read_number`, but None where the number is not there to its end yet."""
    value = 0
    for index, byte in enumerate(data[place : place + _LONGEST]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value >= 2**53 or (byte == 0 and index > 0):
                raise Malformed("A number is not written as the protocol writes it.")
            return value, place + index + 1
    if len(data) - place >= _LONGEST:
        raise Malformed("A number is longer than any of the protocol.")
    return None
