"""The event stream of a real engine, and what becomes of it when it is cut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from core.ending import single_error
from core.engines.docker.connection import Docker
from core.engines.docker.events import Events
from tests.engine.cut import cut
from tests.engines.docker.lab import LIMIT_S, NAME, lab, labs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]


class Listener:
    """Keeps what it is told."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.heard: list[Any] = []
        self.resyncs = 0
        self.was_connected = False
        self._news = asyncio.Event()
        events.subscribe(self._listen, self._resync)

    def _listen(self, event: Any) -> None:
        self.heard.append(event)
        self._news.set()

    async def _resync(self) -> None:
        self.resyncs += 1
        self.was_connected = self.events.is_connected
        self.heard.append("resync")

    async def until_heard(self, action: str, id_: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not any(
                event["Action"] == action and event["Actor"]["ID"] == id_
                for event in self.heard
                if event != "resync"
            ):
                self._news.clear()
                await self._news.wait()


async def test_everything_known_is_compared_before_events_are_told(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        events = Events(it.docker)
        listeners = [Listener(events), Listener(events)]
        following = asyncio.ensure_future(events.run())
        await events.wait_tried()
        assert events.is_connected
        instance = await it.start()
        for listener in listeners:
            await listener.until_heard("start", instance.id)
            assert (listener.resyncs, listener.was_connected) == (1, False)
            assert listener.heard[0] == "resync"
        following.cancel()


async def test_what_happens_while_it_is_compared_is_told_after_it(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        events = Events(it.docker)
        image = await it.image()
        started: list[str] = []

        async def start() -> None:
            started.append((await it.start(image=image)).id)

        events.subscribe(lambda _: None, start)
        listener = Listener(events)
        following = asyncio.ensure_future(events.run())
        await events.wait_tried()
        await listener.until_heard("start", started[0])
        following.cancel()


async def test_a_cut_stream_is_taken_up_again_and_said_to_be_back(
    docker_socket: str, home: Path
) -> None:
    async with cut(docker_socket) as proxy, labs(docker_socket, home) as make:
        it = await make(proxy.socket)
        image = await it.image()
        for times in range(1, 4):
            back = asyncio.ensure_future(it.events.wait_back())
            proxy.refuse(True)
            proxy.cut_all()
            async with asyncio.timeout(LIMIT_S):
                while it.events.is_connected:
                    await asyncio.sleep(0.01)
            proxy.refuse(False)
            async with asyncio.timeout(60):
                await back
            assert it.events.is_connected
            instance = await it.start("print('x')", name=f"dep_c.{times}", image=image)
            await instance.wait_exit()


async def test_one_that_was_silent_from_the_beginning_is_said_to_be_back(
    docker_socket: str,
) -> None:
    async with cut(docker_socket) as proxy:
        proxy.stall(True)
        engine = Docker(proxy.socket)
        events = Events(engine)
        following = asyncio.ensure_future(events.run())
        engine.doubt()  # as whoever asks and is not answered, such as an agent that begins
        assert not events.is_connected
        proxy.stall(False)
        async with asyncio.timeout(LIMIT_S):
            await events.wait_back()
        following.cancel()
        await asyncio.wait([following])
        await engine.close()


async def test_a_death_during_a_gap_is_told_after_it(docker_socket: str, home: Path) -> None:
    async with cut(docker_socket) as proxy, labs(docker_socket, home) as make:
        it = await make(proxy.socket)
        instance = await it.start("print('up'); import signal; signal.pause()")
        await it.until_printed("up")
        proxy.refuse(True)
        proxy.cut_all()
        async with asyncio.timeout(LIMIT_S):
            while it.events.is_connected:
                await asyncio.sleep(0.01)
        directly = Docker(docker_socket)
        await directly.order("POST", f"/containers/{instance.id}/kill")
        await directly.close()
        assert instance.exit is None
        proxy.refuse(False)
        async with asyncio.timeout(60):
            assert str(await instance.wait_exit()) == "ended by signal 9 (SIGKILL)"


async def test_what_was_live_and_died_during_a_gap_is_live_again(
    docker_socket: str, home: Path
) -> None:
    async with cut(docker_socket) as proxy, labs(docker_socket, home) as make:
        it = await make(proxy.socket)
        instance = await it.start("print('up'); import signal; signal.pause()")
        await instance.keep()
        await it.until_printed("up")
        proxy.refuse(True)
        proxy.cut_all()
        async with asyncio.timeout(LIMIT_S):
            while it.events.is_connected:
                await asyncio.sleep(0.01)
        directly = Docker(docker_socket)
        await directly.order("POST", f"/containers/{instance.id}/stop", t=0)
        await directly.close()
        back = asyncio.ensure_future(it.events.wait_back())
        proxy.refuse(False)
        async with asyncio.timeout(60):
            await back
        assert instance.exit is None
        assert (await it.inspected(instance))["State"]["Running"]
        async with asyncio.timeout(LIMIT_S):
            while it.texts() != ["up", "up"]:
                await asyncio.sleep(0.01)


async def test_what_was_before_the_comparison_is_not_told_after_it(
    docker_socket: str, home: Path
) -> None:
    async with cut(docker_socket) as proxy, labs(docker_socket, home) as make:
        it = await make(proxy.socket)
        listener = Listener(it.events)
        image = await it.image()
        instance = await it.start("import signal; signal.pause()", image=image)
        await listener.until_heard("start", instance.id)
        proxy.stall(True)
        proxy.cut_all()
        async with asyncio.timeout(LIMIT_S):
            while it.events.is_connected or not proxy.connections:
                await asyncio.sleep(0.01)
        directly = Docker(docker_socket)
        await directly.order("POST", f"/containers/{instance.id}/restart", t=0)
        await directly.close()
        listener.heard.clear()
        proxy.stall(False)
        other = await it.start("print('x')", name="dep_c.2", image=image)
        await listener.until_heard("start", other.id)
        heard = [each for each in listener.heard if each != "resync"]
        assert instance.id not in {each["Actor"]["ID"] for each in heard}


async def test_an_engine_that_is_not_there_is_awaited(docker_socket: str, home: Path) -> None:
    async with cut(docker_socket) as proxy:
        proxy.refuse(True)
        docker = Docker(proxy.socket)
        events = Events(docker)
        listener = Listener(events)
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(events.run())
                async with asyncio.timeout(LIMIT_S):
                    await events.wait_tried()
                    assert not events.is_connected
                    assert listener.resyncs == 0
                    proxy.refuse(False)
                    await events.wait_back()
                assert listener.resyncs == 1
                following.cancel()
        await docker.close()


async def test_what_moves_is_told_like_a_return(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        back = asyncio.ensure_future(it.events.wait_back())
        it.events.moved()
        await back
        again = asyncio.ensure_future(it.events.wait_back())
        await it.start("print('x')")
        assert not again.done()
        again.cancel()
        it.events.moved()  # nobody waits now: kept for whoever waits next
        await it.events.wait_back()
        assert NAME in await it.instances.names()
