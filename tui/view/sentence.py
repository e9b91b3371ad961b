"""One sentence for the why-line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.view.pieces import MUTED, PLAIN, cut_at_word, fit, length

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Row


@dataclass(frozen=True, slots=True)
class Why:
    """A sentence in clauses, the important one first; what does not fit is left out from the end.

    Each clause brings the sign that joins it to the one before.
    """

    glyph: str
    style: str
    clauses: tuple[str, ...]

    def line(self, width: int, glyphs: Glyphs) -> Row:
        """As much of it as fits into a line."""
        first, *more = map(glyphs.said, self.clauses)
        first = cut_at_word(first, width - cell_len(self.glyph) - 3, glyphs.cut)
        row = [(" ", PLAIN), (self.glyph, self.style), (" ", PLAIN), (first, PLAIN)]
        for clause in more:
            if length(row) + length([(clause, PLAIN)]) > width - 1:
                break
            row.append((clause, MUTED))
        return fit(row, width - 1, glyphs.cut)
