"""What is rolled back by itself if it turns out to be worse than what it replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import words

if TYPE_CHECKING:
    from datetime import datetime

    from tui.view.state import Deployment, Service


def watched(service: Service) -> Deployment | None:
    """What is live, if it is watched."""
    live = service.live
    return live if live is not None and live.watched_until is not None else None


def left_s(found: Deployment, now: datetime) -> float:
    """For how much longer it is watched."""
    return words.seconds(now, found.watched_until) if found.watched_until else 0


def left(found: Deployment, now: datetime) -> str:
    """The same in words; coarse on purpose, so that the screen is quiet meanwhile."""
    return f"{words.age(left_s(found, now))} left"
