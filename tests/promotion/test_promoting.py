"""On which engine a promote ends up: that of what is promoted, whatever was there before."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from core.config.settings import Settings
from core.container import Container, Published
from core.engines.process.releases import Manifest
from core.errors import Conflict
from core.events import Event
from core.files import Home
from core.model import EngineName, Health, RouteRule, Stage, Status, Trigger
from core.platform import Platform
from core.promotion.requests import Request
from core.records import Activation, ActivationState, EnvironmentRecord, Run, new_id
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STAGING = replace(TARGET, environment="staging")
PROMOTE = Request(Trigger.PROMOTE, TARGET, source=STAGING)
ACTIVE = {"status": Status.SUCCEEDED, "stage": Stage.ACTIVE, "is_active": True}


@pytest.fixture
async def platform(home: Path) -> AsyncIterator[Platform]:
    """One whose staging lives on the process engine."""
    async with Platform.running(Home(home), Settings(port=0, internal_port=0)) as found:
        artifact_id = f"art_{'0' * 20}"
        releases = found.parts.home.releases
        (releases / artifact_id).mkdir()
        manifest = Manifest(artifact_id, "", None, "", "2026-01-01T00:00:00.000000Z", 0)
        (releases / f"{artifact_id}.json").write_text(json.dumps(asdict(manifest)))
        await found.ledger.write(
            EnvironmentRecord(STAGING, EngineName.PROCESS, "/shop"),
            deployment(id="dep_staging", target=STAGING, artifact_id=artifact_id, **ACTIVE),
        )
        yield found


async def test_an_environment_on_another_engine_is_refused(platform: Platform) -> None:
    await platform.ledger.write(
        EnvironmentRecord(TARGET, EngineName.DOCKER, "/shop"),
        deployment(id="dep_live", engine=EngineName.DOCKER, **ACTIVE),
    )
    with pytest.raises(Conflict, match="shop/production runs on the docker engine") as refused:
        await platform.resolver.plan(PROMOTE)
    assert "active in shop/staging was built by the process engine" in refused.value.message
    assert refused.value.hint == "deploy it from source: compartment deploy --env production"
    assert refused.value.code == "engine_conflict"


async def test_another_engine_than_that_of_the_source_is_refused(platform: Platform) -> None:
    with pytest.raises(Conflict, match="shop/staging runs on the process engine, and a") as refused:
        await platform.resolver.plan(replace(PROMOTE, engine="docker"))
    assert (refused.value.hint, refused.value.code) == ("leave --engine out", "engine_conflict")
    plan = await platform.resolver.plan(replace(PROMOTE, engine="process"))
    assert plan["engine"] == "process"


async def test_what_a_failed_first_deploy_has_left_decides_nothing(platform: Platform) -> None:
    left = EnvironmentRecord(TARGET, EngineName.DOCKER, "/elsewhere")
    await platform.ledger.write(left)
    plan = await platform.resolver.plan(PROMOTE)
    assert (plan["engine"], plan["engineBecause"]) == ("process", "shop/staging runs on it")
    run = Run(new_id("drn"), TARGET, Trigger.PROMOTE, Status.QUEUED, "2026-01-01T00:00:00.000000Z")
    accepted = await platform.resolver.accept(PROMOTE, run, is_first=True)
    assert EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop") in accepted.records


async def test_rules_that_would_lead_nowhere_are_told(platform: Platform) -> None:
    (web,) = platform.ledger.active(STAGING).values()
    rules = (RouteRule(web.service.name, "/api/*", "api"),)
    await platform.ledger.write(web.changed(rules=rules))
    plan = await platform.resolver.plan(PROMOTE)
    told = f"route rules of {web.service.name} lead to api, which is not active in production"
    assert plan["warnings"] == [told]
    run = Run(new_id("drn"), TARGET, Trigger.PROMOTE, Status.QUEUED, "2026-01-01T00:00:00.000000Z")
    accepted = await platform.resolver.accept(PROMOTE, run, is_first=True)
    assert told in [each.message for each in accepted.records if isinstance(each, Event)]


async def test_the_plan_has_the_ports_of_where_it_goes(platform: Platform) -> None:
    """As the run has them: what only differs in its published port is left alone."""
    (web,) = platform.ledger.active(STAGING).values()
    there, here = (
        replace(web.service, container=Container(published=(Published(80, port),)))
        for port in (28_090, 28_080)
    )
    await platform.ledger.write(
        web.changed(service=there),
        EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop"),
        deployment(id="dep_live", artifact_id=web.artifact_id, service=here, **ACTIVE),
        Activation("dep_live", 1, ActivationState.LIVE, ""),
    )
    active = platform.ledger.deployments["dep_live"]
    await platform.ledger.write(active.changed(health=Health.HEALTHY))
    plan = await platform.resolver.plan(PROMOTE)
    assert [each["action"] for each in plan["services"]] == ["leave"]
