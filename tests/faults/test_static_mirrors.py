"""`hubshelf-hub mirror`: a folder, or an address, that a plain web server serves to real shelves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from sync.files import fetch_file
from tests.faults.bad_link import bad_link
from tests.faults.shelves import Shelf, agree
from tests.faults.static_server import static_server
from tests.faults.test_mirror_faults import objects_asked, publish_news
from tests.programs import BIN, HubProgram


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "p" / "v1").rglob("*") if path.is_file()}


def mirrored(hub: HubProgram, folder: Path, *, check: bool = False) -> dict[str, Any]:
    """What the command does, by the hub's own hand, which is there already."""
    done: dict[str, Any] = hub.do("mirror", folder=str(folder), check=check)
    return done


def named_by(hub: HubProgram, *addresses: str) -> None:
    hub.do("mirrors", addresses=list(addresses))
    hub.do("publish")


def test_a_folder_behind_any_web_server_spares_the_hub(large_hub: HubProgram, tmp_path: Path) -> None:
    copy = tmp_path / "www"
    with static_server(copy) as web, bad_link(large_hub.port) as link:
        named_by(large_hub, web.url)
        done = large_hub.run("mirror", copy)
        assert done["new"] == done["files"] > 3
        assert (copy / "p/v1/head").read_bytes().startswith(b"{")
        assert (copy / "p/v1/root/1").is_file()
        shelf = Shelf(tmp_path / "shelf").enrol(large_hub).choose(languages=[])
        assert shelf.sync(link.url)
        asked = len(objects_asked(link))
        shelf.choose(languages=None)
        report = shelf.sync(link.url)
        assert report is not None
        assert report.up_to_date, report
        assert len(objects_asked(link)) == asked
        assert web.served > 100_000
        agree(shelf, large_hub)
        # The same again writes nothing but the head; news only what is new.
        assert mirrored(large_hub, copy)["new"] == 0
        publish_news(large_hub, tmp_path)
        news = mirrored(large_hub, copy)
        assert 0 < news["new_bytes"] < done["bytes"] / 3
        report = shelf.sync(link.url)
        assert report is not None
        assert report.up_to_date, report
        agree(shelf, large_hub)


def test_what_the_head_of_before_leads_to_stays_for_one_more_run(large_hub: HubProgram, tmp_path: Path) -> None:
    copy = tmp_path / "www"
    mirrored(large_hub, copy)
    first = names(copy)
    publish_news(large_hub, tmp_path)
    mirrored(large_hub, copy)
    assert first <= names(copy)
    stray = copy / "p/v1/objects" / ("a" * 64)
    stray.write_bytes(b"of an older run")
    theirs = copy / "index.html"
    theirs.write_bytes(b"not ours")
    done = mirrored(large_hub, copy)
    assert done["removed"] >= 1
    assert not stray.exists()
    assert theirs.exists()
    assert len(names(copy)) < len(first) + 20


def test_what_was_spoiled_is_found_and_written_again(large_hub: HubProgram, tmp_path: Path) -> None:
    copy = tmp_path / "www"
    mirrored(large_hub, copy)
    victims = sorted(path for kind in ("documents", "objects") for path in (copy / "p/v1" / kind).iterdir())
    one, other = victims[0], victims[-1]
    one.write_bytes(one.read_bytes()[:-1])
    data = bytearray(other.read_bytes())
    data[-1] ^= 1
    other.write_bytes(data)
    assert mirrored(large_hub, copy)["new"] == 1  # one is shorter, which each run sees
    assert mirrored(large_hub, copy, check=True)["new"] == 1
    assert mirrored(large_hub, copy, check=True)["new"] == 0


