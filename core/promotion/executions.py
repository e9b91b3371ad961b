"""One time that a job or a cron runs: started, waited for within its limit, journalled.

An execution outlives the agent, as every instance does. Whoever waits for it may be cancelled: one
of a deploy is ended then, because its run goes back; any other goes on, and is taken up by the next
agent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.ending import single_error, to_the_end
from core.errors import CompartmentError, Conflict
from core.events import Event, EventType
from core.lines import stamp
from core.model import ExecutionStatus, ExecutionTrigger, Health, Status
from core.promotion.ledger import deployment_event
from core.promotion.retention import forget_executions
from core.promotion.specs import spec_named, taken_addresses
from core.records import Execution, new_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.engines.base import Engine, Exit, Instance, InstanceSpec
    from core.journal import Record
    from core.promotion.parts import Parts
    from core.records import Deployment, Target

_RUN_WENT_BACK = "its run went back"


@dataclass(frozen=True, slots=True)
class _End:
    """How an execution has ended, in words where it is not a success."""

    status: ExecutionStatus
    message: str | None = None
    exit_code: int | None = None


class Executions:
    """Begins executions, waits for their end, and ends them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._followed: dict[str, asyncio.Event] = {}
        """Those that somebody waits for, each with what tells that nobody does any more."""
        self._limits: dict[str, asyncio.Timeout] = {}
        """Of those that are waited for."""
        self._reasons: dict[str, str] = {}
        """Why those are to end that were cancelled."""

    async def run(
        self, deployment: Deployment, trigger: ExecutionTrigger, *, due_at: str | None = None
    ) -> Execution:
        """A whole execution. One that fails does not raise: it says so itself.

        Raises:
            JournalError: it cannot be journalled.
        """
        execution = new_execution(deployment, trigger, due_at=due_at)
        try:
            await self.begin(execution)
        except asyncio.CancelledError:
            if execution.id in self._parts.ledger.executions:
                await to_the_end(self._end(execution))
            raise
        return await self.finish(execution)

    async def begin(self, execution: Execution) -> None:
        """Journals that it runs, before it does: `finish` must follow.

        Raises:
            Conflict: its deployment has become the past, or was taken down, at this moment.
        """
        self._followed[execution.id] = asyncio.Event()
        try:
            await self._parts.ledger.update(lambda: self._begun(execution))
        except BaseException:
            self._leave(execution)
            raise

    def _begun(self, execution: Execution) -> list[Record]:
        deployment = self._parts.ledger.deployments.get(execution.deployment_id)
        if deployment is None or deployment.status is Status.STOPPED:
            raise Conflict(
                f"{execution.service} was replaced or taken down at this moment",
                hint="see what is active: compartment status",
                code="deployment_not_active",
            )
        told = f"execution {execution.id} started by {_BY[execution.trigger]}"
        return [execution, self._event(EventType.EXECUTION_STARTED, execution, told)]

    async def finish(self, execution: Execution) -> Execution:
        """Starts one that has begun, and waits for its end."""
        return await self._follow(execution, is_new=True)

    async def resume(self, execution: Execution) -> Execution:
        """Waits for the end of one that an agent before this one has started.

        Raises:
            EngineUnavailable: nothing is known of it now, and nothing was changed.
        """
        if execution.trigger is ExecutionTrigger.DEPLOY:
            return await self._end(execution)
        return await self._follow(execution, is_new=False)

    def is_followed(self, execution_id: str) -> bool:
        """Whether somebody waits for its end."""
        return execution_id in self._followed

    async def cancel(self, execution_id: str, reason: str) -> None:
        """Ends one that runs, and returns when it has ended; nothing where it has already."""
        known = self._parts.ledger.executions
        while (execution := known.get(execution_id)) is not None:
            is_left = self._followed.get(execution_id)
            if is_left is None:  # its engine was away when it was to be taken up, or refused
                await self._remove(execution)
                await self._settle(execution, _cancelled(reason))
                return
            self._reasons.setdefault(execution_id, reason)
            limit = self._limits.get(execution_id)
            if limit is not None and not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())
            await is_left.wait()

    async def cancel_all(self, target: Target, services: Collection[str], reason: str) -> None:
        """Ends all that run of these services, also those of earlier deployments."""
        found = self._parts.ledger.executions.values()
        ids = [each.id for each in found if each.target == target and each.service in services]
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                for each in ids:
                    tasks.create_task(self.cancel(each, reason))

    async def note(self, execution: Execution, told: str) -> None:
        """Journals one that does not run: it was skipped or missed."""
        ended = execution.changed(ended_at=execution.started_at, message=told)
        event = self._event(EventType.EXECUTION_ENDED, ended, f"execution {ended.status}: {told}")
        await self._parts.ledger.write(ended, event)
        await forget_executions(self._parts, ended)

    async def _follow(self, execution: Execution, *, is_new: bool) -> Execution:
        self._followed.setdefault(execution.id, asyncio.Event())
        try:
            instance = await (self._start if is_new else self._adopt)(execution)
            if isinstance(instance, _End):
                end = instance
            else:
                end = await self._wait(execution, instance, 0.0 if is_new else _age_s(execution))
            return await to_the_end(self._settle(execution, end))
        except asyncio.CancelledError:
            is_left = execution.id in self._parts.ledger.executions
            if is_left and execution.trigger is ExecutionTrigger.DEPLOY:
                await to_the_end(self._end(execution))
            raise
        finally:
            self._reasons.pop(execution.id, None)
            self._leave(execution)

    def _leave(self, execution: Execution) -> None:
        self._followed.pop(execution.id).set()

    async def _start(self, execution: Execution) -> Instance | _End:
        try:
            return await self._engine(execution).start(self._spec(execution))
        except CompartmentError as error:
            return _End(ExecutionStatus.FAILED, f"could not be started: {error.message}")

    async def _adopt(self, execution: Execution) -> Instance | _End:
        engine = self._engine(execution)
        await engine.check()
        instance = await engine.adopt(execution.id)
        if instance is not None:
            return instance
        ended = await engine.exit_of(execution.id)
        return _end_of(ended) if ended else _End(ExecutionStatus.FAILED, "its end was not seen")

    async def _wait(self, execution: Execution, instance: Instance, age_s: float) -> _End:
        service = self._deployment(execution).service
        left_s = service.time_limit_ms / 1000 - age_s
        is_cancelled = execution.id in self._reasons
        try:
            async with asyncio.timeout(0 if is_cancelled else max(0.0, left_s)) as limit:
                self._limits[execution.id] = limit
                return _end_of(await instance.wait_exit())
        except TimeoutError:
            await self._remove(execution)
        finally:
            self._limits.pop(execution.id, None)
        reason = self._reasons.get(execution.id)
        if reason is not None:
            return _cancelled(reason)
        limit_told = _duration(service.time_limit_ms)
        return _End(ExecutionStatus.FAILED, f"ended at its time limit of {limit_told}")

    async def _end(self, execution: Execution) -> Execution:
        """Ends one of a deploy that goes back."""
        await self._remove(execution)
        return await self._settle(execution, _cancelled(_RUN_WENT_BACK))

    async def _settle(self, execution: Execution, end: _End) -> Execution:
        """Journals an end; what is left of the instance goes after it, so that it is seen."""
        ended = execution.changed(
            status=end.status, ended_at=stamp(), exit_code=end.exit_code, message=end.message
        )
        # Once this is journalled, its deployment may become the past.
        engine = self._engine(ended)
        await self._parts.ledger.update(lambda: self._records(ended))
        await engine.stop(ended.id, grace_s=self._parts.stop_grace_s)
        await forget_executions(self._parts, ended)
        self._parts.ledger.forget_past()
        return ended

    def _records(self, ended: Execution) -> list[Record]:
        """The end, and what it says of the health of its deployment."""
        took_s = (_at(ended.ended_at) - _at(ended.started_at)).total_seconds()
        told = f"execution {ended.id} {ended.status} after {took_s:.1f} s"
        told += f": {ended.message}" if ended.message else ""
        records: list[Record] = [ended, self._event(EventType.EXECUTION_ENDED, ended, told)]
        deployment = self._deployment(ended)
        health = _HEALTH.get(ended.status)
        if health is None or not deployment.is_active or deployment.health is health:
            return records
        why = None if health is Health.HEALTHY else f"its last execution {ended.message}"
        changed = deployment.changed(health=health, health_reason=why)
        told = why or "its last execution succeeded"
        event = deployment_event(
            EventType.HEALTH_CHANGED, changed, f"{health}: {told}", health=health
        )
        return [*records, changed, event]

    async def _remove(self, execution: Execution) -> None:
        """Ends what there is of its instance; its log stays."""
        grace_s = self._parts.stop_grace_s
        await self._engine(execution).stop(execution.id, grace_s=grace_s)

    def _spec(self, execution: Execution) -> InstanceSpec:
        spec = spec_named(self._parts, self._deployment(execution), execution.id)
        variables = {**spec.variables, "COMPARTMENT_EXECUTION": execution.id}
        return replace(spec, variables=variables, taken=taken_addresses(self._parts))

    def _deployment(self, execution: Execution) -> Deployment:
        return self._parts.ledger.deployments[execution.deployment_id]

    def _engine(self, execution: Execution) -> Engine:
        return self._parts.engine_of(self._deployment(execution))

    def _event(self, type_: EventType, execution: Execution, told: str) -> Event:
        data: dict[str, Any] = {"execution": execution.as_json()}
        return deployment_event(type_, self._deployment(execution), told, **data)


