"""Variables, row by row of sections 4.2 and 4.4 of the specification.

Rows marked `ours` are decided otherwise than there, or where it is silent. Names are in
`test_variable_keys.py`; `shop.py` says what the words of a script mean.
"""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.process.engine import ProcessEngine
from core.engines.process.instances import environment_of
from core.files import Home
from core.model import Service
from core.promotion.specs import secrets_of, variables_of
from core.promotion.variables import Scope, assign, remove
from core.records import EnvironmentRecord, HostRecord, Target, Variable
from tests.agent.inside import agent_inside
from tests.promotion.records import deployment
from tests.rules.shop import API, NAME, WEB

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rules.shop import Shop

PRODUCTION = Target(NAME, "production")


def seen(shop: Shop, service: str, name: str, environment: str = "production") -> str | None:
    """What the newest instance of a service sees of a variable."""
    newest = [
        each
        for each in shop.machine.specs
        if each.owner.service_name == service and each.owner.target.environment == environment
    ][-1]
    return newest.variables.get(name)


@pytest.mark.parametrize(
    ("script", "web", "api"),
    [
        pytest.param("set A=1; deploy", "1", "1", id="environment scope: all services"),
        pytest.param("deploy; set A=1 web; again", "1", None, id="service scope: that one alone"),
        pytest.param("set A=1; set A=2 web; deploy", "2", "1", id="a service's own comes first"),
        pytest.param("set A=2 web; set A=1; deploy", "2", "1", id="whichever was set first"),
        pytest.param("set A=1; set A= web; deploy", "", "1", id="an empty one is one"),
        pytest.param("set A=1 @staging; deploy", None, None, id="of one environment alone"),
        pytest.param(
            "set A=1 web; deploy", "1", None, id="ours: the service need not be deployed before"
        ),
    ],
)
async def test_4_2_scopes(a_shop: Shop, script: str, web: str | None, api: str | None) -> None:
    a_shop.write(web=WEB, api=API)
    await a_shop.play(script)
    assert (seen(a_shop, "web", "A"), seen(a_shop, "api", "A")) == (web, api)


@pytest.mark.parametrize(
    ("script", "value"),
    [
        pytest.param("deploy; set A=1", None, id="what runs is not changed"),
        pytest.param("deploy; set A=1; again", "1", id="the next deploy"),
        pytest.param("deploy; set A=1; redeploy", "1", id="the next redeploy"),
        pytest.param("set A=1; deploy; set A=2; again", "2", id="a changed one"),
        pytest.param(
            "set A=1; deploy @staging; set A=2 @staging; promote", "1", id="a promote: the target's"
        ),
        pytest.param(
            "set A=1; deploy; deploy; set A=2; rollback",
            "1",
            id="ours: a rollback, with those it ran with",
        ),
        pytest.param(
            "set A=1; deploy; deploy; set A=2; rollback; redeploy",
            "2",
            id="ours: and what comes after it has those that are set",
        ),
    ],
)
async def test_4_2_when_they_take_effect(a_shop: Shop, script: str, value: str | None) -> None:
    await a_shop.play(script)
    assert seen(a_shop, "web", "A") == value


async def test_4_2_a_change_starts_nothing(a_shop: Shop) -> None:
    """But the next deploy does: it is not left alone as unchanged."""
    await a_shop.play("deploy; set A=1")
    assert a_shop.machine.trace == []
    await a_shop.play("again")
    assert a_shop.machine.trace[0] == "start web@1"
    assert await a_shop.play("again") == "web@1"
    assert a_shop.machine.trace == []


async def test_4_2_they_are_read_when_the_deployment_is_queued(a_shop: Shop) -> None:
    """Ours: not when it begins, so that a run is what was asked for."""
    await a_shop.play("set A=1; deploy")
    platform = a_shop.platform
    first = await platform.runs.submit(await a_shop.request("redeploy", PRODUCTION, [], {}))
    await platform.runs.hold(first.id)
    await a_shop.do("set A=2")
    second = await platform.runs.submit(await a_shop.request("redeploy", PRODUCTION, [], {}))
    await a_shop.do("set A=3")
    await platform.runs.resume(first.id)
    await a_shop.end(first)
    await a_shop.end(second)
    assert [each.variables["A"] for each in a_shop.machine.specs] == ["1", "1", "2"]


async def test_4_2_what_is_removed_is_gone_from_the_next_deploy_on(a_shop: Shop) -> None:
    await a_shop.play("set A=1; set A=2 web; deploy")
    ledger = a_shop.platform.ledger
    await remove(ledger, Scope(PRODUCTION, "web"), "A")
    await a_shop.play("again")
    assert seen(a_shop, "web", "A") == "1"
    await remove(ledger, Scope(PRODUCTION), "A")
    assert seen(a_shop, "web", "A") == "1"
    await a_shop.play("again")
    assert seen(a_shop, "web", "A") is None


