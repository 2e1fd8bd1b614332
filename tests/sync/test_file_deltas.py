"""New versions of files for a shelf that has the old one: what they cost, after cuts, from hubs that are wrong."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from resources_cache.errors import QuotaExceeded
from sync.cancel import Cancel
from sync.engine import connect_guest, fetch_file, sync_once
from sync.errors import Cancelled, CaptivePortal, CutOff
from sync.home import Home
from sync.protocol import file_deltas
from sync.protocol.errors import Malformed, ProtocolError, TooLarge, WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.paths import DELTAS, OBJECTS, delta_path
from sync.protocol.wire_json import sha256
from sync.report import Progress
from sync.transport import HttpTransport
from tests.programs import HubProgram
from tests.sync.hub_simulator import Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf

OLD = random.Random(1).randbytes(300_000)
NEW = OLD[:100_000] + random.Random(2).randbytes(40_000) + OLD[140_000:]
OTHER = random.Random(5).randbytes(300_000)
REF = ObjectRef(sha256(NEW), len(NEW))
DELTA = file_deltas.make(NEW, OLD)
NAME = file_deltas.delta_name(sha256(OLD), REF.hash)


def frame(data: bytes, old: bytes = OLD, **options: int) -> bytes:
    """Return any zstd frame with `old` as its prefix."""
    chosen: dict[int, int] = {zstd.CompressionParameter[key]: value for key, value in options.items()}
    return zstd.compress(data, options=chosen, zstd_dict=zstd.ZstdDict(old, is_raw=True).as_prefix)


# The codec


def test_a_delta_gives_the_new_file_to_who_has_the_old_one() -> None:
    assert 40_000 < len(DELTA) < 41_000
    assert file_deltas.apply(DELTA, OLD, REF) == NEW
    assert file_deltas.apply(file_deltas.make(OLD, NEW), NEW, ObjectRef(sha256(OLD), len(OLD))) == OLD


def test_it_reaches_over_the_whole_of_large_files() -> None:
    large = random.Random(3).randbytes(20_000_000)
    turned = large[15_000_000:] + large[:15_000_000]
    delta = file_deltas.make(turned, large)
    assert len(delta) < 20_000
    assert file_deltas.apply(delta, large, ObjectRef(sha256(turned), len(turned))) == turned


def hostile() -> list[tuple[str, bytes, bytes, type[ProtocolError]]]:
    bomb = frame(bytes(50_000_000), content_size_flag=1)
    quiet_bomb = frame(bytes(50_000_000), content_size_flag=0)
    return [
        ("bomb that says so", bomb, OLD, Malformed),
        ("bomb that does not", quiet_bomb, OLD, Malformed),
        ("cut", DELTA[:-1], OLD, Malformed),
        ("cut in the middle", DELTA[: len(DELTA) // 2], OLD, Malformed),
        ("only its header", DELTA[:9], OLD, Malformed),
        ("nothing", b"", OLD, Malformed),
        ("no frame", b"<html>" * 100, OLD, Malformed),
        ("something behind it", DELTA + b"x", OLD, Malformed),
        ("twice", DELTA + DELTA, OLD, Malformed),
        ("another old file", DELTA, OTHER, Malformed),
        ("a shorter old file", DELTA, OLD[:-5000], Malformed),
        ("another new file", frame(OLD[:-1] + b"x"), OLD, WrongHash),
        ("longer than it may be", DELTA + bytes(300_000), OLD, TooLarge),
        ("an old file of nothing", DELTA, b"", TooLarge),
    ]


@pytest.mark.parametrize(("delta", "old", "kind"), [pytest.param(*rest, id=name) for name, *rest in hostile()])
def test_what_is_wrong_is_refused_by_its_name(delta: bytes, old: bytes, kind: type[ProtocolError]) -> None:
    with pytest.raises(kind):
        file_deltas.apply(delta, old, REF)


def test_a_bomb_is_refused_before_it_is_decoded_and_one_that_lies_while_it_is() -> None:
    # With a small window the decoder notices only at the end that the frame's size is not true.
    bomb = frame(bytes(50_000_000), content_size_flag=1, window_log=10)
    with pytest.raises(Malformed, match="another size"):
        file_deltas.apply(bomb, OLD, REF)
    place = 5 if bomb[4] & 0x20 else 6  # RFC 8878, 3.1.1.1: no window's byte in a frame of one segment
    lying = bomb[:place] + REF.size.to_bytes(4, "little") + bomb[place + 4 :]
    assert zstd.get_frame_info(lying).decompressed_size == REF.size
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="announces|cannot be applied"):
            file_deltas.apply(lying, OLD, REF)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(OLD)  # the old file twice, and what comes out twice


def test_files_over_the_bound_have_no_deltas() -> None:
    with pytest.raises(TooLarge):
        file_deltas.apply(DELTA, OLD, ObjectRef(REF.hash, file_deltas.LIMIT + 1))
    with pytest.raises(TooLarge):
        file_deltas.make(bytes(file_deltas.LIMIT + 1), OLD)
    with pytest.raises(TooLarge):
        file_deltas.make(b"short", OLD)


# A simulated hub, which can be wrong in every way


@pytest.fixture
def deltas(hub: HubSimulator) -> dict[str, bytes]:
    """What the hub answers under `DELTAS`, by path; it has both files as well."""
    hub.objects[sha256(OLD)], hub.objects[REF.hash] = OLD, NEW
    given = {delta_path(sha256(OLD), REF.hash): DELTA}

    def answer(seen: Seen, found: Answer) -> Answer:
        return hub._object(seen, given[seen.path]) if seen.path in given else found

    hub.fault = answer
    return given


@pytest.fixture
def reader(shelf: Shelf) -> Shelf:
    """A shelf with the old file."""
    shelf.home.files().put(OLD)
    return shelf


def fetch(shelf: Shelf, told: Callable[[Progress], None] | None = None, cancel: Cancel | None = None) -> Path:
    return fetch_file(shelf.home, REF.hash, REF.size, told, cancel, replaces=sha256(OLD))


def kinds(seen: list[Seen]) -> list[str]:
    return ["delta" if one.path.startswith(DELTAS) else one.kind for one in seen]


def test_only_the_delta_is_fetched_and_counted(hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf) -> None:
    told: list[Progress] = []
    with reader.home.own() as own:
        before = own.spent()
    with hub.counting() as seen:
        path = fetch(reader, told.append)
    assert path.read_bytes() == NEW
    assert kinds(seen) == ["delta"]
    assert told[-1] == Progress("files", len(DELTA), len(DELTA))
    with reader.home.own() as own:
        assert len(DELTA) < own.spent() - before < len(DELTA) + 2000
    store = reader.home.files()
    assert store.has(sha256(OLD))
    assert store.partials() == {}


@pytest.mark.parametrize("cuts", [[500], [20_000, 200], [len(DELTA) + 80, 100]])
def test_a_delta_goes_on_at_the_byte(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf, cuts: list[int]
) -> None:
    hub.cut_after["delta"] = list(cuts)
    with reader.home.own() as own:
        before = own.spent()
    with pytest.raises(CutOff):
        fetch(reader)
    assert reader.home.files().has(sha256(OLD))
    assert not reader.home.files().has(REF.hash)
    arrived = reader.home.files().partial_size(NAME)
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert kinds(seen) == ["delta"]
    assert seen[0].range == f"bytes={arrived - 1}-"
    with reader.home.own() as own:
        assert own.spent() - before < len(DELTA) + 3000


def test_a_delta_that_was_whole_before_a_power_cut_is_not_fetched_again(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf
) -> None:
    with reader.home.files().partial(NAME, file_deltas.most(REF.size)) as partial:
        partial.write(DELTA)
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert [(one.range, *kinds([one])) for one in seen] == [(f"bytes={len(DELTA) - 1}-", "delta")]


def test_where_ranges_are_not_known_all_of_it_comes_again(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf
) -> None:
    with reader.home.files().partial(NAME, file_deltas.most(REF.size)) as partial:
        partial.write(DELTA[:30_000])
    hub.fault = lambda seen, found: Answer(200, DELTA) if seen.path in deltas else found
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert kinds(seen) == ["delta"]


def test_without_a_delta_the_whole_file_comes(hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf) -> None:
    deltas.clear()
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert set(kinds(seen)) == {"delta", "object"}
    assert kinds(seen).count("delta") == 1
    assert reader.home.files().partials() == {}


@pytest.mark.parametrize(("delta", "old"), [pytest.param(d, o, id=name) for name, d, o, _ in hostile()])
def test_a_wrong_delta_gives_way_to_the_whole_file(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf, delta: bytes, old: bytes
) -> None:
    place = reader.home.files().path(sha256(OLD))
    place.write_bytes(old)  # damaged on the disk, where it is not OLD
    deltas[delta_path(sha256(OLD), REF.hash)] = delta
    assert fetch(reader).read_bytes() == NEW
    assert place.read_bytes() == old
    assert reader.home.files().partials() == {}


def odd(status: int, data: bytes = DELTA, **headers: str) -> Answer:
    return Answer(status, data, {key.replace("_", "-"): value for key, value in headers.items()})


@pytest.mark.parametrize(
    "answer",
    [
        odd(200, b"<html>Sign in</html>", Content_Type="text/html"),
        odd(403),
        odd(416, b""),
        odd(500, b""),
        odd(206, Content_Range="bytes 7-9/10"),
        odd(206, Content_Range=f"bytes 0-{len(DELTA) - 1}/*"),
        odd(206),
        odd(200, DELTA + bytes(1_000_000)),
        odd(200, b""),
    ],
    ids=lambda answer: f"{answer.status} {len(answer.body)}",
)
@pytest.mark.parametrize("begun", [0, 30_000])
def test_an_odd_answer_gives_way_to_the_whole_file(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf, answer: Answer, begun: int
) -> None:
    with reader.home.files().partial(NAME, file_deltas.most(REF.size)) as partial:
        partial.write(DELTA[:begun])
    hub.fault = lambda seen, found: answer if seen.path in deltas else found
    assert fetch(reader).read_bytes() == NEW
    assert reader.home.files().partials() == {}


@pytest.mark.parametrize("answer", [odd(206, b"!!", Content_Range="bytes 29999-30000/30001"), odd(416, b"")])
def test_a_delta_that_came_wrong_begins_anew(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf, answer: Answer
) -> None:
    with reader.home.files().partial(NAME, file_deltas.most(REF.size)) as partial:
        partial.write(bytes(30_000))
    good, hub.fault = hub.fault, lambda seen, found: answer if seen.path in deltas else found
    hub.cut_after["object"] = [10]
    with pytest.raises(CutOff):
        fetch(reader)
    hub.fault = good
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert [(one.range, *kinds([one])) for one in seen] == [("", "delta")]


def test_behind_a_portal_nothing_comes_and_nothing_is_lost(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf
) -> None:
    with reader.home.files().partial(NAME, file_deltas.most(REF.size)) as partial:
        partial.write(DELTA[:30_000])
    good, hub.fault = hub.fault, lambda *_: odd(200, b"<html>Sign in</html>", Content_Type="text/html")
    with pytest.raises(CaptivePortal):
        fetch(reader)
    hub.fault = good
    for path in (reader.home.path / "files" / "partial").glob(REF.hash):
        assert path.stat().st_size == 0
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert seen[0].range == "bytes=29999-"


def test_a_file_of_which_something_came_is_not_begun_anew(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf
) -> None:
    with reader.home.files().partial(REF.hash, REF.size) as partial:
        partial.write(NEW[:1000])
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert set(kinds(seen)) == {"object"}


@pytest.mark.parametrize("replaces", ["", sha256(b"not here"), REF.hash, "../../etc/passwd"])
def test_no_delta_is_asked_for_without_the_old_file(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf, replaces: str
) -> None:
    with hub.counting() as seen:
        assert fetch_file(reader.home, REF.hash, REF.size, replaces=replaces).read_bytes() == NEW
    assert set(kinds(seen)) == {"object"}


def test_a_delta_that_is_cancelled_stops_and_goes_on(
    hub: HubSimulator, deltas: dict[str, bytes], reader: Shelf
) -> None:
    cancel = Cancel()
    with pytest.raises(Cancelled):
        fetch(reader, lambda _: cancel.cancel(), cancel)
    assert 0 < reader.home.files().partial_size(NAME) < len(DELTA)
    with hub.counting() as seen:
        assert fetch(reader).read_bytes() == NEW
    assert kinds(seen) == ["delta"]


def test_the_quota_holds_for_what_a_delta_makes(deltas: dict[str, bytes], reader: Shelf) -> None:
    reader.set(files_quota=REF.size - 1)
    with pytest.raises(QuotaExceeded):
        fetch(reader)
    assert not reader.home.files().has(REF.hash)


# A real hub


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    with HubProgram(tmp_path_factory.mktemp("deltas") / "hub") as hub:
        hub.init()
        hub.start()
        yield hub


def publish(hub: HubProgram, folder: Path, **files: bytes) -> None:
    """Publish a resource for each of these files, whose name is the resource's id."""
    lines = []
    for name, data in files.items():
        (folder / f"{name}.pdf").write_bytes(data)
        entry = {"path": f"{name}.pdf", "media_type": "application/pdf"}
        lines.append(json.dumps({"id": name, "type": "resource", "title": f"Guide {name}", "files": [entry]}))
    (folder / "import.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    assert hub.do("import", file=str(folder / "import.jsonl"))["rejected"] == 0
    hub.do("publish")


def entry_of(home: Home, id_: str) -> dict[str, Any]:
    """Sync and return what the card says about its file."""
    with HttpTransport(home.hub_url) as transport:
        sync_once(home, transport)
    with home.library() as library:
        record = library.get(id_)
    assert record is not None
    (entry,) = record["files"]
    assert isinstance(entry, dict)
    return entry


def cost(home: Home, entry: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Fetch a file; return its bytes and the ledger's entry."""
    path = fetch_file(home, entry["hash"], entry["size"], replaces=entry.get("replaces", ""))
    with home.own() as own:
        ledger = own.syncs()[0].report
    assert ledger["kind"] == "file"
    return path.read_bytes(), ledger


def test_a_new_version_costs_what_changed_and_another_file_its_size(program: HubProgram, tmp_path: Path) -> None:
    source = random.Random(4)
    old = source.randbytes(2_000_000)
    changed = bytearray(old)
    for _ in range(100):
        place = source.randrange(len(old) - 200)
        changed[place : place + 200] = source.randbytes(200)
    new, other = bytes(changed), source.randbytes(2_000_000)
    publish(program, tmp_path, changed=old, other=old[:-1])
    home = Home(tmp_path / "shelf")
    connect_guest(home, program.url)
    assert cost(home, entry_of(home, "changed"))[0] == old
    assert cost(home, entry_of(home, "other"))[0] == old[:-1]
    publish(program, tmp_path, changed=new, other=other)
    entry = entry_of(home, "changed")
    assert entry["replaces"] == sha256(old)
    data, spent = cost(home, entry)
    assert data == new
    assert spent["requests"] == 1
    assert spent["bytes_up"] + spent["bytes_down"] < len(new) / 10
    data, spent = cost(home, entry_of(home, "other"))
    assert data == other
    assert len(other) < spent["bytes_down"] < len(other) + 10_000
    # A reader who never had the old one takes the whole, and one request for it is not for a delta.
    late = Home(tmp_path / "late")
    connect_guest(late, program.url)
    data, spent = cost(late, entry_of(late, "changed"))
    assert data == new
    assert spent["bytes_down"] > len(new)


def test_a_real_hub_goes_on_with_a_delta_in_the_middle(program: HubProgram, tmp_path: Path) -> None:
    publish(program, tmp_path, middle=OLD)
    home = Home(tmp_path / "shelf")
    connect_guest(home, program.url)
    cost(home, entry_of(home, "middle"))
    publish(program, tmp_path, middle=NEW)
    entry = entry_of(home, "middle")
    cancel = Cancel()
    with pytest.raises(Cancelled):
        fetch_file(home, REF.hash, REF.size, lambda _: cancel.cancel(), cancel, replaces=entry["replaces"])
    begun = home.files().partial_size(NAME)
    assert begun > 0
    data, spent = cost(home, entry)
    assert data == NEW
    assert spent["bytes_down"] < len(DELTA) - begun + 2000


def test_both_paths_are_those_of_the_protocol() -> None:
    assert delta_path("a", "b") == DELTAS + "a/b" == "/p/v1/deltas/a/b"
    assert not DELTAS.startswith(OBJECTS)
