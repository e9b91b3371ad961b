"""A question with two answers, of which the harmless one is ready."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from tui.screens.asking import Dialog
from tui.view.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult


def button(label: str, key: str, id: str) -> Button:  # noqa: A002 - Textual's name
    """A button with its key written on it."""
    return Button(Content(f"{label}  ({key})"), id=id, compact=True)


class ConfirmScreen(Dialog[bool]):
    """Asks before something is changed; `enter` on the ready answer changes nothing."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("left,right,h,l", "app.focus_next", "other answer", key_display="left/right"),
        Binding("enter", "press", "press it", key_display="enter"),
        Binding("escape,n,q", "answer(False)", "leave it"),
    ]

    def __init__(
        self,
        question: str,
        details: Sequence[str],
        yes: str | None,
        no: str,
        *,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`yes` and `no` are what the buttons say; without a yes there is only one to close it."""
        super().__init__(glyphs, clock)
        self._question = question
        self._details = details
        self._labels = (yes, no)

    def heading(self) -> str:
        """The question."""
        return self._question

    def body(self) -> ComposeResult:
        """What follows from a yes, and the buttons."""
        yield Static("\n".join(self._details), id="details", markup=False)
        yes, no = self._labels
        with Horizontal(id="buttons"):
            yield button(no, "n" if yes else "esc", "no")
            if yes:
                yield button(yes, "y", "yes")

    @on(Button.Pressed)
    def take(self, event: Button.Pressed) -> None:
        """A click, or enter on a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, is_yes: bool) -> None:  # noqa: FBT001 - an action's parameter
        """An answer by its letter."""
        self.dismiss(is_yes and self._labels[0] is not None)

    def action_press(self) -> None:
        """Enter while no button has the focus: nothing is changed."""
        self.dismiss(False)  # noqa: FBT003 - the result
