"""Who reaches whom, through the agent's interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.container import Container, Network, NetworkLink
from core.errors import NotFound
from core.model import EngineName, Health, Service, Stage, Status
from core.records import EnvironmentRecord
from tests.agent.inside import agent_inside
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"project": TARGET.project, "environment": TARGET.environment}


async def test_networks_are_those_of_what_is_active(home: Path) -> None:
    app = Service("app", ".", container=Container(networks=(NetworkLink(Network("backend")),)))
    active = deployment(
        service=app,
        engine=EngineName.DOCKER,
        status=Status.SUCCEEDED,
        stage=Stage.ACTIVE,
        is_active=True,
        health=Health.HEALTHY,
    )
    async with agent_inside(home) as (platform, client):
        with pytest.raises(NotFound, match="project shop was never deployed"):
            await client.networks(HERE)
        await platform.ledger.write(active, EnvironmentRecord(TARGET, EngineName.DOCKER, "/srv"))
        found = await client.networks(HERE)
        assert (found["project"], found["engine"]) == (TARGET.project, "docker")
        assert [each["name"] for each in found["networks"]] == ["backend"]
        with pytest.raises(NotFound, match="has no environment staging"):
            await client.networks({**HERE, "environment": "staging"})