async def test_4_2_what_is_sensitive_is_injected_as_any_other(a_shop: Shop) -> None:
    ledger = a_shop.platform.ledger
    await assign(ledger, Scope(PRODUCTION), {"KEY": "hunter22"}, is_sensitive=True)
    await assign(ledger, Scope(PRODUCTION), {"OPEN": "visible2"})
    await a_shop.play("deploy")
    (spec,) = a_shop.machine.specs
    assert (spec.variables["KEY"], spec.variables["OPEN"]) == ("hunter22", "visible2")
    # And hidden in what it prints.
    assert spec.secrets == ("hunter22",)


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        pytest.param(
            [("a", False)], ("plain", "a", False), id="plain can be read"
        ),
        pytest.param(
            [("a", True)], ("sensitive", None, True), id="sensitive can be written only"
        ),
        pytest.param(
            [("a", False), ("b", True)], ("sensitive", None, True), id="plain may become sensitive"
        ),
        pytest.param(
            [("a", True), ("b", False)],
            ("sensitive", None, True),
            id="ours: sensitive stays so until it is removed",
        ),
    ],
)  # fmt: skip
async def test_4_2_sensitivity(
    home: Path, sets: list[tuple[str, bool]], told: tuple[str, str | None, bool]
) -> None:
    where = {"project": NAME, "environment": "production"}
    async with agent_inside(home) as (_, client):
        for value, sensitive in sets:
            body = {**where, "value": value, "sensitive": sensitive}
            await client.set_variable("KEY", body)
        found = (await client.variable("KEY", where))["variable"]
        (listed,) = (await client.variables(where))["variables"]
    assert (found["sensitivity"], found["value"], found["valueHidden"]) == told
    assert listed["sensitivity"] == told[0]
    assert "value" not in listed


async def test_4_2_at_rest(a_shop: Shop) -> None:
    """Ours: not encrypted, but nobody else can read them."""
    await a_shop.play("set A=1")
    home = a_shop.platform.parts.home
    files = [each for each in home.root.iterdir() if each.name.startswith(home.journal.name)]
    assert home.journal in files
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("COMPARTMENT_ENVIRONMENT", "staging", id="environment"),
        pytest.param("COMPARTMENT_PROJECT", NAME, id="project"),
        pytest.param("COMPARTMENT_SERVICE", "web", id="service"),
        pytest.param("COMPARTMENT_DEPLOYMENT", "dep_aaaaaaaaaaaa", id="ours: deployment"),
        pytest.param("COMPARTMENT_OTHER", None, id="and no other of that prefix"),
        pytest.param("API_URL", "http://127.0.0.1:20001", id="ours: where its peers are"),
        pytest.param("WEB_URL", "mine", id="ours: a variable of that name comes first"),
    ],
)
async def test_4_4_what_is_injected(a_shop: Shop, name: str, value: str | None) -> None:
    """Whatever was assigned under a reserved name: an older version may have let it through."""
    parts, staging = a_shop.platform.parts, Target(NAME, "staging")
    await parts.ledger.write(
        EnvironmentRecord(staging, a_shop.machine.name, "/shop"),
        HostRecord("web.localhost", staging, "web", is_public=True, inner_port=20_000),
        HostRecord("api.localhost", staging, "api", is_public=False, inner_port=20_001),
    )
    forged: dict[str, Any] = {
        "variables": {"COMPARTMENT_SERVICE": "forged", "COMPARTMENT_PROJECT": "forged"},
        "assigned": {
            "COMPARTMENT_ENVIRONMENT": Variable("forged"),
            "COMPARTMENT_DEPLOYMENT": Variable("forged"),
            "WEB_URL": Variable("mine"),
        },
    }
    found = deployment(target=staging, **forged)
    assert variables_of(parts, found).get(name) == value
    assert secrets_of(found) == ()


@pytest.mark.parametrize(
    ("variables", "port", "listens", "sees"),
    [
        pytest.param({}, None, 20_000, "20000", id="PORT: the one that was chosen for it"),
        pytest.param({"PORT": "5000"}, None, 5000, "5000", id="PORT of the user's"),
        pytest.param({"PORT": "5000"}, 4000, 5000, "5000", id="before the project file's"),
        pytest.param({}, 4000, 4000, "4000", id="ours: port of the project file"),
        pytest.param({"PORT": "none"}, None, 20_000, "20000", id="ours: words do not count"),
        pytest.param({"PORT": "0"}, None, 20_000, "20000", id="ours: nor 0"),
        pytest.param({"PORT": "65536"}, None, 20_000, "20000", id="ours: nor more than there are"),
    ],
)  # fmt: skip
async def test_4_4_port_of_a_process(
    home: Path, variables: dict[str, str], port: int | None, listens: int, sees: str
) -> None:
    """On Docker: `tests/engines/docker/test_instance.py`."""
    chosen = 20_000
    async with asyncio.TaskGroup() as tasks:
        engine = ProcessEngine(Home(home), tasks)
        fixed = engine.fixed_port(Service("web", ".", port=port), variables)
    assert (fixed or chosen) == listens
    assert environment_of(variables, fixed or chosen)["PORT"] == sees
