"""The last runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.message import Message

from tui.keys import Scope, bindings, keys_of
from tui.view.pieces import MUTED, PLAIN, TITLE
from tui.view.run_rows import PastRun, merged, run_row
from tui.widgets.cursor_list import CursorList

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.binding import BindingType

    from tui.keys import Key
    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Row
    from tui.view.scene import Scene


def _keys() -> Iterator[Key]:
    """The keys of the other list, so that a keymap changes both."""
    for key in keys_of(Scope.SERVICES):
        if key.action.startswith("move"):
            yield key
        elif key.action == "open_service":
            yield replace(key, action="open_run", help="the history, with this run")


class HistoryPane(CursorList):
    """Recent runs, newest first, with the one that goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(_keys())]

    class Opened(Message):
        """Somebody wants to see everything about a run."""

        def __init__(self, run_id: str) -> None:
            self.run_id = run_id
            super().__init__()

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="history")
        self._scene: Scene | None = None
        self._past: list[PastRun] = []
        self._runs: dict[str, PastRun] = {}

    def show_runs(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """The runs as `GET /v1/runs` tells of them, newest first."""
        self._past = [PastRun.read(each) for each in runs]
        if self._scene is not None:
            self.show(self._scene)

    def show(self, scene: Scene) -> None:
        """Draws what differs from before."""
        self._scene = scene
        found = merged(self._past, scene.state)
        was_at_top = self.cursor is None or self.cursor == next(iter(self.order), None)
        self._runs = {each.run.id: each for each in found}
        self.set_order(list(self._runs))
        if self._runs and (was_at_top or self.cursor not in self._runs):
            self.put_cursor(next(iter(self._runs)))
        self.frame([("6 ", PLAIN), ("history", TITLE)], [("enter: all of them", MUTED)])
        self.redraw()

    def draw_item(self, name: str, *, is_selected: bool) -> Row:
        """One run."""
        if self._scene is None:
            return ()
        return run_row(self._runs[name], self.row_width, self._scene, is_selected=is_selected)

    def opened(self, name: str) -> None:
        """Tells whom it concerns."""
        self.post_message(self.Opened(name))

    def open_newest(self) -> None:
        """Opens the history, where this pane has no room."""
        self.opened(next(iter(self._runs), ""))

    def action_open_run(self) -> None:
        """Opens the run under the cursor."""
        self.open_chosen()
