"""One Envoy takes the place of another, as for an agent that would start it differently."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.gateway import command as command_module
from core.gateway import envoy as envoy_module
from core.gateway import gateway as gateway_module
from core.gateway import processes
from core.gateway.gateway import Gateway
from tests.e2e.gateways import HOST, RunningGateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LIMIT_S = 60


@pytest.fixture
async def running(home: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(home) as found:
        yield found


@pytest.fixture
async def following(running: RunningGateway) -> AsyncIterator[Gateway]:
    """That of the next agent, which would start Envoy with another number of threads."""
    before = running.gateway
    found = Gateway(before.envoy.folder, running.home.sockets / "envoy.sock", before.ports, 2)
    yield found
    await found.envoy.stop()
    await found.close()


class Kept:
    """A client that keeps its connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connected(cls, port: int) -> Kept:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self) -> str:
        """The head of the reply."""
        self._writer.write(f"GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode())
        async with asyncio.timeout(LIMIT_S):
            return (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()

    def close(self) -> None:
        self._writer.close()


def leaving(gateway: Gateway) -> processes.Process:
    found = processes.read(gateway.envoy.folder / "envoy.json").leaving
    assert found is not None
    return found


@pytest.mark.timeout(120)
async def test_who_has_handed_over_serves_what_is_live_until_it_ends(
    running: RunningGateway, following: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "_PATIENCE_S", 4)
    kept = [await Kept.connected(running.gateway.ports.public) for _ in range(2)]
    for each in kept:
        assert "connection: close" not in await each.ask()
    before = running.gateway.envoy.pid
    async with running.asked_all_the_time() as statuses:
        await following.start(running.table("old"))
        assert following.envoy.pid != before
        assert following.envoy.is_current
        assert leaving(following).pid == before
        assert following.lag_s > 0
        # What it serves is what is live, also for who has not heard of the other one.
        await following.apply(running.table("new", "old"))
        answer = await kept[0].ask()
        assert '"to": "new"' in answer
        assert "connection: close" in answer
        gone = leaving(following)
        async with asyncio.timeout(LIMIT_S):
            await gone.wait_exit()
        assert following.lag_s == 0
        assert (await running.ask()).status == 200
    assert set(statuses) == {200}
    for each in kept:
        each.close()


@pytest.mark.timeout(120)
async def test_one_at_a_time_is_on_its_way_out(running: RunningGateway, following: Gateway) -> None:
    await following.start(running.table("old"))
    pid = following.envoy.pid
    third = Gateway(following.envoy.folder, running.home.sockets / "envoy.sock", following.ports, 3)
    await third.start(running.table("new"))
    assert third.envoy.pid == pid
    kept = await Kept.connected(third.ports.public)
    assert '"to": "new"' in await kept.ask()
    kept.close()
    await third.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("flag", ["--no-such-flag", "--config-yaml={"])
async def test_what_serves_goes_on_when_the_next_one_does_not_start(
    running: RunningGateway, following: Gateway, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    before = running.gateway.envoy.pid
    real = command_module.command

    def broken(*arguments: object) -> command_module.Command:
        found = real(*arguments)  # type: ignore[arg-type]
        return command_module.Command((*found.arguments, flag), True, "another")

    monkeypatch.setattr(envoy_module, "command", broken)
    async with running.asked_all_the_time() as statuses:
        await following.start(running.table("new", "old"))
        assert following.envoy.pid == before
        assert (await running.ask()).status == 200
    assert set(statuses) == {200}


class AgentKilled(Exception):
    """As if it was, at this moment: nothing after it is done."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("flag", [None, "--no-such-flag"])
async def test_an_agent_that_ends_in_the_middle_leaves_both_to_the_next_one(
    running: RunningGateway, following: Gateway, monkeypatch: pytest.MonkeyPatch, flag: str | None
) -> None:
    before = running.gateway.envoy.pid
    real = command_module.command

    def perhaps_broken(*arguments: object) -> command_module.Command:
        found = real(*arguments)  # type: ignore[arg-type]
        return replace(found, arguments=(*found.arguments, flag)) if flag else found

    async def killed(*_: object) -> bool:
        raise AgentKilled

    with monkeypatch.context() as patched:
        patched.setattr(envoy_module, "command", perhaps_broken)
        patched.setattr(envoy_module.Envoy, "_is_up", killed)
        with pytest.raises(AgentKilled):
            await following.start(running.table("old"))
    begun = following.envoy.pid
    assert begun != before
    third = Gateway(following.envoy.folder, running.home.sockets / "envoy.sock", following.ports, 2)
    async with running.asked_all_the_time() as statuses:
        await third.start(running.table("new", "old"))
        assert third.envoy.is_current
        assert (third.envoy.pid == begun) is (flag is None)
        assert leaving(third).pid == before
        assert (await running.ask()).status == 200
    assert set(statuses) == {200}
    await third.envoy.stop()
    await third.close()


@pytest.mark.timeout(120)
async def test_one_that_cannot_hand_over_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as machine:
        machine.setattr(command_module, "_SHARED_MEMORY", home / "none")
        async with running_gateway(home) as running:
            before = running.gateway.envoy.pid
            machine.undo()
            ports, socket = running.gateway.ports, running.home.sockets / "envoy.sock"
            following = Gateway(running.gateway.envoy.folder, socket, ports)
            assert not following.envoy.is_current
            await following.start(running.table("new"))
            assert following.envoy.pid == before
            kept = await Kept.connected(ports.public)
            assert '"to": "new"' in await kept.ask()
            kept.close()
            await following.close()
