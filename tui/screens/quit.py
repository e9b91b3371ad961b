"""What to do with a run that is going on when the dashboard is left."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button, Static

from tui.screens.asking import Dialog
from tui.screens.confirm import button
from tui.view.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene


class QuitChoice(StrEnum):
    """What becomes of the run."""

    LEAVE = "leave"
    """It goes on in the agent; the dashboard ends."""
    WAIT = "wait"
    """The dashboard ends when the run does."""
    CANCEL = "cancel"
    """The run is cancelled, then the dashboard ends."""


class QuitScreen(Dialog[QuitChoice | None]):
    """Asks during a run; without a result the dashboard stays."""

    AUTO_FOCUS = "#leave"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "choose('leave')", show=False),
        Binding("w", "choose('wait')", show=False),
        Binding("x", "choose('cancel')", show=False),
        Binding("down,j", "app.focus_next", "other answer", key_display="up/down"),
        Binding("up,k", "app.focus_previous", show=False),
        Binding("escape,q", "leave", "stay here", id="app.back"),
    ]

    def __init__(self, glyphs: Glyphs, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(glyphs, clock)
        self._scene: Scene | None = None

    def heading(self) -> str:
        """The question."""
        return "A run is going on. Quit?"

    def body(self) -> ComposeResult:
        """How far the run is, and the three answers."""
        yield Static(id="progress", markup=False)
        with Vertical(id="buttons"):
            yield button("leave it running: it goes on in the agent", "l", "leave")
            yield button("wait for it, then quit", "w", "wait")
            yield button("cancel it, then quit", "x", "cancel")

    def on_mount(self) -> None:
        """Shows how far the run is."""
        super().on_mount()
        if self._scene is not None:
            self._draw(self._scene)

    def show(self, scene: Scene) -> None:
        """Follows the run; what cannot be cancelled any more cannot be chosen."""
        self._scene = scene
        if self.is_mounted:
            self._draw(scene)

    def _draw(self, scene: Scene) -> None:
        found = progress(scene)
        self.query_one("#progress", Static).update(found.text)
        self.query_one("#cancel", Button).disabled = not found.can_be_cancelled
        if not scene.state.is_busy:
            self.retitle("The run has ended. Quit?")

    @on(Button.Pressed)
    def take(self, event: Button.Pressed) -> None:
        """A click, or enter on a button."""
        self.action_choose(event.button.id or "")

    def action_choose(self, choice: str) -> None:
        """A choice by its letter; a button that is off cannot be chosen by its letter either."""
        if not self.query_one(f"#{choice}", Button).disabled:
            self.dismiss(QuitChoice(choice))
