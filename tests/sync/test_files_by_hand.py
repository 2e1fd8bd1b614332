"""A shelf's files by hand: those attached to questions that leave, those of answers that come, those carried for
others, and what strangers may put on a stick."""

from __future__ import annotations

import hashlib
import os
import random
import time
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from resources_cache.attachments import Attachments, Upload, open_files
from resources_cache.cards import StoredHead
from sync.cancel import Cancel
from sync.errors import Cancelled
from sync.home import Home
from sync.packs import carrying
from sync.packs.exporting import export_pack, weigh
from sync.packs.importing import Imported, import_pack, show_pack
from sync.packs.looking import look
from sync.protocol import by_hand, packs, uploads
from sync.protocol.head import Head, ObjectRef
from sync.protocol.messages import Receipt, SyncResponse, token_hash
from sync.protocol.pack_volumes import FolderVolume, ZipVolume
from sync.protocol.packs import NothingToCarry
from sync.protocol.parcels import open_parcel, to_device, to_hub
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root
from sync.uploads import attached

TOKEN, STRANGER = "d4" * 32, "e5" * 32
HASHED, OTHER = token_hash(TOKEN), token_hash(STRANGER)
TAG = by_hand.tag_of(HASHED)
SECRET = bytes([9]) * 32
HUB = by_hand.public_key(SECRET)
KEY = SigningKey(bytes([7]) * 32)
ROOT = make_root(1, [KEY.public], [KEY.public], "2099-01-01T00:00:00Z", [KEY])
FILE = random.Random(3).randbytes(200_000)
ANSWER = random.Random(4).randbytes(150_000)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A member's shelf that knows its hub's head."""
    return shelf(tmp_path / "shelf", TOKEN)


def shelf(path: Path, token: str = "") -> Home:
    found = Home(path)
    when = "2026-05-03T08:00:00Z"
    head = Head(1, 1, 1, 2, ObjectRef("0" * 64, 1), "Hub", when, "2099-01-01T00:00:00Z", box=HUB.hex())
    with found.own() as own, found.library() as library:
        own.set_setting("root", ROOT.decode())
        own.set_setting("guest", not token)
        library.save_head(StoredHead(1, 1, head.sign(KEY), True, when))
    if token:
        found.secrets().keep_token(token)
    return found


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def ask(home: Home, *files: bytes) -> str:
    """Queue a question with files."""
    sources = []
    for number, data in enumerate(files):
        source = home.path / f"{number}.pdf"
        source.write_bytes(data)
        sources.append(source)
    with home.own() as own:
        body = {
            "kind": "question",
            "title": "One",
            "body": "How?",
            "attachments": attached(home.path, own, sources),
        }
        return own.outbox.add("ask", "One", body).id


def pack(stick: Path) -> FolderVolume:
    return FolderVolume(stick / packs.FOLDER)


def on(stick: Path) -> dict[str, bytes]:
    """The parcels on a stick."""
    return {one.digest: packs.read(pack(stick), one.name, one.size) for one in packs.parcels(pack(stick))}


def at_hub(data: bytes) -> tuple[str, bytes]:
    """(tag of the sender, file) of a parcel, as the hub opens it."""
    import io

    found = open_parcel(io.BytesIO(data), len(data), SECRET)
    found.require_from(HASHED)
    return found.tag, b"".join(found.blocks())


def letters(stick: Path) -> list[by_hand.Letter]:
    found = [by_hand.open_envelope(data, SECRET).letter for _name, data in packs.envelopes(pack(stick))]
    return sorted(found, key=lambda letter: letter.order)


def uploads_of(home: Home) -> list[Upload]:
    with home.own() as own:
        return Attachments.of(own, open_files(home.path, uploads.FILE)).outstanding()


def returned(data: bytes, hashed: str = HASHED, key: SigningKey = KEY) -> bytes:
    return b"".join(to_device(hashed, digest(data), len(data), [data], key).pieces([data]))


def lay_return(stick: Path, sealed: bytes, tag: str = TAG, name: str = "") -> Path:
    pack(stick).put(packs.return_name(tag, name or digest(sealed)), [sealed])
    return stick


def lay_parcel(stick: Path, sealed: bytes, name: str = "") -> Path:
    pack(stick).put(packs.parcel_name(name or digest(sealed)), [sealed])
    return stick


def strangers(data: bytes = FILE) -> bytes:
    return b"".join(to_hub(STRANGER, HUB, digest(data), len(data)).pieces([data]))


class Counting(FolderVolume):
    """A stick that counts how often a file of an answer is opened."""

    count = 0

    def open(self, name: str) -> BinaryIO:
        self.count += name.startswith(packs.RETURNS)
        return super().open(name)


def answered(home: Home, stick: Path, number: int = 1, *files: bytes, **also: Any) -> Imported:
    """Have the hub's answer on a stick name these files, and take the stick in."""
    lay_answer(stick, number, *files, **also)
    return import_pack(home, stick)


