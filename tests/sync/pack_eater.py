"""One pack, taken in by a process that says what it cost: `python -m tests.sync.pack_eater HOME SOURCE`.

Prints {"code", "seconds", "megabytes"}: the code of the known error ("" for none), processor time, and the peak of
the process with Python and its modules, which may have 1 GiB of address space. Anything else ends in a traceback.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from resources_cache.errors import CacheError
from sync.errors import SyncError
from sync.home import Home
from sync.packs.importing import import_pack, show_pack
from sync.protocol.errors import ProtocolError
from tests.protocol.hostile import ROOM, peak


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    home, source, code = Home(Path(sys.argv[1])), Path(sys.argv[2]), ""
    begun = time.process_time()
    for act in (lambda: show_pack(source), lambda: import_pack(home, source, accept=True, keep=True)):
        try:
            done = act()
        except (SyncError, CacheError, ProtocolError) as error:
            code = error.code
        else:
            if not isinstance(done, dict) and done.error is not None:
                code = done.error.code
    told = {"code": code, "seconds": time.process_time() - begun, "megabytes": peak()}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
