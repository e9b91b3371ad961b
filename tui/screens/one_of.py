"""A line that is one of a few values, chosen with the arrow keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

Value = TypeVar("Value")

_FEW = 2
"""With more, it is said how many there are."""


class OneOf(Static, Generic[Value], can_focus=True):
    """Shows the chosen one between two arrows; a click takes the next one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,l", "turn(1)", "next", show=False),
        Binding("left,h", "turn(-1)", "previous", show=False),
    ]

    class Turned(Message):
        """Another one is chosen."""

        def __init__(self, one_of: OneOf[Any]) -> None:
            super().__init__()
            self.one_of = one_of

        @property
        def control(self) -> OneOf[Any]:
            """Where."""
            return self.one_of

    def __init__(self, values: Sequence[tuple[Value, str]], id: str) -> None:  # noqa: A002 - Textual's name
        """Values with what they are called; the first is chosen."""
        super().__init__(id=id, classes="one-of", markup=False)
        self._values = values
        self._at = 0
        self.disabled = len(values) == 1

    @property
    def value(self) -> Value:
        """The chosen one."""
        return self._values[self._at][0]

    def on_mount(self) -> None:
        """Shows the first one."""
        self._draw()

    def on_click(self, _: events.Click) -> None:
        """The mouse goes forward only."""
        self.action_turn(1)

    def action_turn(self, step: int) -> None:
        """Takes a neighbour, around the ends as well."""
        self._at = (self._at + step) % len(self._values)
        self._draw()
        self.post_message(self.Turned(self))

    def _draw(self) -> None:
        name = self._values[self._at][1]
        count = len(self._values)
        place = f"  {self._at + 1} of {count}" if count > _FEW else ""
        self.update(Content(name if self.disabled else f"< {name} >{place}"))
