"""How a shelf reaches the network: through which proxy, and whom it believes besides the system's authorities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sync.protocol.paths import is_loopback

Resolve = Callable[[str], str | None]
"""Returns the proxy (http://host:port) that the system wants for an address, "" for none, None for "who knows"."""

_system: Resolve | None = None


@dataclass(frozen=True)
class Network:
    """`proxy_mode`: "system", "manual" (that at `proxy_url`) or "none". `ca_bundle`: a PEM file, None for none."""

    proxy_mode: str = "system"
    proxy_url: str = ""
    ca_bundle: Path | None = None

    def proxies(self, url: str) -> dict[str, str]:
        """Return the proxy for `url` by scheme, as requests takes it; empty for none."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host) or self.proxy_mode == "none":
            return {}
        if self.proxy_mode == "manual" and self.proxy_url:
            return {"http": self.proxy_url, "https": self.proxy_url}
        if _system is not None and (found := _system(url)) is not None:
            return {parts.scheme: found} if found else {}
        from requests.utils import get_environ_proxies

        return dict(get_environ_proxies(url))


def ask_the_system_with(resolve: Resolve | None) -> None:
    """Ask `resolve` for the system's proxies from now on: a PAC file needs more than there is here."""
    global _system
    _system = resolve
