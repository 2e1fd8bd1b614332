"""The device's token: in the system's keychain where one runs, else in a private file of the home folder.

Beside it the keys for what only members may read. `HUBSHELF_KEYRING=off` leaves keychains alone. The same holds
for a token that was made for an enrolment whose answer has not arrived yet: it is kept before it is sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from resources_cache.placing import put_in_place
from sync.errors import SecretsUnusable
from sync.network import ProxyLogin
from sync.protocol.errors import Malformed
from sync.protocol.sealed import keyring

_SERVICE = "Hubshelf"


@dataclass(frozen=True)
class PendingEnrolment:
    """An enrolment that was begun: the hub, a hash of the code, and the device id and token sent with it.

    By hand the hub has no address (""), and `code` and `name` are kept to be written to the next stick.
    """

    hub: str
    code_hash: str
    device: str
    token: str
    code: str = ""
    name: str = ""


@dataclass(frozen=True)
class Claim:
    """A device that this shelf becomes at its next contact, in the place of the one that `old_token` names."""

    old_token: str
    device: str
    token: str
    name: str


class Secrets:
    """The secrets of one home folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "secrets"
        self._account = "shelf-" + hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]

    def token(self) -> str | None:
        """Return the device's token (64 hexadecimal characters), or None. Raises SecretsUnusable."""
        return self._read("token")

    def keep_token(self, token: str) -> None:
        """Keep the token of this device. Raises SecretsUnusable."""
        self._write("token", token)

    def member_keys(self) -> dict[str, bytes]:
        """Return the keys for what only members may read, by id, the newest last. Raises SecretsUnusable."""
        try:
            return keyring((self._read("members") or "").split())
        except Malformed:
            return {}  # the hub gives what is missing at the next sync

    def keep_member_keys(self, keys: Iterable[bytes]) -> None:
        """Keep these keys, and no others. Raises SecretsUnusable."""
        self._write("members", " ".join(key.hex() for key in keys))

    def forget_member_keys(self) -> None:
        """This device may not read on what is for members. Raises SecretsUnusable."""
        self._remove("members")

    def pending(self) -> PendingEnrolment | None:
        """Return the enrolment whose answer has not arrived, or None. Raises SecretsUnusable."""
        found = self._read("pending")
        if found is None:
            return None
        try:
            return PendingEnrolment(**json.loads(found))
        except (ValueError, TypeError):
            return None  # written by another version: a new enrolment simply begins

    def keep_pending(self, pending: PendingEnrolment) -> None:
        """Keep an enrolment before it is sent. Raises SecretsUnusable."""
        self._write("pending", json.dumps(asdict(pending)))

    def forget_pending(self) -> None:
        """The enrolment is complete. Raises SecretsUnusable."""
        self._remove("pending")

    def claim(self) -> Claim | None:
        """Return the device that this shelf is to become, or None. Raises SecretsUnusable."""
        found = self._read("claim")
        try:
            return None if found is None else Claim(**json.loads(found))
        except (ValueError, TypeError):
            return None  # written by another version: the hub is asked for a new code

    def keep_claim(self, claim: Claim) -> None:
        """Keep what this shelf is to become, before anybody is asked. Raises SecretsUnusable."""
        self._write("claim", json.dumps(asdict(claim)))

    def forget_claim(self) -> None:
        """This shelf has become it. Raises SecretsUnusable."""
        self._remove("claim")

    def proxy_login(self) -> ProxyLogin | None:
        """Return the name and password for a proxy, or None. Raises SecretsUnusable."""
        found = self._read("proxy")
        try:
            return None if found is None else ProxyLogin(**json.loads(found))
        except (ValueError, TypeError):
            return None

    def keep_proxy_login(self, login: ProxyLogin) -> None:
        """Keep it in the place of another. Raises SecretsUnusable."""
        self._write("proxy", json.dumps(asdict(login)))

    def forget_proxy_login(self) -> None:
        """Raises SecretsUnusable."""
        self._remove("proxy")

    def forget_device(self) -> None:
        """Forget who this device was, but not what it is to become. Raises SecretsUnusable."""
        self._remove("token")
        self._remove("pending")
        self._remove("members")

    def forget(self) -> None:
        """Forget everything: this device is nobody's any more. Raises SecretsUnusable."""
        self.forget_device()
        self._remove("claim")
        self._remove("proxy")

    def _read(self, name: str) -> str | None:
        try:
            return (self._folder / name).read_text("ascii").strip() or None
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise SecretsUnusable(f"The secret of this device cannot be read ({error}).") from None
        keychain = _keychain()
        if keychain is None:
            return None
        try:
            return keychain.get_password(_SERVICE, f"{self._account}-{name}")
        except Exception as error:  # backends raise what their systems raise
            raise SecretsUnusable(f"The keychain of this computer did not answer ({error}).") from None

    def _write(self, name: str, value: str) -> None:
        keychain = _keychain()
        if keychain is not None:
            account = f"{self._account}-{name}"
            # A locked or broken keychain is no reason to fail: the private file serves.
            with contextlib.suppress(Exception):
                keychain.set_password(_SERVICE, account, value)
                if keychain.get_password(_SERVICE, account) == value:
                    self._remove_file(name)
                    return
        self._write_file(name, value)

    def _write_file(self, name: str, value: str) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self._folder)  # made with mode 0600
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(value + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                put_in_place(Path(temporary), self._folder / name)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise SecretsUnusable(f"The secret of this device cannot be written ({error}).") from None

    def _remove(self, name: str) -> None:
        self._remove_file(name)
        keychain = _keychain()
        if keychain is not None:
            # Backends raise where nothing is stored, each in its own way.
            with contextlib.suppress(Exception):
                keychain.delete_password(_SERVICE, f"{self._account}-{name}")

    def _remove_file(self, name: str) -> None:
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise SecretsUnusable(f"The secret of this device cannot be removed ({error}).") from None


class _Keychain:
    """What is used of a keyring backend."""

    def __init__(self) -> None:
        import keyring  # only here: it looks through all backends, which takes a while

        self._backend = keyring.get_keyring()

    @property
    def usable(self) -> bool:
        # keyring's own "no backend" and null backends have a priority of 0 and less.
        return float(getattr(self._backend, "priority", 0)) > 0

    def get_password(self, service: str, account: str) -> str | None:
        found = self._backend.get_password(service, account)
        return None if found is None else str(found)

    def set_password(self, service: str, account: str, value: str) -> None:
        self._backend.set_password(service, account, value)

    def delete_password(self, service: str, account: str) -> None:
        self._backend.delete_password(service, account)


def _keychain() -> _Keychain | None:
    if os.environ.get("HUBSHELF_KEYRING", "").lower() == "off":
        return None
    try:
        keychain = _Keychain()
    except Exception:  # a backend that cannot even be looked at is no backend
        return None
    return keychain if keychain.usable else None
