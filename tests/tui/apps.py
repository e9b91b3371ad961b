"""The whole dashboard in front of a scripted agent, for tests."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from textual.pilot import Pilot

from tests.tui import samples
from tests.tui.gallery import lines
from tests.tui.screens import replies
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.app import DashboardApp
from tui.choices import Choices
from tui.feed.messages import Lines, Update
from tui.going import Going
from tui.options import Options
from tui.screens import type_ahead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from tui.feed.messages import Message, Take
    from tui.view.state import State

Json = dict[str, Any]

_PATIENCE_S = 60.0


class ScriptedFeed:
    """Tells what a test gives it, at a time that the test turns."""

    def __init__(self, *messages: Message) -> None:
        self.at = samples.NOW
        self._messages = messages

    def now(self) -> datetime:
        return self.at

    async def run(self, take: Take) -> None:
        for message in self._messages:
            take(message)


def answers() -> Json:
    """What an agent would answer, about the environment of the samples."""
    result = replies.run_result(
        run=replies.run("drn_39b7k2m9q7xz"),
        deployments=[
            replies.deployment("dep_web0", "web", isActive=False, rollbackAvailable=True),
            replies.deployment("dep_api1", "api"),
        ],
        activeDeployments=[
            replies.deployment("dep_web1", "web"),
            replies.deployment("dep_api1", "api"),
        ],
    )
    return {
        "plan": replies.plan(replies.planned("web"), replies.planned("api", action="leave")),
        "submit": replies.run("drn_new", status="queued"),
        "cancel": replies.run(status="failed", failureCode="cancelled"),
        "runs": samples.RUNS,
        "run_result": result,
        "run_events": replies.run_events(),
        "deployments": [replies.deployment("dep_web1", "web")],
        "inspect": replies.inspected,
        "environments": [replies.environment("production"), replies.environment("staging")],
        "networks": replies.networks(),
        "promotion": replies.plan(replies.planned("web", action="promote", build=False)),
        "promote": replies.run("drn_new", status="queued", trigger="promote"),
        "hold": None,
        "resume": None,
        "variables": replies.variables(),
        "set_variable": None,
        "remove_variable": None,
        "import_variables": None,
        "executions": [replies.execution("exe_now", status="running", endedAt=None)],
        "crons": [replies.cron("cron")],
        "execute": replies.execution("exe_new", status="running", endedAt=None),
        "cancel_execution": replies.execution("exe_now", status="cancelled"),
        "shell": {"argv": ["/bin/sh"], "cwd": "/", "environment": {}},
    }


def dashboard(
    state: State | None = None,
    verbs: ScriptedVerbs | None = None,
    *,
    feed: ScriptedFeed | None = None,
    choices: Choices | None = None,
    **options: Any,
) -> DashboardApp:
    """The app as the program makes it, with a state that is there already; idle by default."""
    found = state or samples.idle()
    app = DashboardApp(
        found.place,
        list(found.services.values()),
        feed or ScriptedFeed(),
        verbs or ScriptedVerbs(**answers()),
        Options(**options),
        choices or Choices(),
    )
    app.board.trends.update(samples.trends(found.services))
    become(app, found)
    return app


def become(app: DashboardApp, state: State) -> None:
    """From now on the environment is in this state."""
    app.board.state = state
    app.board.version += 1


class Hand(Pilot[Going]):
    """A pilot that knows whom it steers, and waits for what is to come instead of sleeping."""

    @property
    def app(self) -> DashboardApp:
        return cast("DashboardApp", self._app)

    @property
    def verbs(self) -> ScriptedVerbs:
        return cast("ScriptedVerbs", self.app.verbs)

    @property
    def screen_name(self) -> str:
        """The class of the screen on top."""
        return type(self.app.screen).__name__

    @property
    def text(self) -> str:
        """What a person sees, without colours."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips)

    @property
    def toasts(self) -> list[str]:
        """What was told, oldest first."""
        return [each.message for each in self.app._notifications]

    @property
    def is_left(self) -> bool:
        return self.app.return_code is not None

    def asked(self, verb: str) -> list[list[Any]]:
        """What a verb was asked, each time."""
        return [list(each[1:]) for each in self.verbs.asked if each[0] == verb]

    async def settle(self) -> None:
        """Until layout, and what had to be shown after it, are done."""
        await self.pause()
        await self.pause()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Until something is so."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not is_so():
                    await self.pause()
        except TimeoutError:
            raise AssertionError(f"it never came to be; the screen:\n{self.text}") from None
        await self.settle()

    async def until_on(self, name: str) -> None:
        """Until a screen of this class is on top."""
        await self.until(lambda: self.screen_name == name)

    async def take(self, *updates: Json) -> None:
        """The agent tells something."""
        for each in updates:
            self.app.take(Update(each))
        await self.settle()


@asynccontextmanager
async def opened(
    app: DashboardApp,
    *,
    size: tuple[int, int] = (120, 35),
    logged: Sequence[Json] | None = None,
    is_guarded: bool = False,
) -> AsyncIterator[Hand]:
    """The dashboard with some log lines, unless others are given.

    Keys answer dialogs at once, or never with `is_guarded`: as before a person has seen them.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(type_ahead, "QUIET_S", math.inf if is_guarded else 0.0)
        app.take(Lines(lines() if logged is None else logged))
        async with app.run_test(size=size, notifications=True):
            hand = Hand(app)
            await hand.settle()
            yield hand
            app.exit(app.return_value, app.return_code or 0)
