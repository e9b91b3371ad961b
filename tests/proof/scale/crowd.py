"""A home with many live services and a long past, behind the real agent."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.files import Home
from tests.e2e.house import house
from tests.proof.scale.past import lengthen, template_of
from tests.proof.scale.stand_in import add_live, agent_of_stand_ins, one_server
from tests.proof.scale.tiny import TinyProject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from tests.e2e.house import House

NAME = "tiny"
_SAMPLED = "sampled"


@asynccontextmanager
async def crowded(
    home: Path, folder: Path, services: int, old: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[House, float]]:
    """A home with so many live services and old deployments; how long its agent took to start."""
    monkeypatch.setenv("COMPARTMENT_KEEP_HISTORY", "1000000")
    project = TinyProject.made(folder, [_SAMPLED], NAME)
    where = Home(home)
    async with house(home) as running:
        for _ in range(2):
            project.bump()
            result = await running.deployed(project)
        await running.client.stop_agent()
    template = template_of(where.journal, result["run"]["id"])
    names = [f"service-{number:04}" for number in range(services)]
    lengthen(where.journal, template, old, names)
    async with one_server() as port:
        add_live(where.journal, template, names, port)
        began = time.monotonic()
        async with agent_of_stand_ins(where, port) as found:
            yield found, time.monotonic() - began
