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


@pytest.fixture(scope="session")
def extent(pytestconfig: pytest.Config) -> Callable[[T, T], T]:
    """Chooses how much is tried: `extent(20, 1000)` is 20 in `make test`, 1000 in `make proof`."""
    is_whole = pytestconfig.getoption("--proof")
    return lambda short, whole: whole if is_whole else short


@pytest.fixture
def series(request: pytest.FixtureRequest) -> SeriesRecorder:
    """Keeps points for a plot in docs/PROOF.md."""
    return SeriesRecorder(request.node.user_properties)
