"""A document that is longer than the link ever holds arrives all the same: it is continued where a cut left it."""

from __future__ import annotations

import pytest

from sync.errors import BudgetReached, CutOff
from sync.protocol import documents
from tests.sync.hub_simulator import Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf, text


@pytest.fixture
def index(hub: HubSimulator) -> bytes:
    """The frame of an index of some 10 KB as sent: so many feeds."""
    hub.publish(
        {f"public/texts/{n // 20 + 10}{'abcdefghijklmnopqrst'[n % 20]}/data": [text(1000 + n)] for n in range(120)}
    )
    frame = documents.pack(hub.documents[hub.indexes[hub.epoch, hub.version]])
    assert len(frame) > 9_000
    return frame


def test_a_document_is_continued_over_any_number_of_cuts(hub: HubSimulator, shelf: Shelf, index: bytes) -> None:
    hub.inlines = False
    asked: list[tuple[str, int]] = []

    def fault(seen: Seen, answer: Answer) -> Answer:
        if seen.kind == "document" and len(asked) < 4:
            asked.append((seen.range, len(answer.body)))
            hub.cut_after["document"] = [len(answer.head) + 2_900]
        return answer

    hub.fault = fault
    for _ in range(3):
        assert isinstance(shelf.sync().error, CutOff)
    assert shelf.sync().up_to_date
    assert asked == [
        (f"bytes={at}-" if at else "", len(index) - at) for at in range(0, 4 * 2_900, 2_900) if at < len(index)
    ]
    shelf.agrees()


def test_what_came_of_it_behind_an_answer_is_not_sent_again(hub: HubSimulator, shelf: Shelf, index: bytes) -> None:
    hub.cut_after["sync"] = [5_000]
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    first = next(one for one in seen if one.kind == "document")
    assert 3_000 < int(first.range.removeprefix("bytes=").removesuffix("-")) < 5_000
    shelf.agrees()


def test_the_beginning_of_another_frame_costs_one_more_request(
    hub: HubSimulator, shelf: Shelf, index: bytes
) -> None:
    """A hub may pack the same document otherwise than it did before the cut."""
    hub.inlines = False
    name = hub.indexes[hub.epoch, hub.version]
    size = len(hub.documents[name])
    with shelf.home.incoming().partial(name, size + 1024) as partial:
        partial.write(bytes(2_000))
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.range for one in seen if one.kind == "document"][:2] == ["bytes=2000-", ""]
    shelf.agrees()


def test_a_part_that_begins_elsewhere_is_not_believed(hub: HubSimulator, shelf: Shelf, index: bytes) -> None:
    hub.inlines = False
    hub.cut_after["document"] = [4_000]
    assert isinstance(shelf.sync().error, CutOff)

    def fault(seen: Seen, answer: Answer) -> Answer:
        if seen.kind == "document" and seen.range:
            return Answer(206, answer.body, {**answer.headers, "Content-Range": "bytes 17-99/12345"})
        return answer

    hub.fault = fault
    report = shelf.sync()
    assert report.error is not None
    assert report.error.code == "captive-portal"
    # What was here is thrown away, so the next one asks for all of it.
    assert shelf.sync().up_to_date
    shelf.agrees()


@pytest.mark.parametrize("inlines", [True, False])
def test_a_small_budget_brings_it_bit_by_bit(hub: HubSimulator, shelf: Shelf, index: bytes, inlines: bool) -> None:
    hub.inlines = inlines
    name = hub.indexes[hub.epoch, hub.version]
    held = [0]
    for _ in range(12):
        report = shelf.sync(budget=4_000)
        assert report.bytes_up + report.bytes_down <= 4_000
        assert isinstance(report.error, BudgetReached)
        with shelf.home.library() as library:
            if library.document(name) is not None:
                break
        held.append(shelf.home.incoming().partial_size(name))
        assert held[-1] > held[-2]
    else:
        pytest.fail("the index never came")
