"""Pictures of the dashboard at the most telling moment of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app import DashboardApp
from tui.choices import Choices
from tui.feed.messages import Update
from tui.feed.replay import ReplayFeed
from tui.options import Options
from tui.refused_verbs import RefusedVerbs
from tui.view.board import Board
from tui.view.state import Place

if TYPE_CHECKING:
    from pathlib import Path

    from tui.feed.messages import Message
    from tui.view.state import State

SIZES = ((80, 24), (120, 35), (200, 50))


def is_telling(state: State) -> bool:
    """Whether one service is ready and waits, while another one is still asked if it is."""
    waits = {each.waiting.kind for each in state.services.values() if each.waiting is not None}
    return {"barrier", "readiness"} <= waits


def telling_moment(recording: Path) -> float:
    """The middle of the time in which that is so, in seconds from the beginning."""
    feed = ReplayFeed(recording)
    board = Board(Place(feed.header.project, feed.header.environment))

    def take(message: Message) -> None:
        if isinstance(message, Update):
            board.apply(message.body)

    found = []
    for step in range(20 * 60):
        feed.play_until(step / 20, take)
        if is_telling(board.state):
            found.append(step / 20)
    if not found:
        raise SystemExit("no service waited for another one: record it again")
    return found[len(found) * 2 // 3]


async def picture(recording: Path, seconds: float, size: tuple[int, int]) -> str:
    """The screen at a moment of the recording."""
    feed = ReplayFeed(recording)
    place = Place(feed.header.project, feed.header.environment)
    app = DashboardApp(place, (), feed, RefusedVerbs(), Options(), Choices())
    async with app.run_test(size=size) as pilot:
        feed.play_until(seconds, app.take)
        app.selected = "backoffice"
        for _ in range(3):
            await pilot.pause()
            app.show_present()
            app.main.flush(app.now())
        await pilot.pause()
        return app.export_screenshot(title="compartment-tui")
