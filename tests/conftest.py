"""What every test has: a temporary home for the hub, quiet keychains, real input where it is there."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports Django or keyring: no test touches what belongs to the person at this machine.
# Each worker process has a home of its own.
_HOME = tempfile.mkdtemp(prefix="hubshelf-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["HUBSHELF_HUB_HOME"] = _HOME
if "HUBSHELF_TESTS_SHARED" not in os.environ:
    # The same for all workers, which are begun by the process that comes here first.
    os.environ["HUBSHELF_TESTS_SHARED"] = tempfile.mkdtemp(prefix="hubshelf-tests-shared-")
    atexit.register(shutil.rmtree, os.environ["HUBSHELF_TESTS_SHARED"], ignore_errors=True)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
os.environ["HUBSHELF_KEYRING"] = "off"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real input that nobody here wrote; tests that read it are marked `real_input`."""

_LONG = ("journeys", "faults")

settings.register_profile("hubshelf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hubshelf")


def pytest_configure(config: pytest.Config) -> None:
    """Keep what was set above from workers: Django would be set up there before they have a home of their own."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        for name in ("DJANGO_SETTINGS_MODULE", "HUBSHELF_HUB_HOME"):
            os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker has a long file left when the others are done; and skip,
    saying so, what needs real input where the folder is missing."""
    items.sort(key=lambda item: not any(f"tests/{folder}/" in item.nodeid for folder in _LONG))
    if SHARED_DATA.is_dir():
        return
    for item in items:
        if item.get_closest_marker("real_input"):
            item.add_marker(pytest.mark.skip(reason=f"no real input at {SHARED_DATA}"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input."""
    return SHARED_DATA