def test_killed_in_the_middle_it_serves_what_it_served(large_hub: HubProgram, tmp_path: Path) -> None:
    copy = tmp_path / "www"
    mirrored(large_hub, copy)
    head = (copy / "p/v1/head").read_bytes()
    publish_news(large_hub, tmp_path)
    before = names(copy)
    for _attempt in range(4):
        run = subprocess.Popen(
            [BIN / "hubshelf-hub", "--home", large_hub.home, "mirror", copy, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        # Killed as soon as anything is written, and at once where all was.
        while run.poll() is None and names(copy) == before:
            pass
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert run.stdout is not None
        run.stdout.close()
        found = json.loads((copy / "p/v1/head").read_bytes().split(b"\n")[0])
        assert found["index"]["hash"] in names(copy)
        assert before <= names(copy)
        if (copy / "p/v1/head").read_bytes() != head:
            break
    mirrored(large_hub, copy)
    with static_server(copy) as web, bad_link(large_hub.port) as link:
        shelf = Shelf(tmp_path / "shelf").enrol(large_hub).choose(office_mirrors=[web.url])
        report = shelf.sync(link.url)
        assert report is not None
        assert report.up_to_date, report
        assert not objects_asked(link)


def test_an_address_takes_it_by_webdav(large_hub: HubProgram, tmp_path: Path) -> None:
    folder = tmp_path / "nas"
    folder.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("wet sand\n")
    os.environ["HUBSHELF_MIRROR_USER"] = "hub"
    try:
        with static_server(folder, user="hub:wet sand") as nas:
            address = nas.url
            refused = large_hub.run("mirror", address, expect=1)
            assert refused["error"]["code"] == "mirror-refused", refused
            assert "wet sand" not in json.dumps(refused)
            nas.fails_after = 3
            cut = large_hub.run("mirror", address, "--password-file", secret, expect=1)
            assert cut["error"]["code"] == "mirror-unreachable"
            assert not (folder / "p/v1/head").exists()
            nas.fails_after = None
            done = large_hub.run("mirror", address, "--password-file", secret)
            assert done["new"] == done["files"] - 3
            nas.asked.clear()
            again = large_hub.run("mirror", address, "--password-file", secret)
            assert again["new"] == 0
            assert not nas.of("HEAD")  # what the last run left is remembered
            assert sorted(nas.of("PUT")) == ["/p/v1/head", "/p/v1/root/1"]
            publish_news(large_hub, tmp_path)
            large_hub.run("mirror", address, "--password-file", secret)
            last = large_hub.run("mirror", address, "--password-file", secret)
            assert last["removed"] > 0
            local = tmp_path / "www"
            mirrored(large_hub, local)
            assert names(folder) == names(local)
    finally:
        del os.environ["HUBSHELF_MIRROR_USER"]


def test_a_full_disk_and_a_folder_that_is_none(hub: HubProgram, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = hub.run("mirror", tmp_path / "file", expect=1)
    assert refused["error"]["code"] == "mirror-unwritable"
    empty = HubProgram(tmp_path / "new").init()
    assert empty.run("mirror", tmp_path / "www", expect=1)["error"]["code"] == "not-a-pack"
    nobody = hub.run("mirror", "http://127.0.0.1:9/hub", expect=1)
    assert nobody["error"]["code"] == "mirror-unreachable"


def test_the_faster_mirror_is_asked_and_the_one_that_fails_rests(large_hub: HubProgram, tmp_path: Path) -> None:
    copy = tmp_path / "www"
    with static_server(copy, slow=0.2) as far, static_server(copy) as near, bad_link(large_hub.port) as link:
        named_by(large_hub, far.url, near.url)
        shelf = Shelf(tmp_path / "shelf").enrol(large_hub).choose(languages=[])
        assert shelf.sync(link.url)
        shelf.choose(languages=None)
        for seed in range(3):
            large_hub.do("publish")
            mirrored(large_hub, copy)
            for file in shelf.home.path.glob("library.db*"):
                file.unlink()
            report = shelf.sync(link.url)
            assert report is not None
            assert report.up_to_date, (seed, report)
            if seed < 2:
                far.asked.clear()
                near.asked.clear()
        # Both were measured; the third sync asks the fast one alone.
        assert near.of("GET")
        assert not far.of("GET")


def test_a_file_comes_from_a_mirror_and_a_wrong_one_from_the_hub(large_hub: HubProgram, tmp_path: Path) -> None:
    data = b"%PDF-1.7 " + bytes(range(256)) * 400
    digest = hashlib.sha256(data).hexdigest()
    place = large_hub.home / "objects" / digest[:2] / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    copy = tmp_path / "www"
    served = copy / "p/v1/objects" / digest
    served.parent.mkdir(parents=True)
    with static_server(copy) as web:
        shelf = Shelf(tmp_path / "shelf").enrol(large_hub).choose(office_mirrors=[web.url])
        served.write_bytes(data)
        assert fetch_file(shelf.home, digest, len(data)).read_bytes() == data
        assert web.served == len(data)
        shelf.home.files().remove(digest)
        served.write_bytes(data[:-1] + b"?")
        assert fetch_file(shelf.home, digest, len(data)).read_bytes() == data
        shelf.home.files().remove(digest)
        served.unlink()
        assert fetch_file(shelf.home, digest, len(data)).read_bytes() == data
