"""What the dashboard knows of the times that a job or cron ran, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from core.model import ExecutionStatus
from tui.view.moments import moment

if TYPE_CHECKING:
    from datetime import datetime

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Execution:
    """One time that it ran, or should have run."""

    id: str
    status: ExecutionStatus
    trigger: str = ""
    """`deploy`, `schedule` or `manual`."""
    due_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    message: str | None = None
    missed: int = 0
    """How many times it was due, where this one stands for several that were missed."""

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.status is ExecutionStatus.RUNNING

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        return cls(
            id=found["id"],
            status=ExecutionStatus(found["status"]),
            trigger=found.get("trigger", ""),
            due_at=moment(found.get("dueAt")),
            started_at=moment(found.get("startedAt")),
            ended_at=moment(found.get("endedAt")),
            exit_code=found.get("exitCode"),
            message=found.get("message"),
            missed=found.get("missed", 0),
        )


@dataclass(frozen=True, slots=True)
class Executions:
    """The present of a job or cron."""

    last: Execution | None = None
    running: int = 0
    """How many run at this moment."""
    next_at: datetime | None = None
    """When its schedule wants it next; None for a job."""

    @property
    def running_one(self) -> Execution | None:
        """The one that runs, as far as it is the newest."""
        return self.last if self.last is not None and self.last.is_running else None

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        last = found.get("last")
        return cls(
            last=Execution.read(last) if last else None,
            running=found.get("running", 0),
            next_at=moment(found.get("nextAt")),
        )
