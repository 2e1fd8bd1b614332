"""A shelf's letters and the hub's answers by hand: what leaves, what may still be changed, what is believed."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources_cache.cards import StoredHead
from resources_cache.errors import NotEditable
from resources_cache.moving import MOVED_OUT
from sync.home import Home
from sync.packs import by_hand as own_letters
from sync.packs import carrying
from sync.packs.exporting import export_pack
from sync.packs.importing import Imported, import_pack
from sync.protocol import by_hand, packs
from sync.protocol.head import Head, ObjectRef
from sync.protocol.messages import EnrolResponse, Receipt, SyncResponse, token_hash
from sync.protocol.pack_volumes import FolderVolume
from sync.protocol.pack_volumes import opened as packs_opened
from sync.protocol.packs import NothingToCarry, PackUnwritable
from sync.protocol.problems import Problem
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root

TOKEN = "d4" * 32
HASHED = token_hash(TOKEN)
SECRET = bytes([9]) * 32
KEY = SigningKey(bytes([7]) * 32)
ROOT = make_root(1, [KEY.public], [KEY.public], "2099-01-01T00:00:00Z", [KEY])
INDEX = ObjectRef("0" * 64, 1)


def head(box: str) -> bytes:
    return Head(1, 1, 1, 2, INDEX, "Hub", "2026-05-03T08:00:00Z", "2099-01-01T00:00:00Z", box=box).sign(KEY)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A member's shelf that knows its hub's head."""
    found = Home(tmp_path / "shelf")
    with found.own() as own, found.library() as library:
        own.set_setting("root", ROOT.decode())
        own.set_setting("hub_name", "Hub")
        own.set_setting("guest", False)
        document = head(by_hand.public_key(SECRET).hex())
        library.save_head(StoredHead(1, 1, document, True, "2026-05-03T08:00:00Z"))
    found.secrets().keep_token(TOKEN)
    return found


def write(home: Home, title: str) -> str:
    with home.own() as own:
        return own.outbox.add("ask", title, {"kind": "question", "title": title, "body": "How?"}).id


def opened(folder: Path) -> list[by_hand.Letter]:
    found = []
    for _name, data in packs.envelopes(FolderVolume(folder / packs.FOLDER)):
        one = by_hand.open_envelope(data, SECRET)
        one.require_from(HASHED)
        found.append(one.letter)
    return sorted(found, key=lambda letter: letter.order)


def answered(home: Home, stick: Path, response: SyncResponse, number: int = 1, **also: Any) -> Imported:
    hashed = also.pop("hashed", HASHED)
    also = {"since": (response.epoch, 0), "through": (1, 1), **also}
    data = by_hand.seal_answer(by_hand.Answer(response=response, **also), hashed, number, KEY)
    FolderVolume(stick / packs.FOLDER).put(packs.answer_name(by_hand.tag_of(HASHED)), [data])
    return import_pack(home, stick)


def reply(number: int) -> dict[str, Any]:
    return {"id": f"reply-{number}", "type": "reply", "request": "q", "author": "Hub", "body": f"{number}"}


def test_what_is_left_on_a_stick_waits_and_can_not_be_changed(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NothingToCarry):
        export_pack(home, tmp_path / "stick")
    first = write(home, "One")
    assert export_pack(home, tmp_path / "stick").operations == 1
    second = write(home, "Two")
    with home.own() as own:
        item = own.outbox.item(first)
        assert (item.state, item.attempted, item.carried is not None) == ("waiting", True, True)
        with pytest.raises(NotEditable, match="left on a stick"):
            own.outbox.edit(first, "Other", {})
        with pytest.raises(NotEditable, match="left on a stick"):
            own.outbox.withdraw(first)
        own.outbox.edit(second, "Two, better", {"kind": "question", "body": "?"})
        # Where a link was tried and none came, it has still left.
        own.outbox.begin_sending([first, second])
        own.outbox.never_left([first, second])
        assert [own.outbox.item(one).attempted for one in (first, second)] == [True, False]
    # The next letter has all that waits: whichever comes first, none is missing.
    assert export_pack(home, tmp_path / "stick").operations == 2
    found = opened(tmp_path / "stick")
    assert [[one.id for one in letter.request.operations] for letter in found] == [[first], [first, second]]
    assert [letter.order for letter in found] == [(1, 1), (1, 2)]
    # The writer's own letters are not carried for others, and those of others stay as they are.
    strange = b"HSB\x01" + bytes(range(200))
    FolderVolume(tmp_path / "in" / packs.FOLDER).put(
        packs.envelope_name(hashlib.sha256(strange).hexdigest()), [strange]
    )
    assert import_pack(home, tmp_path / "in").envelopes == 1
    assert import_pack(home, tmp_path / "in").envelopes == 0
    assert export_pack(home, tmp_path / "further").envelopes == 1
    assert strange in dict(packs.envelopes(FolderVolume(tmp_path / "further" / packs.FOLDER))).values()


