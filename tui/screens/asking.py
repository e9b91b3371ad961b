"""What every screen besides the main one has: a heading, a line about its data, and its keys."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from core.errors import CompartmentError, ConfigError, NotFound
from tui.screens.key_line import KeyLine
from tui.screens.type_ahead import TypeAhead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual import events
    from textual.app import ComposeResult

    from tui.view.glyphs import Glyphs

Result = TypeVar("Result")
Answer = TypeVar("Answer")


class Asking(Screen[Result]):
    """A screen that asks the agent after its first frame, and says how that goes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", id="app.back"),
        Binding("q", "leave", "back", id="app.quit", show=False),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(classes="-ascii" if glyphs.is_ascii else None)
        self.glyphs = glyphs

    def heading(self) -> str:
        """The first line of the screen."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """What stands between the heading and the keys."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Heading, body, a line about the data, keys."""
        yield Static(self.heading(), id="heading", markup=False)
        yield from self.body()
        yield Static(id="note", markup=False)
        yield KeyLine()

    def ask(
        self,
        question: Callable[[], Awaitable[Answer]],
        take: Callable[[Answer], None],
        subject: str = "data",
    ) -> None:
        """Asks the agent in a worker; a newer question about the same subject replaces it."""
        # Not a coroutine: a worker that is replaced before it began would never await it.
        work: Any = partial(self._ask, question, take)
        self.run_worker(work, group=subject, exclusive=True, name=f"ask for {subject}")

    async def _ask(
        self, question: Callable[[], Awaitable[Answer]], take: Callable[[Answer], None]
    ) -> None:
        self.say("loading")
        try:
            found = await question()
        except CompartmentError as error:
            self.say_error(error)
            return
        self.say("")
        take(found)

    def say(self, text: str | Content) -> None:
        """Shows a line about the data; nothing for an empty one."""
        note = self.query_one("#note", Static)
        note.update(Content(text) if isinstance(text, str) else text)
        note.display = bool(text)

    def say_error(self, error: CompartmentError) -> None:
        """Shows an error: what is wrong, and how to mend it."""
        # What was never deployed, or is gone, has not failed.
        is_failure = not isinstance(error, NotFound)
        sign, style = (f"{self.glyphs.failed} ", "$state-failed") if is_failure else ("", "")
        lines = [Content.styled(f"{sign}{error.message}", style)]
        if isinstance(error, ConfigError):
            lines += [Content(f"  {problem}") for problem in error.problems]
        if error.hint:
            lines.append(Content.styled(f"  {error.hint}", "$foreground-muted"))
        self.say(Content("\n").join(lines))

    def retitle(self, text: str) -> None:
        """Changes the heading."""
        self.query_one("#heading", Static).update(text)

    def action_leave(self) -> None:
        """Closes the screen without a result."""
        self.dismiss(None)


class Page(Asking[None]):
    """A whole screen."""


class Dialog(Asking[Result], ModalScreen[Result]):
    """A box over the screen below, which takes no keys that were meant for that one."""

    AUTO_FOCUS = ""

    def __init__(self, glyphs: Glyphs, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(glyphs)
        self.type_ahead = TypeAhead(clock)

    def compose(self) -> ComposeResult:
        """The same in a box."""
        with Vertical(id="dialog"):
            yield from super().compose()

    def on_mount(self) -> None:
        """From now on it is seen."""
        self.type_ahead.begin()

    def on_key(self, event: events.Key) -> None:
        """Lets no binding run while keys may still be meant for the screen below."""
        if not self.type_ahead.is_over:
            event.prevent_default()
            event.stop()
