"""What an administrator decided: believed where it is right, reported where it is not, never fatal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resources_cache.own import Own
from sync.neighbours.giving import SHARING, shares
from sync.policies import MOST, Policies, policies


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "policies.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_nothing_is_decided_where_there_is_no_file(tmp_path: Path) -> None:
    assert policies(tmp_path / "none.json") == Policies()


def test_what_is_decided_comes_before_the_person(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"lan_sharing": False}))
    with Own(tmp_path / "own.db") as own:
        own.set_setting(SHARING, True)
        assert shares(own, policies(path)) is False
        path.write_text(json.dumps({"lan_sharing": True}))
        own.set_setting(SHARING, False)
        assert shares(own, policies(path)) is True
        assert shares(own, Policies()) is False


def test_what_is_wrong_is_reported_and_the_rest_is_in_force(tmp_path: Path) -> None:
    found = policies(written(tmp_path, json.dumps({"lan_sharing": True, "colour": "red"})))
    assert found.lan_sharing is True
    assert found.problems == ["“colour” is no policy that this version knows."]
    found = policies(written(tmp_path, json.dumps({"lan_sharing": "yes"})))
    assert found.lan_sharing is None
    assert "true or false" in found.problems[0]


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000, b"\xff\xfe", " " * (MOST + 1)])
def test_a_file_that_cannot_be_read_decides_nothing(tmp_path: Path, text: str | bytes) -> None:
    found = policies(written(tmp_path, text))
    assert found.lan_sharing is None
    assert len(found.problems) == 1


def test_a_folder_in_its_place_is_reported(tmp_path: Path) -> None:
    assert policies(tmp_path).problems
