"""Runs in their turn: accepted, carried out, held, cancelled, and ended whatever happens."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core.ending import to_the_end
from core.errors import CompartmentError, Conflict, InternalError, JournalError, TargetBusy
from core.events import EventType
from core.lines import stamp
from core.model import Status, Trigger
from core.promotion import retention
from core.promotion.candidate import Step
from core.promotion.down import take_down
from core.promotion.following import bring_along
from core.promotion.ledger import run_event
from core.promotion.progress import WaitKind
from core.promotion.recovery import tidy
from core.promotion.run import CANCELLED, Promotion
from core.promotion.turns import Turns
from core.records import HostRecord, Run, new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.promotion.forgetting import Forgetting
    from core.promotion.parts import Parts
    from core.promotion.recovery import Unfinished
    from core.promotion.requests import Accepted, Down, Request
    from core.promotion.resolver import Resolver
    from core.promotion.turns import Turn
    from core.records import Deployment, Target
    from core.snapshots import Snapshots

_log = logging.getLogger(__name__)


class Runs:
    """All runs of a platform that are not over."""

    def __init__(
        self,
        parts: Parts,
        tasks: asyncio.TaskGroup,
        resolver: Resolver,
        snapshots: Snapshots,
        forgetting: Forgetting,
        *,
        ensure_gateway: Callable[[set[int]], Awaitable[None]],
        failed: Callable[[JournalError], None],
    ) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._tasks = tasks
        self._resolver = resolver
        self._snapshots = snapshots
        self._forgetting = forgetting
        self._ensure_gateway = ensure_gateway
        self._failed = failed
        self._turns = Turns()
        # An artifact that a new run has found must not be pruned before that run is journalled.
        self._accepting = asyncio.Lock()
        self._running: dict[str, tuple[asyncio.Task[None], Promotion | None]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether none is queued or going on."""
        return self._turns.is_idle

    def take_up(self, unfinished: Unfinished) -> None:
        """Goes on with one that an agent before this one left."""
        run = unfinished.promotion.run
        turn = self._turns.join(run.target, run.id)
        self._start(run.id, self._end(unfinished, turn), unfinished.promotion)

    async def close(self) -> None:
        """Takes back what has not switched, and waits for the end of the rest."""
        for task, promotion in list(self._running.values()):
            if promotion is not None and not promotion.is_past_return:
                task.cancel()
        for task, _ in list(self._running.values()):
            await asyncio.wait([task])

    async def submit(self, request: Request) -> Run:
        """Accepts a deploy, redeploy or rollback and carries it out in the background.

        Raises:
            ConfigError, NotFound, Conflict: it cannot be done; nothing was changed.
            TargetBusy: another run is ahead, and the request does not want to wait.
            GatewayUnavailable: the gateway does not start.
        """
        run = Run(
            id=new_id("drn"),
            target=request.target,
            trigger=request.trigger,
            status=Status.QUEUED,
            created_at=stamp(),
            label=request.label,
            because=request.undo.because if request.undo else None,
        )
        turn = self._turns.join(run.target, run.id)
        try:
            self._refuse_to_wait(turn, request)
            async with self._accepting:
                accepted = await self._resolver.accept(request, run, is_first=turn.ahead is None)
                await self._queue(accepted, turn)
        except BaseException:
            turn.leave()
            raise
        if request.trigger is Trigger.ROLLBACK and turn.ahead:
            self._take_over_drain(turn.ahead, run.id)
        promotion = Promotion(self._parts, accepted.run)
        work = self._carry_out(promotion, turn, accepted, request.wait_s)
        self._start(run.id, work, promotion)
        return accepted.run

    def _take_over_drain(self, ahead: str, run_id: str) -> None:
        """A rollback does not wait until what it wants back has ended."""
        _, promotion = self._running.get(ahead, (None, None))
        if promotion is not None and promotion.is_past_return:
            promotion.hand_over(run_id)

    async def _queue(self, accepted: Accepted, turn: Turn) -> None:
        run = accepted.run
        try:
            hosts = [each for each in accepted.records if isinstance(each, HostRecord)]
            await self._ensure_gateway({each.inner_port for each in hosts if each.inner_port})
            waits = f", waits: {self._who_is_ahead(turn)}" if turn.ahead else ""
            queued = run_event(EventType.RUN_QUEUED, run, f"{run.trigger} queued{waits}")
            await self._ledger.update(
                lambda: [*accepted.records, run, queued, *self._unwatched(run)]
            )
        except BaseException:
            await to_the_end(accepted.discard())
            raise

    def _unwatched(self, run: Run) -> list[Deployment]:
        """What is not watched any more because somebody has taken over.

        A deploy that finds nothing to do changes nothing here either.
        """
        is_taking_over = run.deployment_ids or run.trigger is Trigger.ROLLBACK
        if run.because or not is_taking_over:
            return []
        active = self._ledger.active(run.target).values()
        return [each.changed(watched=None) for each in active if each.watched]

    def _refuse_to_wait(self, turn: Turn, request: Request) -> None:
        if request.undo and turn.ahead not in (None, request.undo.deployment.run_id):
            raise TargetBusy(self._who_is_ahead(turn))
        if turn.ahead and request.wait_s == 0:
            raise TargetBusy(self._who_is_ahead(turn), hint="wait for it, or cancel it")

    def _who_is_ahead(self, turn: Turn) -> str:
        ahead = self._ledger.runs.get(turn.ahead or "")
        if ahead is None:
            return "another run is ahead"
        return f"{ahead.trigger} {ahead.id} is ahead, since {ahead.created_at}"

    def _start(self, run_id: str, work: Awaitable[None], promotion: Promotion | None) -> None:
        task = self._tasks.create_task(self._guard(run_id, work))
        self._running[run_id] = (task, promotion)
        task.add_done_callback(lambda _: self._running.pop(run_id, None))

    async def _guard(self, run_id: str, work: Awaitable[None]) -> None:
        """A bug in one run never takes the platform or another run down."""
        try:
            await work
        except asyncio.CancelledError:
            pass
        except JournalError as error:
            # What cannot be journalled must not be acted on; the next agent recovers.
            _log.error("run %s: %s", run_id, error.message)
            self._failed(error)
        except Exception:  # noqa: BLE001 - the top of a run
            _log.exception("run %s ended by a bug", run_id)
            await self._give_up(run_id)

    async def _give_up(self, run_id: str) -> None:
        """Ends a run that met a bug: back, or forward where it had switched already."""
        run = self._ledger.runs.get(run_id)
        if run is None:
            return
        promotion = Promotion(self._parts, run)
        known = self._ledger.deployments
        try:
            if any(known[each].is_active for each in run.deployment_ids if each in known):
                await promotion.finish()
            else:
                await promotion.go_back(
                    "an internal error, see the agent's log", InternalError.code
                )
        except JournalError as error:
            self._failed(error)
        except Exception:  # noqa: BLE001 - the next agent takes up what the journal has of it
            _log.exception("run %s could not be ended", run_id)

    async def _carry_out(
        self, promotion: Promotion, turn: Turn, accepted: Accepted, wait_s: float | None
    ) -> None:
        try:
            try:
                with self._parts.progress.waits(
                    WaitKind.TURN,
                    *accepted.run.deployment_ids,
                    limit_s=wait_s,
                    detail=self._who_is_ahead(turn),
                ):
                    async with asyncio.timeout(wait_s):
                        await turn.reached()
            except TimeoutError:
                reason = f"waited {wait_s:g} s: {self._who_is_ahead(turn)}"
                await to_the_end(promotion.go_back(reason, TargetBusy.code))
                return
            except asyncio.CancelledError:
                await to_the_end(promotion.go_back("cancelled while it was queued", CANCELLED))
                raise
            await promotion.carry_out(lambda: self._steps(accepted))
        finally:
            # At once: whoever sees the end of this run may ask for the next one.
            turn.leave()
            await accepted.discard()
        await self._prune(accepted.run.target)

    async def _steps(self, accepted: Accepted) -> list[Step]:
        # A rollback finds what it returns to only now, while a run ahead of it may prune.
        async with self._accepting:
            found = await accepted.steps()
            deployments = [each.deployment for each in found]
            followers = await bring_along(self._ledger, accepted.run.id, deployments)
            return [*found, *(Step(each) for each in followers)]

    async def _end(self, unfinished: Unfinished, turn: Turn) -> None:
        target = unfinished.promotion.run.target
        try:
            await unfinished.end()
        finally:
            turn.leave()
        await self._prune(target)

    async def _prune(self, target: Target) -> None:
        async with self._accepting:
            await retention.prune(self._parts)
        self._forgetting.look(target)
        await tidy(self._parts)

    async def cancel(self, run_id: str) -> Run:
        """Stops a run before its switch; returns it as it ended.

        Raises:
            NotFound: no such run.
            Conflict: it is past the switch, or over.
        """
        task, promotion = self._running.get(run_id, (None, None))
        if task is None:
            run = await self._snapshots.run(run_id)
            raise Conflict(f"run {run_id} is over: {run.status}", code="run_is_over")
        # What is cancelled before its first step takes none, not even to leave its turn.
        await asyncio.sleep(0)
        if promotion is None or promotion.is_past_return:
            raise Conflict(
                f"run {run_id} is past the switch and goes on to its end",
                hint="roll back when it is done: compartment rollback",
                code="run_is_past_switch",
            )
        task.cancel()
        await asyncio.wait([task])
        return await self._snapshots.run(run_id)

    async def hold(self, run_id: str) -> Run:
        """Lets a run stop before its switch; returns it.

        Raises:
            NotFound: no such run.
            Conflict: it is past the switch, or over.
        """
        await (await self._going_on(run_id)).hold()
        return await self._snapshots.run(run_id)

    async def resume(self, run_id: str) -> Run:
        """Lets a held run go on; returns it.

        Raises:
            NotFound: no such run.
            Conflict: it is over.
        """
        await (await self._going_on(run_id)).resume()
        return await self._snapshots.run(run_id)

    async def _going_on(self, run_id: str) -> Promotion:
        _, promotion = self._running.get(run_id, (None, None))
        if promotion is None:
            run = await self._snapshots.run(run_id)
            raise Conflict(f"run {run_id} is over: {run.status}", code="run_is_over")
        return promotion

    async def down(self, request: Down) -> list[str]:
        """Stops and removes the instances of an environment; returns the services stopped.

        Once begun it goes to its end, also when nobody waits for it any more.
        """
        outcome: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        run_id = new_id("drn")
        self._start(run_id, self._take_down(request, run_id, outcome), None)
        return await asyncio.shield(outcome)

    async def _take_down(
        self, request: Down, run_id: str, outcome: asyncio.Future[list[str]]
    ) -> None:
        try:
            with self._turns.joined(request.target, run_id) as turn:
                await turn.reached()
                outcome.set_result(await take_down(self._parts, request))
        except BaseException as error:
            known = isinstance(error, CompartmentError)
            outcome.set_exception(error if known else InternalError("taking down met a bug"))
            outcome.exception()  # seen, in case nobody waits for it any more
            if not known or isinstance(error, JournalError):
                raise
