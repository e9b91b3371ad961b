"""One fault at one moment: what must hold, the same for all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tests.e2e import faults
from tests.proof.faults.scene import AFTER_SWITCH, BEFORE_SWITCH, QUIET, scene

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.load.report import Report
    from tests.proof.faults.scene import Scene

_LONGEST_LINE = 400
_ECHO = "echoes missing"
"""A service closes its websocket when it likes, whatever a gateway that hangs still has for it."""


class Fate(Enum):
    """What becomes of a run that goes on."""

    SUCCEEDS = "it goes on, and succeeds"
    TURNS = "before its switch it goes back, after it forward"
    EITHER = "it succeeds, or goes back and says why"


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls something; `befall` returns when nobody does any more harm."""

    befall: Callable[[Scene], Awaitable[None]]
    fate: Fate = Fate.SUCCEEDS
    cuts: bool = False
    """Whether what was under way when it began may be lost, and what came until it was over."""


async def hold_against(
    running: House, lab: LabProject, fault: Fault, moment: str, counts: FiguresRecorder
) -> None:
    """A fault at a moment of a run, under load; then everything is as it should be."""
    async with scene(running, lab) as it:
        await it.reach(moment)
        befell_at = time.monotonic()
        await fault.befall(it)
        serves_at = await it.serves()
        has_switched = await it.end()
        check_fate(it, fault.fate, has_switched=has_switched)
        await it.is_well("v2" if has_switched else "v1")
        await it.next_deploy_works()
    report = it.load.report()
    check_lost(report, lab, befell_at, serves_at, cuts=fault.cuts)
    counts("requests sent", report.sent, "requests")
    counts("requests lost with what was killed", len(report.lost), "requests")


def check_fate(it: Scene, fate: Fate, *, has_switched: bool) -> None:
    """A run ends as it must, and a failed one says why in a line for people."""
    if it.moment == QUIET:
        return
    if fate is Fate.SUCCEEDS or it.moment == AFTER_SWITCH:
        assert has_switched, it.told
    elif fate is Fate.TURNS and it.moment in BEFORE_SWITCH:
        assert not has_switched
    assert has_switched != bool(it.told)
    assert has_switched or is_clear(it.told), it.told


def is_clear(words: str) -> bool:
    """Whether the first line is short, and none is a traceback or a representation."""
    is_short = 0 < len(words.partition("\n")[0]) < _LONGEST_LINE
    return is_short and not any(
        sign in words for sign in ("Traceback", "Error(", "<class", "object at 0x")
    )


def check_lost(
    report: Report, lab: LabProject, befell_at: float, serves_at: float, *, cuts: bool
) -> None:
    """Nothing was lost but what was with the thing that was killed; nothing was done twice."""
    faults.no_strangers(report, "v1", "v2", "v3")
    lost = [
        str(loss)
        for loss in report.lost
        if not cuts or loss.end.monotonic < befell_at or loss.start.monotonic > serves_at
    ]
    assert lost == []
    assert cuts or [each.detail for each in report.cut_off if _ECHO not in each.detail] == []
    served = lab.access_log.not_exactly_once(report.ids)
    twice = {number: times for number, times in served.items() if times > 1}
    assert twice == {}
    answered = {each.id for each in report.answered}
    assert answered & served.keys() == set()
