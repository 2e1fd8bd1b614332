"""A simulated hub with a little content, and a shelf that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import CONTENT, Shelf


@pytest.fixture
def hub() -> Iterator[HubSimulator]:
    with HubSimulator() as simulator:
        simulator.publish(CONTENT)
        yield simulator


@pytest.fixture
def new_shelf(hub: HubSimulator, tmp_path: Path) -> Callable[[str], Shelf]:
    return lambda name: Shelf(tmp_path / name, hub)


@pytest.fixture
def shelf(hub: HubSimulator, tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf", hub).enrol()