def lay_answer(stick: Path, number: int, *files: bytes, **also: Any) -> None:
    named = [uploads.Attached(digest(one), len(one), "a.pdf", "application/pdf").to_json() for one in files]
    reply = {
        "id": f"reply-{number}",
        "type": "reply",
        "request": "q",
        "author": "Hub",
        "body": "",
        "attachments": named,
    }
    receipts = also.pop("receipts", ())
    response = SyncResponse(1, number, receipts, (reply,) if files else ())
    answer = by_hand.Answer((1, number - 1), (1, 1), response, **also)
    pack(stick).put(packs.answer_name(TAG), [by_hand.seal_answer(answer, HASHED, number, KEY)])


def test_what_is_attached_leaves_sealed_and_the_same_each_time(home: Home, tmp_path: Path) -> None:
    ask(home, FILE, ANSWER)
    weighed = weigh(home, tmp_path / "stick")
    assert (weighed.attached, weighed.attached_bytes, weighed.attached_left) == (2, 350_000, 0)
    assert weighed.room > weighed.needed > weighed.new > 350_000
    done = export_pack(home, tmp_path / "stick")
    assert (done.operations, done.attached, done.attached_bytes, done.attached_left) == (1, 2, 350_000, 0)
    first = on(tmp_path / "stick")
    assert sorted(map(at_hub, first.values())) == sorted([(TAG, FILE), (TAG, ANSWER)])
    (letter,) = letters(tmp_path / "stick")
    assert set(letter.files.sent) == {digest(FILE), digest(ANSWER)}
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "stick").rglob("parcels/*")}
    assert weigh(home, tmp_path / "stick").new == 0
    export_pack(home, tmp_path / "stick")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "stick").rglob("parcels/*")} == times
    # Its own are not carried as if they were others', and are in the one-file form, too.
    assert import_pack(home, tmp_path / "stick").parcels == 0
    export_pack(home, tmp_path / "all.hubshelf-pack")
    archive = ZipVolume(tmp_path / "all.hubshelf-pack")
    assert {one.digest for one in packs.parcels(archive)} == set(first)
    archive.close()
    said = show_pack(tmp_path / "all.hubshelf-pack")
    assert (said["parcels"], said["parcel_bytes"]) == (2, sum(map(len, first.values())))
    seen = look(home, tmp_path / "stick")
    assert (seen.parcels, seen.parcel_bytes) == (2, sum(map(len, first.values())))


def test_the_outbox_knows_what_was_left_and_what_arrived(home: Home, tmp_path: Path) -> None:
    asked = ask(home, FILE, ANSWER)
    assert [one.carried for one in uploads_of(home)] == [None, None]
    export_pack(home, tmp_path / "stick")
    assert [(one.state, one.carried is not None) for one in uploads_of(home)] == [("waiting", True)] * 2
    receipts = (Receipt(asked, True, asked, "2026-05-20T08:00:00Z", "submitted"),)
    heard = answered(home, tmp_path / "in", receipts=receipts, arrived=(digest(FILE), digest(b"?"))).heard
    assert (heard.receipts, heard.files) == (1, 1)
    assert [one.hash for one in uploads_of(home)] == [digest(ANSWER)]
    # Only the other one goes along the next time, with a letter that asks after it.
    done = export_pack(home, tmp_path / "next")
    assert (done.operations, done.attached) == (0, 1)
    assert [at_hub(data)[1] for data in on(tmp_path / "next").values()] == [ANSWER]
    assert letters(tmp_path / "next")[0].files.sent == (digest(ANSWER),)
    with home.own() as own:
        Attachments.of(own, open_files(home.path, uploads.FILE)).retry(digest(ANSWER))
    assert [one.carried for one in uploads_of(home)] == [None]


