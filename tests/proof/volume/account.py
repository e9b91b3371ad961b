"""What became of each of very many requests, in a few bytes each."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.load.ledger import Ledger

if TYPE_CHECKING:
    from tests.load.outcome import Answered, Instant, Stream

UNANSWERED = -1


@dataclass(slots=True)
class Account:
    """All that one sender has sent. A request's place in each row is the number in its id."""

    prefix: str
    """What ids of this sender begin with; a dash and the number follow."""
    starts: array[float] = field(default_factory=lambda: array("d"))
    """In seconds of the monotonic clock, which all processes of a machine share."""
    latencies_s: array[float] = field(default_factory=lambda: array("f"))
    """From when it was due; nan where there was no right reply."""
    answered_by: array[int] = field(default_factory=lambda: array("h"))
    """The version that has answered, as its place in `versions`; or UNANSWERED."""
    versions: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Requests without a right reply and streams that could not be opened, in words."""
    streams: tuple[Stream, ...] = ()
    latest_start_s: float = 0.0
    """By how much the most delayed request started too late: the sender's own trouble."""

    @property
    def answered(self) -> int:
        """How many requests got their right reply."""
        return len(self.answered_by) - self.answered_by.count(UNANSWERED)


class Tally(Ledger):
    """Keeps an account instead of every reply. What it reports are losses and streams alone."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._account = Account(prefix)
        self._places: dict[str, int] = {}

    @property
    def sent(self) -> int:
        """How many requests have been sent so far."""
        return len(self._account.starts)

    def send(self, due: float, start: Instant) -> str:
        account = self._account
        number = self.sent
        account.starts.append(start.monotonic)
        account.latencies_s.append(math.nan)
        account.answered_by.append(UNANSWERED)
        account.latest_start_s = max(account.latest_start_s, start.monotonic - due)
        return f"{account.prefix}-{number}"

    def answer(self, answered: Answered) -> None:
        number = number_of(answered.id)
        place = self._places.setdefault(answered.version, len(self._places))
        self._account.answered_by[number] = place
        self._account.latencies_s[number] = answered.latency_s

    def account(self) -> Account:
        """What is to be said once nothing is under way any more."""
        report = self.report()
        self._account.versions = list(self._places)
        self._account.lost = [str(loss) for loss in report.lost]
        self._account.streams = report.streams
        return self._account


def number_of(id_: str) -> int:
    """The number in an id."""
    return int(id_.rpartition("-")[2])
