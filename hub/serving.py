"""`hubshelf-hub serve`: gunicorn with threads, on a socket that is bound before it starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from hub.errors import HubError
from sync.protocol.paths import is_loopback

_THREADS = 8


class AddressInUse(HubError):
    code = "address-in-use"
    advice = "Stop the other program, or choose another port with --port."


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from hub.wsgi import application

        return application


def unreachable_names(host: str) -> str:
    """Return a warning where people could connect to `host` but no name is set under which the hub answers."""
    if is_loopback(host) or os.environ.get("HUBSHELF_HUB_HOSTS"):
        return ""
    return (
        "The hub answers only to its own computer's names. Set HUBSHELF_HUB_HOSTS to the names under which "
        "people reach it."
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises AddressInUse, HubError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AddressInUse(f"The hub cannot listen on {host} port {port} ({error.strerror}).") from None
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def serve(host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve both planes and the admin until stopped; `announce` is called with the address once it listens.

    Raises AddressInUse, HubError.
    """
    listener = bind(host, port)
    address = f"http://{'[' + host + ']' if ':' in host else host}:{listener.getsockname()[1]}"
    announce(address)
    # Threads, not processes: one SQLite writer, and connections that stay open between requests.
    _Server(
        {
            "bind": [f"fd://{listener.fileno()}"],
            "workers": 1,
            "worker_class": "gthread",
            "threads": _THREADS,
            "keepalive": 30,
            "timeout": 120,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "proc_name": "hubshelf-hub",
        }
    ).run()
