"""A port between services that somebody else has taken: told, and listened on once it is free."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from core.cli.running import our_checks
from core.config.settings import Settings
from tests.e2e.clients import get
from tests.e2e.house import kill
from tests.load.plan import Target
from tests.pausing import stopped
from tests.stealing import stolen

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject


def entrance_of(running: House, service: str) -> tuple[str, int]:
    """The name and the port of the door through which others reach a service."""
    listeners = json.loads((running.home.gateway / "listeners.json").read_text())["resources"]
    (found,) = (each for each in listeners if each["name"].startswith(f"{service}-"))
    return found["name"], found["address"]["socket_address"]["port_value"]


async def until_told(running: House, words: str) -> str:
    async for event in running.client.events():
        if words in event["message"]:
            return str(event["message"])
    raise AssertionError("the events have ended")


@pytest.mark.timeout(120)
async def test_it_is_told_and_opened_when_it_is_free(running: House, lab: LabProject) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    await running.deployed(lab)
    name, port = entrance_of(running, "backoffice")
    async with AsyncExitStack() as theft:
        async with stopped(await running.agent_pid()):
            kill(running.gateway_pid())
            await theft.enter_async_context(stolen("127.0.0.1", port))
        warning = await until_told(running, f"port {port}, where {name} is reached")
        assert "cannot be listened on: Address already in use (held by " in warning
        (shut,) = (await running.client.agent())["shutDoors"]
        assert warning == f"warning: {shut}"
        checks = await asyncio.to_thread(our_checks, running.home, Settings())
        assert [each.found for each in checks if each.name == "port of a service"] == [shut]
        # It costs nobody else anything.
        assert (await get(await running.target(), "/version")).version == "v1"
    await until_told(running, f"{name} is reached again")
    assert (await get(Target("127.0.0.1", port, "any"), "/version")).version == "v1"
    assert (await running.client.agent())["shutDoors"] == []
