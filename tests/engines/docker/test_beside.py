"""Commands inside of a container that runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.engines.base import Exit, Ran
from core.engines.docker.beside import run_beside
from core.errors import CompartmentError, NotFound
from core.model import Restart, RestartPolicy
from tests.engines.docker.lab import LIMIT_S, NAME, SERVICE, lab

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

KEPT_ALIVE = replace(SERVICE, restart=Restart(RestartPolicy.ON_FAILURE))


async def test_it_sees_what_the_instance_sees(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start()
        for command, wanted in (
            ("echo well; exit 0", Ran(Exit(0), "well")),
            ("echo $PORT; echo; exit 3", Ran(Exit(3), str(instance.address[1]))),
            ("echo wrong >&2; false", Ran(Exit(1), "wrong")),
            ("exit 0", Ran(Exit(0), "")),
            ("kill -9 $$", Ran(Exit(signal=9), "")),
            ("yes 'a b' | head -20000", Ran(Exit(0), "a b")),
        ):
            assert await run_beside(it.docker, instance.id, command, LIMIT_S) == wanted


async def test_nothing_of_it_is_left(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start()

        async def running() -> bool:
            found = await it.docker.get(f"/containers/{instance.id}/top")
            return any("sleep" in row[-1] for row in found["Processes"])

        for limit_s in (0, 0.5):  # before the engine has started it, and after
            with pytest.raises(TimeoutError):
                await run_beside(it.docker, instance.id, "sleep 600; echo never", limit_s)
            async with asyncio.timeout(LIMIT_S):
                while await running():
                    await asyncio.sleep(0.02)
        task = asyncio.create_task(run_beside(it.docker, instance.id, "sleep 600; true", LIMIT_S))
        async with asyncio.timeout(LIMIT_S):
            while not await running():
                await asyncio.sleep(0.02)
            task.cancel()
            while await running():
                await asyncio.sleep(0.02)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_in_what_does_not_run_there_is_no_command(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start("pass")
        await instance.wait_exit()
        with pytest.raises(CompartmentError, match="not running"):
            await run_beside(it.docker, instance.id, "true", LIMIT_S)
        await it.instances.stop(NAME, grace_s=0)
        with pytest.raises(NotFound):
            await run_beside(it.docker, instance.id, "true", LIMIT_S)


async def test_its_life_is_told(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        text = "import os, time\nwhile not os.path.exists('/go'): time.sleep(0.01)\nos._exit(7)"
        instance = await it.start(text, service=KEPT_ALIVE)
        assert instance.life.is_up
        await instance.keep()
        await it.execute(instance, ["touch", "/go"])
        life, seen = instance.life, []
        async with asyncio.timeout(LIMIT_S):
            while life.restarts < 2:
                life = await instance.next_life(life)
                seen.append(life)
        ends = {each.last_exit.code for each in seen if each.last_exit}
        assert ends <= {7, 0}
        await it.instances.stop(NAME, grace_s=0)
