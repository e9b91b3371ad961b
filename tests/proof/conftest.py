"""What the proofs measure with: the real parts of the end-to-end tests, in short or whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.e2e.conftest import engine, lab, pytest_generate_tests, running
from tests.proof.evidence import SeriesRecorder
from tests.proof.fuzz.trying import fuzz

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["engine", "fuzz", "lab", "pytest_generate_tests", "running"]

T = TypeVar("T")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what only `make proof` has the time for."""
    if config.getoption("--proof"):
        return
    left_out = [each for each in items if each.get_closest_marker("whole")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [each for each in items if each not in left_out]


@pytest.fixture(scope="session")
def extent(pytestconfig: pytest.Config) -> Callable[[T, T], T]:
    """Chooses how much is tried: `extent(20, 1000)` is 20 in `make test`, 1000 in `make proof`."""
    is_whole = pytestconfig.getoption("--proof")
    return lambda short, whole: whole if is_whole else short


@pytest.fixture
def series(request: pytest.FixtureRequest) -> SeriesRecorder:
    """Keeps points for a plot in docs/PROOF.md."""
    return SeriesRecorder(request.node.user_properties)
