"""Signals while the dashboard is open.

The traps, all in one place:

- Textual leaves the terminal as it is when SIGTERM or SIGHUP ends the process: we catch them.
- Python's own handlers, not the loop's: a terminal that takes no more output holds up Textual's
  writes and with them the loop, but a handler of Python interrupts that wait.
- For the same reason the first signal sets a deadline, and it and a second signal do not unwind:
  they give the terminal back and end the process. What counts is in the agent.
- What our parent had us ignore (`nohup`) stays ignored.
- While another program has the terminal, ctrl-c is for that program, though it reaches us too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.terminal import Terminal

_CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_DEADLINE_S: Final = 3.0


class Left(Protocol):
    """What is left when a signal comes."""

    is_handed_over: bool

    def exit(self) -> None:
        """Ends it, soon."""


class Leaving:
    """What asked us to leave."""

    def __init__(self, terminal: Terminal) -> None:
        self.first: signal.Signals | None = None
        self._terminal = terminal

    @property
    def exit_code(self) -> int:
        """The code that tells of the first signal."""
        assert self.first is not None
        return 128 + self.first

    def leave(self) -> NoReturn:
        """Ends the process here and now."""
        try:
            self._terminal.restore()
        finally:
            os._exit(self.exit_code)

    @contextmanager
    def caught(self, app: Left) -> Iterator[None]:
        """Ends an app at the first signal, for the length of a block."""
        loop = asyncio.get_running_loop()
        before = {each: signal.getsignal(each) for each in _CAUGHT}
        ours = [each for each, handler in before.items() if handler is not signal.SIG_IGN]

        def note(number: int, _: object) -> None:
            if number == signal.SIGINT and app.is_handed_over:
                return
            if self.first is not None:
                self.leave()
            self.first = signal.Signals(number)
            deadline.start()
            loop.call_soon_threadsafe(app.exit)

        deadline = threading.Timer(_DEADLINE_S, self.leave)
        deadline.daemon = True
        for each in ours:
            signal.signal(each, note)
        try:
            yield
        finally:
            deadline.cancel()
            for each in ours:
                signal.signal(each, before[each])
