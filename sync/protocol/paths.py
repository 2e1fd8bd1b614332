"""The addresses of both planes, below the hub's base address, and which base addresses are safe."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

HEAD = "/p/v1/head"
ROOT = "/p/v1/root/"
"""followed by the version"""
RELOCATION = "/p/v1/relocation"
OBJECTS = "/p/v1/objects/"
"""followed by the SHA-256"""
DOCUMENTS = "/p/v1/documents/"
"""followed by the SHA-256 of the JSON; what is served is compressed"""
DELTAS = "/p/v1/deltas/"
"""followed by the SHA-256 of an old version of a file, a slash and that of the new one"""
ENROL = "/u/v1/enrol"
MOVE = "/u/v1/move"
DEVICES = "/u/v1/devices"
SYNC = "/u/v2/sync"
SYNC_V1 = "/u/v1/sync"
"""as protocol 1 spoke it, in JSON"""

MAC_HEADER = "Hubshelf-MAC"


def object_path(digest: str) -> str:
    """Return the path of an immutable object."""
    return OBJECTS + digest


def document_path(digest: str) -> str:
    """Return the path of a document, named by the hash of its JSON."""
    return DOCUMENTS + digest


def delta_path(old: str, new: str) -> str:
    """Return the path of what differs between two versions of a file, named by their hashes."""
    return f"{DELTAS}{old}/{new}"


def normalise_base(address: str, *, plain: bool = False) -> str:
    """Return a hub's base address as scheme://host[:port][/path] without a slash at the end.

    An address without a scheme means https. Raises ValueError, with a sentence, for anything but http(s), for
    credentials, a query or a fragment, and for http anywhere but on this computer, unless `plain` allows it.
    """
    given = address.strip()
    if "://" not in given:
        given = "https://" + given
    parts = urlsplit(given)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"“{address}” is not the address of a hub; it looks like https://hub.example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("The address of a hub has no user name, question mark or # in it.")
    if parts.scheme == "http" and not plain and not is_loopback(parts.hostname):
        raise ValueError("A hub is reached by https; http is only allowed on this computer itself.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Return whether `host` is this computer: localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
