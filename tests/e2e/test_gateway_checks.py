"""What the gateway's health checks find, and what becomes of requests meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.gateway import findings as findings_module
from core.gateway.table import Cause, Check, Failure, Upstream
from core.ports import free_port
from tests.e2e.echo import echo
from tests.e2e.gateways import RunningGateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SOON = Check("/up", 0.2)
CONNECT = Check(None, 0.2)


@pytest.fixture
async def running(home: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(home) as found, following(found):
        yield found


@asynccontextmanager
async def following(running: RunningGateway) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        follow = tasks.create_task(running.gateway.findings.follow())
        yield
        follow.cancel()


@asynccontextmanager
async def server(status: list[str]) -> AsyncIterator[tuple[str, int]]:
    """Answers with the status that the list holds; with none it does not answer."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if status:
                    head = f"HTTP/1.1 {status[0]}\r\ncontent-length: 0\r\n\r\n"
                    writer.write(head.encode())
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        yield host, port
        listening.close()


async def apply(running: RunningGateway, upstream: Upstream) -> None:
    running.upstreams[upstream.name] = upstream
    await running.gateway.apply(running.table(upstream.name))


async def until(running: RunningGateway, upstream: Upstream, wanted: Failure | None) -> None:
    """Waits until this is what is known of the first instance."""
    findings, (address, *_) = running.gateway.findings, upstream.addresses
    async with asyncio.timeout(60):
        while (found := findings.of(upstream.name, address)) != wanted:
            await findings.next(upstream.name, address, found)


async def test_each_failure_is_told_and_its_end_too(running: RunningGateway) -> None:
    status = ["200 OK"]
    async with server(status) as address:
        upstream = Upstream("dep_a.1", (address,), SOON)
        await apply(running, upstream)
        for said, failure in (
            (["500 Broken"], Failure(Cause.STATUS, 500)),
            (["302 Found"], Failure(Cause.STATUS, 302)),
            ([], Failure(Cause.TIMEOUT)),
        ):
            status[:] = said
            await until(running, upstream, failure)
            status[:] = ["202 Accepted"]
            await until(running, upstream, None)
            assert (await running.ask()).status == 202


@pytest.mark.parametrize("check", [SOON, CONNECT])
async def test_what_fails_its_first_check_is_told(running: RunningGateway, check: Check) -> None:
    upstream = Upstream("dep_a.1", (("127.0.0.1", free_port(set())),), check)
    await apply(running, upstream)
    await until(running, upstream, Failure(Cause.CONNECTION))
    # It would be the only one: any reply is better than none.
    assert b"no healthy upstream" not in (await running.ask()).body


async def test_a_check_by_connecting_asks_for_nothing(running: RunningGateway) -> None:
    async with server([]) as silent, server(["500 Broken"]) as broken:
        for number, address in enumerate((silent, broken), 1):
            upstream = Upstream(f"dep_a.{number}", (address,), CONNECT)
            await apply(running, upstream)
            await until(running, upstream, None)


async def test_only_those_that_pass_get_requests(running: RunningGateway) -> None:
    """Also streams, and none is lost while one of them goes and comes."""
    status = ["200 OK"]
    async with echo("a") as first, server(status) as second:
        upstream = Upstream("dep_a.1", (second, first), SOON)
        await apply(running, upstream)
        async with running.asked_all_the_time() as statuses:
            for _ in range(2):
                status[:] = ["500 Broken"]
                await until(running, upstream, Failure(Cause.STATUS, 500))
                seen = len(statuses)
                while len(statuses) < seen + 50:
                    await asyncio.sleep(0)
                # What was asked before, and answered only now, may still be from the broken one.
                assert set(statuses[seen + 10 :]) == {200}
                status[:] = ["200 OK"]
                await until(running, upstream, None)


async def test_a_check_that_hangs_holds_up_nobody(running: RunningGateway) -> None:
    async with server([]) as address:
        slow = Upstream("dep_slow.1", (address,), Check("/up", 5.0))
        running.upstreams["slow"] = slow
        table = running.table("old", "slow")
        await running.gateway.apply(table)
        await running.gateway.envoy.stop()
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            starting = tasks.create_task(running.gateway.start(table))
            while await running.gateway.envoy.admin.live_epoch() is None:
                await asyncio.sleep(0.005)
            # It serves the others before the check has ended.
            assert (await running.ask()).status == 200
            assert not starting.done()


async def test_checks_that_begin_under_load_lose_nothing(running: RunningGateway) -> None:
    async with running.asked_all_the_time() as statuses:
        for check in (SOON, None, CONNECT, None) * 5:
            running.upstreams["old"] = replace(running.upstreams["old"], check=check)
            await running.gateway.apply(running.table("old"))
    assert set(statuses) == {200}


async def test_another_agent_and_another_gateway_know_the_same(running: RunningGateway) -> None:
    dead = Upstream("dep_a.1", (("127.0.0.1", free_port(set())),), SOON)
    running.upstreams["dead"] = dead
    table = running.table("old", "dead")
    await running.gateway.apply(table)
    await until(running, dead, Failure(Cause.CONNECTION))
    findings = running.gateway.findings
    later = findings_module.Findings(findings.log, running.gateway.envoy.admin)
    async with asyncio.TaskGroup() as tasks:
        follow = tasks.create_task(later.follow())
        async with asyncio.timeout(60):
            # The admin interface does not say why.
            assert await later.next(dead.name, dead.addresses[0], None) is not None
        follow.cancel()
    os.kill(running.gateway.envoy.pid or 0, signal.SIGKILL)
    await running.gateway.envoy.wait_exit()
    async with echo("back") as address:
        dead = replace(dead, addresses=(address, *dead.addresses))
        running.upstreams["dead"] = dead
        await running.gateway.start(running.table("old", "dead"))
        await until(running, dead, None)


async def test_the_file_stays_small(
    running: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_module, "_LIMIT_BYTES", 1000)
    status = ["200 OK"]
    async with server(status) as address:
        upstream = Upstream("dep_a.1", (address,), Check("/up", 0.1))
        await apply(running, upstream)
        for _ in range(5):
            status[:] = ["503 Busy"]
            await until(running, upstream, Failure(Cause.STATUS, 503))
            status[:] = ["200 OK"]
            await until(running, upstream, None)
        assert running.gateway.findings.log.stat().st_size < 2000
