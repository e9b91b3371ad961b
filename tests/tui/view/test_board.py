"""What is known after connections were lost, also to an agent that has forgotten everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.model import ServiceKind
from tests.tui.samples import NOW
from tui.view.board import Board
from tui.view.state import Place, Service

if TYPE_CHECKING:
    from collections.abc import Sequence


def update(seq: int, services: Sequence[str], events: Sequence[int]) -> dict[str, Any]:
    """The first update of a connection."""
    return {
        "seq": seq,
        "services": {name: {"name": name, "kind": "web"} for name in services},
        "events": [{"seq": each} for each in events],
        "run": None,
        "queue": [],
        "statistics": {"at": None, "services": {name: {} for name in services}},
    }


@pytest.fixture
def board() -> Board:
    return Board(Place("shop", "production"), [Service("web", ServiceKind.WEB)])


def connect(board: Board, *first: Any) -> list[int]:
    """Begins a connection; returns the news that it brings."""
    board.change_link(NOW, is_up=False, reason="away")
    board.change_link(NOW, is_up=True)
    return [event["seq"] for event in board.apply(update(*first))]


def test_what_happened_while_the_agent_was_away_is_news(board: Board) -> None:
    assert connect(board, 5, ["web", "api"], [4, 5]) == []
    assert connect(board, 7, ["web", "api"], [4, 5, 6, 7]) == [6, 7]
    assert [event["seq"] for event in board.events] == [4, 5, 6, 7]
    assert list(board.trends) == ["web", "api"]


def test_an_agent_that_has_nothing_left_is_believed(board: Board) -> None:
    connect(board, 500, ["web", "api"], [499, 500])
    assert connect(board, 3, ["worker"], [2, 3]) == []
    assert list(board.state.services) == ["web", "worker"], "that of the project file stays"
    assert [event["seq"] for event in board.events] == [2, 3]
    assert list(board.trends) == ["worker"]
    assert [event["seq"] for event in board.apply({"seq": 4, "events": [{"seq": 4}]})] == [4]


def test_the_same_connection_tells_only_what_differs(board: Board) -> None:
    connect(board, 5, ["web", "api"], [])
    board.apply({"seq": 6, "services": {"worker": {"name": "worker", "kind": "worker"}}})
    assert list(board.state.services) == ["web", "api", "worker"]
    board.apply({"seq": 7, "services": {}, "gone": ["api"]})
    assert list(board.state.services) == ["web", "worker"]
