"""Reads the lab's access log, in which a test finds what the instances did and when."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COMMON_KEYS = ("event", "time", "service", "version", "pid")


@dataclass(frozen=True, slots=True)
class Event:
    """One line; `time` is in seconds since the epoch, `details` is what only some events have."""

    name: str
    time: float
    service: str
    version: str
    pid: int
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccessLog:
    """What all instances wrote so far, in the order of writing."""

    events: tuple[Event, ...]

    @classmethod
    def read(cls, path: Path) -> AccessLog:
        """Read the file; one that is not there is an empty log."""
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return cls(tuple(parse_event(line) for line in text.splitlines()))

    def named(self, name: str, version: str | None = None) -> list[Event]:
        """Find the events of one name: `listening`, `request`, `sigterm` or `exit`."""
        return [x for x in self.events if x.name == name and version in {None, x.version}]

    def not_exactly_once(self, ids: Iterable[str]) -> dict[str, int]:
        """Say which of the ids the instances did not serve exactly once, and how often they did."""
        served = Counter(event.details["id"] for event in self.named("request"))
        return {number: served[number] for number in ids if served[number] != 1}


def parse_event(line: str) -> Event:
    """Make an event of one line of the log."""
    details: dict[str, Any] = json.loads(line)
    name, moment, service, version, pid = (details.pop(key) for key in COMMON_KEYS)
    return Event(name, moment, service, version, pid, details)
