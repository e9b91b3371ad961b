"""The schedule of a cron, and the last executions of a job or cron, as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.cli.text import duration
from tui.view import execution_words, words
from tui.view.columns import aligned
from tui.view.execution import Execution
from tui.view.looks import execution_look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tui.view.columns import Row
    from tui.view.glyphs import Glyphs

Json = Mapping[str, Any]

_MUTED = "$foreground-muted"
_NAME = 11
_OVERLAPS = {
    "skip": "skip: it is left out while an earlier one runs",
    "allow": "allow: it may run beside an earlier one",
    "replace": "replace: an earlier one that runs is ended",
}


def schedule(cron: Json) -> list[Content]:
    """When it runs, by whose clock, and what happens if it still runs then."""
    found = cron["schedule"]
    overlap = str(found.get("overlap", ""))
    deadline = duration(found.get("deadlineMs", 0) / 1000)
    named = {
        "schedule": str(found["cron"]),
        "zone": str(found.get("timeZone", "")),
        "overlap": _OVERLAPS.get(overlap, overlap),
        "deadline": f"{deadline}; later than that it is missed",
    }
    return [Content.styled(name.ljust(_NAME), _MUTED) + value for name, value in named.items()]


def past(found: Sequence[Json], now: datetime, width: int, glyphs: Glyphs) -> list[Content]:
    """One line each, newest first."""
    if not found:
        return [Content.styled("it has not run yet", _MUTED)]
    rows = [_row(Execution.read(each), now, glyphs) for each in found]
    return aligned(rows, width, glyphs.cut, (5,))


def _row(each: Execution, now: datetime, glyphs: Glyphs) -> Row:
    look = execution_look(each, glyphs)
    took = execution_words.took(each)
    if each.is_running:
        took = execution_words.running_for(each, now)
    times = words.counted(each.missed, "time") if each.missed > 1 else ""
    return (
        Content.styled(f"{look.glyph} {look.word}", look.style),
        each.trigger,
        words.ago(each.started_at, now),
        took or times,
        each.id,
        glyphs.said(words.reason(each.message)),
    )
