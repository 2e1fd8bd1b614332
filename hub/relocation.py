"""A hub that moved: its old address says so, and nothing else any more."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from hub.errors import InvalidInput
from hub.home import keys_folder, write_private
from hub.planes.answers import problem
from hub.publishing import keys
from sync.protocol.paths import RELOCATION, ROOT, normalise_base
from sync.protocol.relocation import Relocation

FILE = "relocation"
"""In the hub's home folder: the signed document, while this address is an old one."""


def sign(home: Path, address: str) -> bytes:
    """Return the document that leads shelves to `address`. Raises InvalidInput, KeysUnusable (the root key)."""
    try:
        base = normalise_base(address)
    except ValueError as error:
        raise InvalidInput(str(error), "Give the hub's new address, such as https://hub.example.org") from None
    signer = keys.read_key(keys_folder(home) / "root.key")
    return Relocation(base, int(time.time())).signed([signer])


def keep(home: Path, document: bytes) -> None:
    """From now on this hub's server says where it is now, whatever it is asked. Raises OSError."""
    write_private(home / FILE, document.decode("ascii"), keep=False)


def forget(home: Path) -> bool:
    """This is the hub's address again; returns whether it was not. Raises OSError."""
    there = (home / FILE).exists()
    (home / FILE).unlink(missing_ok=True)
    return there


def answer(request: HttpRequest) -> HttpResponse | None:
    """Return what both planes answer while this address is an old one, None while it is not."""
    document = _kept()
    if document is None or request.path_info.startswith(ROOT):
        return None
    if request.path_info == RELOCATION:
        return HttpResponse(document, content_type="text/plain; charset=utf-8")
    return problem("hub-moved", "This hub has another address now.", "retry", 410)


def _kept() -> bytes | None:
    try:
        return (Path(settings.HOME) / FILE).read_bytes()
    except OSError:
        return None
