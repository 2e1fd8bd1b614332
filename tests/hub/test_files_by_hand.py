"""Files that come to the hub by hand: once, whatever comes first and from where; and those of answers that go
back."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from hub import attachments
from hub.home import prepare
from hub.invitations import revoke
from hub.models import ByHand, Device, Member, Resource
from hub.models.requests import Attachment, Upload
from hub.packs import letters, parcels
from hub.packs.exporting import export_pack
from hub.planes.operations import settle
from hub.publishing import box_key, keys
from hub.publishing.sealer import publish
from hub.questions import Given
from hub.questions import answer as answer_question
from sync.protocol import by_hand, packs, uploads
from sync.protocol.messages import Operation, SyncRequest, token_hash
from sync.protocol.pack_volumes import FolderVolume
from sync.protocol.parcels import open_return, to_hub

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN, STRANGER = "d4" * 32, "e5" * 32
HASHED, OTHER = token_hash(TOKEN), token_hash(STRANGER)
TAG = by_hand.tag_of(HASHED)
FILE = random.Random(3).randbytes(200_000)
ANSWER = random.Random(4).randbytes(150_000)


@pytest.fixture
def hub() -> Iterator[Path]:
    home: Path = settings.HOME
    for name in ("served", "publishing", "keys", "attachments"):
        shutil.rmtree(home / name, ignore_errors=True)
    prepare(home)
    keys.ensure_keys(home)
    yield home
    shutil.rmtree(home / "attachments", ignore_errors=True)  # the next file looks at all that is kept


@pytest.fixture
def device(hub: Path) -> Device:
    member = Member.objects.create(email="officer@ministry.example", name="Amina")
    return Device.objects.create(id="device-1", member=member, token_hash=HASHED)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def ask(number: int = 1, *files: bytes) -> Operation:
    named = [
        uploads.Attached(digest(one), len(one), f"{place}.pdf", "application/pdf").to_json()
        for place, one in enumerate(files)
    ]
    body = {"kind": "question", "title": f"Question {number}", "body": "How?", "attachments": named}
    return Operation(f"01920000-0000-7000-8000-{number:012d}", 1, number, "ask", body)


def parcel(
    stick: Path, data: bytes = FILE, *, token: str = TOKEN, said: bytes | None = None, size: int = -1
) -> Path:
    """Put a file sealed to the hub on a stick; it says to be `said`, of `size` bytes, where these are given."""
    hub_key = by_hand.public_key(box_key.secret(settings.HOME))
    plan = to_hub(token, hub_key, digest(data if said is None else said), len(data) if size < 0 else size)
    return lay(stick, b"".join(plan.pieces([data])))


def lay(stick: Path, sealed: bytes, name: str = "") -> Path:
    FolderVolume(stick / packs.FOLDER).put(packs.parcel_name(name or digest(sealed)), [sealed])
    return stick


def letter(stick: Path, number: int, *operations: Operation, **also: by_hand.Files | SyncRequest) -> Path:
    request = also.pop("request", SyncRequest(operations=operations))
    assert isinstance(request, SyncRequest)
    files = also.pop("files", by_hand.Files())
    assert isinstance(files, by_hand.Files)
    found = by_hand.Letter(TAG, (1, number), "", request, files=files)
    data = by_hand.seal_letter(found, HASHED, by_hand.public_key(box_key.secret(settings.HOME)))
    FolderVolume(stick / packs.FOLDER).put(packs.envelope_name(digest(data)), [data])
    return stick


def heard() -> by_hand.Answer:
    return by_hand.open_answer(letters.write_answers()[TAG], HASHED)


def whole(data: bytes = FILE) -> bool:
    """Whether the hub has the file, whole and once, and shows it with the question."""
    rows = Upload.objects.filter(digest=digest(data))
    listed = [one.path for one in attachments.listed(Attachment.objects.get(digest=digest(data)).request)]  # type: ignore[arg-type]
    return rows.count() == 1 and any(path is not None and path.read_bytes() == data for path in listed)


def by_wire(device: Device, data: bytes, count: int) -> None:
    """Send the first bytes of a file over a link."""
    upload = attachments.open_upload(device.member, digest(data), len(data))
    turn = attachments.Appender(upload, device.pk, attachments.progress(upload).offset)
    turn.write(data[turn.offset : count])
    if count == len(data):
        turn.finish()
    turn.close()


def counts(stick: Path) -> tuple[int, int, int, int]:
    found = letters.take_letters(stick).files
    return found.files, found.known, found.refused, found.unread


SENT = by_hand.Files(sent=(digest(FILE),))


def test_with_its_question(device: Device, tmp_path: Path) -> None:
    stick = parcel(letter(tmp_path, 1, ask(1, FILE), files=SENT))
    assert counts(stick) == (1, 0, 0, 0)
    assert whole()
    assert heard().arrived == (digest(FILE),)
    assert counts(stick) == (0, 1, 0, 0)
    by_wire_again = attachments.progress(attachments.open_upload(device.member, digest(FILE), len(FILE)))
    assert by_wire_again.complete, "a link that comes later has nothing to send"


def test_before_its_question(device: Device, tmp_path: Path) -> None:
    assert counts(parcel(tmp_path / "first")) == (1, 0, 0, 0)
    assert counts(letter(tmp_path / "second", 1, ask(1, FILE), files=SENT)) == (0, 0, 0, 0)
    assert whole()
    assert heard().arrived == (digest(FILE),)


def test_after_its_question_which_stands_without_it(device: Device, tmp_path: Path) -> None:
    assert counts(letter(tmp_path / "first", 1, ask(1, FILE), files=SENT)) == (0, 0, 0, 0)
    (listed,) = attachments.listed(Attachment.objects.get().request)  # type: ignore[arg-type]
    assert listed.path is None, "it is said to be on its way"
    assert heard().arrived == ()
    assert counts(parcel(tmp_path / "second")) == (1, 0, 0, 0)
    assert whole()
    assert heard().arrived == (digest(FILE),)


@pytest.mark.parametrize("begun", [1, 65_448, 100_000, len(FILE) - 1, len(FILE)])
def test_where_a_link_has_left_off(device: Device, tmp_path: Path, begun: int) -> None:
    settle(device, [ask(1, FILE)])
    by_wire(device, FILE, begun)
    done = begun == len(FILE)
    assert counts(parcel(tmp_path)) == ((0, 1, 0, 0) if done else (1, 0, 0, 0))
    assert whole()


def test_what_a_link_brought_was_wrong(device: Device, tmp_path: Path) -> None:
    settle(device, [ask(1, FILE)])
    upload = attachments.open_upload(device.member, digest(FILE), len(FILE))
    turn = attachments.Appender(upload, device.pk, 0)
    turn.write(b"x" * 1000)
    turn.close()
    assert counts(parcel(tmp_path)) == (1, 0, 0, 0)
    assert whole()


def test_a_file_that_is_here_but_belongs_to_nothing_is_not_said_to_have_arrived(
    device: Device, tmp_path: Path
) -> None:
    """It is forgotten after a while; its sender must then still have it on the way."""
    assert counts(parcel(letter(tmp_path, 1, files=SENT))) == (1, 0, 0, 0)
    assert heard().arrived == ()
    assert parcels.settled(FolderVolume(tmp_path / packs.FOLDER)) == []


def test_hostile_parcels_change_nothing(device: Device, tmp_path: Path) -> None:
    settle(device, [ask(1, FILE)])
    good = parcel(tmp_path / "good")
    (path,) = (good / packs.FOLDER / packs.PARCELS).iterdir()
    sealed = path.read_bytes()
    wrong = {
        "cut": sealed[:-1],
        "continued": sealed + b"x",
        "another piece": sealed[:70_000] + b"x" + sealed[70_001:],
        "another key": sealed[:4] + bytes(31) + b"\x09" + sealed[36:],
        "no key": sealed[:4] + bytes(32) + sealed[36:],
        "nothing": b"HSP\x01",
        "a letter": b"HSB\x01" + sealed[4:],
    }
    for number, data in enumerate(wrong.values()):
        assert counts(lay(tmp_path / f"wrong-{number}", data)) == (0, 0, 0, 1), list(wrong)[number]
        lay(tmp_path / f"wrong-{number}", data, digest(sealed))  # under the name of the right one
        assert counts(tmp_path / f"wrong-{number}")[0] == 0
    assert counts(parcel(tmp_path / "stranger", token=STRANGER)) == (0, 0, 0, 1)
    hub_key = by_hand.public_key(box_key.secret(settings.HOME))
    plan = to_hub(STRANGER, hub_key, digest(ANSWER), len(ANSWER))
    forged = replace(plan, _inside=bytes.fromhex(TAG) + plan._inside[16:])  # in the name of the device
    assert counts(lay(tmp_path / "forged", b"".join(forged.pieces([ANSWER])))) == (0, 0, 0, 1)
    for size in (0, 2**40, uploads.FILE + 1, len(FILE) - 1):
        assert counts(parcel(tmp_path / f"size-{size}", size=size)) == (0, 0, 0, 1)
    # Its own device says that it is another file: nobody sees that, and it goes no further than an upload would.
    assert counts(parcel(tmp_path / "lie", b"y" * len(FILE), said=FILE)) == (0, 0, 1, 0)
    odd = tmp_path / "odd" / packs.FOLDER / packs.PARCELS
    odd.mkdir(parents=True)
    for name in ("..x", "A" * 64, "f" * 63, "f" * 64 + ".part"):
        (odd / name).write_bytes(sealed)
    (odd / ("f" * 64)).symlink_to("/etc/passwd")
    (odd / ("e" * 64)).mkdir()
    with (odd / ("d" * 64)).open("wb") as endless:
        endless.truncate(2**40)
    assert counts(tmp_path / "odd") == (0, 0, 0, 0)
    (listed,) = attachments.listed(Attachment.objects.get().request)  # type: ignore[arg-type]
    assert listed.path is None
    for number in range(90):  # more bytes than are read of one pack
        with (path.parent / f"{number:064d}").open("wb") as sparse:
            sparse.truncate(25 * 2**20)
    assert counts(good) == (1, 0, 0, 90), "the right one is taken all the same"
    assert whole()


def test_the_bounds_of_uploads_hold(device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UNFINISHED", 300_000)
    files = [bytes([number]) * 150_000 for number in range(3)]
    for one in files:
        parcel(tmp_path, one)
    assert counts(tmp_path) == (2, 0, 1, 0), "too much that belongs to nothing"
    # Once they belong to a question there is room for the third.
    assert counts(letter(tmp_path, 1, ask(1, *files))) == (1, 2, 0, 0)
    other = attachments.open_upload(device.member, digest(FILE), len(FILE) + 1)
    assert counts(parcel(tmp_path / "size")) == (0, 0, 1, 0), "announced with another size"
    other.delete()
    revoke("device-1")
    assert counts(parcel(tmp_path / "revoked")) == (0, 0, 1, 0)


def test_another_device_that_sends_it_now_is_not_disturbed(device: Device, tmp_path: Path) -> None:
    settle(device, [ask(1, FILE)])
    upload = attachments.open_upload(device.member, digest(FILE), len(FILE))
    turn = attachments.Appender(upload, "device-2", 0)
    turn.write(FILE[:5000])
    assert counts(parcel(tmp_path)) == (0, 0, 1, 0)
    turn.write(FILE[5000:])
    turn.finish()
    turn.close()
    assert counts(tmp_path) == (0, 1, 0, 0)
    assert whole()


def test_the_files_of_an_answer_go_back_until_they_are_there(device: Device, tmp_path: Path) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    publish()
    stick = letter(tmp_path / "stick", 1, ask(1, FILE))
    letters.take_letters(stick)
    answer_question(ask(1).id, "See there.", "Facilitator", files=[Given("a.pdf", "application/pdf", [ANSWER])])
    done = export_pack(stick)
    assert (done.returns, done.returns_left) == (1, 0)
    volume = FolderVolume(stick / packs.FOLDER)
    (one,) = packs.returns(volume, TAG)
    assert [*packs.returns(volume)] == [one]
    data = (stick / packs.FOLDER / one.name).read_bytes()
    found = open_return(io.BytesIO(data), len(data), HASHED)
    assert (found.hash, b"".join(found.blocks())) == (digest(ANSWER), ANSWER)
    # The same bytes again: on the same stick nothing is new.
    before = (stick / packs.FOLDER / one.name).stat().st_mtime_ns
    assert export_pack(stick).returns == 1
    assert (stick / packs.FOLDER / one.name).stat().st_mtime_ns == before
    # The device has read the answer, and lacks its file (there was no room): it asks for it.
    seen = SyncRequest(personal=(1, heard().response.cursor))
    letters.take_letters(letter(stick, 2, request=seen, files=by_hand.Files(wants=(digest(ANSWER), digest(FILE)))))
    assert export_pack(stick).returns == 1
    letters.take_letters(letter(stick, 3, request=seen))
    assert export_pack(stick).returns == 0
    assert [*packs.returns(volume)] == []


def test_files_go_back_to_nobody_else(device: Device, tmp_path: Path) -> None:
    stranger = Member.objects.create(email="other@ministry.example", name="Bo")
    Device.objects.create(id="device-2", member=stranger, token_hash=OTHER)
    settle(Device.objects.get(pk="device-2"), [ask(2)])
    answer_question(ask(2).id, "See there.", "Facilitator", files=[Given("a.pdf", "application/pdf", [ANSWER])])
    letters.take_letters(letter(tmp_path, 1, ask(1), files=by_hand.Files(wants=(digest(ANSWER),))))
    signer = keys.load_keys(settings.HOME).head
    assert parcels.Returns(signer).entries == [], "it asks for what is another's"
    assert ByHand.objects.get().files == {"wants": [digest(ANSWER)]}
    answer_question(ask(1).id, "See there.", "Facilitator", files=[Given("a.pdf", "application/pdf", [ANSWER])])
    assert len(parcels.Returns(signer).entries) == 1
    revoke("device-1")
    assert parcels.Returns(signer).entries == []


def test_what_does_not_fit_waits_for_the_next_pack(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    publish()
    letters.take_letters(letter(tmp_path, 1, ask(1)))
    files = [Given(f"{n}.pdf", "application/pdf", [bytes([n]) * 100_000]) for n in range(3)]
    answer_question(ask(1).id, "See there.", "Facilitator", files=files)
    monkeypatch.setattr(packs, "PARCEL_BYTES", 250_000)
    done = export_pack(tmp_path / "stick")
    assert (done.returns, done.returns_left) == (2, 1)


def test_a_parcel_that_was_taken_does_not_travel_on(device: Device, tmp_path: Path) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    publish()
    stick = parcel(letter(tmp_path, 1, ask(1, FILE)))
    lay(stick, b"HSP\x01" + random.Random(5).randbytes(400))  # another hub's, for all that is known
    letters.take_letters(stick)
    export_pack(stick)
    assert len([*packs.parcels(FolderVolume(stick / packs.FOLDER))]) == 1
