"""The services: one row each."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from core.model import Health
from tui.keys import Scope, bindings, keys_of
from tui.view import looks
from tui.view.pieces import MUTED, PLAIN, TITLE
from tui.view.rows import by_attention, by_name, columns, heading, row
from tui.widgets.cursor_list import CursorList

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from textual.binding import BindingType

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Piece, Row
    from tui.view.rows import Column
    from tui.view.scene import Scene
    from tui.view.state import Service

_MOST_TOLD = 100

_NAME, _ATTENTION = "name", "attention"


class ServicesTable(CursorList):
    """A table whose cursor is on a service, whatever becomes of the others."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(keys_of(Scope.SERVICES))]

    class Selected(Message):
        """The cursor has moved to another service."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    class Opened(Message):
        """Somebody wants to see everything about a service."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    class Sorted(Message):
        """A person has chosen another order."""

        def __init__(self, by: str) -> None:
            self.by = by
            super().__init__()

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="services", heading_rows=1)
        self.sorted_by = _NAME
        self.has_detail = False
        """Whether a detail pane stands beside it, which has some of the figures."""
        self._scene: Scene | None = None
        self._told: deque[str] = deque(maxlen=_MOST_TOLD)
        """Where the cursor went and the scene has not been yet."""
        self._title: list[Piece] = []
        self._columns: list[Column] = []
        self._arranged: tuple[int, bool] = (0, False)
        self._arranged_for: Mapping[str, Service] | None = None

    def show(self, scene: Scene) -> None:
        """Draws what differs from before."""
        before, self._scene = self._scene, scene
        services = scene.state.services
        if before is None or before.state.services is not services:
            self._sort()
            self._title = _title(services.values())
        if scene.selected in services and (before is None or before.selected != scene.selected):
            self._follow(scene.selected)
        if self.cursor not in services:
            self.put_cursor(next(iter(self.order), None))
            if self.cursor is not None:
                self.chosen(self.cursor)
        self._arrange()
        self.frame(self._title, [(f"sort: {self.sorted_by}", MUTED)])
        self.redraw()

    def _follow(self, selected: str | None) -> None:
        """Goes where somebody else wants the cursor.

        What was told from here comes back late: by then the cursor may have moved on.
        """
        if selected in self._told:
            while self._told.popleft() != selected:
                pass
        elif selected != self.cursor:
            self._told.clear()
            self.put_cursor(selected)

    def _sort(self) -> None:
        if self._scene is not None:
            sort = by_name if self.sorted_by == _NAME else by_attention
            self.set_order(sort(self._scene.state.services.values()))

    def _arrange(self) -> None:
        """Chooses the columns anew when something they depend on has changed."""
        if self._scene is None:
            return
        services = self._scene.state.services
        width = self.row_width
        known = (width, self.has_detail)
        if known == self._arranged and services is self._arranged_for:
            return
        self._arranged, self._arranged_for = known, services
        self._columns = columns(width, services.values(), self.glyphs, has_detail=self.has_detail)

    def draw_heading(self) -> Row:
        """The titles of the columns."""
        return heading(self._columns, self.glyphs) if self._columns else ()

    def draw_item(self, name: str, *, is_selected: bool) -> Row:
        """One service."""
        if self._scene is None or not self._columns:
            return ()
        service = self._scene.state.services[name]
        return row(service, self._columns, self._scene, is_selected=is_selected)

    def chosen(self, name: str) -> None:
        """Tells whom it concerns."""
        self._told.append(name)
        self.post_message(self.Selected(name))

    def opened(self, name: str) -> None:
        """Tells whom it concerns."""
        self.post_message(self.Opened(name))

    def action_open_service(self) -> None:
        """Opens the service under the cursor."""
        self.open_chosen()

    def action_sort(self) -> None:
        """By name, or by what needs attention first; the cursor stays on its service."""
        self.sorted_by = _ATTENTION if self.sorted_by == _NAME else _NAME
        self.post_message(self.Sorted(self.sorted_by))
        self._sort()
        self.frame(self._title, [(f"sort: {self.sorted_by}", MUTED)])
        self.redraw()

    def on_resize(self) -> None:
        """Columns that have no room any more are left out."""
        self._arrange()


def _title(services: Collection[Service]) -> list[Piece]:
    """The number of the pane, and how many services are how."""
    live = [each.live for each in services if each.live is not None]
    failed = sum(looks.needs_attention(each) == 0 for each in services)
    unwell = sum(each.health is Health.UNHEALTHY for each in live)
    among = "" if len(live) == len(services) else f" of {len(services)}"
    title: list[Piece] = [("1 ", PLAIN), ("services", TITLE), (f"  {len(live)}{among} live", MUTED)]
    if failed:
        title.append((f"  {failed} failed", looks.FAILED))
    if unwell:
        title.append((f"  {unwell} unhealthy", looks.FAILED))
    return title
