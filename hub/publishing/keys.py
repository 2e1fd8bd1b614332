"""The hub's signing keys: one for the trust root, one for heads, each in a private file.

The root key is needed once a year or after an accident; docs/hub/keys.md tells how to keep it elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.errors import HubError
from hub.home import keys_folder, served_folder, write_private
from sync.protocol import limits, trust
from sync.protocol.errors import ProtocolError
from sync.protocol.signing import SigningKey

_ROOT_LIFETIME = timedelta(days=3 * 365)


class KeysUnusable(HubError):
    code = "keys-unusable"
    advice = "Restore the folder `keys` of the hub from a backup. A new key would lock every shelf out."


@dataclass(frozen=True)
class HubKeys:
    """The key that signs heads and the newest root document."""

    head: SigningKey
    root: trust.Root


def ensure_keys(home: Path) -> HubKeys:
    """Make the keys and the first root document where there are none, and return what signs.

    Raises KeysUnusable where what is there cannot be read.
    """
    folder = keys_folder(home)
    for role in ("root", "head"):
        path = folder / f"{role}.key"
        # A root that is already published was made with a key that must not be replaced in silence.
        if not path.exists() and _root_path(home, 1).exists() and role == "head":
            raise KeysUnusable(f"The key that signs the hub's heads is missing from {folder}.")
        if role == "root" and _root_path(home, 1).exists():
            continue  # kept off the machine, as docs/hub/keys.md advises
        write_private(path, SigningKey.generate().secret.hex() + "\n", keep=True)
    if not _root_path(home, 1).exists():
        expires = (datetime.now(UTC) + _ROOT_LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ")
        root_key, head_key = read_key(folder / "root.key"), read_key(folder / "head.key")
        document = trust.make_root(1, [root_key.public], [head_key.public], expires, [root_key])
        write_root(home, 1, document)
    return load_keys(home)


def load_keys(home: Path) -> HubKeys:
    """Return the keys; raises KeysUnusable where they are missing, damaged, or not the ones of the root."""
    head = read_key(keys_folder(home) / "head.key")
    root = newest_root(home)
    if head.key_id not in root.head.keys:
        raise KeysUnusable("The key that signs heads is not the one that the root document names.")
    return HubKeys(head, root)


def newest_root(home: Path) -> trust.Root:
    """Return the last of the chain of root documents, verified from the first."""
    version = 1
    try:
        root = trust.pin(_root_path(home, 1).read_bytes())
        while _root_path(home, version + 1).exists():
            version += 1
            root = trust.advance(root, _root_path(home, version).read_bytes())
    except (OSError, ProtocolError) as error:
        raise KeysUnusable(f"Root document {version} of the hub cannot be used: {error}") from error
    return root


def rotate_head_key(home: Path) -> trust.Root:
    """Make a new head key and the next root document that names it; the root key must be in `keys`.

    The old key is kept beside it, named by its id. Raises KeysUnusable.
    """
    folder = keys_folder(home)
    root_key, old = read_key(folder / "root.key"), read_key(folder / "head.key")
    current = newest_root(home)
    fresh = SigningKey.generate()
    expires = (datetime.now(UTC) + _ROOT_LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = trust.make_root(
        current.version + 1, current.root.keys.values(), [fresh.public], expires, [root_key]
    )
    following = trust.advance(current, document)
    write_private(folder / f"head.{old.key_id}.key", old.secret.hex() + "\n", keep=False)
    write_root(home, following.version, document)
    write_private(folder / "head.key", fresh.secret.hex() + "\n", keep=False)
    return following


def root_document(home: Path, version: int) -> bytes | None:
    """Return a published root document, or None."""
    try:
        return _root_path(home, version).read_bytes()
    except OSError:
        return None


def write_root(home: Path, version: int, document: bytes) -> None:
    path = _root_path(home, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(document)
    temporary.replace(path)


def _root_path(home: Path, version: int) -> Path:
    return served_folder(home) / "root" / str(version)


def read_key(path: Path) -> SigningKey:
    """Return the key in a file. Raises KeysUnusable."""
    try:
        with path.open("rb") as handle:
            secret = bytes.fromhex(handle.read(limits.HEAD).decode("ascii").strip())
    except (OSError, ValueError) as error:
        raise KeysUnusable(f"The signing key {path.name} cannot be read ({error}).") from None
    if len(secret) != 32:
        raise KeysUnusable(f"The signing key {path.name} is damaged.")
    return SigningKey(secret)
