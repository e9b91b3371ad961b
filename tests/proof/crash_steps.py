"""The steps of a plan: what each commit to the journal says, and at which of them an agent dies."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from core.events import Event
from core.promotion.states import TABLE, Move, State, state_of
from core.records import Activation, Deployment, Execution, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def edge(how: Move, state: State) -> str:
    """The name of one entry of the transition table: `fail: running, checking_readiness`."""
    status, stage, is_active = state
    return f"{how}: {status}, {stage}{', active' if is_active else ''}"


EDGES = frozenset(edge(how, before) for how, row in TABLE.items() for before in row)
"""Every entry of the transition table."""


class Side(StrEnum):
    """On which side of the write an agent dies."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Point:
    """Where an agent kills itself: at a commit by its number, or at the first that is an edge."""

    side: Side = Side.BEFORE
    at: int | None = None
    edge: str | None = None

    def is_at(self, number: int, step: Step) -> bool:
        """Whether this is the commit."""
        return number == self.at or self.edge in step.edges

    def write(self, path: Path) -> None:
        """Tells it to the agent."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Point:
        """As the agent is told."""
        told = json.loads(path.read_text())
        return cls(Side(told["side"]), told["at"], told["edge"])

    def __str__(self) -> str:
        return f"{self.side} {self.edge or self.at}"


@dataclass(frozen=True, slots=True)
class Step:
    """One commit, in words."""

    edges: tuple[str, ...]
    """The entries of the transition table that it crosses."""
    others: tuple[str, ...]
    """What else it says: of runs, activations and executions, and the events."""

    def as_line(self) -> str:
        """As an agent writes it down."""
        return json.dumps(asdict(self)) + "\n"

    def __str__(self) -> str:
        return "; ".join([*self.edges, *self.others])


def described(records: Iterable[object], before: Callable[[str], Deployment | None]) -> Step:
    """What a commit says; `before` is what the journal has of a deployment."""
    edges, others = list[str](), list[str]()
    for record in records:
        match record:
            case Deployment():
                crossed = _crossed(before(record.id), record)
                (edges if crossed in EDGES else others).append(crossed)
            case Run():
                others.append(f"run {record.status}")
            case Activation():
                others.append(f"activation {record.state}")
            case Execution():
                others.append(f"execution {record.status}")
            case Event():
                others.append(str(record.type))
    return Step(tuple(edges), tuple(others))


def _crossed(before: Deployment | None, after: Deployment) -> str:
    if before is None:
        return "a new deployment"
    was, is_now = state_of(before), state_of(after)
    if was == is_now:
        return "a deployment as it was"
    # What a rollback started again and failed is once more what it was before that.
    if before.returns_to is not None and is_now[0].is_final and not is_now[2]:
        return edge(Move.FAIL, was)
    found = [edge(how, was) for how, row in TABLE.items() if row.get(was) == is_now]
    return found[0] if found else f"no entry of the table: {was} to {is_now}"


def steps_of(path: Path) -> list[Step]:
    """What an agent wrote down of its commits, the last of which it may not have survived."""
    lines = path.read_text().splitlines() if path.exists() else []
    told = [json.loads(line) for line in lines]
    return [Step(tuple(each["edges"]), tuple(each["others"])) for each in told]
