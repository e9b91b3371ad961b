"""What others do to containers at the moment at which something is done with them here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import CompartmentError
from tests.engines.docker.lab import LIMIT_S, NAME, lab

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]


async def test_a_release_that_is_just_made_is_no_leftover(
    docker_socket: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab(docker_socket, home) as it:
        made = it.docker.call

        async def call(work: Callable[[Any], Any]) -> Any:
            result = await made(work)
            await it.instances.resync()  # the events were lost, and are there again
            return result

        monkeypatch.setattr(it.docker, "call", call)
        spec = it.spec(name="dep_cccccccccccc.release")
        ended = await it.instances.release(spec, await it.image(), "exit 3", LIMIT_S)
        assert ended.code == 3


async def test_the_address_of_one_that_somebody_removed_can_be_given_out_again(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start()
        (network,) = it.networks._networks.values()
        assert network._addresses.is_used
        await it.docker.order("DELETE", f"/containers/{instance.id}", force=1)
        await it.instances.stop(NAME, grace_s=0)
        assert not network._addresses.is_used


async def test_an_instance_that_the_engine_does_not_end_holds_nobody_up(
    docker_socket: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab(docker_socket, home) as it:
        await it.start()

        async def refuse(*_: object, **__: object) -> None:
            raise CompartmentError("the Docker Engine refused: it is a zombie")

        monkeypatch.setattr(it.docker, "order", refuse)
        await it.instances.stop(NAME, grace_s=0)
        assert await it.instances.names() == [NAME]
        monkeypatch.undo()
        await it.instances.stop(NAME, grace_s=0)
        assert await it.instances.names() == []
