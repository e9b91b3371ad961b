"""The last line of a screen: its own keys, each of which can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.actions import parse
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui.view.help import key_name

if TYPE_CHECKING:
    from textual.binding import Binding


class KeyLine(Static):
    """Made from the bindings of the screen, so that it says what a keymap has made of them.

    Textual's footer would show the keys of the app as well, which act on what is not seen here.
    """

    def __init__(self) -> None:
        super().__init__(id="keys", markup=False)

    def on_mount(self) -> None:
        """Shows the keys, and again when they change."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.draw())
        self.draw()

    def draw(self) -> None:
        """Writes the keys that work now."""
        # The active ones lack those that the focused widget hides behind its own, such as enter.
        bindings = self.screen._bindings.shown_keys  # noqa: SLF001 - there is no public way to them
        entries: dict[str, Content] = {}
        for each in filter(self._works, bindings):
            entries.setdefault(each.action, _entry(each))
        leaving = [action for action in entries if action in _LEAVING]
        for action in leaving:
            entries[action] = entries.pop(action)
        self.update(Content("  ").join(entries.values()))

    def _works(self, binding: Binding) -> bool:
        _, action, parameters = parse(binding.action)
        return bool(self.screen.check_action(action, parameters))


_LEAVING = ("leave", "answer_no", "answer(False)")
"""They stand last."""


def _entry(binding: Binding) -> Content:
    click = Style.from_meta({"@click": f"screen.{binding.action}"})
    written = binding.key_display or key_name(binding.key)
    return Content.assemble((written, "bold"), f" {binding.description}").stylize(click)
