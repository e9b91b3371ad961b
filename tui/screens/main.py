"""The main screen: what is running, what the run is doing, what is broken, what can be pressed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.events import DescendantFocus
from textual.message import Message
from textual.screen import Screen

from core.model import Stream
from tui.widgets.detail import DetailPane
from tui.widgets.history_pane import HistoryPane
from tui.widgets.key_bar import KeyBar
from tui.widgets.log_area import FIRST_NUMBER, LogArea
from tui.widgets.log_pane import LogPane
from tui.widgets.run_strip import RunStrip
from tui.widgets.services_table import ServicesTable
from tui.widgets.status_line import LostBanner, StatusLine
from tui.widgets.too_small import TooSmall, is_too_small
from tui.widgets.why_line import WhyLine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.logs.store import LogStore
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene
    from tui.widgets.painting import RowsView

NORMAL_WIDTH, WIDE_WIDTH, TALL_HEIGHT = 100, 160, 30

_WIDTHS = [(0, "-narrow"), (NORMAL_WIDTH, "-normal"), (WIDE_WIDTH, "-wide")]
_HEIGHTS = [(0, "-short"), (TALL_HEIGHT, "-tall")]

_LINES = 3
"""Rows of what is one line at every size: status, why, keys."""

_RUN_ROWS = {"line": 1, "normal": 4, "wide": 5}
"""Rows of the run strip; the style sheet says the same."""

_TABLE_FRAME = 3
"""Rows of the services that are not a service: the border and the heading."""

_DETAIL_ROWS = {"line": 0, "normal": 14, "wide": 18}
"""Rows that the detail would like to have."""

_LEAST_ROWS = 4
"""What neither the services nor the logs fall below, however the split is moved."""

_TABS_EVERY = 5
"""Flushes between two looks at what is new in the tabs: writing that paints all of the pane."""


class MainScreen(Screen[None], inherit_bindings=False):
    """Every pane keeps its number at every size; small terminals lose panes and columns only."""

    # Textual's screens take tab for themselves, in an order that knows nothing of panes: only the
    # other key of theirs is kept.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,super+c", "screen.copy_text", show=False)
    ]
    AUTO_FOCUS = "#services"
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    ALLOW_IN_MAXIMIZED_VIEW: ClassVar = "#status, #banner, #why, #keys, .-textual-system"

    class Arranged(Message):
        """A person has moved the split, or hidden or shown the detail."""

    def __init__(self, store: LogStore, glyphs: Glyphs) -> None:
        super().__init__()
        self.set_class(glyphs.is_ascii, "-ascii")
        self.services = ServicesTable(glyphs)
        self.detail = DetailPane(glyphs)
        self.history = HistoryPane(glyphs)
        self.log_panes = [
            LogPane(stream, store, glyphs, number=number, id=str(stream))
            for number, stream in enumerate(Stream, start=FIRST_NUMBER)
        ]
        self.logs = LogArea(glyphs, self.log_panes)
        self.splits: dict[str, int] = {}
        """Rows by which a person has made the services taller, by size class."""
        self.is_detail_hidden = False
        self._lines = (
            StatusLine(glyphs, id="status"),
            LostBanner(glyphs, id="banner"),
            RunStrip(glyphs, id="run"),
            WhyLine(glyphs, id="why"),
            TooSmall(glyphs, id="tiny"),
        )
        self._upper = Horizontal(id="upper")
        self._scene: Scene | None = None
        self._flushes = 0

    def compose(self) -> ComposeResult:
        """From top to bottom; the last one covers everything."""
        status, banner, run, why, tiny = self._lines
        compartment, *output = self.log_panes
        yield status
        yield banner
        yield run
        with self._upper:
            yield self.services
            yield self.detail
            yield self.history
        with self.logs:
            yield compartment
            with Container(id="output"):
                yield from output
        yield why
        yield KeyBar()
        yield tiny

    def on_mount(self) -> None:
        """A pane that was hidden behind a maximised one has missed what happened meanwhile."""
        self.watch(self, "maximized", self._settle_soon, init=False)

    # What is shown

    def show(self, scene: Scene) -> None:
        """Hands the present to every pane that is seen; without a change nothing happens.

        All panes count the whole seconds of one clock, so that they change together.
        """
        scene = replace(scene, now=scene.now.replace(microsecond=0))
        if self._scene is not None and _is_same(self._scene, scene):
            return
        self._scene = scene
        is_lost = not scene.state.link.is_up
        if is_lost is not self.has_class("-lost"):
            self.set_class(is_lost, "-lost")
            self._settle_soon()
        self._divide()
        for pane in self._panes:
            if pane.is_on_screen:
                pane.show(scene)
        self.logs.draw_tabs()

    @property
    def _panes(self) -> Sequence[RowsView | ServicesTable | HistoryPane | LogPane]:
        return (*self._lines, self.services, self.detail, self.history, *self.log_panes)

    def flush(self, now: datetime) -> None:
        """Has the log panes that are seen take over their new lines."""
        for pane in self.log_panes:
            if pane.is_on_screen:
                pane.flush(now)
        self._flushes += 1
        if self._flushes % _TABS_EVERY == 0:
            self.logs.draw_tabs()

    # Where it is shown

    @property
    def size_class(self) -> str:
        """`line` where the run has one line and there is one log pane, `normal`, or `wide`."""
        width, height = self.size
        if width < NORMAL_WIDTH or height < TALL_HEIGHT:
            return "line"
        return "wide" if width >= WIDE_WIDTH else "normal"

    @property
    def has_detail(self) -> bool:
        """Whether the detail stands beside the services."""
        return self.size.width >= NORMAL_WIDTH and not self.is_detail_hidden

    def on_resize(self, event: events.Resize) -> None:
        """Divides the new room."""
        self.set_class(is_too_small(*event.size), "-tiny")
        self._divide()
        self._settle_soon()

    def _settle_soon(self) -> None:
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """After panes have come or gone: the focus is on one that is seen, all are up to date."""
        if not self.is_current:
            return
        if self.focused is None or not self.focused.is_on_screen:
            self.services.focus()
        if self._scene is not None:
            scene, self._scene = self._scene, None
            self.show(scene)

    def _divide(self) -> None:
        """Gives the services what they need, at most half of what there is, and the logs the rest.

        What a person has chosen is kept as a difference from that.
        """
        self.services.has_detail = self.has_detail
        size_class = self.size_class
        self.logs.has_tabs = size_class == "line"
        lost = self.has_class("-lost")
        free = self.size.height - _LINES - _RUN_ROWS[size_class] - lost
        services = len(self._scene.state.services) if self._scene is not None else 0
        wanted = max(services + _TABLE_FRAME, _DETAIL_ROWS[size_class] if self.has_detail else 0)
        rows = min(wanted, free // 2) + self.splits.get(size_class, 0)
        self._upper.styles.height = max(_LEAST_ROWS, min(rows, free - _LEAST_ROWS))

    # What a person does

    def focus_pane(self, number: int) -> None:
        """Goes to a pane; one that has no room at this size opens as a screen of its own."""
        pane = self._numbered[number]
        if self.maximized not in (None, pane):
            self.minimize()
        if pane is self.detail and self.size.width >= NORMAL_WIDTH:
            self.show_detail(is_hidden=False)
        elif pane is self.detail:
            self.services.open_chosen()
            return
        elif pane is self.history and self.size.width < WIDE_WIDTH:
            self._open_history()
            return
        self._go_to(pane)

    def _open_history(self) -> None:
        if self._scene is not None:
            self.history.show(self._scene)
        self.history.open_newest()

    def next_pane(self, step: int) -> None:
        """Goes to a neighbour of the focused pane."""
        panes = self._reachable()
        at = next((at for at, pane in enumerate(panes) if pane.has_focus_within), 0)
        if self.maximized is None:
            self._go_to(panes[(at + step) % len(panes)])

    def _go_to(self, pane: Widget) -> None:
        if isinstance(pane, LogPane):
            self.logs.choose(pane)
            self._settle_soon()
        self.set_focus(pane)

    @property
    def _numbered(self) -> dict[int, Widget]:
        panes = (self.services, *self.log_panes, self.detail, self.history)
        return dict(enumerate(panes, start=1))

    def _reachable(self) -> list[Widget]:
        """The panes of this size, in the order of their numbers."""
        has_history = self.size.width >= WIDE_WIDTH
        hidden: list[Widget] = [] if self.has_detail else [self.detail]
        hidden += [] if has_history else [self.history]
        return [pane for pane in self._numbered.values() if pane not in hidden]

    @on(DescendantFocus)
    def _follow_focus(self, event: DescendantFocus) -> None:
        """Where there is room for one log pane, it is the one that had the focus last."""
        if isinstance(event.widget, LogPane):
            self.logs.choose(event.widget)

    def change_split(self, delta: int) -> None:
        """Gives the services some more rows, or fewer; the logs have the rest."""
        height = self._upper.styles.height
        before = self.splits.get(self.size_class, 0)
        self.splits[self.size_class] = before + delta
        self._divide()
        if self._upper.styles.height == height:
            self.splits[self.size_class] = before
        else:
            self.post_message(self.Arranged())
        self._settle_soon()

    def toggle_detail(self) -> None:
        """Hides the detail, or shows it again."""
        self.show_detail(is_hidden=not self.is_detail_hidden)
        self.post_message(self.Arranged())

    def show_detail(self, *, is_hidden: bool) -> None:
        """Whether the detail stands beside the services, where there is room for it."""
        self.is_detail_hidden = is_hidden
        self.set_class(is_hidden, "-no-detail")
        self._divide()
        self._settle_soon()


def _is_same(one: Scene, other: Scene) -> bool:
    """Whether two scenes look the same; whatever changes in the feed makes a new state."""
    return one.state is other.state and (one.now, one.selected, one.only, one.notes) == (
        other.now,
        other.selected,
        other.only,
        other.notes,
    )
