"""A plan as `compartment plan` prints it."""

from __future__ import annotations

from typing import Any

import pytest

from core.cli.plan_text import plan_lines


@pytest.mark.parametrize(
    ("because", "told"),
    [
        ("the source changed", ["web: variables changed: A, B"]),
        ("variables changed: A, B", []),
    ],
)
def test_variables_are_named_once_whatever_else_changed(because: str, told: list[str]) -> None:
    assert plan_lines(_plan(because), colour=False)[3:] == told


def _plan(because: str) -> dict[str, Any]:
    service = {
        "serviceName": "web",
        "kind": "web",
        "accessMode": "public",
        "action": "deploy",
        "build": True,
        "because": because,
        "zeroDowntime": True,
        "zeroDowntimeReason": "the candidate starts beside the live one",
        "waitsFor": [],
        "variablesChanged": ["A", "B"],
        "warnings": [],
        "autoRollback": None,
    }
    return {
        "project": "shop",
        "environment": "production",
        "engine": "process",
        "engineBecause": "it was asked for",
        "services": [service],
        "warnings": [],
    }


def test_a_login_is_told_of() -> None:
    plan = _plan("the source changed")
    plan["services"][0] |= {"variablesChanged": [], "accessMode": "authenticated"}
    assert plan_lines(plan, colour=False)[3:] == ["web needs a login (accessMode authenticated)"]


def test_roles_of_compose_services_are_told_with_their_reasons() -> None:
    plan = _plan("first deployment")
    plan["services"][0] |= {
        "variablesChanged": [],
        "strategy": "overlap",
        "kindReason": "it publishes 80: it is so",
        "strategyReason": "nothing keeps it",
        "ports": [
            {"port": 80, "protocol": "http", "because": "it is so"},
            {"port": 9000, "protocol": "look", "because": "nobody knows"},
        ],
        "published": [
            {"host": "127.0.0.1", "port": 8080, "target": 80, "protocol": "tcp"},
            {"host": "", "port": None, "target": 9000, "protocol": "tcp"},
        ],
    }
    assert plan_lines(plan, colour=False)[3:] == [
        "web is of kind web: it publishes 80: it is so",
        "web has the strategy overlap: nothing keeps it",
        "web listens on 9000 (to be looked at): nobody knows",
        "web is published: 127.0.0.1:8080 leads to 80/tcp",
        "web is published: any free port leads to 9000/tcp",
    ]


@pytest.mark.parametrize(
    ("is_watched", "told"),
    [
        (True, "web is rolled back by itself when it turns unhealthy"),
        (False, "web is not rolled back by itself: nothing is live"),
    ],
)
def test_what_is_rolled_back_by_itself_is_told(is_watched: bool, told: str) -> None:
    plan = _plan("variables changed: A, B")
    words = {"words": "when it turns unhealthy", "because": "nothing is live"}
    plan["services"][0]["autoRollback"] = {"isWatched": is_watched, **words}
    assert plan_lines(plan, colour=False)[3:] == [told]
