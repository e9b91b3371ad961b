"""A plan as `compartment plan` prints it."""

from __future__ import annotations

from typing import Any

import pytest

from core.cli.runs import _plan_lines


@pytest.mark.parametrize(
    ("because", "told"),
    [
        ("the source changed", ["web: variables changed: A, B"]),
        ("variables changed: A, B", []),
    ],
)
def test_variables_are_named_once_whatever_else_changed(because: str, told: list[str]) -> None:
    assert _plan_lines(_plan(because), colour=False)[3:] == told


def _plan(because: str) -> dict[str, Any]:
    service = {
        "serviceName": "web",
        "kind": "web",
        "action": "deploy",
        "build": True,
        "because": because,
        "zeroDowntime": True,
        "zeroDowntimeReason": "the candidate starts beside the live one",
        "waitsFor": [],
        "variablesChanged": ["A", "B"],
        "warnings": [],
    }
    return {
        "project": "shop",
        "environment": "production",
        "engine": "process",
        "engineBecause": "it was asked for",
        "services": [service],
        "warnings": [],
    }
