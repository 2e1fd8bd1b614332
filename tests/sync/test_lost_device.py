"""A computer that was lost: the hub's team says so, and at its next contact it forgets what was its person's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import DeviceLost, NotEnrolled
from tests.programs import ROOT, HubProgram
from tests.sync.test_members_reading import Shelf

SECRET = b"Nobody else may read this about our school."


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    folder = tmp_path_factory.mktemp("lost")
    with HubProgram(folder / "hub").init() as made:
        made.do("discuss", id="open", title="Open", visibility="public", messages=["It rains."])
        made.do("discuss", id="t1", title="Inside", visibility="members", messages=["For members."])
        made.do("publish")
        made.start()
        yield made


def written_on(shelf: Shelf) -> None:
    """What somebody has on their shelf after some weeks."""
    words = SECRET.decode()
    with shelf.home.own() as own:
        own.outbox.add("ask", "Sent", {"kind": "question", "body": words})
    assert shelf.sync().operations_sent == 1
    with shelf.home.own() as own:
        own.outbox.add("ask", "Not sent", {"kind": "question", "body": words})
        own.set_note("open", words)
        own.save_draft("ask", {"title": words})
        own.bookmark("open", "Open")
        own.backup()
    place = shelf.home.path / "attachments"
    place.mkdir(exist_ok=True)
    (place / "photo").write_bytes(SECRET)


def found_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.is_file() and SECRET in path.read_bytes())


def lose(hub: HubProgram, shelf: Shelf) -> None:
    with shelf.home.own() as own:
        device = str(own.setting("device_id") or "")
    devices = hub.run("devices")["devices"]
    newest = device or max(devices, key=lambda one: one["created"])["id"]
    assert hub.run("revoke", newest, "--lost")["lost"]


def test_what_was_a_persons_is_gone_and_what_is_for_everybody_stays(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol("lost1@ministry.example")
    assert shelf.sync().up_to_date
    written_on(shelf)
    assert found_in(shelf.home.path)
    lose(hub, shelf)

    assert isinstance(shelf.sync().error, DeviceLost)
    assert found_in(shelf.home.path) == []
    assert shelf.places() == set()
    assert shelf.text("open-0") == "It rains."
    assert shelf.home.secrets().token() is None
    assert shelf.home.secrets().member_keys() == {}
    with shelf.home.own() as own:
        assert (own.outbox.items(), own.notes(), own.drafts(), own.bookmarks()) == ([], {}, [], [])
    with shelf.home.library() as library:
        assert library.counts().get("request", 0) == 0
    assert shelf.home.hub_url is None
    # Found again it begins like a new one.
    again = Shelf(tmp_path / "shelf", hub).enrol("lost1@ministry.example")
    assert again.sync().up_to_date


@pytest.mark.parametrize("at", ["erase", "rmtree", "forget"])
def test_killed_in_the_middle_the_next_contact_goes_on(hub: HubProgram, tmp_path: Path, at: str) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol(f"lost-{at}@ministry.example")
    assert shelf.sync().up_to_date
    written_on(shelf)
    lose(hub, shelf)
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "import sync.lost as lost, resources_cache.own as own, sync.secrets as secrets\n"
        "from sync.home import Home\n"
        "from sync.engine import sync_once\n"
        "def die(*_a, **_k): os.kill(os.getpid(), signal.SIGKILL)\n"
        "place, name = {'erase': (own.Own, 'erase'), 'rmtree': (lost.shutil, 'rmtree'),\n"
        "               'forget': (secrets.Secrets, 'forget')}[sys.argv[2]]\n"
        "setattr(place, name, die)\n"
        "home = Home(Path(sys.argv[1]))\n"
        "sync_once(home, home.connect(home.hub_url))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HUBSHELF_KEYRING": "off"}
    command = [sys.executable, "-c", code, str(shelf.home.path), at]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    after = Shelf(tmp_path / "shelf", hub)
    if at == "forget":
        # All is gone but the secret, and the address with which it could be told so again.
        with pytest.raises(NotEnrolled):
            after.home.connect(after.home.hub_url)
    else:
        assert isinstance(after.sync().error, DeviceLost)
    assert found_in(shelf.home.path) == []


def test_a_copy_that_was_made_before_forgets_as_well(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol("lost2@ministry.example")
    assert shelf.sync().up_to_date
    written_on(shelf)
    shutil.copytree(shelf.home.path, tmp_path / "copy")
    lose(hub, shelf)
    assert isinstance(shelf.sync().error, DeviceLost)
    copy = Shelf(tmp_path / "copy", hub)
    assert isinstance(copy.sync().error, DeviceLost)
    assert found_in(copy.home.path) == []
