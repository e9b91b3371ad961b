from __future__ import annotations

import asyncio
import socket
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.load.faulty import Fault, FaultyServer, read_request, serving, write_reply
from tests.load.lab import running_lab
from tests.load.load import Load
from tests.load.outcome import LossKind, StreamEnd
from tests.load.plan import NO_LOAD, LoadPlan, RequestClass, Target

if TYPE_CHECKING:
    from pathlib import Path

SMALL = LoadPlan(
    fresh_per_s=40,
    keep_alive_per_s=20,
    keep_alive_clients=4,
    posts_per_s=4,
    post_bytes=200_000,
    sse_clients=1,
    websocket_clients=1,
    stream_s=0.3,
)


async def test_a_healthy_server_loses_nothing(tmp_path: Path) -> None:
    async with running_lab(tmp_path, version="7") as lab:
        async with Load(lab.target, SMALL) as load:
            await load.has_sent(80)
        report = load.report()
        assert report.lost == ()
        assert len(report.answered) == report.sent >= 80
        assert lab.log.not_exactly_once(report.ids) == {}
        assert set(report.versions) == {"7"}
        assert set(report.ended_by_class) == set(RequestClass)
        assert {stream.how for stream in report.streams} == {StreamEnd.COMPLETED}


async def test_keep_alive_clients_keep_their_connections() -> None:
    connections = 0
    server = FaultyServer(Fault.CLOSE, period=10_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await server.serve(reader, writer)

    plan = replace(NO_LOAD, keep_alive_per_s=60, keep_alive_clients=3)
    async with serving(serve) as target, Load(target, plan) as load:
        await load.has_sent(30)
        assert connections <= 10  # 3, unless the machine is so busy that replies overlap requests
    assert load.report().lost == ()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RESET, LossKind.RESET),
        (Fault.CLOSE, LossKind.RESET),
        (Fault.UNAVAILABLE, LossKind.STATUS),
        (Fault.SHORT_BODY, LossKind.SHORT_BODY),
        (Fault.SILENCE, LossKind.TIMEOUT),
        (Fault.OTHER_ID, LossKind.WRONG_REPLY),
        (Fault.NO_LAB, LossKind.WRONG_REPLY),
    ],
)
async def test_every_loss_is_counted_as_what_it_is(fault: Fault, kind: LossKind) -> None:
    server = FaultyServer(fault, period=7)
    plan = replace(SMALL, sse_clients=0, websocket_clients=0, timeout_s=3.0)
    async with serving(server.serve) as target:
        async with Load(target, plan) as load:
            await load.has_sent(40)
        report = load.report()
    assert Counter(loss.kind for loss in report.lost) == {kind: server.broken}
    assert server.broken == server.requests // 7 > 0
    assert len(report.answered) + server.broken == report.sent == server.requests


async def test_a_changed_body_is_a_wrong_digest() -> None:
    server = FaultyServer(Fault.OTHER_BODY, period=3)
    plan = replace(NO_LOAD, posts_per_s=50, post_bytes=1000)
    async with serving(server.serve) as target, Load(target, plan) as load:
        await load.has_sent(9)
    lost = load.report().lost
    assert {loss.kind for loss in lost} == {LossKind.WRONG_DIGEST}
    assert len(lost) == server.broken


async def test_nobody_listening_is_a_connect_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target("127.0.0.1", unused.getsockname()[1], "nobody.test")
        async with Load(target, replace(NO_LOAD, fresh_per_s=50, sse_clients=1)) as load:
            await load.has_sent(5)
    report = load.report()
    assert {loss.kind for loss in report.lost} == {LossKind.CONNECT_ERROR}
    assert report.ended_by_class[RequestClass.FRESH] == report.sent
    assert report.ended_by_class[RequestClass.SSE] >= 1
    assert report.streams == ()


async def test_late_replies_delay_no_request() -> None:
    release, waiting = asyncio.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        number, body = await read_request(reader)
        waiting += 1
        if waiting == 50:
            release.set()
        await release.wait()
        write_reply(writer, number, body)

    plan = replace(SMALL, sse_clients=0, websocket_clients=0)
    async with serving(serve) as target, Load(target, plan) as load:
        await load.has_sent(50)
        assert load.report().answered == ()
    report = load.report()
    assert report.lost == ()
    assert len(report.answered) == report.sent


async def test_requests_start_when_they_are_due() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, body = await read_request(reader)
        write_reply(writer, number, body)

    plan = replace(NO_LOAD, fresh_per_s=100)
    async with serving(serve) as target, Load(target, plan) as load:
        await load.has_sent(51)
    report = load.report()
    starts = [answered.start.monotonic for answered in report.answered]
    lasted_s = max(starts) - min(starts)
    planned_s = (report.sent - 1) / 100
    assert lasted_s == pytest.approx(planned_s, abs=report.latest_start_s + 0.01)


async def test_streams_that_the_server_ends_are_not_cut(tmp_path: Path) -> None:
    plan = replace(NO_LOAD, sse_clients=2, websocket_clients=2, stream_s=60)
    async with running_lab(tmp_path) as lab, Load(lab.target, plan) as load:
        await load.has_opened(4)
        assert await lab.stop() == 0
    streams = load.report().streams
    assert Counter(stream.how for stream in streams) == {StreamEnd.CLOSED: 4}


async def test_streams_that_break_off_are_cut(tmp_path: Path) -> None:
    plan = replace(NO_LOAD, sse_clients=2, websocket_clients=2, stream_s=60)
    async with running_lab(tmp_path, term_mode="instant") as lab, Load(lab.target, plan) as load:
        await load.has_opened(4)
        assert await lab.stop() == 0
    report = load.report()
    assert report.streams_cut == 4
    # A dying process may close its listener last: then opening again meets a reset.
    reopening = {LossKind.CONNECT_ERROR, LossKind.RESET}
    assert {loss.kind for loss in report.lost} <= reopening


async def test_an_error_in_the_block_ends_the_load_and_goes_on() -> None:
    is_asked = asyncio.Event()

    async def serve(*_: object) -> None:
        is_asked.set()
        await asyncio.Event().wait()

    async def fail_under_load(target: Target) -> None:
        async with Load(target, replace(NO_LOAD, fresh_per_s=0.1)):
            await is_asked.wait()
            raise ValueError("the test failed")

    async with serving(serve) as target, asyncio.timeout(NO_LOAD.timeout_s / 2):
        with pytest.raises(ValueError, match="the test failed"):
            await fail_under_load(target)
