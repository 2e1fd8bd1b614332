"""One harvest of a source: each page and the place behind it in one transaction, so that it can go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock, Thread

from django.db import connections, transaction
from django.utils import timezone

from hub.harvest.errors import HarvestProblem, NotASource
from hub.harvest.feeds import FeedReader
from hub.harvest.inbox import take_page
from hub.harvest.oai import OaiReader
from hub.harvest.pages import Page, Reader
from hub.harvest.zotero_groups import ZoteroReader
from hub.models import Harvest, Source

_PROBLEMS = 50
_BEGINNING = Lock()
_AT_WORK: dict[str, Thread] = {}
_log = logging.getLogger(__name__)
Told = Callable[[Harvest], None]


def reader_of(source: Source) -> Reader:
    """The reader for a source. Raises NotASource for a kind that is not harvested."""
    options = source.settings if isinstance(source.settings, dict) else {}
    if source.kind == "oai":
        return OaiReader(source.url, str(options.get("prefix") or "oai_dc"), str(options.get("set") or ""))
    if source.kind == "feed":
        return FeedReader(source.url)
    if source.kind == "zotero":
        return ZoteroReader(source.url)
    raise NotASource(f"“{source}” is of the kind “{source.kind}”, which is not harvested.")


def harvest(source: Source, *, reader: Reader | None = None, told: Told | None = None) -> Harvest:
    """Bring what is new at a source into its inbox; what went wrong is in the harvest that is returned.

    `told` is called after each page. Raises nothing of the source's: what came before a failure stays.
    """
    run = Harvest.objects.create(source=source)
    try:
        pages = (reader or reader_of(source)).pages(dict(source.place or {}))
        for page in pages:
            _keep(source, run, page)
            if told is not None:
                told(run)
    except HarvestProblem as error:
        run.error = str(error)[:500]
    run.ended = timezone.now()
    run.save()
    source.harvested = run.ended
    source.save(update_fields=["harvested"])
    return run


def begin(source: Source) -> bool:
    """Harvest in a thread of its own, for people who do not want to wait; False where it is at work already.

    Where the process ends before, the next harvest goes on from the last page that was stored.
    """
    with _BEGINNING:
        if source.pk in _AT_WORK:
            return False
        _AT_WORK[source.pk] = Thread(target=_in_thread, args=(source.pk,), name="harvest", daemon=True)
        _AT_WORK[source.pk].start()
        return True


def wait(source: Source, seconds: float) -> bool:
    """Wait until a harvest that was begun here has ended; whether it has."""
    thread = _AT_WORK.get(source.pk)
    if thread is not None:
        thread.join(seconds)
    return thread is None or not thread.is_alive()


def _in_thread(key: str) -> None:
    try:
        source = Source.objects.filter(pk=key).first()
        if source is not None:
            harvest(source)
    except Exception:
        _log.exception("a harvest ended by a fault")
    finally:
        connections.close_all()
        with _BEGINNING:
            _AT_WORK.pop(key, None)


def _keep(source: Source, run: Harvest, page: Page) -> None:
    with transaction.atomic():
        # Two harvests of one source at a time take turns here, and find what the other one stored.
        Source.objects.select_for_update().get(pk=source.pk)
        counts = take_page(source, page.offered)
        source.place = dict(page.place)
        source.save(update_fields=["place"])
        run.pages += 1
        for name in ("read", "new", "changed", "unchanged", "deleted", "refused"):
            setattr(run, name, getattr(run, name) + getattr(counts, name))
        run.problems = [*run.problems, *page.problems][:_PROBLEMS]
        run.whole = page.last
        run.save()
