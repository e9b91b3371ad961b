"""The budgets of the dashboard, in short: each figure is allowed three times its goal.

`make bench` measures the same at length.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.bench import dashboard as bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.dashboard import Scene
    from tests.figures import FiguresRecorder

MEASURED_S = 3.0

SCENES = {
    "start": partial(bench.start, starts=2),
    "idle": partial(bench.idle, measured_s=MEASURED_S),
    "busy": partial(bench.busy, measured_s=MEASURED_S),
    "burst": partial(bench.burst, bursts=1),
    "crowd": partial(bench.crowd, measured_s=MEASURED_S),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_the_dashboard_keeps_its_budgets(
    home: Path, figures: FiguresRecorder, scene: Scene
) -> None:
    over: list[str] = []

    def report(name: str, value: float, unit: str, goal: float | None = None) -> None:
        figures(name, value, unit, goal)
        if goal is not None and value > bench.PATIENCE * goal:
            over.append(f"{name}: {value:.6g} {unit}")

    asyncio.run(scene(home.parent, report))
    assert over == []
