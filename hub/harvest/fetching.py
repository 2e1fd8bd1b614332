"""Fetching from a source: bounded in bytes and time, whatever answers.

A source is an address that a facilitator wrote down; what it sends, and where it leads, is not trusted. A redirect
from a public address into the hub's own network is not followed.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import requests

from hub.harvest.errors import NotASource, SourceTooLarge, SourceUnreachable

BODY_MOST = 32 * 1024 * 1024
WHOLE_S = 120.0
_CONNECT_S, _READ_S = 15.0, 60.0
_REDIRECTS = 5
_WAIT_MOST_S = 60.0
_BUSY = (429, 503)
_AGENT = "Hubshelf harvester"


@dataclass(frozen=True)
class Answer:
    """What came: its status, headers by lower-case name, the body, and the address that it came from at last."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Fetch(Protocol):
    def __call__(self, url: str, headers: Mapping[str, str] | None = None) -> Answer: ...


def fetch(url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """GET an address. A server that says when to come back (503, 429 with Retry-After up to a minute) is asked
    once more. Raises SourceUnreachable, SourceTooLarge, NotASource (no http address, or led into a private
    network).
    """
    answer = _followed(url, headers or {})
    if answer.status in _BUSY:
        wait = _seconds(answer.headers.get("retry-after", ""))
        if wait is not None:
            time.sleep(wait)
            answer = _followed(url, headers or {})
    return answer


def _followed(url: str, headers: Mapping[str, str]) -> Answer:
    began, inside = time.monotonic(), _is_inside(url)
    for _turn in range(_REDIRECTS + 1):
        answer = _once(url, headers, began)
        target = answer.headers.get("location", "")
        if answer.status not in (301, 302, 303, 307, 308) or not target:
            return answer
        url = urljoin(url, target)
        if not inside and _is_inside(url):
            raise NotASource("The source leads into a private network, where it has no business.")
    raise NotASource("The source leads from one address to the next without end.")


def _once(url: str, headers: Mapping[str, str], began: float) -> Answer:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise NotASource(f"“{url[:200]}” is no address that begins with http:// or https://.")
    try:
        with requests.get(
            url,
            headers={"User-Agent": _AGENT, **headers},
            timeout=(_CONNECT_S, _READ_S),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for piece in response.iter_content(64 * 1024):
                body += piece
                if len(body) > BODY_MOST:
                    raise SourceTooLarge(f"An answer is larger than {BODY_MOST // 1024 // 1024} MB.")
                if time.monotonic() - began > WHOLE_S:
                    raise SourceUnreachable(f"The source took longer than {WHOLE_S:.0f} seconds.")
            announced = response.headers.get("Content-Length", "")
            plain = "Content-Encoding" not in response.headers
            if plain and announced.isdigit() and int(announced) != len(body):
                raise SourceUnreachable("The answer ended before it was complete.")
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, found, bytes(body), url)
    except requests.RequestException as error:
        raise SourceUnreachable(f"The source did not answer ({type(error).__name__}).") from error


def _is_inside(url: str) -> bool:
    """Whether an address is one of a network of the hub's own; a name that nobody knows is not."""
    try:
        host = urlsplit(url).hostname or ""
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_global for one in found)


def _seconds(said: str) -> float | None:
    return float(said) if said.isascii() and said.isdigit() and float(said) <= _WAIT_MOST_S else None
