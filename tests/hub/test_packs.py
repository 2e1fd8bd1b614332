"""Packs at the hub: what goes into one and what does not, and letters that come by hand, whoever wrote them."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from hub import personal_feed
from hub.home import members_folder, prepare, served_folder
from hub.invitations import invite, revoke
from hub.models import ByHand, Device, HubState, Member, Message, Request, Resource, StoredFile, Thread
from hub.objects import put_file
from hub.packs import letters
from hub.packs.exporting import PackProblem, export_pack
from hub.planes.operations import settle
from hub.publishing import box_key, keys, member_keys, served
from hub.publishing.sealer import publish
from hub.questions import answer as answer_question
from sync.protocol import by_hand, packs
from sync.protocol.messages import Operation, SyncRequest, token_hash
from sync.protocol.pack_volumes import FolderVolume

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "cadmium heron"
HASHED, OTHER = token_hash("d4" * 32), token_hash("e5" * 32)


@pytest.fixture
def hub() -> Path:
    home: Path = settings.HOME
    for name in ("served", "publishing", "keys", "members", "objects"):
        shutil.rmtree(home / name, ignore_errors=True)
    prepare(home)
    keys.ensure_keys(home)
    return home


@pytest.fixture
def device() -> Device:
    member = Member.objects.create(email="officer@ministry.example", name="Amina")
    return Device.objects.create(id="device-1", member=member, token_hash=HASHED)


def guide(key: str, folder: Path, *, open_: bool, words: str) -> StoredFile:
    path = folder / f"{key}.pdf"
    path.write_bytes(words.encode() * 1000)
    stored = put_file(path)
    resource = Resource.objects.create(
        id=key, title=f"Guide {key}", lang="en", state="published", licence="X", redistributable=open_
    )
    return StoredFile.objects.create(
        hash=stored.hash, size=stored.size, media_type="application/pdf", name=path.name, resource=resource
    )


def ask(number: int, counter: int | None = None) -> Operation:
    body = {"kind": "question", "title": f"Question {number}", "body": "How?"}
    return Operation(f"01920000-0000-7000-8000-{number:012d}", 1, counter or number, "ask", body)


def letter(
    stick: Path, number: int, *operations: Operation, hashed: str = HASHED, tag: str = "", **request: Any
) -> Path:
    """Write a letter of a device to a stick, and return the stick."""
    joining = request.pop("joining", None)
    wanted = SyncRequest(operations=operations, **request)
    found = by_hand.Letter(tag or by_hand.tag_of(HASHED), (1, number), "", wanted, joining)
    data = by_hand.seal_letter(found, hashed, by_hand.public_key(box_key.secret(settings.HOME)))
    volume = FolderVolume(stick / packs.FOLDER)
    volume.put(packs.envelope_name(hashlib.sha256(data).hexdigest()), [data])
    return stick


def heard(hashed: str = HASHED) -> by_hand.Answer:
    return by_hand.open_answer(letters.write_answers()[by_hand.tag_of(hashed)], hashed)


def test_only_what_may_be_given_on_is_in_a_pack(hub: Path, tmp_path: Path) -> None:
    free = guide("free", tmp_path, open_=True, words="Take it.")
    bound = guide("bound", tmp_path, open_=False, words="Leave it.")
    gone = guide("gone", tmp_path, open_=True, words="Lost.")
    (hub / "objects" / gone.hash[:2] / gone.hash).unlink()
    publish()
    done = export_pack(tmp_path / "stick", files=True)
    pack = tmp_path / "stick" / packs.FOLDER
    assert done.files == 1
    assert (pack / packs.object_name(free.hash)).read_bytes() == b"Take it." * 1000
    assert not (pack / packs.object_name(bound.hash)).exists()
    left = [(one.name, one.title, one.licence, one.why) for one in done.left_out]
    assert left == [("bound.pdf", "Guide bound", "X", "licence"), ("gone.pdf", "Guide gone", "X", "missing")]
    said = json.loads((pack / packs.CONTENTS).read_text("utf-8"))
    assert [one["name"] for one in said["left_out"]] == ["bound.pdf", "gone.pdf"]
    for name in (packs.README, packs.README_PAGE):
        assert "hubshelf pack import" in (pack / name).read_text("utf-8")
    # A pack without files later takes them away; a licence that was taken back, too.
    Resource.objects.filter(pk="free").update(redistributable=False)
    assert export_pack(tmp_path / "stick", files=True).written.removed == 1
    assert not (pack / packs.object_name(free.hash)).exists()


def test_what_is_for_members_goes_as_it_is(hub: Path, tmp_path: Path) -> None:
    thread = Thread.objects.create(id="t1", title=f"About {SECRET}", lang="en", visibility="members")
    Message.objects.create(id="t1-m", thread=thread, body=f"We know of {SECRET}.", state="published")
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    publish()
    export_pack(tmp_path / "stick")
    pack = tmp_path / "stick" / packs.FOLDER
    sealed_files = [path for path in (pack / packs.MEMBERS).rglob("*") if path.is_file()]
    assert len(sealed_files) >= 3
    for path in sealed_files:
        assert path.read_bytes() == served.sealed_path(hub, path.name).read_bytes()
    everything = b"".join(path.read_bytes() for path in pack.rglob("*") if path.is_file())
    assert SECRET.encode() not in everything
    for secret in (member_keys.key(hub), box_key.secret(hub), keys.load_keys(hub).head.secret):
        assert secret not in everything
        assert secret.hex().encode() not in everything
    assert not {path.name for path in members_folder(hub).rglob("*")} & {
        path.name for path in (pack / packs.OBJECTS).rglob("*") if path.is_file()
    }


def test_a_hub_that_published_nothing_says_so(hub: Path, tmp_path: Path) -> None:
    with pytest.raises(PackProblem, match="publish") as raised:
        export_pack(tmp_path / "stick")
    assert raised.value.code == "not-a-pack"


def test_the_key_is_private_and_its_public_part_is_signed(hub: Path) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    version = publish().version
    assert stat.S_IMODE((hub / "keys" / "box.key").stat().st_mode) == 0o600
    verified = packs.verify(FolderVolume(served_folder(hub)), None)
    assert verified.head.box == box_key.public(hub)
    assert publish().version == version
    # A hub that comes from before signs its head anew, so that the key is in it.
    signed = HubState.objects.get(key="signed")
    del signed.value["box"]
    signed.save()
    assert publish().version == version + 1


def test_a_letter_takes_effect_once_whatever_comes_by_wire(hub: Path, device: Device, tmp_path: Path) -> None:
    settle(device, [ask(1)])
    stick = letter(tmp_path, 1, ask(1), ask(2))
    first = letters.take_letters(stick)
    assert (first.letters, first.operations, first.known) == (1, 1, 1)
    second = letters.take_letters(stick)
    assert (second.letters, second.operations, second.known) == (1, 0, 2)
    assert [receipt.accepted for receipt in settle(device, [ask(1), ask(2), ask(3)])] == [True] * 3
    assert Request.objects.count() == 3
    found = heard()
    assert [receipt.id for receipt in found.response.receipts] == [ask(1).id, ask(2).id]
    assert {item["id"] for item in found.response.items} == {ask(n).id for n in (1, 2, 3)}


def test_letters_overtake_one_another(hub: Path, device: Device, tmp_path: Path) -> None:
    late, early = letter(tmp_path / "late", 2, ask(7)), letter(tmp_path / "early", 1, ask(3))
    assert letters.take_letters(late).operations == 1
    assert letters.take_letters(early).operations == 1
    assert (ByHand.objects.get().epoch, ByHand.objects.get().number) == (1, 2)
    # Two things under one number: that device was copied, and its wire says so in time.
    again = letters.take_letters(letter(tmp_path / "copied", 3, ask(9, counter=7)))
    assert (again.refused, again.operations) == (1, 0)
    problem = heard().problem
    assert problem is not None
    assert problem.code == "counter-reused"


def test_only_the_device_itself_is_believed(hub: Path, device: Device, tmp_path: Path) -> None:
    forged = letter(tmp_path / "forged", 1, ask(1), hashed=OTHER)
    nobody = letter(tmp_path / "nobody", 1, ask(2), hashed=OTHER, tag=by_hand.tag_of(OTHER))
    assert letters.take_letters(forged).unread == 1
    assert letters.take_letters(nobody).unread == 1
    joining = by_hand.Joining("AAAA-BBBB-CCCC", "device-2", "", OTHER)
    stolen = letter(tmp_path / "stolen", 1, ask(3), joining=joining, hashed=OTHER)  # under the other's tag
    assert letters.take_letters(stolen).unread == 1
    strange = tmp_path / "strange"
    strange.mkdir()
    volume = FolderVolume(strange / packs.FOLDER)
    for number in range(30):
        data = b"HSB\x01" + secrets.token_bytes(100 + number)
        volume.put(packs.envelope_name(hashlib.sha256(data).hexdigest()), [data])
    assert letters.take_letters(strange).unread == 30
    revoke("device-1")
    assert letters.take_letters(letter(tmp_path / "revoked", 2, ask(4))).refused == 1
    assert Request.objects.count() == 0
    problem = heard().problem
    assert problem is not None
    assert problem.code == "device-revoked"


def test_a_code_becomes_a_device_by_hand(hub: Path, tmp_path: Path) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    thread = Thread.objects.create(id="t1", title="Inside", lang="en", visibility="members")
    Message.objects.create(id="t1-m", thread=thread, body="Yes.", state="published")
    publish()
    joining = by_hand.Joining(invite("amina@ministry.example"), "device-9", "Room 12", HASHED)
    stick = letter(tmp_path, 1, ask(1), joining=joining)
    taken = letters.take_letters(stick)
    assert (taken.joined, taken.operations) == (1, 1)
    assert letters.take_letters(stick).joined == 0
    made = Device.objects.get()
    assert (made.pk, made.token_hash, made.name) == ("device-9", HASHED, "Room 12")
    found = heard()
    assert found.enrolled is not None
    assert (found.enrolled.email, found.problem) == ("amina@ministry.example", None)
    assert found.response.keys == (member_keys.key(hub).hex(),)
    # Another one with the same code is told so, and gets nothing.
    other = by_hand.Joining(joining.code, "device-10", "", OTHER)
    second = letter(tmp_path / "2", 1, joining=other, hashed=OTHER, tag=by_hand.tag_of(OTHER))
    assert letters.take_letters(second).refused == 1
    refused = heard(OTHER)
    assert refused.problem is not None
    assert (refused.problem.code, refused.enrolled, refused.response.keys) == ("code-used", None, ())


def test_answers_bring_what_is_new_and_no_more_than_fits(hub: Path, device: Device, tmp_path: Path) -> None:
    letters.take_letters(letter(tmp_path, 1, ask(1)))
    answer_question(ask(1).id, "One for two.", "Facilitator")
    found = heard()
    assert found.since == (1, 0)
    assert any(item["type"] == "reply" and item["body"] == "One for two." for item in found.response.items)
    letters.take_letters(letter(tmp_path, 2, personal=(1, found.response.cursor)))
    nothing = heard()
    assert (nothing.since, nothing.response.items) == ((1, found.response.cursor), ())
    # A letter of before says nothing of where the device is now.
    letters.take_letters(letter(tmp_path / "before", 1, personal=(1, 0)))
    assert heard().since == (1, found.response.cursor)
    from django.db import transaction

    for number in range(120):
        with transaction.atomic():
            long = {"id": f"x{number}", "type": "reply", "body": secrets.token_hex(20_000)}
            personal_feed.append(Member.objects.get(), long)
    fitting = heard().response
    assert fitting.more
    assert 0 < len(fitting.items) < 120
    assert fitting.cursor == found.response.cursor + len(fitting.items)


def test_what_was_taken_does_not_travel_on_and_what_was_not_does(
    hub: Path, device: Device, tmp_path: Path
) -> None:
    Resource.objects.create(id="r1", title="A guide", lang="en", state="published")
    publish()
    stick = letter(tmp_path / "stick", 1, ask(1))
    letters.take_letters(stick)
    letter(stick, 2, ask(1), ask(2))  # put on it after the hub had looked
    strange = b"HSB\x01" + bytes(range(200))
    FolderVolume(stick / packs.FOLDER).put(packs.envelope_name(hashlib.sha256(strange).hexdigest()), [strange])
    export_pack(stick)
    left = dict(packs.envelopes(FolderVolume(stick / packs.FOLDER)))
    assert len(left) == 2
    assert strange in left.values()
    assert letters.take_letters(stick).operations == 1


def test_strangers_letters_do_not_fill_the_hub(hub: Path, tmp_path: Path, client: Client) -> None:
    del client
    for number in range(3):
        hashed = token_hash(f"{number:064x}")
        joining = by_hand.Joining("AAAA-BBBB-CCCC", f"d{number}", "", hashed)
        stick = letter(tmp_path, 1, joining=joining, hashed=hashed, tag=by_hand.tag_of(hashed))
    taken = letters.take_letters(stick)
    assert (taken.refused, Device.objects.count()) == (3, 0)
    assert ByHand.objects.filter(device=None).count() == 3
