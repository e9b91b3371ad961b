"""The environments of all projects, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from tui.view import words
from tui.view.history import result
from tui.view.looks import FAILED, IDLE
from tui.view.state import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from tui.view.columns import Row
    from tui.view.glyphs import Glyphs

Json = dict[str, Any]

TITLES: Row = ("ENVIRONMENT", "ENGINE", "SERVICES", "LAST RUN", "AGO")
GIVES_WAY = (1, 0)

NAME_LENGTH = 63


def ordered(found: Iterable[Json], project: str) -> list[Json]:
    """Those of this project first."""

    def order(each: Json) -> tuple[bool, str, str]:
        return each["project"] != project, each["project"], each["environment"]

    return sorted(found, key=order)


def row(each: Mapping[str, Any], now: datetime, glyphs: Glyphs, *, is_current: bool) -> Row:
    """One environment, with how its services are."""
    last = Run.read(each["lastRun"]) if each.get("lastRun") else None
    return (
        Content.assemble(
            f"{each['project']} / ",
            (str(each["environment"]), "bold"),
            ("  shown now" if is_current else "", "$foreground-muted"),
        ),
        str(each.get("engine") or words.NONE),
        _services(each.get("services") or {}, glyphs),
        result(last, glyphs) if last else Content.styled("never deployed", IDLE),
        words.age(words.seconds(last.completed_at or last.created_at, now)) if last else "",
    )


def _services(counts: Mapping[str, int], glyphs: Glyphs) -> Content:
    active, unhealthy = counts.get("active", 0), counts.get("unhealthy", 0)
    if unhealthy:
        return Content.styled(f"{glyphs.failed} {unhealthy} of {active} unhealthy", FAILED)
    return Content(f"{active} live") if active else Content.styled("none live", IDLE)


def refusal(name: str) -> str | None:
    """Why a text cannot name an environment; None if it can."""
    if not name:
        return "type a name for the environment"
    if len(name) > NAME_LENGTH or not name.isprintable():
        return f"a name has 1 to {NAME_LENGTH} printable characters"
    return None
