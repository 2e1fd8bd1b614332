"""Where an office is on a real network: on the private addresses of this computer, and announced there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

PORT = 8441
"""TCP: the port on which neighbours are served, where it is free; else any."""


class Network(Protocol):
    """Where an office is, and who else is there."""

    def hosts(self) -> list[str]:
        """Return this computer's private addresses now."""
        ...

    def announce(self, id_: str, root: str, port: int, hosts: Sequence[str]) -> None:
        """Let others find this shelf from now on, and look for them; what was announced before is taken back."""
        ...

    def addresses(self) -> list[str]:
        """Return the addresses of who was found."""
        ...

    def stop(self) -> None: ...


class LocalNetwork:
    """The networks of this computer. The library that finds others is loaded when sharing begins."""

    def __init__(self) -> None:
        self._finder: object | None = None

    def hosts(self) -> list[str]:
        from sync.neighbours.finding import private_hosts

        return private_hosts()

    def announce(self, id_: str, root: str, port: int, hosts: Sequence[str]) -> None:
        from sync.neighbours.finding import Finder

        self.stop()
        finder = Finder(id_, root, port, hosts)
        if finder.start():
            self._finder = finder

    def addresses(self) -> list[str]:
        from sync.neighbours.finding import Finder

        return self._finder.addresses() if isinstance(self._finder, Finder) else []

    def stop(self) -> None:
        from sync.neighbours.finding import Finder

        if isinstance(self._finder, Finder):
            self._finder.stop()
        self._finder = None


class NoNetwork:
    """Nobody is found, and nothing is announced: addresses are given by hand."""

    def hosts(self) -> list[str]:
        return []

    def announce(self, id_: str, root: str, port: int, hosts: Sequence[str]) -> None:
        """Nobody is told."""

    def addresses(self) -> list[str]:
        return []

    def stop(self) -> None:
        """Nothing was begun."""
