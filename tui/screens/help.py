"""All keys, and what the signs mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal
from textual.content import Content

from tui.screens.asking import Page
from tui.screens.listing import Sheet
from tui.view import help as view
from tui.view.columns import GAP, LEAST, aligned, hanging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult

    from tui.keys import Key, Scope
    from tui.view.glyphs import Glyphs

TWO_COLUMNS = 110
"""The least width for two columns."""


class HelpScreen(Page):
    """The keys of the pane that had the focus come first, the legend of the signs last."""

    AUTO_FOCUS = "#left"

    def __init__(
        self,
        keys: Sequence[Key],
        focused_scope: Scope | None,
        glyphs: Glyphs,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        """`keymap`: ids of actions with their keys, where they are not those of the table."""
        super().__init__(glyphs)
        self._sections = view.sections(keys, focused_scope, keymap)

    def heading(self) -> str:
        """The title."""
        return "Help: keys and signs"

    def body(self) -> ComposeResult:
        """One column, or two where there is room."""
        with Horizontal(id="columns"):
            yield Sheet("left")
            yield Sheet("right")

    def on_resize(self, event: events.Resize) -> None:
        """One column or two."""
        self.query_one("#right").display = event.size.width >= TWO_COLUMNS

    @on(Sheet.Resized)
    def redraw(self) -> None:
        """Gives the lines the new room."""
        is_wide = self.size.width >= TWO_COLUMNS
        left, right = self.query_one("#left", Sheet), self.query_one("#right", Sheet)
        blocks = [self._block(each, left.room) for each in self._sections]
        blocks.append(self._legend(left.room))
        half = _half(blocks) if is_wide else len(blocks)
        left.write([line for block in blocks[:half] for line in block])
        right.write([line for block in blocks[half:] for line in block])

    def _block(self, section: view.Section, width: int) -> list[Content]:
        room = max(Content(keys).cell_length for keys, _ in section.rows) + GAP
        lines = [_title(section.title)]
        for keys, does in section.rows:
            first, *rest = hanging(does, width, room)
            written = Content.styled(keys, "bold").pad_right(room - Content(keys).cell_length)
            lines += [written + first[room:], *rest]
        return [*lines, Content("")]

    def _legend(self, width: int) -> list[Content]:
        rows = [
            (Content.styled(sign.ljust(LEAST), "bold"), word, meaning)
            for sign, word, meaning in view.legend(self.glyphs)
        ]
        return [_title("signs"), *aligned(rows, width, self.glyphs.cut, (2,))]


def _title(text: str) -> Content:
    return Content.styled(text, "bold underline")


def _half(blocks: Sequence[Sequence[Content]]) -> int:
    """How many blocks go left, so that the columns are about equally long."""
    total = sum(map(len, blocks))

    def longest(count: int) -> int:
        on_left = sum(map(len, blocks[:count]))
        return max(on_left, total - on_left)

    return min(range(1, len(blocks) + 1), key=longest)
