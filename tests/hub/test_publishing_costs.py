"""What a publication may cost where the library is large: nothing grows with it that need not."""

from __future__ import annotations

import gc
import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.models import StreamRecord
from hub.publishing import runs, sealing
from hub.publishing.coding import Coders
from hub.publishing.records import PublicRecord, public_records
from hub.publishing.sealer import publish
from sync.protocol.segments import split, stream_line
from tests.hub.test_publishing_feeds import add_resource, add_thread, fresh_home, prose

STREAM = stream_line("public/texts/en")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqlite_only")
def test_no_statement_of_a_publication_sorts_a_stream_with_its_bodies() -> None:
    fresh_home()
    dice = random.Random(3)
    for number in range(6):
        add_resource(dice, f"r{number}", theme="reading")
    add_thread(dice, "t1")
    publish()
    add_resource(dice, "r7", theme="reading")
    add_resource(dice, "r8", theme="finance")
    add_thread(dice, "t2")
    with CaptureQueriesContext(connection) as asked:
        assert publish().put > 0
    of_bodies = [
        query["sql"]
        for query in asked.captured_queries
        if query["sql"].startswith("SELECT") and '"hub_streamrecord"."body"' in query["sql"]
    ]
    ordered = [sql for sql in of_bodies if "ORDER BY" in sql]
    assert len(ordered) > 5
    with connection.cursor() as cursor:
        for sql in of_bodies:
            steps = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), (sql, steps)


@pytest.mark.django_db(transaction=True)
def test_priming_leaves_out_what_came_with_the_version_itself() -> None:
    fresh_home()
    dice = random.Random(4)
    for number in range(3):
        add_resource(dice, f"r{number}")
    publish()
    add_resource(dice, "r9")
    version = publish().version
    rows = StreamRecord.objects.filter(stream_id="public/cards/en", seq__lt=version).order_by("record_id")
    lines = b"".join(bytes(body) + b"\n" for body in rows.values_list("body", flat=True))
    assert lines.count(b"\n") == 3
    for size in (len(lines), 300):
        assert runs.priming(["public/cards/en"], version, {}, size) == lines[-size:]


def test_little_is_coded_without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    job = [STREAM, prose(random.Random(5), 2_000).encode()]
    with Coders(2) as coders:
        waiting = [coders.submit(job, b"lamp " * 1000) for _ in range(3)]
        assert [one.result() for one in waiting] == [list(split(job, b"lamp " * 1000))] * 3


def test_what_waited_goes_to_the_processes_once_there_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    real = subprocess.Popen

    def noted(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        started.append(command)
        return real(command, **how)

    monkeypatch.setattr(subprocess, "Popen", noted)
    dice = random.Random(6)
    jobs = [[STREAM, prose(dice, 45_000).encode()] for _ in range(9)]
    with Coders(2) as coders:
        asked = coders.submit(jobs[0])
        early = asked.result()
        assert not started
        rest = [coders.submit(job) for job in jobs[1:]]
        assert [early, *(one.result() for one in rest)] == [list(split(job)) for job in jobs]
        assert asked.result() is early
    assert 1 <= len(started) <= 2


@pytest.mark.django_db(transaction=True)
def test_a_whole_comparison_leaves_the_collector_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_home()
    add_resource(random.Random(7), "r1")
    found: list[bool] = []

    def watched() -> Iterator[PublicRecord]:
        found.append(gc.isenabled())
        yield from public_records()

    def failing() -> Iterator[PublicRecord]:
        yield from ()
        raise MemoryError

    monkeypatch.setattr(sealing, "public_records", watched)
    sealing.seal(whole=True)
    assert found == [False]
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
    monkeypatch.setattr(sealing, "public_records", failing)
    with pytest.raises(MemoryError):
        sealing.seal(whole=True)
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
