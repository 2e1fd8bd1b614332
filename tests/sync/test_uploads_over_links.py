"""Attachments over real sockets: a real hub, links that cut, processes that die, and what each side then holds."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from resources_cache.attachments import Attachments, open_files
from sync.cancel import Cancel
from sync.errors import AuthNeeded, BudgetReached, CaptivePortal, CutOff, HubProblem, Offline, SyncError
from sync.home import Home
from sync.protocol import uploads as wire
from sync.report import Progress
from sync.transport import HttpTransport
from sync.uploads import TooManyAttachments, attached, upload_waiting
from tests.faults.bad_link import BadLink, Fault
from tests.programs import ROOT, HubProgram, copy_home

TOKEN, SECOND, STRANGER = "a" * 64, "b" * 64, "c" * 64
_PREPARE = """
from hub.models import Device, Member
from sync.protocol.messages import token_hash
amina = Member.objects.create(email="officer@ministry.example", name="Amina")
bola = Member.objects.create(email="other@ministry.example", name="Bola")
for name, owner, token in (("one", amina, "a"), ("two", amina, "b"), ("three", bola, "c")):
    Device.objects.create(id=name, member=owner, token_hash=token_hash(token * 64))
"""


def in_hub(home: Path, script: str) -> str:
    """Run a few lines with the hub's own models; return what they print."""
    head = "import django; django.setup()\n"
    environment = {
        **os.environ,
        "HUBSHELF_HUB_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", head + script], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hub = HubProgram(tmp_path_factory.mktemp("template") / "hub").init()
    in_hub(hub.home, _PREPARE)
    return hub.home