def test_a_stick_that_cannot_be_written_leaves_the_item_as_it_was(home: Home, tmp_path: Path) -> None:
    one = write(home, "One")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PackUnwritable):
        export_pack(home, tmp_path / "file" / "stick")
    with home.own() as own:
        assert (own.outbox.item(one).carried, own.outbox.item(one).attempted) == (None, False)
        own.outbox.edit(one, "Still mine", {"kind": "question", "body": "?"})


def test_a_moved_shelf_and_a_hub_without_a_key_get_no_letters(home: Home, tmp_path: Path) -> None:
    write(home, "One")
    with home.own() as own, home.library() as library:
        own.set_setting(MOVED_OUT, "2026-05-03T08:00:00Z")
        assert own_letters.write_letters(home, own, library).envelopes == {}
        own.set_setting(MOVED_OUT, None)
        library.save_head(StoredHead(1, 1, head(""), True, "2026-05-03T08:00:00Z"))
        assert own_letters.write_letters(home, own, library).envelopes == {}
    with pytest.raises(NothingToCarry):
        export_pack(home, tmp_path / "stick")


def test_only_the_hubs_answer_is_heard_and_only_forward(home: Home, tmp_path: Path) -> None:
    asked, stick = write(home, "One"), tmp_path / "stick"
    export_pack(home, stick)
    receipts = (Receipt(asked, True, asked, "2026-05-20T08:00:00Z", "submitted"),)
    first = SyncResponse(1, 2, receipts, (reply(1), reply(2)))
    forged = answered(home, stick, first, hashed=token_hash("e5" * 32))
    assert not forged.heard.came
    heard = answered(home, stick, first).heard
    assert (heard.receipts, heard.records) == (1, 2)
    with home.own() as own, home.library() as library:
        assert own.outbox.item(asked).state == "received"
        assert library.personal_cursor() == (1, 2)
    # The same again, an older one, and one behind a gap bring nothing; what follows on does.
    assert answered(home, stick, first).heard.records == 0
    older = replace(first, cursor=1, items=(reply(1),))
    assert answered(home, stick, older).heard.records == 0
    gap = SyncResponse(1, 9, (), (reply(9),))
    assert answered(home, stick, gap, since=(1, 8)).heard.records == 0
    with home.library() as library:
        assert library.personal_cursor() == (1, 2)
    assert answered(home, stick, SyncResponse(1, 3, (), (reply(3),)), since=(1, 2)).heard.records == 1
    # A hub that was restored: its new epoch is heard, the old one is not any more.
    anew = answered(home, stick, SyncResponse(5, 1, (), (reply(4),))).heard
    assert anew.records >= 1
    with home.own() as own, home.library() as library:
        assert library.personal_cursor() == (5, 1)
        assert own.outbox.item(asked).state == "sending", "it is offered again"
    assert not answered(home, stick, first).heard.came


def test_a_code_is_kept_until_the_hub_has_turned_it_into_a_member(home: Home, tmp_path: Path) -> None:
    home.secrets().forget_device()
    with home.own() as own:
        own.set_setting("guest", True)
    own_letters.join(home, " K7QD ", "Room 12")
    own_letters.join(home, "K7QD", "Room 12")  # the same code is the same device
    pending = home.secrets().pending()
    assert pending is not None
    hashed, stick = token_hash(pending.token), tmp_path / "stick"
    export_pack(home, stick)
    ((_name, data),) = list(packs.envelopes(FolderVolume(stick / packs.FOLDER)))
    letter = by_hand.open_envelope(data, SECRET).letter
    assert letter.joining == by_hand.Joining("K7QD", pending.device, "Room 12", hashed)
    assert pending.token.encode() not in letter.to_bytes()
    volume = FolderVolume(stick / packs.FOLDER)

    def hear(answer: by_hand.Answer, number: int) -> own_letters.Heard:
        volume.put(packs.answer_name(by_hand.tag_of(hashed)), [by_hand.seal_answer(answer, hashed, number, KEY)])
        return import_pack(home, stick).heard

    refused = Problem("unknown-code", "Unknown.", "wait", 403)
    told = hear(by_hand.Answer((1, 0), (1, 1), SyncResponse(1, 0), problem=refused), 1)
    assert (told.member, told.problem) == ("", refused)
    assert home.secrets().token() is None
    enrolled = EnrolResponse("Hub", "Amina", "amina@ministry.example", ROOT)
    told = hear(by_hand.Answer((1, 0), (1, 1), SyncResponse(1, 0), enrolled), 2)
    assert (told.member, home.secrets().token(), home.member) == ("Amina", pending.token, "Amina")
    # One's own letters and answers are not carried as if they were others'.
    assert list(packs.envelopes(carrying.store(home))) == []
    assert packs.answer_in(carrying.store(home), by_hand.tag_of(hashed)) is None


