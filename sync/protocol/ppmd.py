"""PPMd variant I through pyppmd, in the only way in which its version 1.3.1 is safe.

What its source and measurements say, and what this module does about it:

- The encoder writes past no buffer, but drops bytes in silence: room is made between symbols only, and a symbol
  that emits several bytes at the end of a 32 KiB block loses some (7 of 60 random inputs of 40 KB came out
  damaged). A symbol emits at most 17 coding steps of 2 bytes, so pieces of 512 bytes never fill a block.
- The encoder never lets go of what it was given: every call leaks its argument. It is given the same few
  buffers again and again, so what leaks is a count. Each encoder leaks 7 KB of its own: a hub that runs for
  months packs short messages without one (`envelope`) and renews its worker (`hub.serving`).
- The decoder reads input in a thread of its own. Out of input, the thread waits; freeing the decoder then wakes
  it to read and write memory that is gone, and giving it more input miscounts the output. So input is given
  once, followed by more zeros than a whole stream can ask for; where it still runs out, the stream was cut, and
  the thread is led to its end with zeros and room for one byte before the decoder is freed.
- A stream that begins with four bytes 255 makes the decoder return nothing without an exception. It is refused.

Given that, hostile bytes cost time and memory in proportion to the size that is asked for, and nothing else.

The range coder is carry-less (Subbotin's): what was emitted is final. So the stream of `prefix + raw` begins with
what an encoder emits for `prefix`, and the receiver, who has the prefix, makes that part itself. The last four
bytes may be any value of a range at least 2**15 wide: the roundest is chosen and its zeros are not sent.
"""

from __future__ import annotations

import contextlib
import threading
from functools import lru_cache

import pyppmd

from sync.protocol.errors import Malformed

ORDERS = range(2, 17)
"""What the model's order may be."""
MEMORY_LOGS = range(16, 27)
"""Base 2 logarithms of the model's memory in bytes: 64 KiB to 64 MiB."""

_PIECE = 512
_TAIL = bytes(8)
_DRAIN = bytes(4096)
_buffers = {1 << power: bytearray(1 << power) for power in range(_PIECE.bit_length())}
_buffers_lock = threading.Lock()


def compress(raw: bytes, order: int, memory_log: int, prefix: bytes = b"") -> bytes:
    """Return the coded form of `raw`, the model trained with `prefix` before; what `prefix` gives is left out.

    Raises ValueError for an order or a memory that no receiver takes.
    """
    encoder = pyppmd.Ppmd8Encoder(*_checked(order, memory_log))
    _feed(encoder, prefix)
    body = _feed(encoder, raw)
    last = int.from_bytes(encoder.flush(False), "big")
    rounded = (last + 0x7FFF) & 0xFFFF8000
    return body + rounded.to_bytes(4, "big").rstrip(b"\0")


def expand(payload: bytes, size: int, order: int, memory_log: int, prefix: bytes = b"") -> bytes:
    """Return the `size` bytes that `payload` codes after `prefix`.

    What comes out is only as good as its hash: damage and another prefix give other bytes, or Malformed where
    the stream runs out or contradicts itself. Raises ValueError as `compress`.
    """
    settings = _checked(order, memory_log)
    if size == 0:
        return b""
    coded = _trained(prefix, *settings) + payload + _TAIL
    if coded[:4] == b"\xff\xff\xff\xff":
        raise Malformed("A coded part begins in a way that no encoder writes.")
    wanted = len(prefix) + size
    decoder = pyppmd.Ppmd8Decoder(*settings)
    try:
        found: bytes = decoder.decode(coded, wanted)
    except ValueError:
        raise Malformed("A coded part contradicts itself.") from None
    if len(found) < wanted:
        # Its thread may wait for input; see above.
        if not decoder.eof:
            with contextlib.suppress(ValueError):
                decoder.decode(_DRAIN, 1)
        raise Malformed("A coded part is cut short.")
    return found[len(prefix) :]


def _checked(order: int, memory_log: int) -> tuple[int, int]:
    if order not in ORDERS or memory_log not in MEMORY_LOGS:
        raise ValueError(f"PPMd of order {order} with 2**{memory_log} bytes is outside of what is read")
    return order, 1 << memory_log


def _trained(prefix: bytes, order: int, memory: int) -> bytes:
    if len(prefix) > 64 * 1024:
        return _feed(pyppmd.Ppmd8Encoder(order, memory), prefix)
    return _trained_small(prefix, order, memory)


@lru_cache(maxsize=16)
def _trained_small(prefix: bytes, order: int, memory: int) -> bytes:
    return _feed(pyppmd.Ppmd8Encoder(order, memory), prefix)


def _feed(encoder: pyppmd.Ppmd8Encoder, data: bytes) -> bytes:
    """Encode `data` piece by piece out of the lasting buffers."""
    emitted = []
    place, end = 0, len(data)
    while place < end:
        size = min(_PIECE, 1 << ((end - place).bit_length() - 1))
        buffer = _buffers[size]
        # Another thread may run while the encoder does, so each piece has the buffer to itself.
        with _buffers_lock:
            buffer[:] = data[place : place + size]
            emitted.append(encoder.encode(buffer))
        place += size
    return b"".join(emitted)
