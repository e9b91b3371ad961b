"""Writes docs/PROOF.md from what the parts have shown."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from core.files import write_atomically
from core.model import EngineName
from tests.figures import apart
from tests.proof.goals import goals_of, number, valued
from tests.proof.parts import PARTS
from tests.proof.results import ROOT, kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.figures import Figure
    from tests.proof.evidence import Series
    from tests.proof.parts import Part
    from tests.proof.results import Result, Shown

REPORT = ROOT / "docs" / "PROOF.md"
PICTURES = ROOT / "docs" / "proof"
_OPENING = """\
# Proof

Every figure here was measured by the tests in [`tests/proof`](../tests/proof), on real parts: the
program itself, a real Envoy, a real Docker Engine. This page is written by `make proof`, which
anybody can run: it takes two to three hours, in parts of at most nine minutes, and goes on where
it was interrupted. `make test` runs a short form of most. A figure that misses its goal says so.
"""
_ADDS_UP = {"requests", "deploys", "rollbacks", "streams", "cases", "examples", "tricks"}
"""Units of what several tests count together."""


def write() -> None:
    """Writes the page, with the plots of every part that has been run."""
    results = [(part, result) for part in PARTS if (result := kept(part))]
    if not results:
        return
    lines = [*_OPENING.splitlines(), "", *_in_all(results), *goals_of(results)]
    explained: set[str] = set()
    for part, result in results:
        lines += ["", *_part(part, result, explained)]
    missing = [part.name for part in PARTS if part.name not in {each.name for each, _ in results}]
    if missing:
        lines += ["", "## Not run", "", f"These parts have not been run: {', '.join(missing)}."]
    write_atomically(REPORT, ("\n".join(lines) + "\n").encode(), mode=0o644)


def _in_all(results: Sequence[tuple[Part, Result]]) -> Iterator[str]:
    """What more than one test of an engine has counted, added up over all parts."""
    counted = [
        (*apart(shown.node), figure)
        for _, result in results
        for shown in result.shown
        for figure in shown.figures
        if figure.unit in _ADDS_UP
    ]
    times = Counter((figure.name, engine) for _, engine, figure in counted)
    often = {name for (name, _), found in times.items() if found > 1}
    if several := [each for each in counted if each[2].name in often]:
        yield "## In all"
        yield ""
        yield from _table(several)
        yield ""


def _part(part: Part, result: Result, explained: set[str]) -> Iterator[str]:
    """What a part has shown; files are explained where they are met first."""
    failed = [each.node for each in result.shown if each.outcome == "failed"]
    yield f"## {part.title}"
    yield ""
    paths = dict.fromkeys(each.node.partition("::")[0] for each in result.shown)
    for path in (each for each in paths if each not in explained):
        yield from _explained(path)
    explained.update(paths)
    yield from _figures(result.shown)
    yield from _plots([each for shown in result.shown for each in shown.series])
    ran = f"{len(result.shown)} tests in {result.seconds:,.0f} s, {result.began_at}"
    yield f"{ran}, at {result.commit}: `{result.command}`"
    yield f"<br>{result.machine}"
    if not result.has_passed and not failed:
        yield ""
        yield "**Not run to its end.**"
    if failed:
        yield ""
        yield "**Failed:**"
        yield from (f"* `{node}`" for node in failed)


def _explained(path: str) -> Iterator[str]:
    """What the tests of a file say that they show."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
    yield inspect.cleandoc(text)
    yield ""


def _figures(shown: Sequence[Shown]) -> Iterator[str]:
    """A table of all figures."""
    measured = [(*apart(each.node), figure) for each in shown for figure in each.figures]
    if measured:
        yield from _table(measured)
        yield ""


def _table(measured: Sequence[tuple[str, str, Figure]]) -> Iterator[str]:
    """Tests, engines and their figures: a row for each name, with the engines side by side."""
    there = {engine for _, engine, _ in measured}
    engines = [engine for engine in (*EngineName, "") if engine in there]
    heads = [engine or "measured" for engine in engines]
    yield f"| | {' | '.join(heads)} |"
    yield f"|---{'|---' * len(heads)}|"
    for name, rows in groupby(
        sorted(measured, key=lambda each: each[2].name), lambda each: each[2].name
    ):
        found = list(rows)
        cells = [_cell([each for _, on, each in found if on == engine]) for engine in engines]
        yield f"| {name} | {' | '.join(cells)} |"


def _cell(figures: Sequence[Figure]) -> str:
    """The value of a figure; of several tests their sum, or the range that they span."""
    if not figures:
        return ""
    if len(figures) == 1:
        return valued(figures[0])
    values = [each.value for each in figures]
    unit = figures[0].unit
    if unit in _ADDS_UP:
        return f"{number(sum(values))} {unit}"
    return f"{number(min(values))} to {number(max(values))} {unit}"


def _plots(series: Sequence[Series]) -> Iterator[str]:
    for plot in dict.fromkeys(each.plot for each in series):
        PICTURES.mkdir(exist_ok=True)
        path = PICTURES / f"{plot.replace(' ', '-')}.svg"
        _draw(plot, [each for each in series if each.plot == plot], path)
        yield f"![{plot}](proof/{path.name})"
        yield ""


def _draw(plot: str, series: Sequence[Series], path: Path) -> None:
    # Imported here: only `make proof` installs what draws.
    from tests.proof.plots import draw

    draw(plot, series, path)
