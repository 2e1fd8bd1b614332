"""The key under which what only members may read is sealed, in private files of the hub's folder `keys`.

`members.key` is the newest; while a publication replaces it, `members.previous.key` is the one before, so that a
device that comes meanwhile can read what is still served. It is made with the first discussion for members.
"""

from __future__ import annotations

from pathlib import Path

from hub.home import keys_folder, write_private
from hub.publishing.keys import KeysUnusable
from sync.protocol import sealed


def keys(home: Path) -> dict[str, bytes]:
    """Return the keys in use by id, the newest first; none before there is anything for members.

    Raises KeysUnusable.
    """
    found = (_read(path) for path in (_newest(home), _previous(home)))
    return {sealed.key_id(key): key for key in found if key is not None}


def key(home: Path) -> bytes:
    """Return the key that seals, made now if there is none. Raises KeysUnusable."""
    found = _read(_newest(home))
    if found is None:
        write_private(_newest(home), sealed.new_key().hex() + "\n", keep=True)
        found = _read(_newest(home))
        assert found is not None, "it was just written"
    return found


def newest_id(home: Path) -> str:
    """Return the id of the key that seals, "" where there is none. Raises KeysUnusable."""
    found = _read(_newest(home))
    return "" if found is None else sealed.key_id(found)


def replace(home: Path) -> None:
    """Make a new key; the one before stays beside it until `forget_previous`. Raises KeysUnusable."""
    # Kept if there is one: what is served now was sealed with it, by a publication that did not finish.
    write_private(_previous(home), key(home).hex() + "\n", keep=True)
    write_private(_newest(home), sealed.new_key().hex() + "\n", keep=False)


def forget_previous(home: Path) -> None:
    """Remove the key before the newest, if it is there."""
    _previous(home).unlink(missing_ok=True)


def _newest(home: Path) -> Path:
    return keys_folder(home) / "members.key"


def _previous(home: Path) -> Path:
    return keys_folder(home) / "members.previous.key"


def _read(path: Path) -> bytes | None:
    try:
        found = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KeysUnusable(f"The key {path.name} cannot be read ({error}).") from None
    if len(found) != sealed.KEY:
        raise KeysUnusable(f"The key {path.name} is damaged.")
    return found
