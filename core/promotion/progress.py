"""What a deployment waits for at this moment. In memory only: it is true now, or not at all."""

from __future__ import annotations

import re
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.lines import clean, stamp
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECENT = 20
"""How many of the last replies to readiness tries are kept."""

_DETAIL_LIMIT = 300
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


class WaitKind(StrEnum):
    """What can be waited for."""

    TURN = "turn"
    BUILD_SLOT = "buildSlot"
    BUILD = "build"
    RELEASE = "release"
    READINESS = "readiness"
    BARRIER = "barrier"
    DEPENDENCY = "dependency"
    JOB = "job"
    HOLD = "hold"
    DRAIN = "drain"


@dataclass(slots=True)
class Waiting:
    """One wait; whoever waits writes into it what it sees."""

    kind: WaitKind
    limit_s: float | None = None
    """How long it may take, from `since` on; None without a limit."""
    detail: str = ""
    since: str = field(default_factory=stamp)
    tries: int = 0
    recent: deque[int | None] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """The last replies to readiness tries, oldest first: a status, or None without a reply."""
    requests: int = 0
    streams: int = 0
    """What the previous one still carries, while it drains."""
    mask: Mask = field(default_factory=Mask)
    """What must not be shown of the detail."""

    def as_json(self) -> dict[str, Any]:
        """The wait as front ends see it."""
        return {
            "kind": self.kind,
            "since": self.since,
            "limitSeconds": self.limit_s,
            "detail": self.mask.mask(_plain(self.detail))[:_DETAIL_LIMIT],
            "tries": self.tries,
            "recent": list(self.recent),
            "requests": self.requests,
            "streams": self.streams,
        }


def _plain(text: str) -> str:
    """What a build printed may hold anything; nobody who shows it has to know."""
    return _COLOUR.sub("", clean(text))


class Progress:
    """The waits of all deployments, by deployment; `mask` hides secrets in what they tell."""

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask or Mask()
        self._waits: dict[str, Waiting] = {}

    def of(self, deployment_id: str) -> Waiting | None:
        """What a deployment waits for, if it waits."""
        return self._waits.get(deployment_id)

    @contextmanager
    def waits(
        self, kind: WaitKind, *deployment_ids: str, limit_s: float | None = None, detail: str = ""
    ) -> Iterator[Waiting]:
        """A wait for the length of a block; several deployments may wait for the same thing."""
        waiting = Waiting(kind, limit_s, detail, mask=self._mask)
        self._waits |= dict.fromkeys(deployment_ids, waiting)
        try:
            yield waiting
        finally:
            for each in deployment_ids:
                if self._waits.get(each) is waiting:
                    del self._waits[each]
