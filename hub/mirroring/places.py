"""Where a mirror is written: a folder, or an address that takes files by WebDAV (RFC 4918)."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import requests

from hub.mirroring.errors import MirrorNoRoom, MirrorProblem, MirrorRefused, MirrorUnreachable
from sync.protocol.paths import DOCUMENTS, OBJECTS, normalise_base

STATE = "hubshelf-mirror.json"
_SECONDS = (10.0, 60.0)
_TEMPORARY = ".part-"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Place(Protocol):
    """Paths are those of the public plane, with the slash at the beginning. All raise MirrorProblem."""

    remembers: bool
    """Whether what the state says is there need not be looked for, since each look is a request."""

    def size(self, path: str) -> int | None:
        """Return the bytes of what is there; None for nothing."""
        ...

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of what is there; None where nothing is, or it would have to be fetched."""
        ...

    def put(self, path: str, pieces: Iterable[bytes], size: int) -> None:
        """Write a file of `size` bytes, whole or not at all as far as the place can promise that."""
        ...

    def remove(self, path: str) -> None: ...

    def listed(self, known: Iterable[str]) -> list[str]:
        """Return the documents and objects that are there, or may be: `known` were when it was written last."""
        ...

    def room(self) -> int | None:
        """Return the free bytes; None where nobody can tell."""
        ...

    def read_state(self) -> bytes: ...

    def write_state(self, data: bytes) -> None: ...


class Folder:
    """A folder that a web server serves. Files are renamed into their places."""

    remembers = False

    def __init__(self, root: Path) -> None:
        self.root = root

    def size(self, path: str) -> int | None:
        try:
            found = self._at(path)
            return found.stat().st_size if found.is_file() else None
        except OSError:
            return None

    def digest(self, path: str) -> str | None:
        try:
            with self._at(path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def put(self, path: str, pieces: Iterable[bytes], size: int) -> None:
        del size
        self._write(self._at(path), pieces)

    def remove(self, path: str) -> None:
        with _stated(), suppress(FileNotFoundError):
            self._at(path).unlink()

    def listed(self, known: Iterable[str]) -> list[str]:
        del known
        found = []
        for folder in (DOCUMENTS, OBJECTS):
            with suppress(FileNotFoundError), _stated():
                for entry in os.scandir(self._at(folder)):
                    if entry.is_file(follow_symlinks=False):
                        found.append(folder + entry.name)
        return found

    def room(self) -> int | None:
        with _stated():
            self.root.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.root).free

    def read_state(self) -> bytes:
        try:
            return (self.root / STATE).read_bytes()
        except OSError:
            return b""

    def write_state(self, data: bytes) -> None:
        self._write(self.root / STATE, [data])

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _write(self, path: Path, pieces: Iterable[bytes]) -> None:
        aside = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        try:
            with _stated():
                path.parent.mkdir(parents=True, exist_ok=True)
                with aside.open("wb") as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
        finally:
            with suppress(OSError):
                aside.unlink()


class WebDav:
    """An address that takes PUT, MKCOL and DELETE. What is there is remembered beside the hub (`state`)."""

    remembers = True

    def __init__(self, address: str, state: Path, user: str = "", password: str = "") -> None:
        """Raises ValueError, with a sentence, for an address that is none."""
        self.base = normalise_base(address, plain=True)
        self._state = state
        self._session = requests.Session()
        if user:
            self._session.auth = (user, password)
        self._folders: set[str] = set()

    def size(self, path: str) -> int | None:
        answer = self._ask("HEAD", path, (200, 204, 404, 410), headers={"Accept-Encoding": "identity"})
        length = answer.headers.get("Content-Length", "")
        return int(length) if answer.status_code == 200 and length.isdigit() else None

    def digest(self, path: str) -> str | None:
        del path
        return None

    def put(self, path: str, pieces: Iterable[bytes], size: int) -> None:
        self._make_folders(path)
        headers = {"Content-Type": "application/octet-stream"}
        self._ask("PUT", path, (200, 201, 204), headers=headers, data=_Body(iter(pieces), size))

    def remove(self, path: str) -> None:
        self._ask("DELETE", path, (200, 202, 204, 404, 410))

    def listed(self, known: Iterable[str]) -> list[str]:
        return list(known)

    def room(self) -> int | None:
        return None

    def read_state(self) -> bytes:
        try:
            return self._state.read_bytes()
        except OSError:
            return b""

    def write_state(self, data: bytes) -> None:
        Folder(self._state.parent)._write(self._state, [data])

    def _make_folders(self, path: str) -> None:
        parts = path.strip("/").split("/")[:-1]
        for end in range(1, len(parts) + 1):
            folder = "/" + "/".join(parts[:end]) + "/"
            if folder not in self._folders:
                # 405: it is there already (RFC 4918, 9.3.1); others say so with 301 or 409.
                self._ask("MKCOL", folder, (200, 201, 204, 301, 405, 409))
                self._folders.add(folder)

    def _ask(self, method: str, path: str, fine: tuple[int, ...], **options: object) -> requests.Response:
        try:
            answer = self._session.request(
                method,
                self.base + path,
                timeout=_SECONDS,
                allow_redirects=False,
                **options,  # type: ignore[arg-type]
            )
        except requests.RequestException as error:
            raise MirrorUnreachable(f"{self.base} does not answer ({type(error).__name__}).") from None
        answer.close()
        if answer.status_code in fine:
            return answer
        if answer.status_code == 507:
            raise MirrorNoRoom(f"{self.base} has no room for more.")
        if answer.status_code >= 500:
            raise MirrorUnreachable(f"{self.base} answers {answer.status_code} to {method}.")
        raise MirrorRefused(f"{self.base} answers {answer.status_code} to {method}.")


class _Body:
    """Pieces as a body whose length is known, so that no server is asked to take one without."""

    def __init__(self, pieces: Iterator[bytes], size: int) -> None:
        self._pieces = pieces
        self._size = size
        self._left = b""

    def __len__(self) -> int:
        return self._size

    def read(self, most: int = -1) -> bytes:
        if not self._left:
            self._left = next(self._pieces, b"")
        end = len(self._left) if most < 0 else most
        piece, self._left = self._left[:end], self._left[end:]
        return piece


@contextmanager
def _stated() -> Iterator[None]:
    """Errors of the system become the mirror's; that something is not there is for the caller."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise MirrorNoRoom("The disk of the mirror is full.") from None
        raise MirrorProblem(f"The mirror cannot be written ({error.strerror or error}).") from None
