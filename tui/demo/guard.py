"""Stops the demo where the demo itself cannot: it was killed, or had to leave in a hurry.

    python -m tui.demo.guard

It waits for the end of its standard input, which is the end of whoever started it, in whatever way.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.demo.folder import DemoFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTLED: Final = b"settled"


@dataclass(slots=True)
class Guard:
    """Who stands by while the demo is open."""

    is_settled: bool = False
    """Whether it was stopped, or is to go on: nothing is left to do."""


@contextmanager
def guarded() -> Iterator[Guard]:
    """Has the demo stopped at the end of the block, unless that is settled by then."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tui.demo.guard"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-c and a closed window are for the demo.
        start_new_session=True,
    )
    guard = Guard()
    try:
        yield guard
    finally:
        with suppress(OSError):
            process.communicate(_SETTLED if guard.is_settled else b"")


def main() -> None:
    """The program."""
    if sys.stdin.buffer.read() != _SETTLED:
        asyncio.run(DemoFolder.locate().stop())


if __name__ == "__main__":
    main()
