"""Figures that tests measure, printed together at the end of a run, parallel or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

PROPERTY = "figure"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `goal` is the most it should be, None where there is no such bound."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    def __str__(self) -> str:
        text = f"{self.name:<48} {self.value:>12,.6g} {self.unit}"
        if self.goal is None:
            return text
        verdict = "within" if self.value <= self.goal else "OVER"
        return f"{text:<72} {verdict} the goal of {self.goal:,.6g} {self.unit}"


@dataclass(slots=True)
class FiguresRecorder:
    """What the `figures` fixture hands out: call it with a name, a value, a unit and a goal."""

    properties: list[tuple[str, object]]

    def __call__(self, name: str, value: float, unit: str, goal: float | None = None) -> None:
        # Plain values only: they travel from the workers of a parallel run in the test's report.
        self.properties.append((PROPERTY, (name, value, unit, goal)))


@dataclass(slots=True, eq=False)  # pytest keeps plugins in sets
class FiguresSummary:
    """The pytest plugin that collects the figures of all tests and prints them in one section."""

    by_test: dict[str, list[Figure]] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            figures = figures_of(report.user_properties)
            if figures:
                self.by_test[report.nodeid] = figures

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.by_test:
            terminalreporter.section("figures")
        for test, figures in self.by_test.items():
            terminalreporter.line(test)
            for figure in figures:
                terminalreporter.line(f"  {figure}")


def figures_of(properties: Sequence[tuple[str, object]]) -> list[Figure]:
    """Reads the figures back out of a report's properties."""
    return [
        Figure(*value)
        for name, value in properties
        if name == PROPERTY and isinstance(value, (tuple, list))
    ]
