"""docs/security.md claims nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

from core.gateway import bounds

HERE = Path(__file__).parent
PAGE = (HERE.parent / "docs" / "security.md").read_text()


def test_every_test_that_it_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 20
    there = {
        name
        for file in HERE.rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named - there == set()


def test_its_figures_are_those_in_force() -> None:
    assert f"| head of a request | {bounds.HEAD_S} s" in PAGE
    assert f"without a request | {bounds.IDLE_S} s |" in PAGE
    assert f"{bounds.MOST_CONNECTIONS:,}, or a third" in PAGE
    assert bounds.connections(30_000) == 10_000
    assert bounds.connections(10**9) == bounds.MOST_CONNECTIONS
