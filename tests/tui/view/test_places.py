from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screens.replies import NOW, environment, run
from tui.view.glyphs import UNICODE
from tui.view.places import ordered, refusal, row


def test_the_environments_of_this_project_come_first() -> None:
    found = [environment("a", "blog"), environment("staging"), environment("production")]
    names = [(each["project"], each["environment"]) for each in ordered(found, "shop")]
    assert names == [("shop", "production"), ("shop", "staging"), ("blog", "a")]


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({}, ["2 live", "✓ succeeded", "1m"]),
        ({"services": {"active": 2, "unhealthy": 1}}, ["✗ 1 of 2 unhealthy", "✓ succeeded", "1m"]),
        ({"services": {"active": 0, "unhealthy": 0}, "lastRun": None},
         ["none live", "never deployed", ""]),
        ({"lastRun": run(status="failed")}, ["2 live", "✗ failed", "1m"]),
    ],
)  # fmt: skip
def test_an_environment_is_told_in_one_row(changes: dict[str, Any], cells: list[str]) -> None:
    found = row(environment("staging", **changes), NOW, UNICODE, is_current=True)
    assert [str(cell) for cell in found] == ["shop / staging  shown now", "process", *cells]


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [("", True), ("staging", False), ("a" * 63, False), ("a" * 64, True), ("a\tb", True),
     ("[/", False)],
)  # fmt: skip
def test_names(name: str, is_refused: bool) -> None:
    assert (refusal(name) is not None) is is_refused
