"""What a sync costs and brings over a link that works: requests and bytes are counted, not guessed."""

from __future__ import annotations

from collections.abc import Callable

from sync.report import Progress
from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import CONTENT, Shelf, card, text


def test_a_first_sync_costs_the_post_and_a_range_for_the_catalogue_and_one_for_the_rest(
    hub: HubSimulator, shelf: Shelf
) -> None:
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.error is None
    assert report.up_to_date
    # The index and the lists of the snapshots came behind the answer.
    assert [one.kind for one in seen] == ["sync", "object", "object"]
    assert seen[1].path == seen[2].path
    assert report.requests == len(seen)
    assert report.segments_applied == len(CONTENT)
    assert report.records == sum(map(len, CONTENT.values()))
    shelf.agrees()


def test_a_hub_that_inlines_nothing_is_asked_for_each_document(hub: HubSimulator, shelf: Shelf) -> None:
    hub.inlines = False
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.kind for one in seen] == ["sync", "document"] + ["document", "object"] * len(CONTENT)
    shelf.agrees()


def test_nothing_new_costs_one_request_and_little_each_way(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    with hub.counting() as seen:
        report = shelf.sync()
    assert [one.kind for one in seen] == ["sync"]
    assert report.up_to_date
    assert report.requests == 1
    assert report.bytes_up < 300
    assert report.bytes_down < 256


def test_a_guest_asks_for_the_head_alone(hub: HubSimulator, new_shelf: Callable[[str], Shelf]) -> None:
    from sync.engine import connect_guest

    guest = new_shelf("guest")
    assert connect_guest(guest.home, hub.url).hub_name == hub.name
    guest.sync()
    guest.agrees()
    with hub.counting() as seen:
        report = guest.sync()
    assert [(one.method, one.kind) for one in seen] == [("GET", "head")]
    assert report.up_to_date
    assert report.bytes_down < 256


def test_a_days_news_costs_the_post_alone(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.publish({"public/cards/en": [card(1, title="New title"), {"id": "r-0002", "deleted": True}]})
    with hub.counting() as seen:
        report = shelf.sync()
    assert [one.kind for one in seen] == ["sync"]
    assert report.records == 2
    assert report.segments_applied == 1
    assert report.bytes_down < 1024
    shelf.agrees()


def test_a_question_costs_the_post_alone(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    question = shelf.ask("Which tablets last?")
    with hub.counting() as seen:
        report = shelf.sync()
    assert [one.kind for one in seen] == ["sync"]
    assert report.operations_sent == 1
    assert report.up_to_date
    assert shelf.states() == {question: "received"}
    assert len(hub.effects[question]) == 1


def test_a_question_an_answer_and_news_of_every_feed_cost_one_post_together(
    hub: HubSimulator, shelf: Shelf
) -> None:
    first = shelf.ask("Which tablets last?")
    shelf.sync()
    hub.items.append({"id": "a-1", "type": "reply", "request": first, "author": "Facilitator", "body": "Ours."})
    hub.publish(
        {
            "public/cards/en": [card(1, title="New title")],
            "public/cards/fr": [card(105, "fr")],
            "public/texts/en/teaching": [text(2), text(7)],
            "public/texts/en/data": [text(8)],
        }
    )
    second = shelf.ask("And how long?")
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.kind for one in seen] == ["sync"]
    assert shelf.states() == {first: "answered", second: "received"}
    shelf.agrees()


def test_a_guests_news_costs_the_head_the_index_and_one_for_each_run(
    hub: HubSimulator, new_shelf: Callable[[str], Shelf]
) -> None:
    from sync.engine import connect_guest

    guest = new_shelf("guest")
    connect_guest(guest.home, hub.url)
    guest.sync()
    hub.publish({"public/cards/en": [card(1, title="New title")]})
    with hub.counting() as seen:
        assert guest.sync().up_to_date
    assert [one.kind for one in seen] == ["head", "document", "object"]
    guest.agrees()


def test_cards_in_the_persons_language_come_first(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.set(languages=["fr", "en"])
    streams: list[str] = []

    def note(progress: Progress) -> None:
        if progress.stream and progress.stream not in streams:
            streams.append(progress.stream)

    shelf.sync(progress=note)
    assert streams == ["public/cards/fr", "public/cards/en", "public/vocab", "public/texts/en"]


def test_only_what_is_subscribed_is_fetched_and_what_is_not_any_more_is_dropped(
    hub: HubSimulator, shelf: Shelf
) -> None:
    shelf.set(languages=["fr"])
    shelf.sync()
    assert shelf.streams() == {"public/cards/fr", "public/vocab"}
    shelf.set(languages=None, themes=["data"])
    report = shelf.sync()
    assert report.up_to_date
    assert shelf.streams() == {"public/cards/en", "public/cards/fr", "public/vocab"}
    shelf.set(languages=["en"], themes=None)
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.kind for one in seen] == ["sync", "object"]
    assert shelf.streams() == {"public/cards/en", "public/texts/en/teaching", "public/vocab"}


def test_a_stream_that_the_hub_took_away_goes(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.publish({"public/texts/en/teaching": [{"id": f"t-{n:04}", "deleted": True} for n in range(3)]})
    hub.publish({"public/texts/en/data": [text(n) for n in range(3)]})
    assert shelf.sync().up_to_date
    shelf.agrees()
    assert shelf.streams() == {"public/cards/en", "public/cards/fr", "public/vocab", "public/texts/en/data"}


def test_absence_is_made_up_for_by_the_cheapest_runs(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    for n in range(6):
        hub.publish({"public/cards/en": [card(n, title=f"Title {n}"), card(200 + n)]})
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_progress_ends_at_its_total(hub: HubSimulator, shelf: Shelf) -> None:
    told: list[Progress] = []
    report = shelf.sync(progress=told.append)
    applying = [one for one in told if one.phase == "applying"]
    assert told[0].phase == "connecting"
    assert told[-1].phase == "done"
    assert applying[-1].bytes_done == applying[-1].bytes_total > 0
    assert applying[-1].records == report.records


def test_what_was_spent_is_kept_in_the_history(hub: HubSimulator, shelf: Shelf) -> None:
    first, second = shelf.sync(), shelf.sync()
    with shelf.home.own() as own:
        spent, syncs = own.spent(), own.syncs(10)
    assert spent == sum(report.bytes_up + report.bytes_down for report in (first, second))
    assert len(syncs) == 2
    assert syncs[0].report["up_to_date"] is True
    assert shelf.setting("last_in_step")


def test_an_expired_signature_warns_and_locks_nobody_out(hub: HubSimulator, shelf: Shelf) -> None:
    hub.expires = "2020-01-01T00:00:00Z"
    hub.publish({})
    report = shelf.sync()
    assert report.up_to_date
    assert report.expired


def test_two_syncs_of_one_shelf_do_not_run_together(hub: HubSimulator, shelf: Shelf) -> None:
    with shelf.home.alone():
        report = shelf.sync()
    assert report.error is not None
    assert report.error.code == "sync-busy"
    assert shelf.sync().up_to_date


def test_a_library_that_was_lost_is_built_anew(hub: HubSimulator, shelf: Shelf) -> None:
    question = shelf.ask("Still there?")
    shelf.sync()
    shelf.lose_library()
    report = shelf.sync()
    assert report.up_to_date
    shelf.agrees()
    assert shelf.states() == {question: "received"}
    with shelf.home.library() as library:
        assert library.get(question) is not None
