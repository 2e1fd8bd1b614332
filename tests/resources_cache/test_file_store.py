"""Downloaded files: resumed, verified before they are seen, bounded."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.errors import FileDamaged, NotFound, QuotaExceeded
from resources_cache.files import FileStore


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", 10_000)


def test_a_cut_download_goes_on_where_it_was(files: FileStore) -> None:
    data = os.urandom(3000)
    hash_ = sha(data)
    with files.partial(hash_, len(data)) as partial:
        partial.write(data[:1000])
    assert not files.has(hash_)
    assert files.partial_size(hash_) == 1000
    with FileStore(files.root, 10_000).partial(hash_, len(data)) as partial:
        assert partial.offset == 1000
        partial.write(data[1000:])
        place = partial.finish()
    assert place.read_bytes() == data
    assert files.path(hash_) == place
    assert files.partial_size(hash_) == 0
    assert files.hashes() == [hash_]
    assert files.used() == 3000


def test_wrong_bytes_are_removed_and_never_seen(files: FileStore) -> None:
    data = b"right"
    with files.partial(sha(data), 5) as partial:
        partial.write(b"wrong")
        with pytest.raises(FileDamaged) as caught:
            partial.finish()
    assert (caught.value.expected, caught.value.got) == (sha(data), sha(b"wrong"))
    assert not files.has(sha(data))
    assert files.used() == 0


@pytest.mark.parametrize("got", [b"shor", b""])
def test_too_few_bytes_are_no_file(files: FileStore, got: bytes) -> None:
    with files.partial(sha(b"short"), 5) as partial:
        partial.write(got)
        with pytest.raises(FileDamaged):
            partial.finish()
    assert not files.has(sha(b"short"))


def test_more_bytes_than_announced_are_refused_at_once(files: FileStore) -> None:
    partial = files.partial(sha(b"abc"), 3)
    with pytest.raises(FileDamaged):
        partial.write(b"abcd")
    assert files.used() == 0


def test_a_partial_longer_than_the_file_is_begun_anew(files: FileStore) -> None:
    with files.partial(sha(b"abc"), 9) as partial:
        partial.write(b"abcdef")
    with files.partial(sha(b"abc"), 3) as partial:
        assert partial.offset == 0
        partial.write(b"abc")
        partial.finish()
    assert files.has(sha(b"abc"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 65, "a" * 63 + "/", "a" * 64 + "\n"]
)
def test_no_name_leads_out_of_the_store(files: FileStore, name: str) -> None:
    for use in (
        files.has,
        files.path,
        files.verify,
        files.remove,
        files.partial_size,
        lambda n: files.partial(n, 1),
    ):
        with pytest.raises(ValueError, match="SHA-256"):
            use(name)


def test_the_least_recently_used_go_first_and_the_kept_stay(tmp_path: Path) -> None:
    files = FileStore(tmp_path, 10_000)
    hashes = [files.put(bytes([n]) * 1000) for n in range(5)]
    for age, hash_ in enumerate(hashes):
        os.utime(files.path(hash_), (1000 + age, 1000 + age))
    files.path(hashes[1])  # used just now
    with files.partial("f" * 64, 500) as partial:
        partial.write(b"x" * 500)
    (tmp_path / "stranger.txt").write_text("not ours")
    files = FileStore(tmp_path, 2_600)
    assert files.evict({hashes[0]}) == [hashes[2], hashes[3], hashes[4]]
    assert files.hashes() == sorted([hashes[0], hashes[1]])
    assert files.used() == 2500
    assert (tmp_path / "stranger.txt").exists()
    assert files.evict(set()) == []
    os.utime(tmp_path / "partial" / ("f" * 64), (500, 500))  # given up long ago
    assert FileStore(tmp_path, 2_000).evict(set()) == []
    assert files.used() == 2000


def test_a_file_larger_than_all_room_is_refused_before_it_is_fetched(files: FileStore) -> None:
    with pytest.raises(QuotaExceeded):
        files.partial("a" * 64, 10_001)
    with pytest.raises(QuotaExceeded):
        files.put(b"x" * 10_001)


def test_damage_on_disk_is_found_and_removed(files: FileStore, tmp_path: Path) -> None:
    source = tmp_path / "source.pdf"
    source.write_bytes(b"content")
    hash_ = files.put(source)
    assert files.verify(hash_)
    files.path(hash_).write_bytes(b"c0ntent")
    assert not files.verify(hash_)
    assert not files.has(hash_)
    for use in (files.path, files.verify):
        with pytest.raises(NotFound):
            use(hash_)
    assert not files.remove(hash_)


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(1, 50), min_size=1, max_size=10))
def test_any_cuts_give_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cuts: list[int]
) -> None:
    files = FileStore(tmp_path_factory.mktemp("files"), 1000)
    turn = 0
    while True:
        with files.partial(sha(data), len(data)) as partial:
            partial.write(data[partial.offset : partial.offset + cuts[turn % len(cuts)]])
            turn += 1
            if partial.offset == len(data):
                assert partial.finish().read_bytes() == data
                return
