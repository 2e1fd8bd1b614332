"""A person's name and password for the proxy of their office: kept for it alone, among the shelf's secrets."""

from __future__ import annotations

from resources_cache.errors import CacheError
from sync.home import Home
from sync.network import ProxyLogin


class NoProxy(CacheError):
    """There is no proxy between this shelf and its hub. Nothing was kept."""

    code = "no-proxy"
    default_advice = "A proxy is found by the system's settings, or decided: hubshelf --show-policy"


class NotALogin(CacheError):
    """A name or a password is missing, or cannot be one. Nothing was kept."""

    code = "not-a-login"
    default_advice = "Give both; a name has no colon (RFC 7617)."


def keep_login(home: Home, name: str, password: str) -> str:
    """Keep the login for the proxy through which the hub is reached; return that proxy as `host:port`.

    Raises NotALogin, NoProxy, SecretsUnusable, CacheError.
    """
    name = name.strip()
    if not name or not password or ":" in name or len(name) + len(password) > 1000:
        raise NotALogin("A name and a password are needed, and a name has no colon.")
    # Before the first enrolment any address will do: an office has one proxy for what is outside.
    hub = home.hub_url or home.policies.value("hub_url") or "https://hub.invalid"
    place = home.network().proxy_of(hub)
    if not place:
        raise NoProxy("No proxy is asked on the way to the hub, so no name and password were kept.")
    home.secrets().keep_proxy_login(ProxyLogin(place, name, password))
    return place


def forget_login(home: Home) -> None:
    """Forget it. Raises SecretsUnusable."""
    home.secrets().forget_proxy_login()
