"""How long a call takes, whatever else the test's process has to do meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES = 5


def quickest(call: Callable[[], object]) -> float:
    """The least processor time in seconds of five tries.

    One try alone can hold a collection of the garbage of thousands of tests before it, which
    takes ten times as long as what is measured; and the time of other threads counts, too.
    """

    def took() -> float:
        began = time.process_time()
        call()
        return time.process_time() - began

    return min(took() for _ in range(_TRIES))
