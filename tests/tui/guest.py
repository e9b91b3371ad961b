"""A program that shows a small app as the dashboard is shown: what a session does, and how it ends.

`python -m tests.tui.guest [busy] [patient] [feed|flood]`; a patient one never ends by its deadline.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App, ComposeResult
from textual.widgets import Static

from core.cli.output import Output
from core.files import Home
from core.model import Status, Trigger
from tui import leaving
from tui.crash import report_crash
from tui.feed.messages import Message, Update
from tui.session import Session
from tui.view.board import Board
from tui.view.state import Place

if TYPE_CHECKING:
    from tui.app import DashboardApp
    from tui.feed.messages import Feed, Take


class Guest(App[tuple[str, str]]):
    """Shows how many messages the feed told it; `q` quits, `c` breaks a widget, `s` steps aside."""

    BINDINGS: ClassVar = [("q", "quit"), ("c", "crash"), ("s", "step_aside"), ("n", "next")]

    def __init__(self) -> None:
        super().__init__()
        self.board = Board(Place("shop", "staging"))
        self.is_handed_over = False
        self.count = 0
        if "busy" in sys.argv:
            run = {"id": "drn_a", "trigger": Trigger.DEPLOY, "status": Status.RUNNING}
            self.board.apply({"run": run})

    def compose(self) -> ComposeResult:
        yield Static("nothing", id="count")

    def take(self, _: Message) -> None:
        self.count += 1
        letter = "abcd"[self.count % 4]
        self.query_one("#count", Static).update(f"{self.count} messages\n{letter * 3000}")

    def action_crash(self) -> None:
        cast("Any", self.query_one("#count", Static))._render = None
        raise RuntimeError("a broken\nwidget")

    def action_next(self) -> None:
        self.exit(("shop", "production"))

    def action_step_aside(self) -> None:
        with self.suspend():
            self.is_handed_over = True
            input("a shell? ")
            self.is_handed_over = False


class Ticks:
    """A feed that tells something again and again."""

    def now(self) -> Any:
        raise NotImplementedError

    async def run(self, take: Take) -> None:
        await asyncio.sleep(0.1)
        for seq in range(1_000_000):
            take(Update({"seq": seq}))
            if seq == 3 and "feed" in sys.argv:
                raise KeyError("a broken feed")
            await asyncio.sleep(0.001 if "flood" in sys.argv else 0.02)


def main() -> int:
    if "patient" in sys.argv:
        vars(leaving)["_DEADLINE_S"] = 3600
    session = Session()
    app = cast("DashboardApp", Guest())
    try:
        chosen = asyncio.run(session.show(app, cast("Feed", Ticks())))
    except Exception as error:  # noqa: BLE001 - as the top of the program does
        return report_crash(error, Home.locate())
    session.say_what_goes_on(app)
    if chosen is not None:
        Output().progress(f"chosen: {chosen}")
    return session.exit_code


if __name__ == "__main__":
    sys.exit(main())
