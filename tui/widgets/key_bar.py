"""The last line: keys that work now, as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from tui.view.help import key_name
from tui.view.pieces import PLAIN
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import Binding

    from tui.view.pieces import Piece

_GAP = 2
_KEEPS = ("app.quit", "app.help", "app.palette", "app.deploy")
"""What is left out last: with these, everything else can be found."""

_IF_ROOM = ("app.search", "app.promote", "app.variables", "app.history", "app.events", "app.only",
            "app.open", "app.environments", "app.redeploy_all", "app.diff", "app.routes",
            "app.theme")  # fmt: skip
"""What a wide screen has room for, although a narrow one never shows it."""

_KEY = "bold $footer-key-foreground"
_LABEL = "$footer-description-foreground"


class _Entry(NamedTuple):
    binding: Binding
    written: str

    @property
    def cells(self) -> int:
        return cell_len(self.written) + 1 + cell_len(self.binding.description)


class KeyBar(RowsView):
    """Like Textual's footer, but a key is either there as a whole or not at all.

    It is one row that is painted when the keys change; Textual's is made of widgets that are made
    anew each time.
    """

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._at: list[tuple[int, int, Binding]] = []

    def on_mount(self) -> None:
        """Shows the keys, and again whenever they change."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.draw())
        self.draw()

    def on_resize(self) -> None:
        """Other keys may fit."""
        self.draw()

    def draw(self) -> None:
        """Writes the keys that work now and have room."""
        width = self.size.width - 2
        usual = self._entries()
        entries = _fitted(usual, width)
        if len(entries) == len(usual):
            entries = _filled(entries, self._entries(_IF_ROOM), width)
        pieces: list[Piece] = [(" ", PLAIN)]
        self._at = []
        start = 1
        for entry in entries:
            pieces += [(entry.written, _KEY), (f" {entry.binding.description}", _LABEL)]
            pieces.append((" " * _GAP, PLAIN))
            self._at.append((start, start + entry.cells, entry.binding))
            start += entry.cells + _GAP
        self.show_rows([tuple(pieces)])

    def _entries(self, ids: Sequence[str] = ()) -> list[_Entry]:
        """Those of these ids; without any, those that are to be shown."""
        found: dict[str, _Entry] = {}
        for _, binding, is_enabled, _ in self.screen.active_bindings.values():
            if is_enabled and (binding.id in ids if ids else binding.show):
                written = binding.key_display or key_name(binding.key)
                found.setdefault(binding.action, _Entry(binding, written))
        entries = list(found.values())
        return (
            sorted(entries, key=lambda each: ids.index(each.binding.id or "")) if ids else entries
        )

    def on_click(self, event: events.Click) -> None:
        """Presses the key that was clicked."""
        for start, end, binding in self._at:
            if start <= event.x < end:
                self.app.simulate_key(binding.key)


def _cells(entries: Sequence[_Entry]) -> int:
    return sum(each.cells + _GAP for each in entries) - _GAP


def _filled(entries: list[_Entry], more: list[_Entry], width: int) -> list[_Entry]:
    """With as many others as there is room for, before those that are always the last."""
    shown = {each.binding.action for each in entries}
    at = next((at for at, each in enumerate(entries) if each.binding.id in _LAST), len(entries))
    for entry in more:
        if entry.binding.action in shown:
            continue
        added = [*entries[:at], entry, *entries[at:]]
        if _cells(added) <= width:
            entries, at = added, at + 1
    return entries


_LAST = ("app.zoom", "app.help", "app.palette", "app.quit")


def _fitted(entries: list[_Entry], width: int) -> list[_Entry]:
    shown = list(entries)
    by_worth = [each for each in reversed(entries) if each.binding.id not in _KEEPS]
    by_worth += [each for each in reversed(entries) if each.binding.id in _KEEPS]
    for entry in by_worth:
        if _cells(shown) <= width:
            break
        shown.remove(entry)
    return shown
