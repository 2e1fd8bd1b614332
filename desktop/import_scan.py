"""Qt for Python does not read the source of every module that is imported.

It looks for its own name in each, to know where `from __feature__ import …` may change what its classes are
called, and what it read stays in `linecache`: some 10 MB, and part of the start. Nothing here uses such features.
Where the function that looks is not found under its name, all is as it comes.
"""

from __future__ import annotations

import sys
from types import ModuleType

_LOOKS = "_mod_uses_pyside"


def skip_import_scan() -> None:
    """To be called before the window's modules are imported; it starts Qt for Python."""
    import PySide6.QtCore  # noqa: F401

    feature = sys.modules.get("shibokensupport.feature")
    if feature is not None and hasattr(feature, _LOOKS):
        setattr(feature, _LOOKS, _is_of_the_window)


def _is_of_the_window(module: ModuleType) -> bool:
    return module.__name__.startswith("desktop")
