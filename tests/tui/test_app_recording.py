"""A recording of a real deploy, played into the app: what was told then is shown now.

`make shots` records it anew, and makes the pictures of the README from it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.model import Health, Stage, Status, Stream
from tests.tui.apps import Hand
from tui.app import DashboardApp
from tui.choices import Choices
from tui.feed.messages import Lines, Update
from tui.feed.recording import entries
from tui.feed.replay import ReplayFeed
from tui.logs.store import LogStore
from tui.options import Options
from tui.refused_verbs import RefusedVerbs
from tui.view.board import Board
from tui.view.state import Place

if TYPE_CHECKING:
    from tui.feed.messages import Message

RECORDING = Path(__file__).parent / "recordings" / "deploy.ndjson"
SIZES = [(80, 24), (120, 35), (200, 50)]
SERVICES = ["backoffice", "web"]
END = [each.t for each in entries(RECORDING)][-1]


def messages() -> list[Message]:
    return [each.message for each in entries(RECORDING)]


def replayed() -> tuple[DashboardApp, ReplayFeed]:
    """As `compartment-tui --replay` makes it."""
    feed = ReplayFeed(RECORDING)
    place = Place(feed.header.project, feed.header.environment)
    options = Options(is_read_only=True, notes=("replay",))
    return DashboardApp(place, (), feed, RefusedVerbs(), options, Choices()), feed


def test_it_tells_of_no_machine() -> None:
    text = RECORDING.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert not any(each in text for each in ("/home", "/root", "/work", "/usr", "/var"))
    assert {each.split("/")[2] for each in text.split('"') if each.startswith("/tmp/")} == {"shop"}


def test_each_line_is_a_message() -> None:
    count = len(RECORDING.read_text(encoding="utf-8").splitlines())
    assert len(messages()) == count - 1


def test_the_deploy_goes_through_every_stage_in_order() -> None:
    board = Board(Place("multi-service", "production"))
    seen: dict[str, list[Stage]] = {name: [] for name in SERVICES}
    waits = set()
    for message in messages():
        if not isinstance(message, Update):
            continue
        board.apply(message.body)
        for name, service in board.state.services.items():
            if board.state.run is None or service.current is None:
                continue
            if service.current.run_id == board.state.run.id and service.is_moving:
                stage = service.current.stage
                if stage not in seen[name]:
                    seen[name].append(stage)
            if service.waiting is not None:
                waits.add(service.waiting.kind)
    order = list(Stage)
    for stages in seen.values():
        assert stages == sorted(stages, key=order.index)
        assert {Stage.BUILDING, Stage.CHECKING_READINESS, Stage.DRAINING_PREVIOUS} <= {*stages}
    assert {"build", "readiness", "barrier", "drain"} <= waits


@pytest.mark.parametrize("size", SIZES)
async def test_the_end_of_it_is_on_the_screen(size: tuple[int, int]) -> None:
    app, feed = replayed()
    async with app.run_test(size=size, notifications=True):
        hand = Hand(app)
        feed.play_until(END, app.take)
        await hand.until(lambda: "deploy succeeded in" in hand.text)
        text = hand.text
        assert "2 live" in text
        assert "replay" in text.splitlines()[0]
        assert "no request was cut" in text
        assert hand.toasts == []
        run = app.board.state.run
        assert run is not None
        assert (run.status, run.cut_requests) == (Status.SUCCEEDED, 0)


def test_the_end_of_it_is_on_the_board() -> None:
    board = Board(Place("multi-service", "production"))
    store = LogStore()
    for message in messages():
        if isinstance(message, Update):
            board.apply(message.body)
        elif isinstance(message, Lines):
            store.push(message.lines)
    state = board.state
    assert sorted(state.services) == SERVICES
    assert not state.is_busy
    assert state.run is not None
    for service in state.services.values():
        assert (service.candidate, service.failed, service.waiting) == (None, None, None)
        assert service.live is not None
        assert service.previous is not None
        assert service.live.id in state.run.deployment_ids
        assert (service.live.stage, service.live.health) == (Stage.ACTIVE, Health.HEALTHY)
        requests = [each.requests_per_s for each in board.trends[service.name]]
        assert all(requests[1:])
    assert [each for each in board.events if each["type"] == "RoutesSwitched"]
    said = written()
    for stream in Stream:
        assert [each.text for each in store.ring(stream).slice(0, len(said[stream]))] == said[
            stream
        ]
    assert said[Stream.STDOUT]
    assert any("GET / 200" in line for line in said[Stream.STDOUT])
    assert any("deployment succeeded" in line for line in said[Stream.COMPARTMENT])


def written() -> dict[str, list[str]]:
    """The log lines as they are in the file."""
    found: dict[str, list[str]] = {stream: [] for stream in Stream}
    for raw in RECORDING.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(raw)
        for line in entry.get("lines", ()):
            found[line["stream"]].append(line["message"])
    return found


async def test_the_middle_of_it_is_on_the_screen() -> None:
    """One service is ready and waits, the other is still asked: the picture of the README."""
    app, feed = replayed()
    async with app.run_test(size=(120, 35)):
        hand = Hand(app)
        waiting: set[str] = set()
        seconds = 0.0
        while not {"barrier", "readiness"} <= waiting:
            seconds += 0.05
            assert seconds < 100
            feed.play_until(seconds, app.take)
            services = app.board.state.services.values()
            waiting = {each.waiting.kind for each in services if each.waiting is not None}
        await hand.until(lambda: "ready, waits" in hand.text)
        assert "deploying 2 services" in hand.text
        assert "waits for readiness" in hand.text
        assert feed.now().isoformat()[:19] >= feed.header.at.isoformat()[:19]
