"""Joining a hub: once, also when the answer is lost; never two hubs on one shelf; prices before choices."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.cancel import Cancel
from sync.engine import connect_guest, enrol, fetch_file, offers
from sync.errors import (
    BadSignature,
    Cancelled,
    CaptivePortal,
    CutOff,
    HubProblem,
    InsecureAddress,
    NotEnrolled,
    NotTrusted,
    OtherHub,
)
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root
from sync.protocol.wire_json import sha256
from sync.report import Progress
from tests.sync.hub_simulator import EXPIRES, Answer, HubSimulator
from tests.sync.simulated_shelf import CONTENT, Shelf


@pytest.fixture
def other_hub() -> Iterator[HubSimulator]:
    with HubSimulator() as simulator:
        simulator.publish(CONTENT)
        yield simulator


def test_enrolment_keeps_who_we_are_and_whom_to_trust(
    hub: HubSimulator, new_shelf: Callable[[str], Shelf]
) -> None:
    shelf = new_shelf("new")
    done = enrol(shelf.home, hub.url + "/", f" {hub.invite()} ", "Ministry PC")
    assert (done.hub_name, done.member_name) == ("Simulated hub", "Amina")
    assert (shelf.home.hub_url, shelf.home.hub_name, shelf.home.member) == (hub.url, "Simulated hub", "Amina")
    assert shelf.setting("root") == hub.roots[0].decode()
    token = shelf.home.secrets().token()
    assert token in hub.devices.values()
    assert shelf.home.secrets().pending() is None
    assert shelf.sync().up_to_date


@pytest.mark.parametrize("at", [0, 1, 15, 40, 100, 300, 500])
def test_a_lost_answer_is_repaired_by_the_same_code(
    hub: HubSimulator, new_shelf: Callable[[str], Shelf], at: int
) -> None:
    shelf, code = new_shelf("new"), hub.invite()
    hub.cut_after["enrol"] = [at]
    with pytest.raises(CutOff):
        enrol(shelf.home, hub.url, code, "Ministry PC")
    assert shelf.home.hub_url is None
    assert len(hub.devices) == 1
    enrol(shelf.home, hub.url, code, "Ministry PC")
    assert len(hub.devices) == 1
    assert shelf.sync().up_to_date


def test_a_new_code_after_a_lost_answer_makes_a_new_device(
    hub: HubSimulator, new_shelf: Callable[[str], Shelf]
) -> None:
    shelf = new_shelf("new")
    hub.cut_after["enrol"] = [10]
    with pytest.raises(CutOff):
        enrol(shelf.home, hub.url, hub.invite(), "Ministry PC")
    enrol(shelf.home, hub.url, hub.invite(), "Ministry PC")
    assert len(hub.devices) == 2
    assert shelf.sync().up_to_date


def test_an_unknown_code_changes_nothing(hub: HubSimulator, new_shelf: Callable[[str], Shelf]) -> None:
    shelf = new_shelf("new")
    with pytest.raises(HubProblem, match="unknown-code"):
        enrol(shelf.home, hub.url, "WRONG", "Ministry PC")
    assert shelf.home.hub_url is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda a: Answer(200, b"<p>Log in", {"Content-Type": "text/html"}),
        lambda a: Answer(200, b"{}", {"Content-Type": "application/json"}),
        lambda a: Answer(302, b"", {"Location": "https://portal.invalid/"}),
    ],
)
def test_a_stranger_cannot_enrol_us(
    hub: HubSimulator, new_shelf: Callable[[str], Shelf], damage: Callable[[Answer], Answer]
) -> None:
    shelf = new_shelf("new")
    hub.fault = lambda seen, answer: damage(answer)
    with pytest.raises(CaptivePortal):
        enrol(shelf.home, hub.url, hub.invite(), "Ministry PC")
    assert shelf.home.hub_url is None
    assert shelf.home.secrets().token() is None


def test_an_address_in_the_open_is_refused(new_shelf: Callable[[str], Shelf]) -> None:
    with pytest.raises(InsecureAddress):
        enrol(new_shelf("new").home, "http://hub.example.org", "CODE", "Ministry PC")


def test_two_hubs_never_mix(hub: HubSimulator, shelf: Shelf, other_hub: HubSimulator) -> None:
    shelf.sync()
    before, token = shelf.records(), shelf.home.secrets().token()
    with pytest.raises(OtherHub):
        enrol(shelf.home, other_hub.url, other_hub.invite(), "Ministry PC")
    with pytest.raises(OtherHub):
        connect_guest(shelf.home, other_hub.url)
    # The code was not used up, and the shelf is as it was.
    assert other_hub.devices == {}
    assert shelf.home.hub_url == hub.url
    assert shelf.home.secrets().token() == token
    assert shelf.records() == before
    assert shelf.sync().up_to_date


def test_an_empty_shelf_may_change_its_hub_and_keeps_its_own_work(
    hub: HubSimulator, shelf: Shelf, other_hub: HubSimulator
) -> None:
    question = shelf.ask("Written before anything arrived?")
    enrol(shelf.home, other_hub.url, other_hub.invite(), "Ministry PC")
    with_other = Shelf(shelf.home.path, other_hub)
    assert with_other.sync().up_to_date
    assert list(other_hub.effects) == [question]
    with_other.agrees()


CARRIED = (
    "roots", "root_key", "head_key", "streams", "feeds", "objects", "documents", "indexes", "head", "version",
)  # fmt: skip
"""What a hub takes along to another address."""


def test_a_hub_that_moved_to_another_address_is_recognised(
    hub: HubSimulator, shelf: Shelf, other_hub: HubSimulator
) -> None:
    shelf.sync()
    moved = other_hub
    for name in CARRIED:
        setattr(moved, name, getattr(hub, name))
    enrol(shelf.home, moved.url, moved.invite(), "Ministry PC")
    assert shelf.home.hub_url == moved.url
    assert Shelf(shelf.home.path, moved).sync().up_to_date


def test_a_shelf_with_content_does_not_take_other_keys(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    stranger = SigningKey.generate()
    hub.roots = [make_root(1, [stranger.public], [stranger.public], EXPIRES, [stranger])]
    with pytest.raises(BadSignature):
        shelf.enrol()
    assert shelf.setting("root") != hub.roots[0].decode()


def test_a_member_comes_back_with_a_new_code_and_loses_nothing(hub: HubSimulator, shelf: Shelf) -> None:
    question = shelf.ask("Before the device was revoked?")
    shelf.sync()
    hub.devices.clear()
    later = shelf.ask("Afterwards?")
    shelf.sync()
    shelf.enrol()
    assert shelf.sync().up_to_date
    assert shelf.states() == {question: "received", later: "received"}
    assert {id_: len(effects) for id_, effects in hub.effects.items()} == {question: 1, later: 1}


def test_a_guest_follows_the_chain_of_roots_from_the_first(
    hub: HubSimulator, new_shelf: Callable[[str], Shelf]
) -> None:
    hub.rotate_head_key()
    hub.publish({})
    guest = new_shelf("guest")
    connect_guest(guest.home, hub.url)
    assert guest.sync().up_to_date
    guest.agrees()
    assert guest.home.member is None
    assert enrol(guest.home, hub.url, hub.invite(), "Ministry PC").member_name == "Amina"
    assert guest.sync().up_to_date


# Offers


def test_offers_come_with_their_price_and_are_fetched_once(hub: HubSimulator, shelf: Shelf) -> None:
    with hub.counting() as seen:
        found = {offer.name: offer for offer in offers(shelf.home)}
    assert [one.kind for one in seen] == ["head", "document"]
    texts = found["public/texts/en/teaching"]
    assert (texts.tier, texts.lang, texts.theme, texts.records) == ("texts", "en", "teaching", 3)
    assert texts.bytes == hub.snapshot("public/texts/en/teaching").segments[0].size
    with hub.counting() as seen:
        shelf.sync()
    assert [one.kind for one in seen] == ["sync", "object", "object"]
    with hub.counting() as seen:
        assert {offer.name for offer in offers(shelf.home)} == set(CONTENT)
    assert seen == []


def test_offers_of_no_hub_say_so(new_shelf: Callable[[str], Shelf]) -> None:
    with pytest.raises((NotEnrolled, NotTrusted)):
        offers(new_shelf("new").home)


# Files


def test_a_file_is_resumed_at_the_byte_and_verified(hub: HubSimulator, shelf: Shelf) -> None:
    data = b"".join(sha256(str(n).encode()).encode() for n in range(1000))
    name = sha256(data)
    hub.objects[name] = data
    hub.cut_after["object"] = [400, 20_000]
    told: list[Progress] = []
    with pytest.raises(CutOff):
        fetch_file(shelf.home, name, len(data))
    path = fetch_file(shelf.home, name, len(data), told.append)
    assert path.read_bytes() == data
    assert [one.range for one in hub.log[-3:]][0] == ""
    assert all(one.range for one in hub.log[-2:])
    assert told[-1] == Progress("files", len(data), len(data))
    with hub.counting() as seen:
        assert fetch_file(shelf.home, name, len(data)) == path
    assert seen == []
    with shelf.home.own() as own:
        assert own.spent() > len(data)


def test_a_damaged_file_is_not_kept(hub: HubSimulator, shelf: Shelf) -> None:
    from resources_cache.errors import FileDamaged

    name = sha256(b"the real one")
    hub.objects[name] = b"another one."
    with pytest.raises(FileDamaged):
        fetch_file(shelf.home, name, 12)
    assert not shelf.home.files().has(name)
    assert shelf.home.files().partial_size(name) == 0


def test_a_download_that_is_cancelled_stops(hub: HubSimulator, shelf: Shelf) -> None:
    data = bytes(range(256)) * 1000
    hub.objects[sha256(data)] = data
    cancel = Cancel()
    with pytest.raises(Cancelled):
        fetch_file(shelf.home, sha256(data), len(data), lambda _: cancel.cancel(), cancel)
    assert 0 < shelf.home.files().partial_size(sha256(data)) < len(data)


@pytest.mark.parametrize(("name", "size"), [("../../etc/passwd", 10), ("a" * 64, -1), ("A" * 64, 10), ("", 1)])
def test_a_file_that_no_hub_names_is_not_asked_for(shelf: Shelf, name: str, size: int) -> None:
    with pytest.raises(NotTrusted):
        fetch_file(shelf.home, name, size)


# Secrets and the folder


def test_the_token_is_in_a_private_file(shelf: Shelf) -> None:
    path = shelf.home.path / "secrets" / "token"
    assert path.read_text().strip() == shelf.home.secrets().token()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert shelf.home.path.stat().st_mode & 0o777 == 0o700
    token = shelf.home.secrets().token()
    assert token is not None
    for name in ("own.db", "own.db-wal", "library.db", "library.db-wal"):
        file = shelf.home.path / name
        assert not file.exists() or token.encode() not in file.read_bytes()


def test_a_working_keychain_is_used_and_a_broken_one_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from keyring.backend import KeyringBackend

    from sync.home import Home

    class Memory(KeyringBackend):
        priority = 5  # type: ignore[assignment]  # a class property in keyring
        kept: dict[tuple[str, str], str] = {}
        broken = False

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            if self.broken:
                raise RuntimeError("the keychain is locked")
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    monkeypatch.delenv("HUBSHELF_KEYRING")
    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        store = Home(tmp_path / "one").secrets()
        store.keep_token("a" * 64)
        assert "a" * 64 in Memory.kept.values()
        assert not (tmp_path / "one" / "secrets").exists()
        assert store.token() == "a" * 64
        store.forget()
        assert store.token() is None
        Memory.broken = True
        store.keep_token("b" * 64)
        assert store.token() == "b" * 64
        assert (tmp_path / "one" / "secrets" / "token").exists()
        monkeypatch.setenv("HUBSHELF_KEYRING", "off")
        assert Home(tmp_path / "one").secrets().token() == "b" * 64
    finally:
        keyring.set_keyring(before)


def test_the_home_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from sync.home import default_home

    monkeypatch.setenv("HUBSHELF_HOME", str(tmp_path / "here"))
    assert default_home() == tmp_path / "here"
    monkeypatch.delenv("HUBSHELF_HOME")
    assert default_home().name == "Hubshelf"


def test_a_report_is_json(shelf: Shelf) -> None:
    found = json.loads(json.dumps(shelf.sync("http://127.0.0.1:1").to_json()))
    assert found["error"]["code"] == "unreachable"
    assert {
        "requests",
        "bytes_up",
        "bytes_down",
        "segments_applied",
        "operations_sent",
        "up_to_date",
        "seconds",
    } <= set(found)
