"""What was promised, and whether it was reached, for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.figures import Figure, apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.proof.parts import Part
    from tests.proof.results import Result

_WHOLE = 1000
"""From here on a figure has nothing behind its point."""


def goals_of(results: Sequence[tuple[Part, Result]]) -> Iterator[str]:
    """What was promised, with the worst that was reached in any test; what is missed first."""
    promised: dict[tuple[str, str, float], list[Figure]] = {}
    for _, result in results:
        for shown in result.shown:
            _, engine = apart(shown.node)
            for figure in shown.figures:
                if figure.goal is not None:
                    key = figure.name, engine, figure.goal
                    promised.setdefault(key, []).append(figure)
    found = [
        _Goal(f"{name} ({engine})" if engine else name, len(figures), _worst(figures))
        for (name, engine, _), figures in promised.items()
    ]
    nothing = [each for each in found if each.is_reached and each.worst.goal == 0]
    yield "## Goals"
    yield ""
    yield "| what | tests | reached, at worst | goal | |"
    yield "|---|---|---|---|---|"
    for each in sorted(found, key=lambda each: each.is_reached):
        if each not in nothing:
            yield each.row
    if nothing:
        yield ""
        total = sum(each.tests for each in nothing)
        yield f"Beside these, {total} figures that are to be 0, such as requests lost, are 0."


class _Goal(NamedTuple):
    """A figure that has a goal: in how many tests, and the worst of them."""

    what: str
    tests: int
    worst: Figure

    @property
    def is_reached(self) -> bool:
        return self.worst.goal is not None and self.worst.value <= self.worst.goal

    @property
    def row(self) -> str:
        """It as a row of the table."""
        bound = f"{number(self.worst.goal or 0)} {self.worst.unit}".rstrip()
        verdict = "reached" if self.is_reached else "**missed**"
        return f"| {self.what} | {self.tests} | {valued(self.worst)} | {bound} | {verdict} |"


def _worst(figures: Sequence[Figure]) -> Figure:
    return max(figures, key=lambda each: each.value)


def valued(figure: Figure) -> str:
    """A figure with its unit."""
    return f"{number(figure.value)} {figure.unit}".rstrip()


def number(value: float) -> str:
    """Four digits, unless there are more before the point."""
    return f"{value:,.4g}" if value % 1 and abs(value) < _WHOLE else f"{value:,.0f}"
