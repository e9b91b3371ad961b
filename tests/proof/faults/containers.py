"""The faults that only Docker knows: of a container, of its network, and of the engine itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.engines.docker.labels import Role
from tests.e2e.house import kill
from tests.proof.faults.holding import Fate, Fault
from tests.proof.faults.kinds import STOPPED_S

if TYPE_CHECKING:
    from tests.e2e.faults import Containers
    from tests.engine.plugin import Faults
    from tests.proof.faults.scene import Scene


async def _serving(containers: Containers, it: Scene) -> str:
    """The container that requests for `web` go to now."""
    (active,) = (await it.running.active(it.lab))["web"]
    return await containers.of(Role.INSTANCE, "web", f"{active['id']}.1")


def of_containers(containers: Containers) -> dict[str, Fault]:
    """What befalls the container that serves."""

    async def killed(it: Scene) -> None:
        await containers.kill(await _serving(containers, it))

    async def killed_with_the_agent(it: Scene) -> None:
        victim = await _serving(containers, it)
        kill(await it.running.agent_pid())
        await containers.kill(victim)
        await it.running.client.attach()

    async def killed_with_the_gateway(it: Scene) -> None:
        victim = await _serving(containers, it)
        kill(it.running.gateway_pid())
        await containers.kill(victim)

    async def cut_off_with_the_agent_killed(it: Scene) -> None:
        victim = await _serving(containers, it)
        kill(await it.running.agent_pid())
        await containers.disconnect(victim)
        await it.running.client.attach()

    return {
        "a container is killed": Fault(killed, Fate.EITHER, cuts=True),
        "a container and the agent are killed": Fault(killed_with_the_agent, Fate.TURNS, cuts=True),
        "a container and the gateway are killed": Fault(
            killed_with_the_gateway, Fate.EITHER, cuts=True
        ),
        "a container is cut off and the agent killed": Fault(
            cut_off_with_the_agent_killed, Fate.TURNS, cuts=True
        ),
    }


def of_the_engine(engine: Faults) -> dict[str, Fault]:
    """What befalls the engine, alone and together with something of ours."""

    async def restarted(_: Scene) -> None:
        await engine.restart()

    async def hangs_and_the_gateway_is_killed(it: Scene) -> None:
        engine.pause()
        kill(it.running.gateway_pid())
        await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs
        engine.resume()

    async def hangs_and_the_agent_is_killed(it: Scene) -> None:
        engine.pause()
        kill(await it.running.agent_pid())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(it.running.client.attach())
            await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs
            engine.resume()

    async def restarted_while_the_agent_is_dead(it: Scene) -> None:
        kill(await it.running.agent_pid())
        await engine.restart()
        await it.running.client.attach()

    return {
        "the engine restarts": Fault(restarted, Fate.EITHER, cuts=True),
        "the gateway is killed while the engine hangs": Fault(
            hangs_and_the_gateway_is_killed, Fate.EITHER, cuts=True
        ),
        "the agent is killed while the engine hangs": Fault(
            hangs_and_the_agent_is_killed, Fate.TURNS
        ),
        "the engine restarts while the agent is dead": Fault(
            restarted_while_the_agent_is_dead, Fate.TURNS, cuts=True
        ),
    }
