"""What a wide action would do, shown before it is done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tui.screens.asking import Dialog
from tui.screens.listing import Sheet
from tui.screens.type_ahead import GuardedInput
from tui.view import plan as view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual import events
    from textual.app import ComposeResult

    from core.model import Trigger
    from tui.view.glyphs import Glyphs


_LINES = 9
"""Border, heading, what is said, keys, and a margin."""
_NAME_LINES = 3


class PlanScreen(Dialog[bool]):
    """Enter runs what is shown, once it is shown; with `needs_typed_name`, once that is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "run it", key_display="enter"),
        Binding("escape,q", "answer_no", "leave it"),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown,space", "scroll(8)", show=False),
    ]

    def __init__(
        self,
        load: Callable[[], Awaitable[dict[str, Any]]],
        trigger: Trigger,
        glyphs: Glyphs,
        *,
        environment: str,
        source: str | None = None,
        needs_typed_name: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`load` asks for the plan; `source` is the environment that is promoted."""
        super().__init__(glyphs, clock)
        self._ask_for_plan = load
        self._trigger = trigger
        self._environment = environment
        self._source = source
        self._needs_typed_name = needs_typed_name
        self._plan: dict[str, Any] | None = None

    def heading(self) -> str:
        """What it would do, as far as that is known."""
        return view.title(self._trigger, self._plan, self._environment, self._source)

    def body(self) -> ComposeResult:
        """The plan, and where the name of the environment is typed."""
        yield Sheet("plan")
        if self._needs_typed_name:
            yield Static(f"Type {self._environment} to go on:", id="ask-name", markup=False)
            yield GuardedInput(self.type_ahead, placeholder=self._environment, id="name")

    def on_mount(self) -> None:
        """Asks for the plan after the first frame."""
        super().on_mount()
        self._show_name(is_wanted=False)
        self.call_after_refresh(self._load)

    def _load(self) -> None:
        self.ask(self._ask_for_plan, self._take, "plan")

    def _take(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self.retitle(self.heading())
        self._draw()
        # What can be said yes to is seen only now.
        self.type_ahead.begin()
        self._show_name(is_wanted=self.has_work)
        self.refresh_bindings()

    def _show_name(self, *, is_wanted: bool) -> None:
        if self._needs_typed_name:
            self.query_one("#ask-name").display = is_wanted
            name = self.query_one("#name", Input)
            name.display = is_wanted
            if is_wanted:
                name.focus()

    def _draw(self) -> None:
        if self._plan is not None:
            sheet = self.query_one(Sheet)
            sheet.write(view.lines(self._plan, sheet.room, self.glyphs))

    def on_resize(self, event: events.Resize) -> None:
        """The plan is scrolled where the box would not fit otherwise."""
        others = _LINES + (_NAME_LINES if self._needs_typed_name else 0)
        self.query_one(Sheet).styles.max_height = max(event.size.height - others, 3)

    @on(Sheet.Resized)
    def redraw(self) -> None:
        """Gives the lines the new room."""
        self._draw()

    @property
    def has_work(self) -> bool:
        """Whether the plan is there and changes anything."""
        return self._plan is not None and bool(view.changing(self._plan))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to do, or no plan yet: it can only be closed."""
        return self.has_work if action == "run" else super().check_action(action, parameters)

    @on(Input.Submitted)
    def submit(self) -> None:
        """Enter in the input."""
        self.action_run()

    def action_run(self) -> None:
        """Runs what is shown."""
        if self._needs_typed_name:
            typed = self.query_one("#name", Input).value.strip()
            if typed != self._environment:
                self.say(f"type the name of the environment to go on: {self._environment}")
                return
        self.dismiss(True)  # noqa: FBT003 - the result

    def action_answer_no(self) -> None:
        """Leaves everything as it is."""
        self.dismiss(False)  # noqa: FBT003 - the result

    def action_scroll(self, rows: int) -> None:
        """Moves the plan, also while the name is typed."""
        self.query_one(Sheet).scroll_relative(y=rows, animate=False)
