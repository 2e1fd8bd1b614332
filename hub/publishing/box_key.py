"""The key that letters carried by hand are sealed to: `box.key` among the hub's keys, its public part in the head.

It is made with the first publication that names it and never replaced by itself: a letter may be under way for
months.
"""

from __future__ import annotations

from pathlib import Path

from hub.home import keys_folder, write_private
from hub.publishing.keys import KeysUnusable
from sync.protocol import by_hand


def secret(home: Path) -> bytes:
    """Return the secret key, made now if there is none. Raises KeysUnusable."""
    path = keys_folder(home) / "box.key"
    write_private(path, by_hand.new_key().hex() + "\n", keep=True)
    try:
        found = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise KeysUnusable(f"The key {path.name} cannot be read ({error}).") from None
    if len(found) != by_hand.KEY:
        raise KeysUnusable(f"The key {path.name} is damaged.")
    return found


def public(home: Path) -> str:
    """Return the public key as 64 hexadecimal characters. Raises KeysUnusable."""
    return by_hand.public_key(secret(home)).hex()
