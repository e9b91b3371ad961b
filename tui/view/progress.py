"""How far the run is, in one line, and whether it can still be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from core.model import Stage, Status
from tui.view import words
from tui.view.looks import FAILED, HEALTHY, IDLE, WORKING
from tui.view.strip import PROMOTION, Cell, legs, members

if TYPE_CHECKING:
    from tui.view.scene import Scene
    from tui.view.state import Run, State

_FROM_SWITCH = PROMOTION[PROMOTION.index(Stage.SWITCHING_ROUTE) :]


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at a run."""

    text: Content
    can_be_cancelled: bool


def progress(scene: Scene) -> Progress:
    """The run that is going on, else how the last one ended."""
    run = scene.state.run
    if run is None:
        return Progress(Content.styled("no run", IDLE), can_be_cancelled=False)
    if run.status.is_final:
        return Progress(_ended(run, scene), can_be_cancelled=False)
    passed = words.clock(words.seconds(run.created_at, scene.now))
    usual = f" of about {words.about(run.usual_s)}" if run.usual_s else ""
    text = Content.assemble(
        (f"{scene.glyphs.working} {words.doing(run.trigger)}", WORKING),
        f"  {_stage(scene.state)}  {passed}{usual}",
    )
    return Progress(text, can_be_cancelled=not is_past_switch(scene.state))


def is_past_switch(state: State) -> bool:
    """Whether the switch of the run has begun: from there it can only go forward."""
    return any(
        each.stage in _FROM_SWITCH and each.status is not Status.FAILED
        for service, each in members(state)
        if not each.status.is_final or each is service.live
    )


def _stage(state: State) -> str:
    if state.run is not None and state.run.status is Status.QUEUED:
        return "queued"
    for leg in legs(members(state)):
        if leg.state is not Cell.DONE:
            return f"{words.STAGES[leg.stage]}, {leg.done} of {leg.total} through"
    return "begins" if not members(state) else "ends"


def _ended(run: Run, scene: Scene) -> Content:
    is_good = run.status is Status.SUCCEEDED
    sign, style = (scene.glyphs.healthy, HEALTHY) if is_good else (scene.glyphs.failed, FAILED)
    why = f": {words.reason(run.failure_message)}" if run.failure_message else ""
    return Content.assemble((f"{sign} {run.trigger} {words.outcome(run)}", style), why)
