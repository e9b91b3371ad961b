"""The parts of the proof: each one pytest command, none longer than nine minutes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Some tests that are run together, and the heading that their figures stand under."""

    name: str
    title: str
    tests: tuple[str, ...]
    """What pytest is given."""
    workers: int = 0
    """How many run side by side; 0 where times are measured."""


PARTS: tuple[Part, ...] = ()
LIMIT_S = 9 * 60
