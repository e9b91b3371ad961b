"""Where a stream of log lines that was lost goes on: no line twice, and none missing. Pure."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.lines import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

_FIRST_TAIL: Final = 1_000
_RESUMED_TAIL: Final = 100_000
"""More than the panes keep: whatever is beyond it would be gone from them again."""

_SLACK: Final = timedelta(seconds=2)
"""How much later than a younger line one may come: each instance has a file of its own."""


class _Batch(NamedTuple):
    """Lines that came together, as hashes: two seconds of a burst would fill the memory else."""

    newest: str
    hashes: array[int]


class Overlap:
    """Knows the newest lines, so that asking for a little too much repeats nothing."""

    def __init__(self) -> None:
        self._newest = ""
        self._recent: deque[_Batch] = deque()
        self._recent_count = 0
        self._repeated: Counter[int] = Counter()

    def resume(self) -> dict[str, str | int]:
        """What to ask for now, after a loss or for the first time."""
        if not self._newest:
            return {"tail": _FIRST_TAIL}
        # Counted, as a service may write the same line twice within a microsecond.
        self._repeated = Counter(each for batch in self._recent for each in batch.hashes)
        return {"tail": _RESUMED_TAIL, "since": self._since(), "past": "true"}

    def _since(self) -> str:
        return stamp(datetime.fromisoformat(self._newest) - _SLACK)

    def fresh(self, lines: Sequence[Json]) -> Sequence[Json]:
        """Those that have not been seen before the loss."""
        found = [line for line in lines if not self._is_repeated(line)] if self._repeated else lines
        self._remember(found)
        return found

    def _is_repeated(self, line: Json) -> bool:
        key = _hash(line)
        left = self._repeated.get(key, 0)
        if left > 1:
            self._repeated[key] = left - 1
        elif left:
            del self._repeated[key]
        return left > 0

    def _remember(self, lines: Sequence[Json]) -> None:
        if not lines:
            return
        newest = max(line["timestamp"] for line in lines)
        self._recent.append(_Batch(newest, array("q", map(_hash, lines))))
        self._recent_count += len(lines)
        self._newest = max(self._newest, newest)
        while self._recent and self._is_done_with(self._recent[0]):
            self._recent_count -= len(self._recent.popleft().hashes)

    def _is_done_with(self, batch: _Batch) -> bool:
        """Whether none of it comes again: it is too old, or more follow it than are asked for."""
        following = self._recent_count - len(batch.hashes)
        return batch.newest < self._since() or following >= _RESUMED_TAIL


def _hash(line: Json) -> int:
    return hash((line["timestamp"], line["deploymentId"], line["stream"], line["message"]))
