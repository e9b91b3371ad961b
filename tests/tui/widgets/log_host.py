"""A small app around log panes, with the same clock and style sheet as the dashboard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.geometry import Region

from core.model import Stream
from tests.tui.logs.wire import START
from tui import themes
from tui.logs.store import LogStore
from tui.view.glyphs import ASCII, UNICODE
from tui.widgets.log_area import LogArea
from tui.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.app import ComposeResult
    from textual.pilot import Pilot

STYLES = Path(__file__).parents[3] / "styles"


class LogHost(App[None]):
    CSS_PATH: ClassVar = [STYLES / "logs.tcss"]
    CSS = "LogPane { width: 1fr; height: 1fr; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *streams: Stream, is_ascii: bool = False) -> None:
        super().__init__()
        self.store = LogStore()
        glyphs = ASCII if is_ascii else UNICODE
        self.panes = [
            LogPane(stream, self.store, glyphs, number=2 + place, id=stream.value)
            for place, stream in enumerate(streams or (Stream.STDOUT,))
        ]
        self.area = LogArea(glyphs, self.panes)
        self.now = START
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        with self.area:
            yield from self.panes

    @property
    def pane(self) -> LogPane:
        return self.panes[0]

    def flush(self) -> None:
        with self.batch_update():
            for pane in self.panes:
                pane.flush(self.now)


def rows_of(pane: LogPane) -> list[str]:
    """What the pane has drawn, row by row, without frame and scroll bar."""
    strips = pane.render_lines(Region(0, 0, *pane.outer_size))
    width = pane.scrollable_size.width
    return [strip.crop(1, 1 + width).text.rstrip() for strip in strips[1:-1]]


def screen_of(host: LogHost) -> str:
    """Everything on the screen."""
    return "\n".join(strip.text.rstrip() for strip in host.screen._compositor.render_strips())


@asynccontextmanager
async def shown(host: LogHost, size: tuple[int, int] = (60, 12)) -> AsyncIterator[Pilot[None]]:
    async with host.run_test(size=size, notifications=True) as pilot:
        host.pane.focus()
        await pilot.pause()
        yield pilot
