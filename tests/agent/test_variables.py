"""Variables through the agent's socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import NotFound, UsageError
from tests.agent.inside import agent_inside

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {"project": "shop", "environment": "production"}
WEB = {**SHOP, "service": "web"}
HOSTILE = "$HOME `id` \"w'\\ #=;&|<>*? \n\ttab é日🙂\r\n trailing \n"


def body(value: str, *, sensitive: bool = False, **scope: str) -> dict[str, Any]:
    return {**SHOP, **scope, "value": value, "sensitive": sensitive}


async def test_values_come_back_as_they_were_given(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        for value in (HOSTILE, "", "x" * (128 * 1024 - len("KEY=") - 1)):
            told = await client.set_variable("KEY", body(value))
            assert told == await client.variable("KEY", SHOP)
            assert told["variable"]["value"] == value
            assert told["variable"]["valueHidden"] is False
        assert (await client.variables(SHOP))["variables"] == [
            {
                "keyName": "KEY",
                "sensitivity": "plain",
                "scopeType": "environment",
                "scopeServiceName": None,
                "sourceType": "direct",
                "updatedAt": told["variable"]["updatedAt"],
            }
        ]
        events = await platform.ledger.journal.events_after(0)
    assert [event.message for event in events] == ["variables of shop/production: set KEY"] * 3
    assert "🙂" not in json.dumps([event.as_json() for event in events], ensure_ascii=False)


async def test_what_is_sensitive_is_never_told_and_stays_so(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        await client.set_variable("KEY", body("hunter22", sensitive=True))
        told = await client.set_variable("KEY", body("changed22"))
        assert told["variable"]["sensitivity"] == "sensitive"
        assert (told["variable"]["value"], told["variable"]["valueHidden"]) == (None, True)
        assert await client.remove_variable("KEY", SHOP) == {"success": True}
        told = await client.set_variable("KEY", body("open"))
        assert told["variable"]["value"] == "open"


async def test_no_error_quotes_a_secret(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        await client.set_variable("KEY", body("hunter22", sensitive=True))
        with pytest.raises(NotFound, match=r"\*\*\*"):
            await client.variable("hunter22", SHOP)


async def test_a_service_has_its_own_and_those_of_its_environment(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        await client.set_variable("A", body("all"))
        await client.set_variable("B", body("all"))
        await client.set_variable("A", body("own", service="web"))
        told = await client.variables(WEB)
        assert told["serviceName"] == "web"
        assert [
            (each["keyName"], each["scopeType"], each["sourceType"]) for each in told["variables"]
        ] == [("A", "service", "direct"), ("B", "environment", "inherited")]
        assert (await client.variable("A", WEB))["variable"]["value"] == "own"
        assert (await client.variable("B", WEB))["variable"]["value"] == "all"
        assert (await client.variable("A", SHOP))["variable"]["value"] == "all"
        with pytest.raises(NotFound, match="is not set for shop") as refused:
            await client.remove_variable("B", WEB)
        assert refused.value.hint == "it is set for the environment: leave out --service"
        await client.remove_variable("A", WEB)
        assert (await client.variable("A", WEB))["variable"]["value"] == "all"
        await client.set_variable("A", body("own", service="not-deployed-yet"))
        assert (await client.variables(SHOP))["servicesWithVariables"] == ["not-deployed-yet"]
        assert (await client.variables({**SHOP, "environment": "other"}))["variables"] == []


async def test_an_import_is_all_or_nothing(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        await client.set_variable("OLD", body("1"))
        with pytest.raises(UsageError, match="cannot be the name"):
            await client.import_variables({**SHOP, "variables": {"A": "1", "2B": "2"}})
        told = await client.import_variables({**SHOP, "variables": {"B": "2", "A": "1"}})
        assert told == {**SHOP, "serviceName": None, "importedKeyNames": ["A", "B"]}
        names = [each["keyName"] for each in (await client.variables(SHOP))["variables"]]
        assert names == ["A", "B", "OLD"]
        await client.import_variables({**SHOP, "variables": {"A": "1"}, "replace": True})
        names = [each["keyName"] for each in (await client.variables(SHOP))["variables"]]
        assert names == ["A"]
        last = (await platform.ledger.journal.events_after(0))[-1]
    assert last.as_json()["message"] == "variables of shop/production: removed B, OLD"
    assert (last.data["set"], last.data["removed"]) == ([], ["B", "OLD"])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("", "x", "variable"),
        ("1A", "x", '"1A" cannot be the name of a variable'),
        ("A-B", "x", "cannot be the name"),
        ("a/b", "x", "cannot be the name"),
        ("Ä", "x", "cannot be the name"),
        ("COMPARTMENT_X", "x", "names that begin with COMPARTMENT_ are ours"),
        ("A", "a\0b", "NUL"),
        ("A", "\ud800", "surrogate"),
        ("A", "é" * 65_536, "131,074 bytes with its name|too long"),
    ],
)
async def test_what_cannot_be_is_refused_without_its_value(
    home: Path, key: str, value: str, message: str
) -> None:
    async with agent_inside(home) as (platform, client):
        with pytest.raises(UsageError, match=message) as refused:
            await client.set_variable(key, body(value))
        assert refused.value.hint
        assert value == "x" or value not in str(refused.value)
        assert platform.ledger.variables == {}


async def test_a_service_that_cannot_be_is_refused(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        with pytest.raises(UsageError, match="cannot be the name of a service"):
            await client.set_variable("A", body("1", service="Web!"))
        with pytest.raises(NotFound, match="is not set for shop/production, service web"):
            await client.variable("A", WEB)
