"""What the agent says of what cannot be, and what a client makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.agent.protocol import error_from_json
from core.errors import AgentUnavailable, ConfigError, UsageError
from tests.agent.inside import agent_inside

if TYPE_CHECKING:
    from pathlib import Path

TARGET = {"project": "shop", "environment": "production"}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"tail": 10**30}, "tail"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"grep": "(?!a)"}, "grep"),
    ],
)
async def test_logs_that_cannot_be_asked_for(home: Path, query: dict[str, Any], word: str) -> None:
    async with agent_inside(home) as (_, client):
        with pytest.raises(UsageError, match=word):
            _ = [line async for line in client.logs({**TARGET, **query})]


@pytest.mark.parametrize(
    "body",
    [
        {"root": "."},
        {"root": "/a\0b"},
        {"environ": {"A": "\0"}},
        {"environ": {"": "a"}},
        {"\ud800": 1},
        {"files": [1] * 100_000},
    ],
)
async def test_runs_that_cannot_be_asked_for(home: Path, body: dict[str, Any]) -> None:
    async with agent_inside(home) as (_, client):
        with pytest.raises(UsageError) as caught:
            await client.plan({**TARGET, "trigger": "deploy", **body})
    assert len(caught.value.message) < 1000


async def test_what_is_too_large_is_refused(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        # It hangs up on who goes on sending.
        with pytest.raises((UsageError, AgentUnavailable)):
            await client.import_variables({**TARGET, "variables": {"A": "x" * (9 << 20)}})
        assert (await client.agent())["protocol"]


async def test_another_version_may_know_less(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        with pytest.raises(AgentUnavailable) as caught:
            await client._transport.call("GET", "/v1/of-another-version")
    assert caught.value.code == "agent_version"
    assert caught.value.hint


@pytest.mark.parametrize("told", [None, 5, [], {}, {"kind": 5, "hint": 5}, {"kind": "object"}])
def test_any_refusal_is_an_error(told: Any) -> None:
    assert error_from_json(told).message


def test_a_problem_may_say_more_than_is_known_here() -> None:
    problem = {"file": "a", "line": 2, "column": 3, "message": "m", "hint": None, "new": 1}
    error = error_from_json({"kind": "ConfigError", "message": "m", "problems": [problem, 5]})
    assert isinstance(error, ConfigError)
    assert list(map(str, error.problems)) == ["a:2:3: m"]
