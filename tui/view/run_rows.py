"""Recent runs in one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.cli.text import duration
from core.model import Status, Trigger
from tui.view import looks, words
from tui.view.pieces import MUTED, PLAIN, TITLE, left, right
from tui.view.state import Run
from tui.view.strip import members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tui.view.pieces import Row
    from tui.view.scene import Scene
    from tui.view.state import State

_TRIGGER_CELLS = 11
_TOOK_CELLS = 7
_AGO_CELLS = 7
_WITH_TOOK = 54
"""From this width on there is room for how long runs took."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run with the names of its services."""

    run: Run
    services: tuple[str, ...] = ()

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> PastRun:
        """As `GET /v1/runs` tells of it."""
        return cls(Run.read(found), tuple(found.get("services", ())))


def merged(past: Sequence[PastRun], state: State) -> list[PastRun]:
    """The list with the run of this moment as it is now; a new one comes first."""
    present = state.run
    if present is None:
        return list(past)
    if any(each.run.id == present.id for each in past):
        return [
            PastRun(present, each.services) if each.run.id == present.id else each for each in past
        ]
    names = tuple(service.name for service, _ in members(state))
    return [PastRun(present, names), *past]


def run_row(past: PastRun, width: int, scene: Scene, *, is_selected: bool) -> Row:
    """One run: how it ended, what it was about, how long it took, how long ago it was."""
    run, glyphs = past.run, scene.glyphs
    glyph, style = _sign(run, scene)
    end = run.completed_at or scene.now
    is_going_on = not run.status.is_final
    passed = words.seconds(run.created_at, end)
    took = words.clock(passed) if is_going_on else duration(passed)
    when = "now" if is_going_on else words.age(words.seconds(run.completed_at, scene.now))
    names = " ".join(past.services) or words.counted(len(run.deployment_ids), "service")
    names = f"by itself: {names}" if run.because else names
    name = words.short_id(run.id)
    took_cells = _TOOK_CELLS if width >= _WITH_TOOK else 0
    room = width - 3 - len(name) - 2 - _TRIGGER_CELLS - 1 - took_cells - _AGO_CELLS - 1
    return (
        (f" {glyphs.cursor if is_selected else ' '} ", TITLE),
        (f"{name}  ", PLAIN),
        (left(f"{glyph} {run.trigger}", _TRIGGER_CELLS, glyphs.cut), style),
        (f" {left(names, max(room, 0), glyphs.cut)}", MUTED),
        (right(took, took_cells, glyphs.cut), PLAIN),
        (right(when, _AGO_CELLS, glyphs.cut), MUTED),
    )


def _sign(run: Run, scene: Scene) -> tuple[str, str]:
    glyphs = scene.glyphs
    if run.is_cancelled:
        return glyphs.stopped, looks.IDLE
    if run.status is Status.FAILED:
        return glyphs.failed, looks.FAILED
    if run.status is Status.QUEUED:
        return glyphs.queued, looks.IDLE
    if run.trigger is Trigger.ROLLBACK:
        return glyphs.rolled_back, looks.ROLLBACK
    if run.status is Status.RUNNING:
        return glyphs.working, looks.WORKING
    return glyphs.healthy, looks.HEALTHY
