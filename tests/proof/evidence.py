"""What a proof leaves behind besides its figures: the points of a plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SERIES = "series"


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot; `marks` are moments on its x axis that something happened at."""

    plot: str
    """The name of the plot, such as `load-process`; series of the same name share a picture."""
    name: str
    """What the line is, with its unit: `requests per second`."""
    x_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    marks: tuple[float, ...] = ()


@dataclass(slots=True)
class SeriesRecorder:
    """What the `series` fixture hands out."""

    properties: list[tuple[str, object]]

    def __call__(
        self,
        plot: str,
        name: str,
        x_name: str,
        points: Sequence[tuple[float, float]],
        marks: Sequence[float] = (),
    ) -> None:
        # Plain values only: they travel from the workers of a parallel run in the test's report.
        x, y = [list(each) for each in zip(*points, strict=True)] if points else [[], []]
        self.properties.append((SERIES, (plot, name, x_name, x, y, list(marks))))


def series_of(properties: Sequence[tuple[str, object]]) -> list[Series]:
    """Reads the series back out of a report's properties."""
    found = []
    for name, value in properties:
        if name == SERIES and isinstance(value, (tuple, list)):
            plot, line, x_name, x, y, marks = value
            found.append(Series(plot, line, x_name, tuple(x), tuple(y), tuple(marks)))
    return found
