"""The faults that both engines know: of the agent, of the gateway, and of two at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

from core.agent.client import Client
from core.errors import Conflict
from tests.e2e.house import kill
from tests.pausing import stopped
from tests.proof.faults.holding import Fate, Fault
from tests.proof.faults.scene import LIMIT_S
from tests.stealing import stolen

if TYPE_CHECKING:
    from tests.proof.faults.scene import Scene

STOPPED_S: Final = 3.0
"""Longer than most things may take, shorter than what gives up for good."""
RACING: Final = 3


async def agent_killed(it: Scene) -> None:
    """Several clients come at once: each of them would start an agent, and one must."""
    kill(await it.running.agent_pid())
    async with asyncio.TaskGroup() as tasks:
        for _ in range(RACING):
            tasks.create_task(_attached(it))


async def _attached(it: Scene) -> None:
    async with Client.connected(it.running.home) as client:
        await client.agent()


async def agent_hangs(it: Scene) -> None:
    async with stopped(await it.running.agent_pid()):
        await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs


async def gateway_hangs(it: Scene) -> None:
    async with stopped(it.running.gateway_pid()):
        await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs


async def gateway_killed(it: Scene) -> None:
    kill(it.running.gateway_pid())


async def both_killed(it: Scene) -> None:
    """The agent first, which would start the gateway again."""
    kill(await it.running.agent_pid())
    kill(it.running.gateway_pid())
    await it.running.client.attach()


async def gateway_killed_while_the_agent_hangs(it: Scene) -> None:
    """Nobody starts it again before the agent goes on."""
    async with stopped(await it.running.agent_pid()):
        kill(it.running.gateway_pid())


async def agent_killed_while_the_gateway_hangs(it: Scene) -> None:
    """The next agent finds a gateway that takes connections and answers nobody."""
    async with asyncio.TaskGroup() as tasks, stopped(it.running.gateway_pid()):
        kill(await it.running.agent_pid())
        tasks.create_task(it.running.client.attach())
        await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs


async def port_stolen(it: Scene) -> None:
    """The gateway dies, and somebody else is on its port before it is back."""
    target, log = await it.running.target(), it.running.home.agent_output
    async with AsyncExitStack() as theft:
        async with stopped(await it.running.agent_pid()):
            kill(it.running.gateway_pid())
            await theft.enter_async_context(stolen(target.address, target.port))
        async with asyncio.timeout(LIMIT_S):
            while f":{target.port} cannot be used: Address already in use" not in log.read_text():
                await asyncio.sleep(0.05)


async def cancelled(it: Scene) -> None:
    """Before the switch it is, and after it that is refused."""
    assert it.run_id is not None
    with suppress(Conflict):
        run = await it.running.client.cancel(it.run_id)
        assert (run["status"], run["failureCode"]) == ("failed", "cancelled")


FAULTS: Final = {
    "the agent is killed": Fault(agent_killed, Fate.TURNS),
    "the agent hangs": Fault(agent_hangs),
    "the gateway is killed": Fault(gateway_killed, Fate.EITHER, cuts=True),
    "the gateway hangs": Fault(gateway_hangs),
    "the agent and the gateway are killed": Fault(both_killed, Fate.TURNS, cuts=True),
    "the gateway is killed while the agent hangs": Fault(
        gateway_killed_while_the_agent_hangs, Fate.EITHER, cuts=True
    ),
    "the agent is killed while the gateway hangs": Fault(
        agent_killed_while_the_gateway_hangs, Fate.TURNS
    ),
    "the gateway's port is stolen": Fault(port_stolen, Fate.EITHER, cuts=True),
    "the run is cancelled": Fault(cancelled, Fate.TURNS),
}
