"""Whatever happens, and whenever the agent dies: no promise is broken.

`SIMULATION_SEEDS=1000` plays as many lives, `SIMULATION_FIRST_SEED` begins elsewhere. A life is the
same each time, as long as `PYTHONHASHSEED` is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.model import EngineName
from tests.simulation.simulate import simulate
from tests.simulation.world import OF_COMPOSE, OF_DESCRIPTOR, World

if TYPE_CHECKING:
    from tests.simulation.simulate import Scene
    from tests.simulation.world import Shop

FIRST_SEED = int(os.environ.get("SIMULATION_FIRST_SEED", "0"))
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "6"))
STEPS = 400


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_no_promise_is_broken(seed: int) -> None:
    simulate(seed, lambda scene: _live(scene, OF_DESCRIPTOR))


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_no_promise_is_broken_of_a_compose_project(seed: int) -> None:
    simulate(seed, lambda scene: _live(scene, OF_COMPOSE), EngineName.DOCKER)


async def _live(scene: Scene, shop: Shop) -> None:
    world = World(scene, shop)
    try:
        for _ in range(STEPS):
            await world.step()
        await world.come_to_rest()
    finally:
        await world.close()
