"""A link in memory: the interface of `sync.transport.Transport` with everything that goes wrong.

Each request draws its fate from the history's chance. Bytes are counted as HTTP carries them, by the engine's own
`Traffic` (which bounds them) and, apart from that, by `wire_up` and `wire_down`, so that the two can be compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random

from sync.cancel import Cancel
from sync.errors import CaptivePortal, CutOff, TimedOut, Unreachable
from sync.traffic import Traffic
from sync.transport import Request
from tests.simulation.carried_bytes import CarriedBytes
from tests.simulation.virtual_time import VirtualClock
from tests.sync.hub_simulator import Answer, HubSimulator, Seen

PIECE = 16 * 1024
FATES = (
    "unreachable", "cut-request", "lost-answer", "cut-answer", "cut-answer", "cut-answer", "silence",
    "flip", "flip-request", "truncate", "twice", "late-copy", "stale", "replay", "replay", "portal", "redirect",
    "away", "other-range", "no-ranges", "garbage", "longer",
)  # fmt: skip
"""What can happen to a request; a cut is what happens most."""


class Died(BaseException):
    """The process ends here."""


@dataclass
class Weather:
    """How a link behaves: how often something happens, how many bytes pass before it drops, how fast it is."""

    chance: float = 0.0
    drops_after: int | None = None
    rate: float = 20_000.0
    dies_at: int = -1
    """The process dies at the n-th piece that arrives or request that leaves."""
    cancels_at: int = -1


class VirtualReply:
    """Implements `sync.transport.Reply`."""

    def __init__(self, link: VirtualLink, answer: Answer, cut: int | None) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = {"Content-Length": str(len(answer.body)), **answer.headers}
        self._link, self._answer, self._cut = link, answer, cut

    def pieces(self) -> Iterator[bytes]:
        body = self._answer.body if self._cut is None else self._answer.body[: self._cut]
        at = 0
        while at < len(body):
            here = self._link.carry_down(min(len(body) - at, self._link.random.choice((7, 200, 1400, PIECE))))
            yield body[at : at + here]
            at += here
        if self._cut is not None and self._cut < len(self._answer.body):
            raise CutOff("The simulated link went away.")


class VirtualLink:
    """Implements `sync.transport.Transport` for one sync of one shelf."""

    def __init__(
        self,
        hub: HubSimulator,
        random: Random,
        clock: VirtualClock,
        weather: Weather,
        faults: Counter[str],
        memory: LinkMemory,
        cancel: Cancel | None = None,
    ) -> None:
        self.traffic = Traffic()
        self.hub, self.random, self.clock, self.weather = hub, random, clock, weather
        self.faults, self.memory, self._cancel = faults, memory, cancel
        self.wire_up = self.wire_down = 0
        self.pieces_passed = 0
        self.carried: CarriedBytes | None = None
        self._interrupted = False

    def interrupt(self) -> None:
        self._interrupted = True

    def close(self) -> None:
        pass

    @contextmanager
    def open(self, request: Request) -> Iterator[VirtualReply]:
        self.traffic.require(request.size)
        self._step()
        fate = self.random.choice(FATES) if self.random.random() < self.weather.chance else ""
        self.faults[fate or "none"] += 1
        self.clock.advance(0.6)
        if fate == "unreachable":
            raise Unreachable("There is no simulated connection.")
        self.traffic.requests += 1
        body = request.body or b""
        sent = _request_head(request) + len(body)
        if fate == "cut-request":
            self._carry_up(self.random.randrange(sent))
            raise CutOff("The simulated link went away while asking.")
        self._carry_up(sent)
        if fate == "silence":
            self.clock.advance(15)
            raise TimedOut("The simulated hub did not answer.")
        if fate == "redirect":
            raise CaptivePortal("The simulated network sent us elsewhere.")
        if fate == "flip-request" and body:
            body = _flipped(body, self.random)
        answer = self._ask(request, body, fate)
        if fate == "lost-answer":
            raise CutOff("The simulated answer was lost.")
        whole = len(answer.head) + len(answer.body)
        cut = self.random.randrange(whole) if fate == "cut-answer" else None
        if self.weather.drops_after is not None and self.weather.drops_after < whole:
            cut = self.weather.drops_after
        if cut is not None and cut < len(answer.head):
            self.carry_down(cut)
            raise CutOff("The simulated link went away before the answer.")
        left = len(answer.head)
        while left:
            left -= self.carry_down(left)
        yield VirtualReply(self, answer, None if cut is None else cut - len(answer.head))

    def _ask(self, request: Request, body: bytes, fate: str) -> Answer:
        seen = Seen(request.method, request.path, request.headers.get("Range", ""), len(body))
        if fate == "replay" and self.memory.kinds[seen.kind]:
            # A stranger answers with what it once heard; the hub never learns that it was asked.
            return self.random.choice(self.memory.kinds[seen.kind])
        if self.carried is not None:
            self.carried.asks(seen)
        answer = self.hub.answer(seen, request.headers, body)
        if self.carried is not None and seen.kind == "sync" and answer.status == 200:
            self.carried.says(self.hub.requests[-1])
        memory = self.memory
        if fate == "twice":
            answer = self.hub.answer(seen, request.headers, body)
        elif fate == "late-copy" and memory.posts:
            # An old request that had been on its way all the time arrives now; nobody hears the answer.
            old, old_body = self.random.choice(memory.posts)
            self.hub.answer(old, {}, old_body)
        elif fate == "stale" and seen.method == "GET" and memory.answers[request.path]:
            answer = self.random.choice(memory.answers[request.path])
        elif fate == "portal":
            answer = Answer(200, b"<html>Sign in</html>" * 9, {"Content-Type": "text/html"})
        elif fate == "garbage":
            answer = replace(answer, body=self.random.randbytes(self.random.randrange(300)))
        elif fate == "away":
            answer = Answer(self.random.choice((500, 502, 503, 504, 429, 404)), b"", {})
        elif fate == "flip" and answer.body:
            answer = replace(answer, body=_flipped(answer.body, self.random))
        elif fate == "truncate" and answer.body:
            answer = replace(answer, body=answer.body[: self.random.randrange(len(answer.body))])
        elif fate == "longer":
            answer = replace(answer, body=answer.body + self.random.randbytes(self.random.randrange(1, 90)))
        elif fate == "other-range" and answer.status == 206:
            answer = replace(answer, headers={"Content-Range": "bytes 5-9/77"})
        elif fate == "no-ranges" and answer.status == 206:
            answer = self.hub.answer(replace(seen, range=""), request.headers, body)
        if seen.method == "POST":
            memory.posts.append((seen, body))
        if not fate:
            memory.answers[request.path].append(answer)
        if not fate and answer.status in (200, 206):
            # A refusal is not authenticated: who could replay one could make one up. TLS keeps them out.
            memory.kinds[seen.kind].append(answer)
        return answer

    def _step(self) -> None:
        self.pieces_passed += 1
        if self.pieces_passed == self.weather.dies_at:
            self.faults["died on the link"] += 1
            raise Died
        if self.pieces_passed == self.weather.cancels_at and self._cancel is not None:
            self.faults["cancelled"] += 1
            self._cancel.cancel()
        if self._interrupted:
            raise CutOff("The simulated link was interrupted.")

    def _carry_up(self, count: int) -> None:
        self.traffic.send(count)
        self.wire_up += count
        self.clock.advance(count / self.weather.rate)

    def carry_down(self, count: int) -> int:
        """Let as many of `count` bytes arrive as are allowed; return how many."""
        return self.traffic.read(count, self._arrive) if count else self._arrive(0)

    def _arrive(self, count: int) -> int:
        self._step()
        self.wire_down += count
        self.clock.advance(count / self.weather.rate)
        return count


class LinkMemory:
    """What the network has seen of one shelf: for caches, replays and copies that come late."""

    def __init__(self) -> None:
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)
        self.kinds: defaultdict[str, list[Answer]] = defaultdict(list)
        self.posts: list[tuple[Seen, bytes]] = []


def _request_head(request: Request) -> int:
    headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    return len(request.method) + len(request.path) + len(" HTTP/1.1\r\n\r\n") + headers + 80


def _flipped(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]
