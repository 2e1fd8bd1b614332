"""The system's proxy for an address, as Qt knows it: on Windows and macOS that is what a PAC file says, too."""

from __future__ import annotations

import sys


def use_system_proxies() -> None:
    """Ask Qt from now on, where it knows more than the variables that programs are started with."""
    if sys.platform in ("win32", "darwin"):
        from sync.network import ask_the_system_with

        ask_the_system_with(proxy_for)


def proxy_for(url: str) -> str | None:
    """Return the proxy for `url` as http://host:port, "" for none, None where Qt knows none that we can use.

    May take seconds where a PAC file has to come first; Qt keeps it.
    """
    from PySide6.QtCore import QUrl
    from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

    kinds = QNetworkProxy.ProxyType
    for proxy in QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl(url))):
        if proxy.type() == kinds.NoProxy:
            return ""
        if proxy.type() in (kinds.HttpProxy, kinds.HttpCachingProxy) and proxy.hostName():
            host = f"[{proxy.hostName()}]" if ":" in proxy.hostName() else proxy.hostName()
            return f"http://{host}:{proxy.port()}"
    return None
