"""Commands that run once, in a container of their own."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import Role, only
from tests.engines.docker.lab import LIMIT_S, lab, labs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines.docker.lab import Lab

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

NAME = "dep_cccccccccccc.release"


async def _left(it: Lab) -> int:
    filters = json.dumps(only(it.home, Role.RELEASE))
    return len(await it.docker.get("/containers/json", all=1, filters=filters))


async def test_it_runs_in_a_login_shell_with_the_variables_of_the_service(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        spec = it.spec(name=NAME, variables={"GREETING": "hello"})
        command = "echo $GREETING from $0; echo trouble >&2; exit 4"
        ended = await it.instances.release(spec, await it.image(), command, LIMIT_S)
        assert str(ended) == "exited with code 4"
        assert sorted(it.texts(NAME)) == ["hello from sh", "trouble"]
        assert await _left(it) == 0
        assert it.instances.get(NAME) is None


async def test_one_that_succeeds(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        image = await it.image('ENTRYPOINT ["nonesuch"]')
        ended = await it.instances.release(it.spec(name=NAME), image, "true", LIMIT_S)
        assert ended.code == 0


async def test_one_that_takes_too_long_is_ended(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        image = await it.image()
        with pytest.raises(TimeoutError):
            await it.instances.release(it.spec(name=NAME), image, "echo up; sleep 60", 1)
        assert it.texts(NAME) == ["up"]
        assert await _left(it) == 0


async def test_a_cancelled_one_is_ended(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        work = it.instances.release(
            it.spec(name=NAME), await it.image(), "echo up; sleep 60", LIMIT_S
        )
        task = asyncio.ensure_future(work)
        await it.until_printed("up", NAME)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await _left(it) == 0


async def test_it_is_no_instance_and_what_a_crash_left_of_it_is_removed(
    docker_socket: str, home: Path
) -> None:
    async with labs(docker_socket, home) as make:
        before = await make()
        image = await before.image()
        task = asyncio.ensure_future(
            before.instances.release(before.spec(name=NAME), image, "echo up; sleep 60", LIMIT_S)
        )
        await before.until_printed("up", NAME)
        assert await before.instances.names() == []
        after = await make()
        assert await _left(after) == 0
        assert str(await task) in ("ended by signal 9 (SIGKILL)", "was removed by somebody else")
