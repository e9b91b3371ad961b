"""Trying a check on many inputs: always the same few, or new ones for a while."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import tuples

from tests.proof.fuzz.measuring import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from tests.figures import FiguresRecorder

_ROUND = 100
"""So many examples have one seed."""

_COMMON = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.target, Phase.shrink],
    print_blob=False,
)


class Fuzz:
    """Tries checks, and reports what was tried and what it took."""

    def __init__(self, counts: FiguresRecorder, *, is_whole: bool) -> None:
        self._counts = counts
        self._is_whole = is_whole
        self.meter = Meter()

    def __call__(
        self,
        kind: str,
        check: Callable[..., None],
        *drawn: SearchStrategy[Any],
        short: int,
        whole_s: float,
    ) -> None:
        """Tries a check on what strategies make.

        Args:
            kind: What the inputs are, for the figures.
            check: Raises when something is not as it should be.
            drawn: What it is called with.
            short: How many inputs are tried in `make test`, the same ones each time.
            whole_s: For how long new ones are tried in `make proof`.
        """
        tried = 0
        ends_at = time.monotonic() + whole_s

        def one(inputs: tuple[Any, ...]) -> None:
            nonlocal tried
            if self._is_whole and time.monotonic() > ends_at:
                return
            tried += 1
            check(*inputs)

        def tries() -> Callable[[], None]:
            return given(tuples(*drawn))(one)

        if not self._is_whole:
            settings(_COMMON, max_examples=short, derandomize=True)(tries())()
        while self._is_whole and time.monotonic() < ends_at:
            chosen = random.SystemRandom().getrandbits(64)
            print(f"{kind}: seed {chosen}")  # noqa: T201 - pytest shows it when the test has failed
            seed(chosen)(settings(_COMMON, max_examples=_ROUND)(tries()))()
        self.report(kind, tried)

    def report(self, kind: str, tried: int) -> None:
        """Reports how many inputs were tried, and what the worst of them took."""
        self._counts(f"{kind}, tried", tried, "examples")
        self.meter.report(kind, self._counts)


@pytest.fixture
def fuzz(counts: FiguresRecorder, pytestconfig: pytest.Config) -> Fuzz:
    """Tries checks on made-up input; memory is measured, time too."""
    return Fuzz(counts, is_whole=pytestconfig.getoption("--proof"))
