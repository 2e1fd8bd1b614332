"""Signed documents: what is accepted, and every way in which one is refused."""

from __future__ import annotations

import pytest

from sync.protocol import trust
from sync.protocol.errors import BadSignature, ClientTooOld, Malformed, RolledBack, TooLarge
from sync.protocol.head import Head, ObjectRef, root_version, verify_head
from sync.protocol.signing import SigningKey, sign_document, verify_document

ROOT_KEY, HEAD_KEY, STRANGER = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
EXPIRES = "2029-01-01T00:00:00Z"


def first_root() -> trust.Root:
    return trust.pin(trust.make_root(1, [ROOT_KEY.public], [HEAD_KEY.public], EXPIRES, [ROOT_KEY]))


def head(epoch: int = 1, version: int = 5, client: int = 1) -> Head:
    return Head(epoch, version, 1, client, ObjectRef("0" * 64, 10), "Hub", EXPIRES, EXPIRES)


def test_a_head_signed_under_the_root_is_read_back() -> None:
    assert verify_head(head().sign(HEAD_KEY), first_root(), (1, 5), 1) == head()


@pytest.mark.parametrize("key", [ROOT_KEY, STRANGER])
def test_a_head_signed_by_any_other_key_is_refused(key: SigningKey) -> None:
    with pytest.raises(BadSignature):
        verify_head(head().sign(key), first_root(), (0, 0), 1)


def test_every_single_changed_byte_of_a_head_is_noticed() -> None:
    document = head().sign(HEAD_KEY)
    for position in range(len(document) - 1):
        damaged = bytearray(document)
        damaged[position] ^= 1
        with pytest.raises((BadSignature, Malformed)):
            verify_head(bytes(damaged), first_root(), (0, 0), 1)


@pytest.mark.parametrize("seen", [(1, 6), (2, 1)])
def test_an_older_head_is_refused(seen: tuple[int, int]) -> None:
    with pytest.raises(RolledBack):
        verify_head(head().sign(HEAD_KEY), first_root(), seen, 1)


def test_a_newer_epoch_outweighs_any_version() -> None:
    assert verify_head(head(epoch=2, version=1).sign(HEAD_KEY), first_root(), (1, 900), 1).order == (2, 1)


def test_a_hub_that_serves_newer_clients_only_says_so() -> None:
    with pytest.raises(ClientTooOld):
        verify_head(head(client=2).sign(HEAD_KEY), first_root(), (0, 0), 1)


@pytest.mark.parametrize(
    "page", [b"", b"<html>Log in to the network</html>", b"{}", b"{}\nnot a signature", b"{}\nid !!!"]
)
def test_a_page_that_is_no_head_is_malformed(page: bytes) -> None:
    with pytest.raises(Malformed):
        verify_head(page, first_root(), (0, 0), 1)
    with pytest.raises(Malformed):
        root_version(page)


def test_a_huge_head_is_not_read() -> None:
    with pytest.raises(TooLarge):
        verify_head(b"{" + b" " * 20_000, first_root(), (0, 0), 1)


def test_a_signature_of_one_role_does_not_serve_in_another() -> None:
    document = sign_document("head", b"{}", [ROOT_KEY])
    with pytest.raises(BadSignature):
        verify_document("root", document, {ROOT_KEY.key_id: ROOT_KEY.public}, 1, 1000)


def test_the_same_signature_twice_counts_once() -> None:
    document = sign_document("head", b"{}", [HEAD_KEY, HEAD_KEY])
    keys = {key.key_id: key.public for key in (HEAD_KEY, ROOT_KEY)}
    with pytest.raises(BadSignature):
        verify_document("head", document, keys, 2, 1000)


def test_a_root_advances_one_version_signed_by_the_old_and_the_new() -> None:
    fresh = SigningKey(bytes([9]) * 32)
    document = trust.make_root(2, [fresh.public], [STRANGER.public], EXPIRES, [ROOT_KEY, fresh])
    second = trust.advance(first_root(), document)
    assert second.version == 2
    assert verify_head(head().sign(STRANGER), second, (0, 0), 1)
    with pytest.raises(BadSignature):
        verify_head(head().sign(HEAD_KEY), second, (0, 0), 1)


@pytest.mark.parametrize(
    ("version", "signers"),
    [
        pytest.param(3, [ROOT_KEY], id="skips a version"),
        pytest.param(1, [ROOT_KEY], id="stays at its version"),
        pytest.param(2, [STRANGER], id="not signed by the root known"),
    ],
)
def test_a_root_that_does_not_follow_is_refused(version: int, signers: list[SigningKey]) -> None:
    document = trust.make_root(version, [ROOT_KEY.public], [STRANGER.public], EXPIRES, signers)
    with pytest.raises(BadSignature):
        trust.advance(first_root(), document)


def test_a_new_root_key_must_sign_for_itself() -> None:
    fresh = SigningKey(bytes([9]) * 32)
    with pytest.raises(BadSignature):
        trust.advance(first_root(), trust.make_root(2, [fresh.public], [HEAD_KEY.public], EXPIRES, [ROOT_KEY]))


def test_a_first_root_must_be_signed_by_itself() -> None:
    with pytest.raises(BadSignature):
        trust.pin(trust.make_root(1, [ROOT_KEY.public], [HEAD_KEY.public], EXPIRES, [STRANGER]))
