"""What one input took: time, and memory as the kernel counts it."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.figures import FiguresRecorder

LONGEST_S: Final = 20.0
"""Of the processor, for one input; what waits for ever is ended by the test's time limit."""

ROOM_BYTES: Final = 256 * 1024 * 1024
"""What any input may take, however small: 50,000 values of a file, which is the most there is."""

MULTIPLE: Final = 40
"""What an input may take besides, in multiples of its size."""

_LARGE_BYTES: Final = 256 * 1024
"""From this size on multiples say anything: below it they are those of a few empty objects."""


class Meter:
    """Measures one input after the other, and keeps the worst."""

    def __init__(self) -> None:
        self._slowest_s = 0.0
        self._most_bytes = 0
        self._most_multiples = 0.0

    @contextmanager
    def measured(self, size_bytes: int) -> Iterator[None]:
        """One input of some size; fails when it takes too long, or too much memory."""
        before = _resident("VmRSS")
        # From here on the peak is counted anew.
        Path("/proc/self/clear_refs").write_text("5")
        began = time.process_time()
        yield
        took_s = time.process_time() - began
        grown = max(0, _resident("VmHWM") - before)
        self._slowest_s = max(self._slowest_s, took_s)
        self._most_bytes = max(self._most_bytes, grown)
        if size_bytes >= _LARGE_BYTES:
            self._most_multiples = max(self._most_multiples, grown / size_bytes)
        assert took_s < LONGEST_S, f"{took_s:.1f} s for {size_bytes} bytes"
        limit = ROOM_BYTES + MULTIPLE * size_bytes
        assert grown <= limit, f"{grown / 2**20:.0f} MB for {size_bytes} bytes"

    def report(self, kind: str, counts: FiguresRecorder) -> None:
        """Reports the worst there was; nothing was measured where that is nothing."""
        if self._most_bytes:
            counts(f"{kind}, slowest", round(self._slowest_s, 3), "s", LONGEST_S)
            counts(f"{kind}, most memory", round(self._most_bytes / 2**20, 1), "MB")
        if self._most_multiples:
            counts(f"{kind}, memory of a large one", round(self._most_multiples, 1), "x its size")


def _resident(field: str) -> int:
    """How much memory this process has, or has had at most, in bytes."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
