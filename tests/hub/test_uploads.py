"""Uploads on the hub: the draft's rules, what is refused, what is kept, and who may see it."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from hub import attachments
from hub.home import prepare
from hub.models import Device, Member, Request, RequestReply
from hub.models.requests import Attachment, Upload
from hub.planes import uploads as plane
from sync.protocol import uploads as wire
from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.messages import token_hash

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN, OTHER_DEVICE, STRANGER = "a" * 64, "b" * 64, "c" * 64
FILE = bytes(n * 7 % 251 for n in range(50_000))
HASH = hashlib.sha256(FILE).hexdigest()


@pytest.fixture(autouse=True)
def home() -> Iterator[Path]:
    folder: Path = settings.HOME
    shutil.rmtree(folder / "attachments", ignore_errors=True)
    prepare(folder)
    yield folder
    shutil.rmtree(folder / "attachments", ignore_errors=True)


@pytest.fixture
def member() -> Member:
    amina = Member.objects.create(email="officer@ministry.example", name="Amina")
    stranger = Member.objects.create(email="other@ministry.example", name="Bola")
    for number, (owner, token) in enumerate([(amina, TOKEN), (amina, OTHER_DEVICE), (stranger, STRANGER)]):
        Device.objects.create(id=f"device-{number}", member=owner, token_hash=token_hash(token))
    return amina


def begin(client: Client, content: bytes = b"", *, token: str = TOKEN, last: bool = False, **headers: str) -> Any:
    fields = {
        "Authorization": f"Bearer {token}",
        wire.COMPLETE: wire.boolean(last),
        wire.LENGTH: str(len(FILE)),
        wire.REPR_DIGEST: wire.repr_digest(HASH),
        **headers,
    }
    return client.post(
        wire.UPLOADS,
        content,
        content_type="application/octet-stream",
        headers={k: v for k, v in fields.items() if v},
    )


def append(
    client: Client, address: str, offset: int, content: bytes, *, token: str = TOKEN, last: bool = False
) -> Any:
    headers = {
        "Authorization": f"Bearer {token}",
        wire.OFFSET: str(offset),
        wire.COMPLETE: wire.boolean(last),
        "Content-Type": wire.PARTIAL,  # Django's test client leaves it out where there is no content
    }
    return client.patch(address, content, content_type=wire.PARTIAL, headers=headers)


def look(client: Client, address: str, token: str = TOKEN) -> Any:
    return client.head(address, headers={"Authorization": f"Bearer {token}"})


def code_of(answer: Any) -> str:
    assert answer["Content-Type"] == "application/problem+json", answer
    return str(json.loads(answer.content)["type"]).rpartition(":")[2]


def bytes_of(member: Member) -> bytes:
    found = list((Path(settings.HOME) / "attachments" / "kept").rglob("*-*"))
    assert [path.name for path in found] == [attachments.upload_id(member.pk, HASH)]
    return found[0].read_bytes()


def test_a_file_arrives_in_pieces(client: Client, member: Member) -> None:
    begun = begin(client, FILE[:1000])
    assert (begun.status_code, begun[wire.OFFSET], begun[wire.COMPLETE]) == (201, "1000", "?0")
    assert f"max-size={wire.FILE}" in begun[wire.LIMIT]
    address = begun["Location"]
    assert append(client, address, 1000, FILE[1000:20_000]).status_code == 204
    seen = look(client, address)
    assert (seen.status_code, seen[wire.OFFSET], seen[wire.COMPLETE], seen[wire.LENGTH]) == (
        204,
        "20000",
        "?0",
        "50000",
    )
    assert seen["Cache-Control"] == "no-store"
    done = append(client, address, 20_000, FILE[20_000:], last=True)
    assert (done.status_code, done[wire.COMPLETE]) == (200, "?1")
    assert bytes_of(member) == FILE
    again = look(client, address)
    assert (again[wire.OFFSET], again[wire.COMPLETE]) == ("50000", "?1")


def test_a_small_file_needs_one_request(client: Client, member: Member) -> None:
    done = begin(client, FILE, last=True, **{wire.LENGTH: ""})
    assert (done.status_code, done[wire.COMPLETE]) == (200, "?1")
    assert bytes_of(member) == FILE


def test_a_lost_answer_is_repaired_by_asking_again(client: Client, member: Member) -> None:
    first = begin(client, FILE[:3000])
    again = begin(client, FILE[:3000])
    assert again["Location"] == first["Location"]
    assert (again.status_code, again[wire.OFFSET]) == (201, "3000")
    assert Upload.objects.count() == 1
    append(client, first["Location"], 3000, FILE[3000:], last=True)
    whole = begin(client, FILE[:3000])
    assert (whole.status_code, whole[wire.COMPLETE]) == (200, "?1")


def test_all_that_is_there_is_completed_by_an_empty_piece(client: Client, member: Member) -> None:
    address = begin(client, FILE)["Location"]
    assert look(client, address)[wire.COMPLETE] == "?0"
    assert append(client, address, len(FILE), b"", last=True)[wire.COMPLETE] == "?1"


@pytest.mark.parametrize("offset", [0, 999, 1001, 60_000])
def test_another_offset_is_refused_and_the_right_one_told(client: Client, member: Member, offset: int) -> None:
    address = begin(client, FILE[:1000])["Location"]
    refused = append(client, address, offset, b"x")
    assert (refused.status_code, code_of(refused), refused[wire.OFFSET]) == (409, wire.MISMATCH, "1000")
    body = json.loads(refused.content)
    assert (body["expected-offset"], body["provided-offset"]) == (1000, offset)
    assert look(client, address)[wire.OFFSET] == "1000"


def test_other_bytes_than_announced_are_discarded(client: Client, member: Member) -> None:
    address = begin(client, FILE[:-1])["Location"]
    refused = append(client, address, len(FILE) - 1, b"!", last=True)
    assert (refused.status_code, code_of(refused), refused[wire.COMPLETE]) == (422, wire.WRONG_DIGEST, "?1")
    assert look(client, address)[wire.OFFSET] == "0"
    assert append(client, address, 0, FILE, last=True).status_code == 200
    assert bytes_of(member) == FILE


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({wire.LENGTH: str(wire.FILE + 1)}, 413, "file-too-large"),
        ({wire.LENGTH: "0"}, 400, "empty-file"),
        ({wire.LENGTH: ""}, 411, "no-length"),
        ({wire.LENGTH: "many"}, 411, "no-length"),
        ({wire.REPR_DIGEST: ""}, 400, "no-digest"),
        ({wire.REPR_DIGEST: "sha-512=:AAAA:"}, 400, "no-digest"),
        ({wire.COMPLETE: ""}, 400, "no-completeness"),
        ({wire.COMPLETE: "yes"}, 400, "no-completeness"),
        ({wire.COMPLETE: "?1"}, 400, wire.INCONSISTENT),
    ],
)
def test_what_cannot_begin(
    client: Client, member: Member, headers: dict[str, str], status: int, code: str
) -> None:
    refused = begin(client, b"x", **headers)
    assert (refused.status_code, code_of(refused)) == (status, code)
    assert Upload.objects.count() == 0
    if status == 413:
        assert f"max-size={wire.FILE}" in refused[wire.LIMIT]


def test_what_cannot_be_appended(client: Client, member: Member) -> None:
    address = begin(client, FILE[:10])["Location"]
    assert code_of(append(client, address, 10, FILE)) == wire.INCONSISTENT
    assert code_of(append(client, address, 10, FILE[10:20], last=True)) == wire.INCONSISTENT
    headers = {"Authorization": f"Bearer {TOKEN}", wire.OFFSET: "10", wire.COMPLETE: "?0"}
    plain = client.patch(address, b"x", content_type="application/octet-stream", headers=headers)
    assert plain.status_code == 415
    assert look(client, address)[wire.OFFSET] == "10"
    append(client, address, 10, FILE[10:], last=True)
    late = append(client, address, len(FILE), b"more")
    assert (late.status_code, code_of(late)) == (409, wire.COMPLETED)
    assert append(client, address, len(FILE), b"", last=True).status_code == 410
    assert bytes_of(member) == FILE


def test_a_file_belongs_to_its_member(client: Client, member: Member) -> None:
    address = begin(client, FILE[:10])["Location"]
    assert look(client, address, STRANGER).status_code == 404
    assert code_of(append(client, address, 10, b"x", token=STRANGER)) == wire.NO_UPLOAD
    assert client.delete(address, headers={"Authorization": f"Bearer {STRANGER}"}).status_code == 404
    assert look(client, address)[wire.OFFSET] == "10"
    # The same file of another member is another upload: nobody learns what others have sent.
    assert begin(client, token=STRANGER)[wire.OFFSET] == "0"
    assert begin(client, token=STRANGER)["Location"] != address


def test_two_devices_of_a_member_share_one_upload(client: Client, member: Member) -> None:
    address = begin(client, FILE[:30_000])["Location"]
    other = begin(client, token=OTHER_DEVICE)
    assert (other["Location"], other[wire.OFFSET]) == (address, "30000")
    append(client, address, 30_000, FILE[30_000:], token=OTHER_DEVICE, last=True)
    assert look(client, address)[wire.COMPLETE] == "?1"
    assert bytes_of(member) == FILE


def test_one_sends_at_a_time_and_a_newer_request_of_the_same_device_goes_first(
    client: Client, member: Member
) -> None:
    address = begin(client)["Location"]
    upload = Upload.objects.get()
    hanging = attachments.Appender(upload, "device-0", 0)
    hanging.write(FILE[:100])
    busy = append(client, address, 100, b"x", token=OTHER_DEVICE)
    assert (busy.status_code, code_of(busy)) == (409, wire.BUSY)
    assert look(client, address, OTHER_DEVICE)[wire.OFFSET] == "100"
    hanging.write(FILE[100:200])  # the other device's questions took nothing away
    assert append(client, address, 200, FILE[200:300]).status_code == 204
    with pytest.raises(attachments.UploadBusy):
        hanging.write(b"late bytes of a dead link")
    hanging.close()
    assert look(client, address)[wire.OFFSET] == "300"


def test_an_offset_is_checked_once_more_when_the_turn_comes(client: Client, member: Member) -> None:
    begin(client, FILE[:100])
    with pytest.raises(attachments.OffsetMismatch) as mismatch:
        attachments.Appender(Upload.objects.get(), "device-0", 99)
    assert mismatch.value.expected == 100


def test_a_silent_device_keeps_nobody_out(client: Client, member: Member) -> None:
    address = begin(client)["Location"]
    silent = attachments.Appender(Upload.objects.get(), "device-0", 0)
    claim = next((Path(settings.HOME) / "attachments" / "incoming").glob("*.claim"))
    long_ago = claim.stat().st_mtime - attachments.LEASE_SECONDS - 1
    os.utime(claim, (long_ago, long_ago))
    assert append(client, address, 0, FILE[:10], token=OTHER_DEVICE).status_code == 204
    with pytest.raises(attachments.UploadBusy):
        silent.write(b"x")


def test_head_ends_what_the_same_device_was_sending(client: Client, member: Member) -> None:
    address = begin(client)["Location"]
    hanging = attachments.Appender(Upload.objects.get(), "device-0", 0)
    offset = look(client, address)[wire.OFFSET]
    with pytest.raises(attachments.UploadBusy):
        hanging.write(FILE[:10])
    assert append(client, address, int(offset), FILE[:20]).status_code == 204


class _CutBody:
    """A request's content whose link breaks after some bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        if not self._content:
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def test_what_arrived_before_a_cut_is_kept(client: Client, member: Member) -> None:
    address = begin(client)["Location"]
    request: HttpRequest = RequestFactory().patch(
        address,
        FILE[:30_000],
        content_type=wire.PARTIAL,
        headers={"Authorization": f"Bearer {TOKEN}", wire.OFFSET: "0", wire.COMPLETE: "?0"},
    )
    request._stream = _CutBody(FILE[:10_000])  # type: ignore[attr-defined]  # how Django names the wire
    answer = plane.one(request, upload=address.rpartition("/")[2])
    assert (answer.status_code, code_of(answer)) == (400, "cut-off")
    assert look(client, address)[wire.OFFSET] == "10000"


