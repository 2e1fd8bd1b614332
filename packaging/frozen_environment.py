"""Runs first in the packaged client: what the starter changed for this process is not for those that it starts.

The starter finds our libraries through LD_LIBRARY_PATH. A reader or browser that the window opens would load our
Qt in place of its own then; the linker of this process has read the variable already, and does not look again.
"""

import os


def _give_back() -> None:
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before:
        os.environ["LD_LIBRARY_PATH"] = before
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)


_give_back()
