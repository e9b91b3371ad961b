"""The line at the bottom of a log pane in which a search or a filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LogBar(Horizontal):
    """Tells its pane what is typed; `esc` first clears what was typed, then closes."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "close", show=False)]

    class Changed(Message):
        """Something else is typed now."""

        def __init__(self, bar: LogBar, text: str) -> None:
            self.bar = bar
            self.text = text
            super().__init__()

    class Closed(Message):
        """The bar is not wanted any more."""

        def __init__(self, bar: LogBar, *, is_accepted: bool) -> None:
            self.bar = bar
            self.is_accepted = is_accepted
            super().__init__()

    def __init__(self, purpose: str, text: str, example: str) -> None:
        super().__init__(classes="log-bar")
        self.purpose = purpose
        self._label = Static(Content(f"{purpose} "), classes="log-bar--label")
        self.input = Input(text, placeholder=example, compact=True)
        self._note = Static("", classes="log-bar--note", markup=False)

    def compose(self) -> ComposeResult:
        """What it is for, what is typed, what came of it."""
        yield self._label
        yield self.input
        yield self._note

    def on_mount(self) -> None:
        """Typing goes here at once."""
        self.input.focus(scroll_visible=False)

    def tell(self, text: str, *, is_error: bool = False) -> None:
        """Says what came of it."""
        self._note.set_class(is_error, "-error")
        self._note.update(Content(f" {text}" if text else ""))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Passes it on to the pane."""
        event.stop()
        self.post_message(self.Changed(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self.post_message(self.Closed(self, is_accepted=True))

    def action_leave(self) -> None:
        """Clears what was typed, or closes."""
        if self.input.value:
            self.input.value = ""
        else:
            self.post_message(self.Closed(self, is_accepted=False))
