"""How a shelf reaches the network: through which proxy, and whom it believes besides the system's authorities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from sync.protocol.paths import is_loopback

Resolve = Callable[[str], str | None]
"""Returns the proxy (http://host:port) that the system wants for an address, "" for none, None for "who knows"."""

_system: Resolve | None = None


@dataclass(frozen=True)
class ProxyLogin:
    """A name and a password for one proxy, `host:port`. No other proxy is ever told them: on a strange network
    anybody may say that theirs is to be asked."""

    proxy: str
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Network:
    """`proxy_mode`: "system", "manual" (that at `proxy_url`) or "none". `ca_bundle`: a PEM file, None for none.

    `login`: what is told to the proxy that it is for.
    """

    proxy_mode: str = "system"
    proxy_url: str = ""
    ca_bundle: Path | None = None
    login: ProxyLogin | None = None

    def proxies(self, url: str) -> dict[str, str]:
        """Return the proxy for `url` by scheme, as requests takes it, with the login for it; empty for none."""
        return {scheme: self._with_login(proxy) for scheme, proxy in self._found(url).items()}

    def proxy_of(self, url: str) -> str:
        """Return the proxy for `url` as `host:port`; "" for none."""
        return place_of(self._found(url).get(urlsplit(url).scheme, ""))

    def _with_login(self, proxy: str) -> str:
        if self.login is None or place_of(proxy) != self.login.proxy or urlsplit(proxy).username:
            return proxy
        return f"http://{quote(self.login.name, safe='')}:{quote(self.login.password, safe='')}@{self.login.proxy}"

    def _found(self, url: str) -> dict[str, str]:
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


def place_of(proxy: str) -> str:
    """Return `host:port` of a proxy's address, "" where it is none."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        port = parts.port or 80
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}" if host else ""


def ask_the_system_with(resolve: Resolve | None) -> None:
    """Ask `resolve` for the system's proxies from now on: a PAC file needs more than there is here."""
    global _system
    _system = resolve
