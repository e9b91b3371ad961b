"""Signals while a run is followed.

The traps, all in one place:

- asyncio.run has a SIGINT handler of its own, which cancels the main task wherever it is. In the
  middle of a submit that would lose the run, so ours, which only take note, replace it.
- A handler of the loop runs between two callbacks: nothing here may block the loop.
- What our parent had us ignore (`nohup`, `command &` in a script) stays ignored.
- The agent is in a session of its own: the terminal's ctrl-c reaches us, never the agent.
- The second signal must get away even when something hangs. It does not unwind, it ends the
  process; there is nothing to clean up, because everything that counts is in the agent.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """What asked us to stop."""

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self.leaving: Callable[[], None] = lambda: None
        """Called before a second signal ends the process."""
        self._asked = asyncio.Event()

    @property
    def exit_code(self) -> int:
        """The code that tells of the first signal."""
        assert self.first is not None
        return 128 + self.first

    async def asked(self) -> None:
        """Returns when a signal has come."""
        await self._asked.wait()

    def leave(self) -> NoReturn:
        """Ends the process here and now."""
        try:
            self.leaving()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(self.exit_code)

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Takes note of signals for the length of a block."""
        loop = asyncio.get_running_loop()
        before = {each: signal.getsignal(each) for each in _CAUGHT}
        ours = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
        for each in ours:
            loop.add_signal_handler(each, self._note, each)
        try:
            yield
        finally:
            for each in ours:
                loop.remove_signal_handler(each)
                signal.signal(each, before[each])

    def _note(self, number: signal.Signals) -> None:
        if self.first is not None:
            self.leave()
        self.first = number
        self._asked.set()
