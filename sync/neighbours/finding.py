"""Finding the other desktops of an office: they announce themselves by multicast DNS (RFC 6762, RFC 6763).

What is announced says nothing of a person or a PC: random letters, the port, and the beginning of the hub's
fingerprint. What others announce is believed as far as "somebody may be there": private addresses, few of them.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from sync.protocol.neighbours import VERSION, is_private, private_base

SERVICE = "_hubshelf._tcp.local."
MOST = 64
"""Neighbours that are listed; the newest stay."""
_RESOLVE_MS = 1000


def private_hosts() -> list[str]:
    """Return this computer's addresses in private networks, without loopback and link-local ones of IPv6, which
    mean nothing without an interface."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            host = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(host)
            if (
                is_private(host)
                and not address.is_loopback
                and not (address.version == 6 and address.is_link_local)
            ):
                found.append(host)
    return found


class Finder:
    """Announces this shelf and lists the others, from `start` to `stop`. Lists may be read by any thread."""

    def __init__(self, id_: str, root: str, port: int, hosts: Sequence[str]) -> None:
        """`id_`: random characters of this start; `root`: the beginning of the root's fingerprint; `hosts`: the
        addresses on which it is served, whose networks are searched."""
        self._id, self._root, self._port, self._hosts = id_, root, port, list(hosts)
        self._zeroconf: Zeroconf | None = None
        self._browser: ServiceBrowser | None = None
        self._found: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def start(self) -> bool:
        """Begin; False where this network lets nobody be found, so that addresses have to be given by hand."""
        info = ServiceInfo(
            SERVICE,
            f"{self._id}.{SERVICE}",
            port=self._port,
            properties={"v": str(VERSION), "root": self._root},
            parsed_addresses=self._hosts,
            server=f"{self._id}.local.",
        )
        try:
            self._zeroconf = Zeroconf(interfaces=self._hosts, ip_version=_versions(self._hosts))
            self._zeroconf.register_service(info)
            self._browser = ServiceBrowser(self._zeroconf, SERVICE, listener=_Listener(self))
        except (OSError, ZeroconfError, RuntimeError):
            self.stop()
            return False
        return True

    def stop(self) -> None:
        """Take the announcement back, and look no more."""
        with suppress(OSError, ZeroconfError, RuntimeError):
            if self._browser is not None:
                self._browser.cancel()
        with suppress(OSError, ZeroconfError, RuntimeError):
            if self._zeroconf is not None:
                self._zeroconf.close()
        self._zeroconf = self._browser = None

    def addresses(self) -> list[str]:
        """Return `http://HOST:PORT` of who is there, the newest first."""
        with self._lock:
            return list(reversed(self._found.values()))

    def note(self, info: ServiceInfo | None, name: str) -> None:
        """Somebody is there, or is no longer (None). Everything about them is hostile until it was looked at."""
        address = None if info is None else believed(info, self._root)
        with self._lock:
            self._found.pop(name, None)
            if address is not None and not name.startswith(f"{self._id}."):
                self._found[name] = address
                while len(self._found) > MOST:
                    self._found.popitem(last=False)

    def resolve(self, zeroconf: Zeroconf, name: str) -> None:
        """Look up who announced `name`."""
        info = ServiceInfo(SERVICE, name)
        with suppress(OSError, ZeroconfError, RuntimeError, ValueError):
            if info.load_from_cache(zeroconf) or info.request(zeroconf, _RESOLVE_MS):
                self.note(info, name)


def believed(info: ServiceInfo, root: str) -> str | None:
    """Return where a neighbour says it is; None for one of another hub or version, or that is not near."""
    said = info.properties
    if said.get(b"v") != str(VERSION).encode() or said.get(b"root") != root.encode():
        return None
    for host in info.parsed_addresses(IPVersion.V4Only) + info.parsed_addresses(IPVersion.V6Only):
        written = f"[{host}]" if ":" in host else host
        if (
            "%" not in host
            and not host.startswith("127.")
            and (base := private_base(f"http://{written}:{info.port}"))
        ):
            return base
    return None


class _Listener(ServiceListener):
    def __init__(self, of: Finder) -> None:
        self._of = of

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self._of.resolve(zc, name)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self._of.resolve(zc, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self._of.note(None, name)


def _versions(hosts: Sequence[str]) -> IPVersion:
    versions = {":" in host for host in hosts}
    return IPVersion.All if len(versions) == 2 else IPVersion.V6Only if True in versions else IPVersion.V4Only
