"""A loop whose clock goes on only when there is nothing to do: waiting costs no time."""

from __future__ import annotations

import asyncio
import selectors
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class _Impatient(selectors.DefaultSelector):
    """Waits for nothing; whoever is asked to wait says for how long it would have been."""

    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everybody waits for somebody else"
            self._skip(timeout)
        return found


class _Numbered(asyncio.Task[Any]):
    """asyncio keeps tasks in sets, whose order would be that of their places in memory."""

    _numbers = count()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._number = next(self._numbers)
        super().__init__(*arguments, **named)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.SelectorEventLoop):
    """Everything that happens in it happens in the same order each time."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Impatient(self._skip))
        self.set_task_factory(lambda loop, work, **named: _Numbered(work, loop=loop, **named))

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        """What modules that read the clock themselves are given in place of `time.monotonic`."""
        return self._now

    def _skip(self, seconds: float) -> None:
        self._now += max(0.0, seconds)


async def at_once(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """In place of `asyncio.to_thread`: threads have an order of their own."""
    await asyncio.sleep(0)
    return work(*arguments, **named)
