"""Where the value of a variable is typed: over several lines if need be, and unseen if it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

if TYPE_CHECKING:
    from textual import events

    from tui.screens.type_ahead import TypeAhead


class ValueArea(TextArea):
    """Enter is done with it, ctrl+j begins a new line; what is pasted keeps its lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j", "new_line", "new line", show=False),
    ]

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, value: str, guard: TypeAhead, *, is_hidden: bool) -> None:
        self.is_hidden = is_hidden
        """Whether what is typed cannot be seen, nor copied."""
        self._guard = guard
        self._before = value
        super().__init__(
            value, id="value", compact=True, highlight_cursor_line=False, tab_behavior="focus"
        )
        self._loaded = self.text

    @property
    def value(self) -> str:
        """What is typed; what was not touched is as it was, with line ends of any kind."""
        return self._before if self.text == self._loaded else self.text

    def hide(self, *, is_hidden: bool) -> None:
        """Shows what is typed, or no longer."""
        self.is_hidden = is_hidden
        self.notify_style_update()  # forgets the lines that are drawn already
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line with as many signs, none of which a terminal would obey."""
        line = self.document.get_line(line_index)
        shown = "*" * len(line) if self.is_hidden else "".join(map(_harmless, line))
        return Text(shown, end="", no_wrap=True)

    async def _on_key(self, event: events.Key) -> None:
        if not self._guard.is_over:
            event.prevent_default()
            event.stop()
        elif event.key == "enter":
            event.prevent_default()
            event.stop()
            self.post_message(self.Submitted())
        else:
            await super()._on_key(event)

    def action_new_line(self) -> None:
        """Begins a new line where the cursor is."""
        self.insert("\n")

    def action_copy(self) -> None:
        """What is hidden is not copied either."""
        if not self.is_hidden:
            super().action_copy()

    def action_cut(self) -> None:
        """What is hidden is not copied either."""
        if not self.is_hidden:
            super().action_cut()


def _harmless(character: str) -> str:
    return character if character.isprintable() or character == "\t" else "?"
