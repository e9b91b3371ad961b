"""Everything that takes its time outside of the agent, until the test lets it go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


class AgentDied(BaseException):
    """What the parts of a dead agent meet wherever they turn; no code of ours handles it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that is being done; `effect` is what comes of it on the machine."""

    what: str
    passed: asyncio.Future[None]
    effect: Callable[[], None]
    failure: Exception | None

    def open(self, *, is_failing: bool) -> None:
        """Lets it be done, or fail where it can; nothing where nobody waits any more."""
        if self.passed.done():
            return
        if is_failing and self.failure is not None:
            self.passed.set_exception(self.failure)
        else:
            self.effect()
            self.passed.set_result(None)


class Gates:
    """Nothing passes by itself."""

    def __init__(self) -> None:
        self._waiting: list[Gate] = []

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def __str__(self) -> str:
        return ", ".join(each.what for each in self._waiting)

    async def pass_one(
        self,
        what: str,
        effect: Callable[[], None] = lambda: None,
        failure: Exception | None = None,
    ) -> None:
        """Returns once it was done; raises the failure where the test lets it fail."""
        gate = Gate(what, asyncio.get_running_loop().create_future(), effect, failure)
        self._waiting.append(gate)
        try:
            await gate.passed
        finally:
            if gate in self._waiting:
                self._waiting.remove(gate)

    def open_one(self, rng: random.Random, *, failing: float = 0.0) -> None:
        """Lets one go on; it fails with that probability, where it can."""
        gate = self._waiting.pop(rng.randrange(len(self._waiting)))
        gate.open(is_failing=rng.random() < failing)

    def open_all(self, *, is_failing: bool = False) -> None:
        """Lets everything go on that waits now; what can fail may fail."""
        waiting, self._waiting = self._waiting, []
        for gate in waiting:
            gate.open(is_failing=is_failing)

    def abandon(self, rng: random.Random) -> None:
        """The agent dies: what was being done is done nevertheless, or never."""
        waiting, self._waiting = self._waiting, []
        for gate in waiting:
            if rng.random() < 0.5:
                gate.effect()
            if not gate.passed.done():
                gate.passed.set_exception(AgentDied())
                gate.passed.exception()
