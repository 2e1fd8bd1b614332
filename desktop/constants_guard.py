"""Keeps `None`, `True` and `False` alive under a Qt binding that forgets to count them.

The wheels of PySide6 6.12.0 take one reference of `None` away in every call that returns nothing, and one of
`True` in every `Signal.emit`. From Python 3.12 on that is harmless (these objects are immortal there, PEP 683).
On 3.11 a count falls to zero after some hundred or thousand calls and the interpreter aborts ("none_dealloc:
deallocating None"). The binding itself lifts the counts of 0, "" and () out of reach for the same reason; this
does it for the others, and only where the loss is measured. To be dropped with the support of Python 3.11.
"""

from __future__ import annotations

import ctypes
import sys

from PySide6.QtCore import QObject

PROBES = 16
CONSTANTS: tuple[object, ...] = (None, True, False, NotImplemented, ...)
_OUT_OF_REACH = 1 << 40


def loses_references() -> bool:
    """Whether calls into Qt that return nothing take references of `None` away."""
    probe = QObject()
    probe.setObjectName("")
    before = sys.getrefcount(None)
    for _ in range(PROBES):
        probe.setObjectName("")
    return before - sys.getrefcount(None) >= PROBES


def keep_constants_alive() -> bool:
    """Lift the counts of the constants out of reach where the binding takes them down; was it needed?"""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython" or hasattr(sys, "gettotalrefcount"):
        return False
    if sys.getrefcount(None) > _OUT_OF_REACH // 2 or not loses_references():
        return False
    for constant in CONSTANTS:
        # The count is the first field of every object in CPython 3.11 without debugging (Include/object.h).
        ctypes.c_ssize_t.from_address(id(constant)).value += _OUT_OF_REACH
    return True
