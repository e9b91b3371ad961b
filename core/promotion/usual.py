"""How long a run usually takes: what runs like it took lately."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.journal import Journal
    from core.model import Trigger
    from core.records import Run, Target

_LOOKED_AT = 5


async def usual_seconds(journal: Journal, target: Target, trigger: Trigger) -> float | None:
    """The median of the last runs of this kind that succeeded; None without any."""
    took = [_seconds(run) for run in await journal.runs_like(target, trigger, _LOOKED_AT)]
    return round(median(took), 3) if took else None


def _seconds(run: Run) -> float:
    ended = datetime.fromisoformat(run.completed_at or run.created_at)
    return (ended - datetime.fromisoformat(run.created_at)).total_seconds()
