"""Where a hub moved to: a document that its old address goes on serving, signed by the keys of the trust root.

Not by the key that signs heads, which lies on the hub: with that one, whoever breaks into a hub could lead every
shelf to another server for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.protocol.errors import Malformed
from sync.protocol.paths import normalise_base
from sync.protocol.signing import SigningKey, sign_document, verify_document
from sync.protocol.trust import Root
from sync.protocol.wire_json import dump, load_object, number

ROLE = "relocation"
DOCUMENT = 4096
"""Bytes of the signed document."""


@dataclass(frozen=True)
class Relocation:
    """`address`: the hub's new base address, normal. `number`: grows with each; an older one leads nobody back."""

    address: str
    number: int

    def signed(self, keys: Iterable[SigningKey]) -> bytes:
        """Return the document."""
        return sign_document(ROLE, dump({"address": self.address, "number": self.number}), keys)


def verify_relocation(document: bytes, root: Root) -> Relocation:
    """Return what `document` says, once the keys of `root` itself signed it.

    Raises Malformed (also for an address that is none, or not protected), TooLarge, BadSignature.
    """
    payload = verify_document(ROLE, document, root.root.keys, root.root.threshold, DOCUMENT)
    body = load_object(payload, DOCUMENT, "relocation")
    address = body.get("address")
    try:
        base = normalise_base(address) if isinstance(address, str) and len(address) <= 500 else ""
    except ValueError:
        base = ""
    if not base or base != address:
        raise Malformed("The new address of the hub cannot be read.")
    return Relocation(base, number(body, "number", "relocation"))