def new_execution(
    deployment: Deployment,
    trigger: ExecutionTrigger,
    status: ExecutionStatus = ExecutionStatus.RUNNING,
    *,
    due_at: str | None = None,
    missed: int = 0,
    at: datetime | None = None,
) -> Execution:
    """An execution of a deployment that begins now, or `at` a time that was looked up."""
    return Execution(
        id=new_id("exe"),
        deployment_id=deployment.id,
        target=deployment.target,
        service=deployment.service.name,
        trigger=trigger,
        status=status,
        started_at=stamp(at),
        due_at=due_at,
        missed=missed,
    )


_BY = {
    ExecutionTrigger.DEPLOY: "the deploy",
    ExecutionTrigger.SCHEDULE: "its schedule",
    ExecutionTrigger.MANUAL: "hand",
}
_HEALTH = {
    ExecutionStatus.SUCCEEDED: Health.HEALTHY,
    ExecutionStatus.FAILED: Health.UNHEALTHY,
}
"""What the last execution says of its deployment; the other ends say nothing of it."""


def _end_of(ended: Exit) -> _End:
    if ended.code == 0 and ended.error is None:
        return _End(ExecutionStatus.SUCCEEDED, exit_code=0)
    return _End(ExecutionStatus.FAILED, str(ended), ended.code)


def _cancelled(reason: str) -> _End:
    return _End(ExecutionStatus.CANCELLED, reason)


def _age_s(execution: Execution) -> float:
    """For how long one of an earlier agent has run; none where the clock was set back since."""
    began = datetime.fromisoformat(execution.started_at)
    return max(0.0, (datetime.now(UTC) - began).total_seconds())


def _at(at: str | None) -> datetime:
    return datetime.fromisoformat(at) if at else datetime.now(UTC)


def _duration(milliseconds: int) -> str:
    """A limit as people say it, such as `10 m`."""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"
