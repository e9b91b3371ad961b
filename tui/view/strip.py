"""Six cells that say how far a deployment is, and the same summed up for a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from core.model import Stage, Status
from tui.view.looks import FAILED, HEALTHY, IDLE, WORKING, is_not_switched, newest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Row
    from tui.view.state import Deployment, Run, Service, State

PROMOTION = (
    Stage.BUILDING,
    Stage.STARTING_CANDIDATE,
    Stage.CHECKING_READINESS,
    Stage.SWITCHING_ROUTE,
    Stage.DRAINING_PREVIOUS,
    Stage.ACTIVE,
)
BARRIER = Stage.SWITCHING_ROUTE
"""Where the services of a run wait for each other, to go on together."""


class Cell(StrEnum):
    """What has become of one stage."""

    DONE = "done"
    NOW = "now"
    WAITS = "waits"
    """Ready for it, and waiting for the other services."""
    FAILED = "failed"
    TO_COME = "to come"


def cells(deployment: Deployment, *, is_at_barrier: bool = False) -> tuple[Cell, ...]:
    """One cell for each stage of a promotion.

    A service without a readiness check skips that stage, which then is done like the others.
    """
    if deployment.status is Status.QUEUED:
        return (Cell.TO_COME,) * len(PROMOTION)
    if deployment.stage not in PROMOTION:
        return (Cell.DONE,) * len(PROMOTION)
    if is_at_barrier:
        return _until(PROMOTION.index(BARRIER), Cell.WAITS)
    at = PROMOTION.index(deployment.stage)
    if deployment.status is Status.FAILED:
        return _until(at, Cell.TO_COME if is_not_switched(deployment) else Cell.FAILED)
    if deployment.status is Status.RUNNING:
        return _until(at, Cell.NOW)
    return _until(at, Cell.DONE)


def _until(at: int, here: Cell) -> tuple[Cell, ...]:
    return (Cell.DONE,) * at + (here,) + (Cell.TO_COME,) * (len(PROMOTION) - at - 1)


def service_cells(service: Service, run: Run | None) -> tuple[Cell, ...]:
    """The cells of the deployment that a person means."""
    found = newest(service, run)
    if found is None:
        return (Cell.TO_COME,) * len(PROMOTION)
    return cells(found, is_at_barrier=service.is_at_barrier)


def draw(row: Sequence[Cell], glyphs: Glyphs, *, is_moving: bool = True) -> Row:
    """The cells as signs; what has come to rest is not coloured."""
    done = WORKING if is_moving else HEALTHY if Cell.TO_COME not in row else IDLE
    signs = {
        Cell.DONE: (glyphs.stage_done, done),
        Cell.NOW: (glyphs.stage_now, f"bold {WORKING}"),
        Cell.WAITS: (glyphs.stage_waits, WORKING),
        Cell.FAILED: (glyphs.stage_failed, FAILED),
        Cell.TO_COME: (glyphs.stage_to_come, IDLE),
    }
    return tuple((signs[cell][0] * len(list(run)), signs[cell][1]) for cell, run in groupby(row))


def members(state: State, run: Run | None = None) -> list[tuple[Service, Deployment]]:
    """The services of a run with their deployments in it, in the order of the services."""
    run = run or state.run
    if run is None:
        return []
    found = ((each, _in_run(each, run)) for each in state.services.values())
    return [(service, deployment) for service, deployment in found if deployment is not None]


def _in_run(service: Service, run: Run) -> Deployment | None:
    ids = run.deployment_ids
    for each in (service.candidate, service.live, service.failed):
        if each is not None and (each.id in ids or (not ids and each.run_id == run.id)):
            return each
    return None


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage for all services of a run."""

    stage: Stage
    done: int
    total: int
    state: Cell
    cells: tuple[Cell, ...]
    """One for each service, what is done first."""


_ORDER = list(Cell)


def legs(row: Sequence[tuple[Service, Deployment]]) -> list[Leg]:
    """The stages of a run, from all its services."""
    columns = zip(*(_member_cells(service, each) for service, each in row), strict=True)
    return [_leg(stage, column) for stage, column in zip(PROMOTION, columns, strict=False)]


def _member_cells(service: Service, deployment: Deployment) -> tuple[Cell, ...]:
    is_at_barrier = service.is_at_barrier and not deployment.is_active
    return cells(deployment, is_at_barrier=is_at_barrier)


def _leg(stage: Stage, column: Sequence[Cell]) -> Leg:
    counts = Counter(column)
    is_done = counts[Cell.DONE] == len(column)
    states = (Cell.FAILED, Cell.NOW, Cell.WAITS)
    state = Cell.DONE if is_done else next((each for each in states if counts[each]), Cell.TO_COME)
    ordered = tuple(sorted(column, key=_ORDER.index))
    return Leg(stage, counts[Cell.DONE], len(column), state, ordered)
