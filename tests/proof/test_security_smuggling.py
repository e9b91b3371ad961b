"""The gateway and an instance never disagree about where a request ends.

Requests that two servers may read differently are sent to a real gateway, each with a second one
hidden in it: lengths and encodings that contradict each other or are spelled oddly, chunks with
strange ends, bare line feeds, folded lines, upgrades that nobody agreed to, and fields that HTTP/2
can carry and HTTP/1 cannot. The instance behind reads what it gets as strictly as the RFC. The
gateway marks each request that it passes on: one that arrives without the mark was smuggled, and
nothing may arrive that the RFC does not allow. The other way round an instance that answers more
than it was asked must not have its words taken for the reply to somebody else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.proof.security import http2, smuggling
from tests.proof.security.stronghold import OPEN, request, stronghold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.proof.security.stronghold import Stronghold

pytestmark = pytest.mark.timeout(540)

_OTHERS = ("internal", "published")


@pytest.fixture
async def held(home: Path) -> AsyncIterator[Stronghold]:
    async with stronghold(home) as found:
        yield found
        await found.still_serves()
        assert found.reached == []
        assert found.malformed == []
        assert found.instances["open"].unseen == []


async def test_what_is_hidden_in_a_body_stays_there(
    held: Stronghold, extent: Callable[[int, int], int], counts: FiguresRecorder
) -> None:
    attacks = smuggling.hidden_in_bodies()[:: extent(12, 1)]
    await held.throw(attacks, patience_s=4, until_closed=True)
    counts("security: requests hidden in bodies", len(attacks), "requests")
    _count_hidden(held, counts)


async def test_what_follows_is_read_as_any_other(held: Stronghold, counts: FiguresRecorder) -> None:
    attacks = smuggling.in_a_row()
    await held.throw(attacks, patience_s=4, until_closed=True)
    counts("security: requests with ends that are a matter of opinion", len(attacks), "requests")
    _count_hidden(held, counts)


async def test_an_upgrade_that_nobody_agreed_to_is_none(
    held: Stronghold, counts: FiguresRecorder
) -> None:
    attacks = smuggling.after_upgrades()
    await held.throw(attacks, patience_s=4, until_closed=True)
    counts("security: requests hidden behind upgrades", len(attacks), "requests")
    _count_hidden(held, counts)


async def test_http_2_carries_nothing_that_http_1_cannot(
    held: Stronghold, counts: FiguresRecorder
) -> None:
    await http2.ask(held.port, http2.fields("/plain", OPEN))
    assert held.instances["open"].targets == ["/plain"]
    attacks = http2.attacks(smuggling.HIDDEN)
    async with asyncio.TaskGroup() as tasks:
        for attack in attacks:
            tasks.create_task(http2.ask(held.port, attack))
    counts("security: HTTP/2 requests that HTTP/1 cannot carry", len(attacks), "requests")
    _count_hidden(held, counts)


def _count_hidden(held: Stronghold, counts: FiguresRecorder) -> None:
    found = len(held.instances["open"].unseen) + len(held.malformed) + len(held.reached)
    counts("security: hidden requests that arrived", found, "requests", 0)


async def test_a_reply_that_nobody_asked_for_is_nobody_s(held: Stronghold) -> None:
    instance = held.instances["open"]
    instance.reply += b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
    for _ in range(20):
        replies = await held.throw([request("/a"), request("/b")])
        assert not any(b"poison" in each for each in replies)
    assert len(instance.requests) >= 20


async def test_a_reply_with_two_lengths_is_not_passed_on(held: Stronghold) -> None:
    for head in (
        "content-length: 2\r\ncontent-length: 9",
        "content-length: 2\r\ntransfer-encoding: chunked",
        "content-length: -2",
        "transfer-encoding: chunked, identity",
        "x : y\r\ncontent-length: 2",
    ):
        held.instances["open"].reply = f"HTTP/1.1 200 OK\r\n{head}\r\n\r\nok".encode()
        (reply,) = await held.throw([request("/x")])
        lengths = reply.lower().count(b"content-length:") + reply.lower().count(b"\r\nx :")
        assert lengths + reply.lower().count(b"transfer-encoding:") <= 1, (head, reply)
    held.instances["open"].reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "listener", ["public", *(pytest.param(each, marks=pytest.mark.whole) for each in _OTHERS)]
)
async def test_nobody_tells_the_gateway_how_to_pass_a_request_on(
    held: Stronghold, listener: str
) -> None:
    """A POST is never sent twice, and never cut, because its caller has said so."""
    ports = {
        "public": held.port,
        "internal": held.gateway.ports.internal,
        "published": held.doors["inside"],
    }
    instance = held.instances["inner" if listener == "published" else "open"]
    instance.reply = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
    orders = (
        "X-Envoy-Retry-On: 5xx,gateway-error,retriable-4xx,retriable-status-codes",
        "X-Envoy-Retriable-Status-Codes: 503",
        "X-Envoy-Max-Retries: 5",
        "X-Envoy-Retry-Grpc-On: unavailable",
        "X-Envoy-Hedge-On-Per-Try-Timeout: true",
        "X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms: 1",
        "Content-Length: 0",
    )
    await held.throw([request("/once", *orders, method="POST")], ports[listener])
    assert instance.targets == ["/once"]
    instance.reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    instance.requests.clear()
    instance.pause_s = 0.5
    limit = ("X-Envoy-Upstream-Rq-Timeout-Ms: 1", "X-Envoy-Expected-Rq-Timeout-Ms: 1")
    (reply,) = await held.throw([request("/slow", *limit)], ports[listener])
    assert reply.startswith(b"HTTP/1.1 200 "), reply
    held.instances["inner"].requests.clear()