def test_a_file_that_is_written_over_keeps_the_messages_of_others(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "one.hubshelf-pack"
    strange = b"HSB\x01" + bytes(range(200))
    name = packs.envelope_name(hashlib.sha256(strange).hexdigest())
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, strange)
    write(home, "One")
    export_pack(home, file)
    with packs_opened(file) as volume:
        assert len(dict(packs.envelopes(volume))) == 2
        assert packs.read(volume, name, 1000) == strange


def test_a_later_answer_on_a_stick_is_not_written_over_by_an_earlier_one(home: Home, tmp_path: Path) -> None:
    other, stick = token_hash("e5" * 32), tmp_path / "stick"
    name = packs.answer_name(by_hand.tag_of(other))
    early, late = (
        by_hand.seal_answer(by_hand.Answer((1, 0), (1, 1), SyncResponse(1, 0)), other, n, KEY) for n in (1, 2)
    )
    volume = FolderVolume(stick / packs.FOLDER)
    volume.put(name, [early])
    assert import_pack(home, stick).answers == 1
    volume.put(name, [late])
    write(home, "One")
    export_pack(home, stick)
    assert packs.read(volume, name, 10_000) == late
    assert import_pack(home, stick).answers == 1
    assert import_pack(home, stick).answers == 0


def test_what_is_carried_for_others_has_bounds_and_the_oldest_goes_first(home: Home, tmp_path: Path) -> None:
    volume = FolderVolume(tmp_path / "stick" / packs.FOLDER)
    for number in range(40):
        data = b"HSB\x01" + bytes([number]) * 900_000
        volume.put(packs.envelope_name(hashlib.sha256(data).hexdigest()), [data])
        if number % 10 == 9:
            import_pack(home, tmp_path / "stick")
            for name in volume.names(packs.OUTBOX, 100):
                volume.remove(packs.envelope_name(name))
    here = carrying.store(home)
    kept = {data[4] for _name, data in packs.envelopes(here)}
    assert sum(len(data) for _name, data in packs.envelopes(here)) <= packs.MAIL
    assert kept >= set(range(30, 40)), "the newest are here"
    assert 10 < len(kept) < 20


def test_a_hostile_carrier_displaces_no_answer(home: Home, tmp_path: Path) -> None:
    """Rubbish with a higher number, and the real one under it, in whatever order carriers meet them."""
    other, stick = token_hash("e5" * 32), tmp_path / "stick"
    tag = by_hand.tag_of(other)
    name, volume = packs.answer_name(tag), FolderVolume(stick / packs.FOLDER)
    says = by_hand.Answer((1, 0), (1, 1), SyncResponse(1, 0))
    real = by_hand.seal_answer(says, other, 2, KEY)
    rubbish = [
        by_hand.seal_answer(says, other, 2**40, SigningKey(bytes([6]) * 32)),
        real[:20] + bytes([255] * 8) + real[28:],
        by_hand.seal_answer(says, token_hash("f6" * 32), 9, KEY),  # a real one, of somebody else
        b"HSA\x01" + bytes.fromhex(tag) + bytes([255] * 400),
    ]
    for one in rubbish:
        volume.put(name, [one])
        assert import_pack(home, stick).answers == 0
    volume.put(name, [real])
    assert import_pack(home, stick).answers == 1
    for one in rubbish:
        volume.put(name, [one])
        assert import_pack(home, stick).answers == 0
        assert packs.answer_in(carrying.store(home), tag) == real
        # The rubbish that lies on a stick goes, on a folder and on a file alike.
        export_pack(home, stick)
        assert packs.read(volume, name, 10_000) == real
        file = tmp_path / "one.hubshelf-pack"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, one)
        export_pack(home, file)
        with packs_opened(file) as written:
            assert packs.read(written, name, 10_000) == real
    # A later one in the file that is written over stays there.
    late = by_hand.seal_answer(says, other, 3, KEY)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, late)
    write(home, "One")
    export_pack(home, file)
    with packs_opened(file) as written:
        assert packs.read(written, name, 10_000) == late
