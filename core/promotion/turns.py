"""One run at a time per environment: later ones wait their turn, in order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.records import Target


class Turn:
    """A place in the line of one environment."""

    def __init__(self, line: list[Turn], run_id: str) -> None:
        self._line = line
        self._reached = asyncio.Event()
        self.run_id = run_id
        self.ahead = line[-1].run_id if line else None
        """The run directly ahead when this one joined, None when it is its turn at once."""
        line.append(self)
        self._call()

    async def reached(self) -> None:
        """Returns when nobody is ahead any more."""
        await self._reached.wait()

    def leave(self) -> None:
        """Gives the turn up, or back."""
        self._line.remove(self)
        if self._line:
            self._line[0]._call()  # noqa: SLF001 - the same class

    def _call(self) -> None:
        if self._line[0] is self:
            self._reached.set()


class Turns:
    """The lines of all environments."""

    def __init__(self) -> None:
        self._lines: defaultdict[Target, list[Turn]] = defaultdict(list)

    def join(self, target: Target, run_id: str) -> Turn:
        """Joins the line of an environment; `leave` must follow."""
        return Turn(self._lines[target], run_id)

    @contextmanager
    def joined(self, target: Target, run_id: str) -> Iterator[Turn]:
        """A place in the line for the length of a block."""
        turn = self.join(target, run_id)
        try:
            yield turn
        finally:
            turn.leave()

    @property
    def is_idle(self) -> bool:
        """Whether no environment has a run."""
        return not any(self._lines.values())
