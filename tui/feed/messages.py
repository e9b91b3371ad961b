"""What a feed tells, live or from a recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """One line of `GET /v1/watch`."""

    body: Json


@dataclass(frozen=True, slots=True)
class Lines:
    """Log lines, oldest first, under the documented keys."""

    lines: Sequence[Json]


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The agent went away, or is back."""

    at: datetime
    is_up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A recording has been played to its end."""


Message = Update | Lines | LinkChanged | Ended
Take = Callable[[Message], None]


class Feed(Protocol):
    """A source of messages about one environment."""

    async def run(self, take: Take) -> None:
        """Hands over every message until cancelled, on the loop it is called on."""

    def now(self) -> datetime:
        """The time of the feed: the present, or the moment a recording has come to."""
