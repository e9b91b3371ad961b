"""Executions that nobody waits for: due ones, those by hand, and those of an earlier agent."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING

from core.ending import to_the_end
from core.errors import CompartmentError, Conflict, JournalError, NotFound
from core.lines import stamp
from core.model import ExecutionStatus, ExecutionTrigger, ScheduleOverlap
from core.promotion.executions import new_execution

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime
    from typing import Any

    from core.promotion.parts import Parts
    from core.records import Deployment, Execution, Target

_log = logging.getLogger(__name__)


class Background:
    """Begins executions and keeps them company to their end, or to that of the agent.

    `tasks` owns them. `failed` is told when they cannot be journalled.
    """

    def __init__(
        self, parts: Parts, tasks: asyncio.TaskGroup, *, failed: Callable[[JournalError], None]
    ) -> None:
        self._ledger = parts.ledger
        self._executions = parts.executions
        self._owner = tasks
        self._failed = failed
        self._tasks = set[asyncio.Task[None]]()
        self._turns: defaultdict[tuple[Target, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        """Whoever starts one of a service sees the one before it."""

    async def start(self, target: Target, service: str) -> Execution:
        """Starts an execution by hand; it goes on without whoever asks.

        Raises:
            NotFound: the service is not active.
            Conflict: it is no job or cron, or must not run twice at a time and does run.
        """
        deployment = self._ledger.active(target).get(service)
        if deployment is None:
            raise NotFound(
                f"service {service} is not active in {target}",
                hint=f"deploy it: compartment deploy --env {quote(target.environment)}",
                code="service_not_found",
            )
        if deployment.service.kind.is_long_running:
            raise Conflict(
                f"service {service} is a {deployment.service.kind}, which runs all the time",
                hint="only a job or a cron can be run",
                code="unsupported_service_kind",
            )
        return await to_the_end(self._start(deployment))

    async def _start(self, deployment: Deployment) -> Execution:
        async with self._turns[deployment.target, deployment.service.name]:
            still = self._still_running(deployment)
            if still and _overlap(deployment) is ScheduleOverlap.SKIP:
                raise Conflict(
                    f"{still[0].id} of {deployment.service.name} still runs, and two must not",
                    hint=f"wait for it, or end it: compartment execution cancel {still[0].id}",
                    code="execution_running",
                )
            await self._make_room(deployment, still)
            execution = new_execution(deployment, ExecutionTrigger.MANUAL)
            await self._executions.begin(execution)
        self._spawn(self._executions.finish(execution))
        return execution

    def start_due(self, deployment: Deployment, due_at: datetime) -> None:
        """Starts an execution that has come due, or says that an earlier one still runs."""
        self._spawn(self._start_due(deployment, stamp(due_at)))

    async def _start_due(self, deployment: Deployment, due_at: str) -> None:
        async with self._turns[deployment.target, deployment.service.name]:
            execution = await self._begin_due(deployment, due_at)
        if execution is not None:
            await self._executions.finish(execution)

    async def _begin_due(self, deployment: Deployment, due_at: str) -> Execution | None:
        """Of a deployment that is replaced meanwhile it is the successor that runs."""
        trigger = ExecutionTrigger.SCHEDULE
        while (active := self._active(deployment)) is not None:
            still = self._still_running(active)
            if still and _overlap(active) is ScheduleOverlap.SKIP:
                skipped = ExecutionStatus.SKIPPED
                execution = new_execution(active, trigger, skipped, due_at=due_at)
                await self._executions.note(execution, f"{still[0].id} was still running")
                return None
            await self._make_room(active, still)
            execution = new_execution(active, trigger, due_at=due_at)
            with suppress(Conflict):
                await self._executions.begin(execution)
                return execution
        return None

    def miss(self, deployment: Deployment, times: Sequence[datetime]) -> None:
        """Says when it should have run, and nobody was there to start it."""
        first = stamp(times[0])
        execution = new_execution(
            deployment,
            ExecutionTrigger.SCHEDULE,
            ExecutionStatus.MISSED,
            due_at=first,
            missed=len(times),
        )
        often = "" if len(times) == 1 else f" {len(times)} times, first"
        told = f"it was due{often} at {first[:19]}Z, and nobody was there to start it"
        self._spawn(self._executions.note(execution, told))

    async def cancel(self, execution_id: str) -> None:
        """Ends one because somebody asks for it; it has ended then.

        Raises:
            NotFound: there is none of that id.
            Conflict: it is over.
        """
        if execution_id not in self._ledger.executions:
            found = await self._ledger.journal.execution(execution_id)
            if found is None:
                raise NotFound(f"no execution {execution_id}", code="execution_not_found")
            raise Conflict(
                f"execution {execution_id} is over: {found.status}", code="execution_is_over"
            )
        await self._executions.cancel(execution_id, "cancelled by hand")

    def take_up(self) -> None:
        """Waits for what an earlier agent has started, or an engine that is back still runs."""
        for each in self._ledger.executions.values():
            if not self._executions.is_followed(each.id):
                self._spawn(self._executions.resume(each))

    def stop(self) -> None:
        """Leaves everything to the next agent."""
        for task in self._tasks:
            task.cancel()

    def _still_running(self, deployment: Deployment) -> list[Execution]:
        """Those of its service, also of an earlier deployment."""
        mine = (deployment.target, deployment.service.name)
        found = self._ledger.executions.values()
        return [each for each in found if (each.target, each.service) == mine]

    def _active(self, deployment: Deployment) -> Deployment | None:
        """What is active of its service now."""
        return self._ledger.active(deployment.target).get(deployment.service.name)

    async def _make_room(self, deployment: Deployment, still: Sequence[Execution]) -> None:
        if _overlap(deployment) is ScheduleOverlap.REPLACE:
            for each in still:
                await self._executions.cancel(each.id, "the next one takes its place")

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = self._owner.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Coroutine[Any, Any, object]) -> None:
        """What goes wrong with one execution never takes the platform or another one down."""
        try:
            await work
        except JournalError as error:
            _log.error("an execution: %s", error.message)
            self._failed(error)
        except CompartmentError as error:
            _log.warning("an execution is taken up later: %s", error.message)
        except Exception:  # noqa: BLE001 - the top of an execution
            _log.exception("an execution ended by a bug")


def _overlap(deployment: Deployment) -> ScheduleOverlap:
    """A job has no schedule, and may run beside itself."""
    schedule = deployment.service.schedule
    return schedule.overlap if schedule else ScheduleOverlap.ALLOW
