"""The pictures of docs/PROOF.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tests.proof.evidence import Series

_WIDTH_IN = 9.0
_PANEL_IN = 2.2
_ROW_IN = 0.32
_LINE = "#2563eb"
_MARK = "#dc2626"
_WIDE = 30
"""From this ratio of its ends on, an axis is logarithmic."""

# The same figures make the same file.
mpl.rcParams.update({"svg.hashsalt": "proof", "svg.fonttype": "path", "font.size": 9})


def draw(plot: str, series: Sequence[Series], path: Path) -> None:
    """Draws the series of one plot into an SVG file: panels below each other, or one time line."""
    figure = _time_line(series) if plot.startswith("timeline") else _panels(series)
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def _panels(series: Sequence[Series]) -> Figure:
    size = (_WIDTH_IN, _PANEL_IN * len(series))
    figure, grid = plt.subplots(len(series), 1, sharex=True, squeeze=False, figsize=size)
    for axes, each in zip(grid[:, 0], series, strict=True):
        _panel(axes, each)
    grid[-1, 0].set_xlabel(series[-1].x_name)
    return figure


def _panel(axes: Axes, series: Series) -> None:
    is_sparse = len(series.x) < _WIDE
    axes.plot(series.x, series.y, color=_LINE, linewidth=1, marker="o" if is_sparse else None)
    for moment in series.marks:
        axes.axvline(moment, color=_MARK, linewidth=0.6, alpha=0.7)
    axes.set_ylabel(series.name)
    if _is_wide(series.x):
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)


def _is_wide(values: Iterable[float]) -> bool:
    ordered = sorted(values)
    return bool(ordered) and ordered[0] > 0 and ordered[-1] / ordered[0] >= _WIDE


def _time_line(series: Sequence[Series]) -> Figure:
    """One row for each series, whose points are the beginnings and ends of its stretches."""
    figure, axes = plt.subplots(figsize=(_WIDTH_IN, 0.8 + _ROW_IN * len(series)))
    for row, each in enumerate(series):
        stretches = zip(each.x[::2], each.x[1::2], strict=True)
        axes.broken_barh(
            [(begin, end - begin) for begin, end in stretches], (row - 0.35, 0.7), color=_LINE
        )
        for moment in each.marks:
            axes.axvline(moment, color=_MARK, linewidth=0.8)
    axes.set_yticks(range(len(series)), [each.name for each in series])
    axes.invert_yaxis()
    axes.set_xlabel(series[0].x_name)
    axes.grid(visible=True, axis="x", alpha=0.3)
    return figure