def test_what_does_not_fit_is_left_and_said(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(home, FILE, ANSWER)
    monkeypatch.setattr(FolderVolume, "room", lambda self: 600_000)
    monkeypatch.setattr("sync.packs.exporting._room", lambda target: 600_000)
    weighed = weigh(home, tmp_path / "stick")
    done = export_pack(home, tmp_path / "stick")
    assert (weighed.attached, weighed.attached_left) == (done.attached, done.attached_left) == (1, 1)
    assert len(on(tmp_path / "stick")) == 1
    assert [one.carried is not None for one in uploads_of(home)].count(True) == 1
    monkeypatch.undo()
    assert export_pack(home, tmp_path / "stick").attached == 2


def test_a_copy_that_is_damaged_or_gone_keeps_no_other_back(home: Home, tmp_path: Path) -> None:
    ask(home, FILE, ANSWER, b"third")
    files = open_files(home.path, uploads.FILE)
    files.remove(digest(ANSWER))
    files.path(digest(FILE)).write_bytes(FILE[:-1] + b"?")
    done = export_pack(home, tmp_path / "stick")
    assert (done.operations, done.attached) == (1, 1)
    assert [at_hub(data)[1] for data in on(tmp_path / "stick").values()] == [b"third"]


def test_files_of_answers_come_and_are_downloaded(home: Home, tmp_path: Path) -> None:
    stick = lay_return(tmp_path / "stick", returned(ANSWER))
    lay_return(stick, returned(b"of nothing that is known here"))
    ask(home)
    done = answered(home, stick, 1, ANSWER, FILE)
    assert (done.returns, done.return_bytes, done.returns_left, done.parcels) == (1, len(ANSWER), 0, 0)
    store = home.files()
    assert store.path(digest(ANSWER)).read_bytes() == ANSWER
    assert store.hashes() == [digest(ANSWER)]
    # The next letter asks for what has not come, and for nothing that a person removed.
    store.remove(digest(ANSWER))
    export_pack(home, tmp_path / "out")
    assert letters(tmp_path / "out")[-1].files.wants == (digest(FILE),)
    assert import_pack(home, stick).returns == 1, "from a stick that has it, it comes again"


def test_a_file_that_a_link_has_begun_goes_on_and_a_wrong_beginning_is_noticed(home: Home, tmp_path: Path) -> None:
    for number, begun in enumerate((ANSWER[:70_000], b"wrong", ANSWER[:-1])):
        store = home.files()
        store.remove(digest(ANSWER))
        with store.partial(digest(ANSWER), len(ANSWER)) as partial:
            partial.write(begun)
        lay_answer(stick := lay_return(tmp_path / f"{number}", returned(ANSWER)), number + 1, ANSWER)
        volume = Counting(stick / packs.FOLDER)
        assert import_pack(home, volume).returns == 1
        assert volume.count == (3 if begun == b"wrong" else 2), "to know what it is, and then as often as needed"
        assert store.path(digest(ANSWER)).read_bytes() == ANSWER
        assert store.partials() == {}


def test_hostile_returns_change_nothing(home: Home, tmp_path: Path) -> None:
    sealed = returned(ANSWER)
    stranger = SigningKey(bytes([6]) * 32)
    wrong = [
        sealed[:-1],
        sealed + b"x",
        sealed[:80_000] + b"x" + sealed[80_001:],
        sealed[:132],
        returned(ANSWER, OTHER),
        returned(FILE)[:132] + sealed[132:],
        b"HSR\x01" + bytes.fromhex(TAG) + bytes(500),
        # Its hash is not that of what is in it.
        b"".join(
            to_device(HASHED, digest(ANSWER), len(ANSWER), [FILE[: len(ANSWER)]], KEY).pieces([FILE[:150_000]])
        ),
    ]
    for number, data in enumerate(wrong):
        stick = lay_return(tmp_path / f"{number}", data)
        lay_return(stick, data, TAG, digest(sealed))
        assert answered(home, stick, number + 1, ANSWER).returns == 0, number
        assert home.files().hashes() == []
    odd = tmp_path / "odd"
    folder = odd / packs.FOLDER / packs.RETURNS / TAG
    folder.mkdir(parents=True)
    (folder / ("f" * 64)).symlink_to("/etc/passwd")
    os.mkfifo(folder / ("e" * 64))
    with (folder / ("d" * 64)).open("wb") as endless:
        endless.truncate(2**40)
    for name in ("..x", "A" * 64):
        (folder / name).write_bytes(sealed)
    (folder.parent / "..y").mkdir()
    assert answered(home, odd, 20, ANSWER).returns == 0
    # A carrier's signature is nothing to the device, which has its own proof: the right file comes all the same.
    assert (
        answered(home, lay_return(tmp_path / "last", returned(ANSWER, HASHED, stranger)), 21, ANSWER).returns == 1
    )


def test_there_may_be_no_room_among_the_downloaded_files(home: Home, tmp_path: Path) -> None:
    with home.own() as own:
        own.set_setting("files_quota", 100_000)
    done = answered(home, lay_return(tmp_path / "stick", returned(ANSWER)), 1, ANSWER)
    assert (done.returns, done.returns_left) == (0, 1)


def test_others_files_are_carried_on_as_they_are(tmp_path: Path) -> None:
    carrier, stick = shelf(tmp_path / "carrier"), tmp_path / "stick"
    parcel, back = strangers(), returned(ANSWER)
    lay_return(lay_parcel(stick, parcel), back)
    assert import_pack(carrier, stick).parcels == 2
    assert import_pack(carrier, stick).parcels == 0
    weighed = weigh(carrier, tmp_path / "further")
    done = export_pack(carrier, tmp_path / "further")
    assert (weighed.parcels, done.parcels, done.attached) == (2, 2, 0)
    assert on(tmp_path / "further") == {digest(parcel): parcel}
    assert [one.digest for one in packs.returns(pack(tmp_path / "further"))] == [digest(back)]
    # What lies in one file that is written over stays in it.
    file = tmp_path / "one.hubshelf-pack"
    mine, rubbish = strangers(b"more"), strangers(b"less")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(packs.parcel_name(digest(mine)), mine)
        archive.writestr(packs.parcel_name(digest(b"")), rubbish)
    export_pack(carrier, file)
    written = ZipVolume(file)
    assert {one.digest for one in packs.parcels(written)} == {digest(parcel), digest(mine)}
    assert len([*packs.returns(written)]) == 1
    written.close()


def test_rubbish_is_not_carried(tmp_path: Path) -> None:
    carrier, stick = shelf(tmp_path / "carrier"), tmp_path / "stick"
    parcel, back = strangers(), returned(ANSWER)
    for data in (parcel[:-1] + b"x", b"HSB\x01" + parcel[4:]):
        lay_parcel(stick, data, digest(parcel))
        assert import_pack(carrier, stick).parcels == 0
    (stick / packs.FOLDER / packs.parcel_name(digest(parcel))).unlink()
    wrong = [
        returned(ANSWER, HASHED, SigningKey(bytes([6]) * 32)),
        returned(ANSWER, OTHER),
        back[:-1] + b"x",
        back[:-1],
        back + b"x",
        back[:132],
    ]
    for data in wrong:
        lay_return(stick, data)
        lay_return(stick, data, TAG, digest(back))
    lay_return(stick, back, TAG, digest(b"another name"))
    assert import_pack(carrier, stick).parcels == 0
    for number in range(30):  # more bytes than are carried of one pack
        with (stick / packs.FOLDER / packs.PARCELS / f"{number:064d}").open("wb") as sparse:
            sparse.truncate(25 * 2**20)
    lay_return(stick, back)
    assert import_pack(carrier, stick).parcels == 1
    # Once the hub signs with another key, what the old one signed is not given on.
    with carrier.own() as own:
        own.set_setting(
            "root", make_root(1, [KEY.public], [bytes(31) + b"\x01"], "2099-01-01T00:00:00Z", [KEY]).decode()
        )
    with pytest.raises(NothingToCarry):
        export_pack(carrier, tmp_path / "further")


def test_what_is_carried_has_bounds_and_the_oldest_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "PARCEL_BYTES", 1_000_000)
    carrier = shelf(tmp_path / "carrier")
    here = carrying.store(carrier)
    names = []
    for number in range(8):
        data = strangers(bytes([number]) * 200_000)
        names.append(digest(data))
        import_pack(carrier, lay_parcel(tmp_path / f"{number}", data))
        os.utime(here.root / packs.parcel_name(names[-1]), (time.time() - 100 + number,) * 2)
    assert {one.digest for one in packs.parcels(here)} == set(names[-4:])
    os.utime(here.root / packs.parcel_name(names[-1]), (time.time() - 181 * 86_400,) * 2)
    import_pack(carrier, tmp_path / "0")
    assert {one.digest for one in packs.parcels(here)} == {*names[-4:-1], names[0]}


def test_stopping_leaves_nothing_half(home: Home, tmp_path: Path) -> None:
    ask(home, FILE)
    stop = Cancel()
    stop.cancel()
    with pytest.raises(Cancelled):
        export_pack(home, tmp_path / "stick", cancel=stop)
    assert on(tmp_path / "stick") == {}
    assert [one.carried for one in uploads_of(home)] == [None]
    lay_parcel(tmp_path / "other", strangers())
    with pytest.raises(Cancelled):
        import_pack(home, tmp_path / "other", cancel=stop)
    assert [*packs.parcels(carrying.store(home))] == []