@pytest.fixture
def hub(template: Path, tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(copy_home(template, tmp_path / "hub")) as hub:
        hub.start()
        yield hub
        hub.stop(signal.SIGKILL)


@contextmanager
def over(hub: HubProgram, link: BadLink) -> Iterator[BadLink]:
    """A link to a hub. At the end the hub goes first, so that no thread of the link waits for it."""
    link.serve()
    try:
        yield link
    finally:
        hub.stop(signal.SIGKILL)
        link.close()


class Shelf:
    """A shelf with questions that the hub has received, and files attached to them."""

    def __init__(self, path: Path, token: str = TOKEN) -> None:
        self.home = Home(path)
        self.token = token

    def attach(self, *contents: bytes) -> list[str]:
        """Attach files to one received question; return their hashes."""
        sources = []
        for number, content in enumerate(contents):
            source = self.home.path / f"plan-{number}.pdf"
            source.write_bytes(content)
            sources.append(source)
        with self.home.own() as own:
            named = attached(self.home.path, own, sources)
            item = own.outbox.add("ask", "Sound?", {"kind": "question", "attachments": named})
            own.outbox.begin_sending([item.id])
            own.outbox.receive(item.id, {"id": item.id})
        for source in sources:
            source.unlink()
        return [str(one["hash"]) for one in named]

    def upload(self, url: str, **options: Any) -> int:
        with HttpTransport(url) as transport, self.home.own() as own:
            self.traffic = transport.traffic
            return upload_waiting(transport, self.token, own, open_files(self.home.path, wire.FILE), **options)

    def upload_until_done(self, url: str, attempts: int) -> int:
        """Upload again and again over a bad link; return how many attempts it took."""
        for attempt in range(1, attempts + 1):
            try:
                self.upload(url)
            except (Offline, CaptivePortal, HubProblem):
                continue
            if set(self.states().values()) == {"delivered"}:
                return attempt
        raise AssertionError(f"not done after {attempts} attempts: {self.states()}")

    def states(self) -> dict[str, str]:
        with self.home.own() as own:
            queue = Attachments.of(own, open_files(self.home.path, wire.FILE))
            return {one.hash: one.state for item in own.outbox.items() for one in queue.of_body(item.body)}

    def problem(self, hash_: str) -> str:
        with self.home.own() as own:
            queue = Attachments.of(own, open_files(self.home.path, wire.FILE))
            (one,) = [one for one in queue.outstanding() if one.hash == hash_]
        assert one.problem is not None
        return str(one.problem["type"]).rpartition(":")[2]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def kept(hub: HubProgram) -> dict[str, int]:
    """Whole files on the hub: how many copies of each, by the hash of what is really in them."""
    found: dict[str, int] = {}
    for path in (hub.home / "attachments" / "kept").rglob("*-*-*"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[digest] = found.get(digest, 0) + 1
    return found


def arriving(hub: HubProgram) -> int:
    """Bytes of the one upload that is on its way; 0 where there is none."""
    return sum(path.stat().st_size for path in (hub.home / "attachments" / "incoming").glob("*.part"))


def test_a_file_arrives_whole_and_at_little_cost(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(3_000_000))
    told: list[Progress] = []
    assert shelf.upload(hub.url, progress=told.append) == 1
    assert kept(hub) == {digest: 1}
    assert shelf.states() == {digest: "delivered"}
    assert shelf.traffic.requests < 20  # pieces grow on a good link
    assert shelf.traffic.up < 3_000_000 * 1.01
    assert [one.bytes_done for one in told] == sorted(one.bytes_done for one in told)
    assert told[-1].bytes_total == 3_000_000
    assert shelf.upload(hub.url) == 0
    assert shelf.traffic.requests == 0


def test_a_small_file_is_one_request(hub: HubProgram, shelf: Shelf) -> None:
    digests = shelf.attach(noise(9_000), noise(16_384, 2))
    assert shelf.upload(hub.url) == 2
    assert shelf.traffic.requests == 2
    assert kept(hub) == dict.fromkeys(digests, 1)


class CuttingLink(BadLink):
    """Every connection is reset after `default.at` bytes of requests; counts what really went up, and the cuts."""

    went_up = 0
    cuts = 0

    def _up(self, client: socket.socket, upstream: socket.socket, fault: Fault) -> None:
        left = fault.at
        client.settimeout(2)  # nobody is silent for so long here, and the end of the test waits for this thread
        with suppress(OSError):
            while piece := client.recv(4_096):
                upstream.sendall(piece[:left])
                self.went_up += len(piece[:left])
                left -= len(piece)
                # As a slow link does: the hub reads what has come before more comes, or before the reset.
                time.sleep(0.004)
                if left < 0:
                    self.cuts += 1
                    for end in (client, upstream):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        with suppress(OSError):
                            end.shutdown(socket.SHUT_RDWR)  # `_down` wakes up by it and closes them
                    return
            upstream.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("passes", [2_500, 40_000])
def test_a_cut_costs_little(hub: HubProgram, shelf: Shelf, passes: int) -> None:
    """Every connection is cut after so many bytes; what the hub had stays, and no file starts again."""
    size = passes * 12
    (digest,) = shelf.attach(noise(size))
    with over(hub, CuttingLink(hub.port, Fault("cut-request", passes))) as link:
        shelf.upload_until_done(link.url, 60)
    assert isinstance(link, CuttingLink)
    assert kept(hub) == {digest: 1}
    assert link.cuts >= 11
    # Headers of some requests a connection, and at most one block that the hub had not yet written.
    assert (link.went_up - size) / link.cuts < 2_000 + 4_096


def test_progress_even_where_only_the_answers_are_cut(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(200_000))
    with over(hub, BadLink(hub.port)) as link:
        link.next_faults = [Fault("cut", at) for at in (0, 30, 180, 330, 420)] * 3
        shelf.upload_until_done(link.url, 40)
    assert kept(hub) == {digest: 1}


@pytest.mark.parametrize("seed", range(4))
def test_random_faults_never_damage_a_file(hub: HubProgram, shelf: Shelf, seed: int) -> None:
    digests = shelf.attach(noise(150_000, seed), noise(5_000, seed + 100))
    with over(hub, BadLink(hub.port)) as link:
        link.random_faults(seed, 0.6, reach=2_000)
        shelf.upload_until_done(link.url, 80)
    assert kept(hub) == dict.fromkeys(digests, 1)


def test_a_hub_that_dies_keeps_what_it_had(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(400_000))

    def power_cut(progress: Progress) -> None:
        if progress.bytes_done > 100_000 and hub.serving:
            hub.stop(signal.SIGKILL)

    with pytest.raises(Offline):
        shelf.upload(hub.url, progress=power_cut)
    had = arriving(hub)
    assert had > 100_000
    hub.start()
    shelf.upload(hub.url)
    assert kept(hub) == {digest: 1}
    assert shelf.traffic.up < 400_000 - had + 5_000


_DYING = """
import os, signal, sys
from pathlib import Path
from resources_cache.attachments import open_files
from resources_cache.own import Own
from sync.transport import HttpTransport
from sync.uploads import upload_waiting
home, url, instant = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
count = 0
def before(statement):
    global count
    if statement.lstrip().upper().startswith(("BEGIN", "COMMIT", "INSERT", "UPDATE")):
        count += 1
        if count == instant:
            os.kill(os.getpid(), signal.SIGKILL)
with Own(home / "own.db", on_statement=before) as own, HttpTransport(url) as transport:
    upload_waiting(transport, "a" * 64, own, open_files(home, 26214400))
print("done", count)
"""


def test_a_client_killed_at_any_write_goes_on(hub: HubProgram, shelf: Shelf) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    died = 0
    for instant in range(1, 200, 3):
        (digest,) = shelf.attach(noise(60_000, instant))
        command = [sys.executable, "-c", _DYING, str(shelf.home.path), hub.url, str(instant)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        died += 1
        assert shelf.upload(hub.url) <= 1
        assert shelf.states()[digest] == "delivered"
        assert kept(hub)[digest] == 1
    assert died > 5


def test_a_damaged_copy_needs_attention_and_blocks_nothing(hub: HubProgram, shelf: Shelf) -> None:
    bad, good = shelf.attach(noise(50_000), noise(3_000, 2))
    copy = shelf.home.path / "attachments" / bad[:2] / bad
    copy.write_bytes(noise(50_000, 9))
    assert shelf.upload(hub.url) == 1
    assert shelf.states() == {bad: "attention", good: "delivered"}
    assert shelf.problem(bad) == "attachment-lost"
    assert kept(hub) == {good: 1}


def test_bytes_changed_on_the_way_are_sent_again(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(40_000))
    damage = b"damaged on the way"

    class Changing(BadLink):
        """A link that flips bytes of what goes up, once."""

        changed = False

        def _up(self, client: socket.socket, upstream: socket.socket, fault: Fault) -> None:
            with suppress(OSError):  # the other direction may have ended both
                while piece := client.recv(65_536):
                    if not self.changed and len(piece) > 8_000:
                        self.changed = True
                        piece = piece[: -len(damage)] + damage
                    upstream.sendall(piece)
                upstream.shutdown(socket.SHUT_WR)

    with over(hub, Changing(hub.port)) as link:
        assert shelf.upload(link.url) == 1
    assert isinstance(link, Changing)
    assert link.changed
    assert kept(hub) == {digest: 1}
    assert shelf.traffic.up > 80_000  # all of it again, since nobody knows where the damage is


def test_a_lost_copy_needs_attention(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(3_000))
    (shelf.home.path / "attachments" / digest[:2] / digest).unlink()
    assert shelf.upload(hub.url) == 0
    assert shelf.problem(digest) == "attachment-lost"


def test_two_devices_of_a_member_and_a_stranger(hub: HubProgram, tmp_path: Path) -> None:
    content = noise(300_000)
    shelves = [Shelf(tmp_path / name, token) for name, token in (("1", TOKEN), ("2", SECOND), ("3", STRANGER))]
    (digest,) = {hash_ for shelf in shelves for hash_ in shelf.attach(content)}
    with pytest.raises(BudgetReached):
        shelves[0].upload(hub.url, room=100_000)
    half = arriving(hub)
    assert 80_000 < half < 100_000
    assert shelves[1].upload(hub.url) == 1
    assert shelves[1].traffic.up < 300_000 - half + 16_384 + 5_000  # it went on from there
    assert shelves[0].upload(hub.url) == 1
    assert shelves[0].traffic.up < 1_000
    assert kept(hub) == {digest: 1}
    assert shelves[2].upload(hub.url) == 1
    assert kept(hub) == {digest: 2}  # another member's copy is their own


def test_bytes_allowed_are_never_exceeded(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(100_000))
    rounds = 0
    while shelf.states()[digest] != "delivered":
        rounds += 1
        assert rounds < 20
        try:
            shelf.upload(hub.url, room=12_000)
        except BudgetReached:
            assert rounds < 12
        assert shelf.traffic.total <= 12_000
    assert rounds >= 9
    (other,) = shelf.attach(noise(100_000, 2))
    with HttpTransport(hub.url) as transport, shelf.home.own() as own:
        transport.traffic.allow(30_000)
        with pytest.raises(BudgetReached):
            upload_waiting(transport, TOKEN, own, open_files(shelf.home.path, wire.FILE))
        assert 25_000 < transport.traffic.total <= 30_000
    assert shelf.states()[other] == "sending"


def test_a_revoked_device_is_told_so_and_loses_nothing(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(100_000))
    with pytest.raises(BudgetReached):
        shelf.upload(hub.url, room=50_000)
    revoke = "from hub.models import Device; Device.objects.filter(id='one').update(revoked='2026-01-01T00:00Z')"
    in_hub(hub.home, revoke)
    with pytest.raises(AuthNeeded):
        shelf.upload(hub.url)
    assert shelf.states() == {digest: "sending"}
    shelf.token = SECOND  # enrolled again
    assert shelf.upload(hub.url) == 1
    assert shelf.traffic.up < 70_000
    assert kept(hub) == {digest: 1}


def test_what_the_hub_refuses_is_set_aside(hub: HubProgram, shelf: Shelf) -> None:
    bad, good = shelf.attach(noise(3_000), noise(4_000, 2))
    script = f"""
from hub.attachments import upload_id
from hub.models import Member
from hub.models.requests import Upload
amina = Member.objects.get(name="Amina")
Upload.objects.create(id=upload_id(amina.pk, "{bad}"), member=amina, digest="{bad}", size=2999)
"""
    in_hub(hub.home, script)
    assert shelf.upload(hub.url) == 1
    assert shelf.states() == {bad: "attention", good: "delivered"}
    assert shelf.problem(bad) == wire.INCONSISTENT


def test_what_has_to_wait_lets_the_next_pass(hub: HubProgram, shelf: Shelf) -> None:
    large, small = shelf.attach(noise(30_000), noise(4_000, 2))
    script = """
from hub.attachments import open_upload
from hub.models import Member
amina = Member.objects.get(name="Amina")
for n in range(8):
    open_upload(amina, f"{n:064}", 25 * 1024 * 1024 + 2_400 * (n == 0))
"""
    in_hub(hub.home, script.replace("25 * 1024 * 1024 + 2_400 * (n == 0)", "25 * 1024 * 1024 - 1_000"))
    with pytest.raises(HubProblem) as waits:
        shelf.upload(hub.url)
    assert waits.value.problem.code == "uploads-unfinished"
    assert shelf.states() == {large: "sending", small: "delivered"}


def test_a_swept_upload_begins_again(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(100_000))
    with pytest.raises(BudgetReached):
        shelf.upload(hub.url, room=50_000)
    script = """
from datetime import timedelta
from django.utils import timezone
from hub.attachments import sweep
print(sweep(timezone.now() + timedelta(days=31)))
"""
    assert in_hub(hub.home, script).strip() == "1"
    assert shelf.upload(hub.url) == 1
    assert kept(hub) == {digest: 1}


def test_a_restored_hub_gets_its_files_back(hub: HubProgram, shelf: Shelf) -> None:
    digests = shelf.attach(noise(30_000), noise(4_000, 2))
    shelf.upload(hub.url)
    with shelf.home.own() as own:
        assert Attachments.of(own, open_files(shelf.home.path, wire.FILE)).reoffer() == 2
    for path in (hub.home / "attachments" / "kept").rglob("*-*"):
        if path.is_file() and path.stat().st_size == 30_000:
            path.unlink()
    assert shelf.upload(hub.url) == 2
    assert kept(hub) == dict.fromkeys(digests, 1)


def test_a_person_can_stop_it(hub: HubProgram, shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(600_000))
    cancel = Cancel()

    def enough(progress: Progress) -> None:
        if progress.bytes_done > 60_000:
            cancel.cancel()

    with pytest.raises(SyncError) as stopped:
        shelf.upload(hub.url, cancel=cancel, progress=enough)
    assert stopped.value.code == "cancelled"
    assert 60_000 < arriving(hub) < 600_000
    assert shelf.upload(hub.url) == 1
    assert kept(hub) == {digest: 1}


def test_a_dead_link_keeps_nobody_waiting(hub: HubProgram, shelf: Shelf) -> None:
    """A sender goes silent in the middle of a piece, as a modem that lost its signal; the next request goes on."""
    content = noise(50_000)
    (digest,) = shelf.attach(content)
    with pytest.raises(BudgetReached):
        shelf.upload(hub.url, room=20_000)
    had = arriving(hub)
    with shelf.home.own() as own:
        (one,) = Attachments.of(own, open_files(shelf.home.path, wire.FILE)).due()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as silent:
        head = (
            f"PATCH {wire.upload_path(one.place)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: {wire.PARTIAL}\r\nContent-Length: 20000\r\n{wire.OFFSET}: {had}\r\n"
            f"{wire.COMPLETE}: ?0\r\n\r\n"
        )
        silent.sendall(head.encode() + content[had : had + 9_000])
        deadline = time.monotonic() + 10
        while arriving(hub) < had + 8_192 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert arriving(hub) >= had + 8_192  # what came is on the disk although the piece never ends
        began = time.monotonic()
        assert shelf.upload(hub.url) == 1
        assert time.monotonic() - began < 5
    assert kept(hub) == {digest: 1}


def test_a_log_in_page_stores_nothing(shelf: Shelf) -> None:
    (digest,) = shelf.attach(noise(3_000))
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\nLogin"
    with socket.create_server(("127.0.0.1", 0)) as portal:
        port = portal.getsockname()[1]
        answering = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import socket,sys,json; s=socket.socket(fileno=int(sys.argv[1])); c,_=s.accept(); c.recv(65536);"
                "c.sendall(json.loads(sys.argv[2]).encode()); c.recv(65536); c.close()",
                str(portal.fileno()),
                json.dumps(page.decode()),
            ],
            pass_fds=[portal.fileno()],
        )
        try:
            with pytest.raises((CaptivePortal, CutOff)) as met:
                shelf.upload(f"http://127.0.0.1:{port}")
        finally:
            answering.wait(10)
    assert met.type is CaptivePortal
    assert shelf.states() == {digest: "sending"}


def test_more_files_than_a_question_carries(shelf: Shelf) -> None:
    with pytest.raises(TooManyAttachments):
        shelf.attach(*[noise(10, seed) for seed in range(11)])
    assert len(shelf.attach(*[noise(10, seed % 10) for seed in range(11)])) == 10  # the same file counts once
