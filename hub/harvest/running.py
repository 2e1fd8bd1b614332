"""One harvest of a source: each page and the place behind it in one transaction, so that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from hub.harvest.errors import HarvestProblem, NotASource
from hub.harvest.feeds import FeedReader
from hub.harvest.inbox import take_page
from hub.harvest.oai import OaiReader
from hub.harvest.pages import Page, Reader
from hub.models import Harvest, Source

KINDS = ("oai", "feed")
_PROBLEMS = 50
Told = Callable[[Harvest], None]


def reader_of(source: Source) -> Reader:
    """The reader for a source. Raises NotASource for a kind that is not harvested."""
    options = source.settings if isinstance(source.settings, dict) else {}
    if source.kind == "oai":
        return OaiReader(source.url, str(options.get("prefix") or "oai_dc"), str(options.get("set") or ""))
    if source.kind == "feed":
        return FeedReader(source.url)
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


def _keep(source: Source, run: Harvest, page: Page) -> None:
    with transaction.atomic():
        counts = take_page(source, page.offered)
        source.place = dict(page.place)
        source.save(update_fields=["place"])
        run.pages += 1
        for name in ("read", "new", "changed", "unchanged", "deleted", "refused"):
            setattr(run, name, getattr(run, name) + getattr(counts, name))
        run.problems = [*run.problems, *page.problems][:_PROBLEMS]
        run.whole = page.last
        run.save()
