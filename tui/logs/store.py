"""The lines of the three streams, as the panes read them. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from core.model import Stream
from tui.logs.levels import Level, is_traceback
from tui.logs.record import Record
from tui.logs.ring import Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

RATE_OVER_S = 5
_SECONDS_KEPT = 64
_NONE_YET = (None, False)


class Tally:
    """What came in on one stream since it was last cleared."""

    def __init__(self, *, was_cleared: bool = False) -> None:
        self.was_cleared = was_cleared
        self.total = 0
        self._errors: Counter[str] = Counter()
        self._by_second: Counter[str] = Counter()

    def count(self, records: Sequence[Record], errors: Iterable[Record]) -> None:
        """Takes a batch into account."""
        self.total += len(records)
        self._errors.update(record.service for record in errors)
        self._by_second.update([record.at[:19] for record in records])
        if len(self._by_second) > 2 * _SECONDS_KEPT:
            newest = sorted(self._by_second)[-_SECONDS_KEPT:]
            self._by_second = Counter({second: self._by_second[second] for second in newest})

    def errors(self, service: str | None = None) -> int:
        """How many errors, of all services or of one; a traceback is one error."""
        return self._errors.total() if service is None else self._errors[service]

    def rate(self, now: datetime) -> float:
        """Lines a second, over the last few whole seconds by the lines' own time."""
        second = now.astimezone(UTC)
        before = (second - timedelta(seconds=each + 1) for each in range(RATE_OVER_S))
        found = (self._by_second[moment.isoformat()[:19]] for moment in before)
        return sum(found) / RATE_OVER_S


class LogStore:
    """Three rings of records; lines go in as they arrive, panes read when it is time to draw.

    `said` spells the platform's own lines as the terminal can show them; those of services stay as
    they are.
    """

    def __init__(self, said: Callable[[str], str] = str) -> None:
        self._said = said
        self._rings = {stream: Ring() for stream in Stream}
        self._tallies = {stream: Tally() for stream in Stream}
        self._levels: dict[tuple[str, str], tuple[Level | None, bool]] = {}
        """Per stream and deployment: the last level, and whether a traceback has begun."""

    def ring(self, stream: Stream) -> Ring:
        """The records of one stream."""
        return self._rings[stream]

    def tally(self, stream: Stream) -> Tally:
        """The counts of one stream."""
        return self._tallies[stream]

    @property
    def received(self) -> int:
        """How many lines have come, of all streams together."""
        return sum(ring.next for ring in self._rings.values())

    def push(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Takes over lines, oldest first, as the agent sends them."""
        batches: dict[Stream, list[Record]] = {stream: [] for stream in Stream}
        errors: dict[Stream, list[Record]] = {stream: [] for stream in Stream}
        for line in lines:
            batch = batches.get(line["stream"])
            if batch is None:
                continue  # a stream of a later version
            record, is_new_error = self._placed(Record.read(line))
            batch.append(record)
            if is_new_error:
                errors[Stream(record.stream)].append(record)
        own = batches[Stream.COMPARTMENT]
        batches[Stream.COMPARTMENT] = [self._spelled(each) for each in own]
        for stream, batch in batches.items():
            if batch:
                self._rings[stream].append(batch)
                self._tallies[stream].count(batch, errors[stream])

    def _spelled(self, record: Record) -> Record:
        # What has colours is the output of a build, and another length would misplace them.
        return record if record.spans else record._replace(text=self._said(record.text))

    def _placed(self, record: Record) -> tuple[Record, bool]:
        """The record with the level of the line that it continues; whether it is a new error."""
        key = (record.stream, record.deployment_id)
        level, traces = self._levels.get(key, _NONE_YET)
        is_indented = record.text[:1] == " "
        if is_indented and (traces or record.level is None):
            return (record if level is None else record._replace(level=level)), False
        if traces:  # the last line of a traceback, or somebody else's in between
            record = record if record.level is not None else record._replace(level=level)
            self._levels[key] = (record.level, False)
            return record, False
        if record.level is not level:
            self._levels[key] = (record.level, False)
        if record.level is not Level.ERROR:
            return record, False
        if is_traceback(record.text):
            self._levels[key] = (Level.ERROR, True)
        return record, True

    def clear(self, stream: Stream) -> None:
        """Forgets the lines of one stream; the agent's files keep them."""
        self._rings[stream].clear()
        self._tallies[stream] = Tally(was_cleared=True)
