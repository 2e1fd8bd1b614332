"""What can go wrong with a source, in words for the person who looks after it."""

from __future__ import annotations

from hub.errors import HubError


class HarvestProblem(HubError):
    code = "harvest-problem"
    advice = "What came before is in the inbox, and the next harvest goes on from there."


class SourceUnreachable(HarvestProblem):
    code = "source-unreachable"


class SourceTooLarge(HarvestProblem):
    code = "source-too-large"
    advice = "Ask whoever runs it for smaller pages, or harvest a set of it."


class NotASource(HarvestProblem):
    code = "not-a-source"
    advice = "Check the address and the kind of the source."
