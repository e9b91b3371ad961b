"""Setting one variable."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui.screens.asking import Dialog
from tui.screens.one_of import OneOf
from tui.screens.type_ahead import GuardedInput
from tui.screens.value_area import ValueArea
from tui.view.variables import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs
    from tui.view.variables import Variable

SENSITIVITIES = (
    (False, "plain: can be looked at"),
    (True, "sensitive: never shown again"),
)


def scopes(services: Sequence[str]) -> list[tuple[str | None, str]]:
    """Whom a variable can be set for."""
    return [(None, ALL), *((name, name) for name in services)]


def field(label: str, widget: Widget) -> Horizontal:
    """A widget with its name before it."""
    return Horizontal(Static(label, classes="label", markup=False), widget, classes="field")


class VariableScreen(Dialog[bool]):
    """Sets a variable and dismisses with True; what is refused stays to be mended."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "save", key_display="enter"),
        # Priority: what is typed right after it is for the next field, however fast it comes.
        Binding("tab", "app.focus_next", "next field", key_display="tab", priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("ctrl+j", "new_line", "new line"),
        Binding("escape", "leave", "leave it", id="app.back"),
    ]

    def __init__(
        self,
        verbs: Verbs,
        services: Sequence[str],
        glyphs: Glyphs,
        *,
        changing: Variable | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`changing` is the variable that gets another value; None for a new one."""
        super().__init__(glyphs, clock)
        self._verbs = verbs
        self._changing = changing
        is_hidden = changing is not None and changing.is_sensitive
        value = (changing.value or "") if changing else ""
        self._value = ValueArea(value, self.type_ahead, is_hidden=is_hidden)
        whose = scopes(services) if changing is None else [(changing.service, changing.whose)]
        self._whose = OneOf(whose, "whose")
        # What is sensitive stays so until it is removed.
        kinds = SENSITIVITIES[1:] if is_hidden else SENSITIVITIES
        self._kind = OneOf(kinds, "kind")

    def heading(self) -> str:
        """What is set."""
        return f"Change {self._changing.name}" if self._changing else "Set a variable"

    def body(self) -> ComposeResult:
        """One line for each thing to say, the value in as many as it has."""
        if self._changing is None:
            name = GuardedInput(self.type_ahead, placeholder="such as LOG_LEVEL", id="name")
            yield field("name", name)
        yield field("for", self._whose)
        yield field("kind", self._kind)
        hint = "what is typed replaces the hidden one" if self._value.is_hidden else ""
        self._value.placeholder = hint
        yield field("value", self._value)

    def on_mount(self) -> None:
        """Begins with the name, or with the value where that is known."""
        super().on_mount()
        (self._value if self._changing else self.query_one("#name", Input)).focus()

    @on(Input.Submitted)
    def go_on(self) -> None:
        """Enter in the name goes to what is missing still."""
        self._value.focus()

    @on(ValueArea.Submitted)
    def action_save(self) -> None:
        """Sets it."""
        name = self._typed_name()
        if not name:
            self.say("type a name first")
            self.query_one("#name", Input).focus()
            return
        self.ask(lambda: self._set(name), self._done, "set")

    def _typed_name(self) -> str:
        if self._changing is not None:
            return self._changing.name
        return self.query_one("#name", Input).value.strip()

    async def _set(self, name: str) -> None:
        await self._verbs.variables.set(
            name, self._value.value, self._whose.value, is_sensitive=self._kind.value
        )

    def _done(self, _: None) -> None:
        self.dismiss(True)  # noqa: FBT003 - the result

    @on(OneOf.Turned, "#kind")
    def hide(self) -> None:
        """What is sensitive is not seen while it is typed."""
        self._value.hide(is_hidden=self._kind.value)

    def action_new_line(self) -> None:
        """For the value only."""
        self._value.action_new_line()