def test_a_cut_in_the_last_piece_completes_nothing(client: Client, member: Member) -> None:
    request = RequestFactory().post(
        wire.UPLOADS,
        FILE,
        content_type="application/octet-stream",
        headers={
            "Authorization": f"Bearer {TOKEN}",
            wire.COMPLETE: "?1",
            wire.REPR_DIGEST: wire.repr_digest(HASH),
        },
    )
    request._stream = _CutBody(FILE[:40_000])  # type: ignore[attr-defined]  # how Django names the wire
    assert plane.collection(request).status_code == 400
    again = begin(client)
    assert (again[wire.OFFSET], again[wire.COMPLETE]) == ("40000", "?0")


def test_delete_cancels(client: Client, member: Member) -> None:
    address = begin(client, FILE[:10])["Location"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.delete(address, headers=headers).status_code == 204
    assert look(client, address).status_code == 404
    assert begin(client)[wire.OFFSET] == "0"


def test_what_a_question_needs_is_not_cancelled(client: Client, member: Member) -> None:
    address = begin(client, FILE, last=True)["Location"]
    attachments.attach(Request.objects.create(member=member, title="?"), member, body_with())
    refused = client.delete(address, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (refused.status_code, code_of(refused)) == (409, wire.COMPLETED)
    assert bytes_of(member) == FILE


@pytest.mark.parametrize("change", ["revoked", "no token", "unknown", "left"])
def test_who_may_not_upload(client: Client, member: Member, change: str) -> None:
    address = begin(client, FILE[:10])["Location"]
    token = {"no token": "", "unknown": "9" * 64}.get(change, TOKEN)
    if change == "revoked":
        Device.objects.update(revoked=timezone.now())
    if change == "left":
        Member.objects.update(state=Member.State.LEFT)
    for answer in (begin(client, token=token), append(client, address, 10, b"x", token=token)):
        assert answer.status_code in (401, 403)
        assert json.loads(answer.content)["action"] == "auth"
    told = look(client, address, token)
    assert (told.status_code, told.content) == (403 if change == "left" else 401, b"")


def test_a_member_has_a_bounded_amount_on_the_way(client: Client, member: Member) -> None:
    def announce(number: int, token: str = TOKEN) -> Any:
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        return begin(
            client, token=token, **{wire.LENGTH: str(wire.FILE), wire.REPR_DIGEST: wire.repr_digest(digest)}
        )

    assert [announce(number).status_code for number in range(8)] == [201] * 8
    refused = announce(8)
    assert (refused.status_code, code_of(refused)) == (429, "uploads-unfinished")
    assert json.loads(refused.content)["action"] == "wait"
    assert announce(8, STRANGER).status_code == 201
    assert announce(3).status_code == 201  # what was begun goes on
    whole = Upload.objects.filter(member=member).earliest("created")
    Upload.objects.filter(pk=whole.pk).update(completed=timezone.now())
    assert announce(8).status_code == 429  # whole, but nobody's
    request = Request.objects.create(member=member, title="?")
    attachments.attach(request, member, body_with(hash=whole.digest, size=whole.size))
    assert announce(8).status_code == 201
    assert begin(client, token=STRANGER).status_code == 201


def test_an_upload_keeps_its_length(client: Client, member: Member) -> None:
    begin(client, FILE[:10])
    assert code_of(begin(client, **{wire.LENGTH: "49999"})) == wire.INCONSISTENT


def test_options_say_what_is_possible(client: Client, member: Member) -> None:
    answer = client.options(wire.UPLOADS, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer["Accept-Patch"] == wire.PARTIAL
    assert f"max-size={wire.FILE}" in answer[wire.LIMIT]
    assert client.get(wire.UPLOADS, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_lost_bytes_and_lost_rows_heal(client: Client, member: Member, home: Path) -> None:
    address = begin(client, FILE, last=True)["Location"]
    Upload.objects.update(completed=None)  # died between the file and the row
    assert look(client, address)[wire.COMPLETE] == "?1"
    assert Upload.objects.get().completed is not None
    shutil.rmtree(home / "attachments")  # a database restored without its files
    told = begin(client)
    assert (told[wire.COMPLETE], told[wire.OFFSET]) == ("?0", "0")
    assert Upload.objects.get().completed is None


def test_sweeping_forgets_only_what_is_old_and_needed_by_nothing(
    client: Client, member: Member, home: Path
) -> None:
    later = timezone.now() + timedelta(days=wire.LIFETIME_DAYS + 1)
    old = begin(client, FILE[:10])["Location"]
    Upload.objects.update(created=timezone.now() - timedelta(days=100))
    assert attachments.sweep() == 0  # it brought something a moment ago
    assert attachments.sweep(later) == 1
    assert look(client, old).status_code == 404
    begin(client, FILE, last=True)
    attachments.attach(Request.objects.create(member=member, title="?"), member, body_with())
    assert attachments.sweep(later) == 0
    assert bytes_of(member) == FILE
    Attachment.objects.all().delete()
    assert attachments.sweep(later) == 1
    begin(client, FILE, last=True)
    member.delete()
    attachments.sweep(timezone.now() + timedelta(days=2))
    assert not list((home / "attachments").rglob("*-*-*-*"))


def body_with(**changes: Any) -> dict[str, Any]:
    entry = {"hash": HASH, "size": len(FILE), "name": "enrolment plan.pdf", "media_type": "application/pdf"}
    return {"attachments": [{**entry, **changes}]}


def test_the_operation_may_come_first(client: Client, member: Member) -> None:
    request = Request.objects.create(member=member, title="Is this plan sound?")
    attachments.attach(request, member, body_with())
    attachments.attach(request, member, body_with())
    assert [(one.attachment.name, one.path) for one in attachments.listed(request)] == [
        ("enrolment plan.pdf", None)
    ]
    begin(client, FILE, last=True, token=STRANGER)
    assert attachments.listed(request)[0].path is None  # another member's bytes are not this one's
    begin(client, FILE, last=True)
    path = attachments.listed(request)[0].path
    assert path is not None
    assert path.read_bytes() == FILE
    assert attachments.items(request) == body_with()["attachments"]


@pytest.mark.parametrize(
    "body",
    [
        {"attachments": "file.pdf"},
        {"attachments": ["file.pdf"]},
        {"attachments": [{}]},
        body_with(hash="../../etc"),
        body_with(hash=HASH.upper()),
        body_with(size=wire.FILE + 1),
        body_with(size=0),
        body_with(size="1"),
        body_with(name=""),
        body_with(name="a/b"),
        body_with(name="two\nlines"),
        body_with(name="fdp\u202e.exe"),
        body_with(name=".."),
        body_with(name="x" * 201),
        body_with(media_type="text"),
        body_with(media_type="text/html; charset=x"),
        {"attachments": body_with()["attachments"] * 2},
        {"attachments": [body_with(hash=f"{n:064}")["attachments"][0] for n in range(11)]},
    ],
)
def test_what_an_operation_may_not_name(member: Member, body: dict[str, Any]) -> None:
    request = Request.objects.create(member=member, title="?")
    with pytest.raises(attachments.AttachmentRefused) as refused:
        attachments.attach(request, member, body)
    assert refused.value.code == "bad-attachments"
    assert Attachment.objects.count() == 0


def test_a_discussion_takes_no_files() -> None:
    attachments.refuse_any({"body": "We tried.", "attachments": []})
    with pytest.raises(attachments.AttachmentRefused):
        attachments.refuse_any(body_with())


def test_facilitators_see_and_save_them(client: Client, member: Member) -> None:
    user = get_user_model().objects.create_superuser("boss@hub.example", "boss@hub.example", "a long password")
    request = Request.objects.create(member=member, title="Is this plan sound?")
    reply = RequestReply.objects.create(request=request, author_name="Amina", by_member=True, body="And this?")
    attachments.attach(request, member, body_with(name="<b>plan</b>.html".replace("/", "")))
    attachments.attach(reply, member, body_with(hash="0" * 64, name="later.pdf"))
    begin(client, FILE, last=True)
    attachment = request.attachments.get()
    address = reverse("admin:hub_attachment", args=[attachment.pk])
    assert client.get(address).status_code == 302  # strangers are sent to the log-in page
    client.force_login(user)
    page = client.get(reverse("admin:hub_request_change", args=[request.pk])).content.decode()
    assert f'href="{address}"' in page
    assert "later.pdf (48.8\xa0KB): still on its way" in page
    assert "<b>plan" not in page
    saved = client.get(address)
    assert b"".join(saved.streaming_content) == FILE  # type: ignore[attr-defined]  # a FileResponse
    assert saved["Content-Disposition"].startswith("attachment;")
    assert saved["Content-Type"] == "application/octet-stream"
    assert "sandbox" in saved["Content-Security-Policy"]
    assert saved["X-Content-Type-Options"] == "nosniff"
    other = reverse("admin:hub_attachment", args=[reply.attachments.get().pk])
    assert client.get(other).status_code == 404
    guest = get_user_model().objects.create_user("clerk@hub.example", password="a long password", is_staff=True)
    client.force_login(guest)
    assert client.get(address).status_code == 403


def test_header_fields_are_read_as_the_rfcs_write_them() -> None:
    digest = base64.b64encode(bytes.fromhex(HASH)).decode()
    assert wire.read_digest(f"sha-512=:AAAA:, sha-256=:{digest}:") == HASH
    assert wire.read_digest(f"sha-256={digest}") is None
    assert [wire.read_boolean(text) for text in ("?1", " ?0 ", "1", None)] == [True, False, None, None]
    assert [wire.read_count(text) for text in ("7", "-1", "1.5", "9" * 16, None)] == [7, None, None, None, None]
    upload = attachments.upload_id("m", HASH)
    assert wire.upload_of(f"https://elsewhere.example/x/{upload}") == upload
    for wrong in (None, "", "/u/v1/uploads/", "/u/v1/uploads/..", f"/{upload}/more"):
        with pytest.raises(Malformed):
            wire.upload_of(wrong)
    with pytest.raises(TooLarge):
        wire.attachments_of(body_with(size=wire.FILE + 1))
