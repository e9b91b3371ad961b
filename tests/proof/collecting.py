"""The pytest plugin of a part: keeps how each test ended, with its figures and series.

Loaded by `-p tests.proof.collecting`, together with `--proof-to FILE`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.figures import figures_of
from tests.proof.evidence import series_of
from tests.proof.results import Shown

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof-to", metavar="FILE", help="where the results of the tests are kept")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("--proof-to")
    if target and not hasattr(config, "workerinput"):  # the workers report to whoever started them
        config.pluginmanager.register(_Collector(Path(target)), "proof")


class _Collector:
    def __init__(self, target: Path) -> None:
        self._target = target
        self._outcomes: dict[str, str] = {}
        self._seconds: dict[str, float] = {}
        self._shown: list[Shown] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        node = report.nodeid
        # A test may fail in its set-up, in itself, or when it cleans up.
        is_outcome = report.outcome != "passed" or report.when == "call"
        if is_outcome and self._outcomes.get(node) != "failed":
            self._outcomes[node] = report.outcome
        self._seconds[node] = self._seconds.get(node, 0.0) + report.duration
        if report.when == "teardown":
            properties = report.user_properties
            self._shown.append(
                Shown(
                    node,
                    self._outcomes[node],
                    self._seconds[node],
                    tuple(figures_of(properties)),
                    tuple(series_of(properties)),
                )
            )

    def pytest_sessionfinish(self) -> None:
        self._target.write_text(json.dumps([asdict(each) for each in self._shown]))
