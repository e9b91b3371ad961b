"""Figures that tests measure, printed together at the end of a run, parallel or not.

Those of a test that ran on several engines stand side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.model import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        return _line([self])


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
        by_engine: dict[str, dict[str, list[Figure]]] = {}
        for node, figures in self.by_test.items():
            test, engine = apart(node)
            by_engine.setdefault(test, {})[engine] = figures
        for test, found in by_engine.items():
            terminalreporter.line(test)
            for line in _side_by_side(found):
                terminalreporter.line(f"  {line}")


def apart(node: str) -> tuple[str, str]:
    """The id of a test without the engine among its parameters, and that; empty if none is."""
    test, _, parameters = node.rstrip("]").partition("[")
    given = parameters.split("-")
    engine = next((name for name in EngineName if name in given), "")
    others = "-".join(name for name in given if name != engine)
    return (f"{test}[{others}]" if others else test), engine


def _side_by_side(by_engine: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    engines = sorted(by_engine, key=lambda name: (name != EngineName.PROCESS, name))
    if engines != [""]:
        yield f"{'':<48} " + " ".join(f"{name:>12}" for name in engines)
    names = dict.fromkeys(each.name for engine in engines for each in by_engine[engine])
    for name in names:
        found = {
            engine: [each for each in by_engine[engine] if each.name == name] for engine in engines
        }
        for row in range(max(map(len, found.values()))):
            yield _line([each[row] if row < len(each) else None for each in found.values()])


def _line(figures: Sequence[Figure | None]) -> str:
    """The same figure on each of the engines; None where it was not measured."""
    (first, *_) = measured = [each for each in figures if each is not None]
    values = " ".join(f"{'' if each is None else f'{each.value:,.6g}':>12}" for each in figures)
    text = f"{first.name:<48} {values} {first.unit}"
    if first.goal is None:
        return text
    is_within = all(each.value <= first.goal for each in measured)
    verdict = "within" if is_within else "OVER"
    width = 72 + 13 * (len(figures) - 1)
    return f"{text:<{width}} {verdict} the goal of {first.goal:,.6g} {first.unit}"


def figures_of(properties: Sequence[tuple[str, object]]) -> list[Figure]:
    """Reads the figures back out of a report's properties."""
    return [
        Figure(*value)
        for name, value in properties
        if name == PROPERTY and isinstance(value, (tuple, list))
    ]
