"""Pictures of every screen, compared with those that a person has approved.

A difference is shown in `snapshot_report.html`; if it is wanted, `pytest tests/tui/snapshots
--snapshot-update` makes the pictures anew.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from core.errors import ConfigError
from core.model import Problem
from tests.tui import samples
from tests.tui.apps import answers, dashboard
from tests.tui.gallery import lines
from tests.tui.screens import replies
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.feed.messages import Lines
from tui.screens import type_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.pilot import Pilot

    from tui.app import DashboardApp
    from tui.view.state import State

MADE_ON = (3, 11)
"""Another Python may break a line elsewhere, or draw another braille dot."""

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != MADE_ON,
    reason=f"SNAPSHOTS ARE NOT COMPARED: they are made on Python {'.'.join(map(str, MADE_ON))}",
)

SMALL, NORMAL, LARGE = (80, 24), (120, 35), (200, 50)


@dataclass(frozen=True, slots=True)
class Picture:
    """A state, how the dashboard was started, and the keys that lead to what is to be seen."""

    state: Callable[[], State] = samples.deploying
    size: tuple[int, int] = NORMAL
    keys: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    has_colour: bool = True
    answers: dict[str, Any] = field(default_factory=dict)
    """Of the agent, where they are not the usual ones."""


def themed(name: str, state: Callable[[], State] = samples.deploying, **more: Any) -> Picture:
    return Picture(state, options={"theme": name}, **more)


def after(*keys: str, state: Callable[[], State] = samples.idle) -> Picture:
    return Picture(state, keys=keys)


def in_both(
    name: str, *keys: str, state: Callable[[], State] = samples.idle, **more: Any
) -> dict[str, Picture]:
    return {
        name: Picture(state, keys=keys, **more),
        f"small-{name}": Picture(state, SMALL, keys, **more),
    }


COMPOSE = {
    "inspect": replies.inspected(
        "dep_4d01", kind="tcp", strategy="stop-first", routes=[], container=replies.container()
    ),
    "plan": replies.plan(
        replies.contained(),
        replies.planned(
            "app",
            kind="web",
            strategy="overlap",
            kindReason="it publishes 3000: its health check is an HTTP request",
            strategyReason="nothing keeps two of it from running side by side",
            ports=[{"port": 3000, "protocol": "http", "because": "[red]"}],
            published=[{"host": "", "port": 80, "target": 3000, "protocol": "tcp"}],
            networks=["backend", "frontend"],
        ),
        engine="docker",
        notes=[
            {
                "file": "compose.yaml",
                "line": 7,
                "column": 12,
                "message": "[red] nginx has no tag",
                "hint": "name one",
                "service": None,
            }
        ],
    ),
}
"""A database that stops first, and what publishes a port."""

_WENT_BACK = replies.run(
    trigger="rollback", because="web of dep_web2: it is unhealthy: [red] refused", label=None
)
WENT_BACK = {
    "runs": [_WENT_BACK, replies.run("drn_39b7")],
    "run_result": {**answers()["run_result"], "run": _WENT_BACK},
}
"""A rollback that nobody asked for."""

_RULE = {"words": samples.RULE, "isWatched": True, "because": None}
WATCHED = {
    "plan": replies.plan(
        replies.planned("web", autoRollback=_RULE, accessMode="authenticated"),
        replies.planned(
            "api", autoRollback={**_RULE, "isWatched": False, "because": "nothing is live [red]"}
        ),
    )
}
"""What may be rolled back by itself, and what may not; and a login."""

PICTURES = {
    "small-dark": Picture(size=SMALL),
    "normal-dark": Picture(),
    "large-dark": Picture(size=LARGE),
    "small-light": Picture(size=SMALL, options={"theme": "compartment-light"}),
    "normal-light": themed("compartment-light"),
    "large-light": Picture(size=LARGE, options={"theme": "compartment-light"}),
    "idle": Picture(samples.idle),
    "failed": Picture(samples.failed_deploy),
    "lost": Picture(samples.lost),
    "small-ascii": Picture(size=SMALL, options={"is_ascii": True}),
    "normal-ascii": Picture(options={"is_ascii": True}),
    "no-colour": Picture(has_colour=False),
    "safe-dark": themed("compartment-safe-dark"),
    "safe-light": themed("compartment-safe-light"),
    "ansi-dark": themed("ansi-dark"),
    "too-small": Picture(size=(50, 12)),
    "log-zoomed": Picture(keys=("2", "z", "slash", *"readiness", "enter")),
    "toast": Picture(samples.idle, keys=("r", "y")),
    "plan": after("D"),
    "plan-of-production": after("B"),
    "confirm": after("b"),
    "quit": after("q", state=samples.deploying),
    "service": after("enter", state=samples.deploying),
    "history": after("H"),
    "diff": after("equals_sign"),
    "routes": after("U", *"GET /v1/users"),
    "events": after("exclamation_mark"),
    "environments": after("0"),
    "help": after("question_mark"),
    "palette": after("colon", *"api"),
    "theme": after("T"),
    "line": after("4", "enter"),
    **in_both("networks", "C"),
    "networks-ascii": Picture(samples.idle, keys=("C",), options={"is_ascii": True}),
    "networks-light": themed("compartment-light", samples.idle, keys=("C",)),
    "large-networks": Picture(samples.idle, LARGE, ("C",)),
    **in_both("compose-service", "enter", "G", state=samples.compose, answers=COMPOSE),
    **in_both("compose", state=samples.compose),
    **in_both("compose-plan", "D", state=samples.compose, answers=COMPOSE),
    **in_both("variables", "v", state=samples.jobs),
    **in_both("variable", "v", "down", "enter"),
    **in_both("import", "v", "i"),
    **in_both("promote", "P"),
    **in_both("plan-of-promotion", "P", "enter"),
    **in_both("jobs", state=samples.jobs),
    **in_both("cron", "g", "enter", state=samples.jobs),
    **in_both("held", state=samples.held),
    **in_both("standing-aside", state=samples.standing_aside),
    **in_both("not-serving", state=samples.not_serving),
    **in_both("operated", state=samples.operated),
    "large-operated": Picture(samples.operated, LARGE),
    "operated-ascii": Picture(samples.operated, options={"is_ascii": True}),
    "operated-service": after("enter", state=samples.operated),
    "locked-out": after("g", state=samples.locked_out),
    "watched": after("g", "j", state=samples.watched),
    **in_both("went-back", "g", "j", state=samples.went_back, options={"server": "me@server"}),
    "history-of-went-back": Picture(samples.went_back, keys=("H",), answers=WENT_BACK),
    "plan-of-watched": Picture(samples.watched, keys=("D",), answers=WATCHED),
}


@pytest.fixture(autouse=True)
def _stillness(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the machine, of the developer or of the moment is in a picture."""
    monkeypatch.setattr(type_ahead, "QUIET_S", 0.0)
    for name in ("NO_COLOR", "COLUMNS", "LINES", "TEXTUAL_FILTERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def inspected(id_: str) -> dict[str, Any]:
    """Deployments of two artifacts, the newer one live."""
    is_live = "3f21" in id_
    return replies.inspected(id_, artifactId=f"art_{id_[4:8]}", isActive=is_live)


CRON = {
    "crons": [replies.cron("backup")],
    "executions": [
        replies.execution(
            "exe_7t2m", startedAt=samples.before(4).isoformat(), status="running", endedAt=None
        ),
        replies.execution(
            "exe_3k9x",
            startedAt=samples.before(86_402).isoformat(),
            endedAt=samples.before(86_400).isoformat(),
            status="failed",
            message="[red] exited with code 3",
        ),
    ],
}
"""What a cron did."""


def promotion() -> dict[str, Any]:
    """A database that stops first, and a service that waits for it."""
    waits = [{"serviceName": "db", "condition": "healthy"}]
    return replies.plan(
        replies.planned(
            "db",
            action="promote",
            build=False,
            because="variables changed: PGDATA, [red]",
            deploymentId="dep_9f2k",
            strategy="stop-first",
            zeroDowntime=False,
            zeroDowntimeReason="two of it must not run at once",
            variablesChanged=["PGDATA", "[red]"],
        ),
        replies.planned("web", action="promote", build=False, waitsFor=waits),
        replies.planned("api", action="leave"),
    )


def pictured(picture: Picture) -> DashboardApp:
    """The app, once it is run."""
    refused = ConfigError(
        "compartment.yml has a problem",
        hint="mend it, then deploy again",
        problems=[Problem("compartment.yml", 3, 9, "[red] is no port")],
    )
    verbs = ScriptedVerbs(
        **{
            **answers(),
            "submit": refused,
            "inspect": inspected,
            "promotion": promotion(),
            **CRON,
            **picture.answers,
        }
    )
    app = dashboard(picture.state(), verbs, **picture.options)
    app.animation_level = "none"
    app.take(Lines(lines()))
    app.board.events = deque(replies.run_events())
    return app


@pytest.mark.parametrize("name", PICTURES)
def test_it_looks_as_it_did(
    name: str, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = PICTURES[name]
    if not picture.has_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app = pictured(picture)

    async def lead(pilot: Pilot[Any]) -> None:
        app.main.history.show_runs(samples.RUNS)
        await pilot.pause()
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause()
            await pilot.pause()
        for blinking in app.screen.query(Input):
            blinking.cursor_blink = False
        app.show_present()
        app.main.flush(app.now())
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=picture.size, run_before=lead)
