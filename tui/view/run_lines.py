"""The run strip: how far the run is as a whole, and each of its services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.cli.text import duration
from core.model import Stage, Status
from tui.view import looks, words
from tui.view.pieces import MUTED, PLAIN, TITLE, fit, joined, length
from tui.view.strip import BARRIER, Cell, Leg, draw, legs, members, service_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.pieces import Piece, Row
    from tui.view.scene import Scene
    from tui.view.state import Deployment, Run, Service

    Member = tuple[Service, Deployment]

NEWS_S = 15
"""How long the stages of a run that succeeded stay, so that its end is seen."""

_MOST_CELLS = 6
"""More services than this are told by numbers only."""

_WHOLE_IDS = 100
"""From this width on there is room for ids that can be copied."""

_LONG = {
    Stage.BUILDING: "building",
    Stage.STARTING_CANDIDATE: "candidate",
    Stage.CHECKING_READINESS: "readiness",
    Stage.SWITCHING_ROUTE: "switch",
    Stage.DRAINING_PREVIOUS: "drain",
    Stage.ACTIVE: "active",
}
_SHORT = {
    **_LONG,
    Stage.BUILDING: "build",
    Stage.STARTING_CANDIDATE: "cand",
    Stage.CHECKING_READINESS: "ready",
}
_WHOLE = {stage: str(stage) for stage in _LONG}


def run_lines(scene: Scene, width: int, count: int) -> list[Row]:
    """So many lines about the run that goes on, or the last one."""
    run = scene.state.run
    glyphs = scene.glyphs
    row = members(scene.state)
    if run is None:
        lines: list[Row] = [((" no run yet", MUTED),)]
    elif row and _shows_stages(run, scene):
        lines = [
            _rail(legs(row), width, scene),
            _services(row, run, width, scene),
            _facts(run, row),
        ]
    else:
        lines = [_last(run, width, scene), _facts(run, row), _services(row, run, width, scene)]
    lines += [()] * (count - len(lines))
    return [fit(line, width, glyphs.cut) for line in lines[:count]]


def _shows_stages(run: Run, scene: Scene) -> bool:
    if run.status is Status.SUCCEEDED:
        return words.seconds(run.completed_at, scene.now) < NEWS_S
    return not run.is_cancelled


def _rail(row: Sequence[Leg], width: int, scene: Scene) -> Row:
    """The stages one after the other, in the longest form that fits."""
    few = row[0].total <= _MOST_CELLS
    arrow = f" {scene.glyphs.then} "
    forms = [
        _Form(_WHOLE, f" {arrow} ", has_cells=True, says_together=True),
        _Form(_LONG, arrow, has_cells=True, says_together=True),
        _Form(_SHORT, arrow, has_cells=True),
        _Form(_LONG, "   "),
        _Form(_SHORT, "  "),
    ]
    drawn: Row = ()
    for form in forms:
        if form.has_cells and not few:
            continue
        groups = [_leg(each, form, scene) for each in row]
        drawn = ((" ", PLAIN), *joined(groups, (form.gap, MUTED)))
        if length(drawn) < width:
            break
    return drawn


class _Form(NamedTuple):
    """One way to write the stages."""

    names: dict[Stage, str]
    gap: str
    has_cells: bool = False
    says_together: bool = False


def _leg(leg: Leg, form: _Form, scene: Scene) -> list[Piece]:
    name = form.names[leg.stage]
    style = _STYLES[leg.state]
    counts = f" {leg.done}/{leg.total}" if 0 < leg.done < leg.total or leg.state is Cell.NOW else ""
    if form.has_cells:
        is_barrier = leg.stage is BARRIER and leg.total > 1 and leg.state in _BEFORE_BARRIER
        is_barrier = is_barrier and scene.state.is_busy
        together = " together" if is_barrier and form.says_together else ""
        if leg.stage is BARRIER and _is_held(scene):
            counts, together = f"{counts} held", ""
        cells = draw(leg.cells, scene.glyphs, is_moving=leg.state is not Cell.DONE)
        return [(f"{name} ", style), *cells, (counts, style), (together, MUTED)]
    return [(f"{_sign(leg, scene)} ", style), (f"{name}{counts}", style)]


def _is_held(scene: Scene) -> bool:
    run = scene.state.run
    return run is not None and run.is_held and not run.status.is_final


_BEFORE_BARRIER = (Cell.TO_COME, Cell.WAITS)
_STYLES = {
    Cell.DONE: looks.HEALTHY,
    Cell.NOW: f"bold {looks.WORKING}",
    Cell.WAITS: looks.WORKING,
    Cell.FAILED: looks.FAILED,
    Cell.TO_COME: looks.IDLE,
}


def _sign(leg: Leg, scene: Scene) -> str:
    glyphs = scene.glyphs
    return {
        Cell.DONE: glyphs.stage_done,
        Cell.NOW: glyphs.stage_now,
        Cell.WAITS: glyphs.stage_waits,
        Cell.FAILED: glyphs.stage_failed,
        Cell.TO_COME: glyphs.stage_to_come,
    }[leg.state]


def _services(row: Sequence[Member], run: Run, width: int, scene: Scene) -> Row:
    """Each service of the run with its cells; what needs attention first if not all fit."""
    groups = [_service(service, run, scene) for service, _ in row]
    gap = ("    ", PLAIN)
    whole: Row = ((" ", PLAIN), *joined(groups, gap))
    if length(whole) < width:
        return whole
    ranked = sorted(row, key=lambda each: looks.needs_attention(each[0]))
    shown: list[Sequence[Piece]] = []
    for index, (service, _) in enumerate(ranked):
        rest = len(ranked) - index
        more = [(f"and {rest} more", MUTED)]
        added = [*shown, _service(service, run, scene)]
        if length(joined([*added, more], gap)) + 2 > width:
            return ((" ", PLAIN), *joined([*shown, more], gap))
        shown = added
    return whole


def _service(service: Service, run: Run, scene: Scene) -> list[Piece]:
    look = looks.stage_look(service, run, scene.now, scene.glyphs)
    return [
        (f"{service.name} ", TITLE),
        *draw(service_cells(service, run), scene.glyphs, is_moving=service.is_moving),
        (f" {looks.marked(look, scene.glyphs)}{_limit(service)}", look.style),
    ]


def _limit(service: Service) -> str:
    waiting = service.waiting
    if waiting is None or waiting.limit_s is None or waiting.kind != "readiness":
        return ""
    return f" of {words.counting(waiting.limit_s)}"


def _last(run: Run, width: int, scene: Scene) -> Row:
    """The last run in one line."""
    if run.status is Status.SUCCEEDED:
        glyph, style = scene.glyphs.healthy, looks.HEALTHY
    elif run.is_cancelled:
        glyph, style = scene.glyphs.stopped, looks.IDLE
    else:
        glyph, style = scene.glyphs.failed, looks.FAILED
    took = words.seconds(run.created_at, run.completed_at) if run.completed_at else 0
    groups: list[list[Piece]] = [
        [("last run ", MUTED), (run.id if width >= _WHOLE_IDS else words.short_id(run.id), PLAIN)],
        [(f"{glyph} {run.trigger} {words.outcome(run)}", style), (f" in {duration(took)}", PLAIN)],
        [(words.ago(run.completed_at, scene.now), MUTED)],
        [(words.counted(len(run.deployment_ids), "service"), MUTED)],
    ]
    while len(groups) > _OUTCOME and length(joined(groups, _GAP)) + 2 > width:
        groups.pop()
    return ((" ", PLAIN), *joined(groups, _GAP))


_GAP = ("   ", PLAIN)
_OUTCOME = 2
"""The groups that say which run, and how it ended."""


def _facts(run: Run, row: Sequence[Member]) -> Row:
    groups: list[list[Piece]] = []
    if run.label:
        groups.append([("label ", MUTED), (words.reason(run.label), PLAIN)])
    if run.status.is_final:
        cut = run.cut_requests
        told = f"{words.counted(cut, 'request')} cut" if cut else "no request was cut"
        groups.append([(told, looks.RETRYING if cut else MUTED)])
        if run.not_serving:
            names = words.listed(list(run.not_serving))
            groups.insert(0, [(f"not serving: {names}", looks.FAILED)])
        groups += (
            [[("by itself: ", MUTED), (words.cause(run.because), PLAIN)]] if run.because else []
        )
    elif run.because:
        groups.append([("by itself: ", MUTED), (words.cause(run.because), PLAIN)])
    elif any(each.live for each, _ in row):
        groups.append([("if one fails: nothing is switched, the live ones stay", MUTED)])
    return ((" ", PLAIN), *joined(groups, ("      ", PLAIN)))
