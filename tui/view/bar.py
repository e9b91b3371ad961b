"""How much of a time has passed, as a row of signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view.looks import IDLE, WORKING

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Row


def bar(passed_s: float, whole_s: float, cells: int, glyphs: Glyphs) -> Row:
    """What has passed and what is to come; more than the whole is a full bar."""
    share = min(max(passed_s / whole_s, 0), 1) if whole_s else 1
    done = round(share * cells)
    return (glyphs.bar_done * done, WORKING), (glyphs.bar_to_come * (cells - done), IDLE)
