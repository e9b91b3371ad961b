"""What covers the screen where there is no room for anything else."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from tui.view.pieces import MUTED, PLAIN, TITLE
from tui.view.status import status_line
from tui.view.why import why
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.pieces import Row
    from tui.view.scene import Scene

LEAST_WIDTH, LEAST_HEIGHT = 60, 15


_KEYS = "The keys still work: q quits, ? shows them."


def is_too_small(width: int, height: int) -> bool:
    """Whether a terminal has no room for the screen."""
    return width < LEAST_WIDTH or height < LEAST_HEIGHT


class TooSmall(RowsView):
    """How large the terminal has to be, and what matters most meanwhile. The keys still work."""

    def rows(self, scene: Scene) -> Sequence[Row]:
        """Sentences, wrapped."""
        width = self.size.width
        needed = f"This needs {LEAST_WIDTH} columns and {LEAST_HEIGHT} rows; here are"
        size = f"{needed} {width} and {self.size.height}."
        reason = why(scene)
        first = f"{reason.glyph} {reason.clauses[0]}"
        room = max(width - 2, 10)
        return [
            status_line(scene, width),
            (),
            *(((f" {line}", TITLE),) for line in wrap(size, room)),
            (),
            *(
                ((f" {line}", reason.style if not index else PLAIN),)
                for index, line in enumerate(wrap(first, room))
            ),
            (),
            *(((f" {line}", MUTED),) for line in wrap(_KEYS, room)),
        ]
