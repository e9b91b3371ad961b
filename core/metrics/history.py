"""What the journal tells of runs, deployments and executions, counted from its first event on.

So these counters go on over restarts of the agent, and miss nothing that happened while nobody
asked. They are folded when somebody asks, from where the time before has stopped. The journal keeps
them before it deletes events, so that they never fall.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from core.events import EventType
from core.metrics.counting import Durations, counts_as_json, kept_counts
from core.metrics.exposition import Family, Kind
from core.model import Stage
from core.promotion.run import CANCELLED

if TYPE_CHECKING:
    from core.events import Event
    from core.journal import Journal
    from core.metrics.exposition import Labels

_TARGET: Final = ("project", "environment")
_SERVICE: Final = (*_TARGET, "service")
_STAGE_BOUNDS_S: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
_SWITCH_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_DRAIN_BOUNDS_S: Final = (0.25, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_ENDS: Final = frozenset({Stage.ACTIVE, Stage.ROLLED_BACK})


class History:
    """The journal's events, folded."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._folding = asyncio.Lock()
        self._seq = 0
        self._runs: Counter[Labels] = Counter()
        self._deployments: Counter[Labels] = Counter()
        self._executions: Counter[Labels] = Counter()
        self._cut: Counter[Labels] = Counter()
        self._stages = Durations(*_STAGE_BOUNDS_S)
        self._switches = Durations(*_SWITCH_BOUNDS_S)
        self._drains = Durations(*_DRAIN_BOUNDS_S)
        self._triggers: dict[str, str] = {}
        """Of runs that have not ended."""
        self._under_way: dict[str, tuple[str | None, Stage, datetime]] = {}
        """Of each deployment on its way: its run, its stage, and since when."""

    async def begin(self) -> None:
        """Takes up what was kept, so that only what has come since is folded.

        Raises:
            JournalError: it cannot be read.
        """
        kept = await self._journal.counters()
        if kept is not None:
            self._restore(json.loads(kept))

    async def keep(self) -> None:
        """Folds what the journal has and keeps the result: those events may be deleted now.

        Raises:
            JournalError: it cannot be read or written.
        """
        await self.learn()
        await self._journal.keep_counters(json.dumps(self._as_json()))

    async def learn(self) -> None:
        """Takes over what the journal has by now.

        Raises:
            JournalError: it cannot be read.
        """
        async with self._folding:
            while self._seq < self._journal.last_seq:
                for event in await self._journal.events_after(self._seq):
                    self._fold(event)
                    self._seq = event.seq

    def _fold(self, event: Event) -> None:
        match event.type:
            case EventType.RUN_QUEUED if event.run_id:
                self._triggers[event.run_id] = event.message.partition(" ")[0]
            case EventType.RUN_STARTED:
                self._begin(event)
            case EventType.RUN_FINISHED:
                self._end_run(event)
            case EventType.STAGE_CHANGED:
                self._change_stage(event)
            case EventType.DEPLOYMENT_FAILED:
                self._under_way.pop(event.deployment_id or "", None)
                self._deployments[*_service(event), "failed"] += 1
            case EventType.ROUTES_SWITCHED:
                self._switches.add(_target(event), event.data["seconds"])
            case EventType.PREVIOUS_DRAINED:
                self._drains.add(_service(event), event.data["seconds"])
                self._cut[_service(event)] += event.data["requestsCut"] or 0
            case EventType.EXECUTION_ENDED:
                execution = event.data["execution"]
                how = (execution["trigger"], execution["status"])
                self._executions[*_service(event), *how] += 1

    def _begin(self, event: Event) -> None:
        """What was queued begins now: it has waited for its turn, which is no stage."""
        for id_, (run_id, stage, _) in self._under_way.items():
            if run_id == event.run_id:
                self._under_way[id_] = (run_id, stage, _at(event))

    def _end_run(self, event: Event) -> None:
        is_cancelled = event.data["failureCode"] == CANCELLED
        status = "cancelled" if is_cancelled else event.data["status"]
        trigger = self._triggers.pop(event.run_id or "", "unknown")
        self._runs[*_target(event), trigger, status] += 1

    def _change_stage(self, event: Event) -> None:
        stage, id_ = Stage(event.data["promotionStage"]), event.deployment_id or ""
        before = self._under_way.pop(id_, None)
        if before is not None:
            _, left, since = before
            self._stages.add((*_service(event), left), (_at(event) - since).total_seconds())
        if stage is Stage.ACTIVE:
            self._deployments[*_service(event), "succeeded"] += 1
        if stage not in _ENDS:
            self._under_way[id_] = (event.run_id, stage, _at(event))

    def _as_json(self) -> dict[str, Any]:
        return {
            "seq": self._seq,
            **{name: counts_as_json(each) for name, each in self._counters().items()},
            **{name: each.as_json() for name, each in self._durations().items()},
            "triggers": self._triggers,
            "underWay": {
                id_: (run_id, stage, since.isoformat())
                for id_, (run_id, stage, since) in self._under_way.items()
            },
        }

    def _restore(self, kept: dict[str, Any]) -> None:
        self._seq = kept["seq"]
        for name, counter in self._counters().items():
            counter.update(kept_counts(kept[name]))
        for name, durations in self._durations().items():
            durations.restore(kept[name])
        self._triggers = kept["triggers"]
        self._under_way = {
            id_: (run_id, Stage(stage), datetime.fromisoformat(since))
            for id_, (run_id, stage, since) in kept["underWay"].items()
        }

    def _counters(self) -> dict[str, Counter[Labels]]:
        return {
            "runs": self._runs,
            "deployments": self._deployments,
            "executions": self._executions,
            "cut": self._cut,
        }

    def _durations(self) -> dict[str, Durations]:
        return {"stages": self._stages, "switches": self._switches, "drains": self._drains}

    def families(self) -> list[Family]:
        """All that was counted."""
        return [
            Family(
                "compartment_runs_total", Kind.COUNTER, "Runs that have ended.",
                (*_TARGET, "trigger", "status"), self._runs,
            ),
            Family(
                "compartment_deployments_total", Kind.COUNTER,
                "Deployments that became active, or failed.",
                (*_SERVICE, "status"), self._deployments,
            ),
            Family(
                "compartment_stage_duration_seconds", Kind.HISTOGRAM,
                "How long deployments were in each stage that they have passed.",
                (*_SERVICE, "stage"), self._stages.samples(),
            ),
            Family(
                "compartment_switch_duration_seconds", Kind.HISTOGRAM,
                "How long it took until the gateway served new routes.",
                _TARGET, self._switches.samples(),
            ),
            Family(
                "compartment_drain_duration_seconds", Kind.HISTOGRAM,
                "How long what was replaced went on with its requests.",
                _SERVICE, self._drains.samples(),
            ),
            Family(
                "compartment_cut_requests_total", Kind.COUNTER,
                "Requests that were cut at the drain limit.", _SERVICE, self._cut,
            ),
            Family(
                "compartment_executions_total", Kind.COUNTER,
                "Executions of jobs and crons that have ended.",
                (*_SERVICE, "trigger", "status"), self._executions,
            ),
        ]  # fmt: skip


def _target(event: Event) -> Labels:
    return event.project or "", event.environment or ""


def _service(event: Event) -> Labels:
    return *_target(event), event.service_name or ""


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event.at)
