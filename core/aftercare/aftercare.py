"""Watches what was switched to, as long as its service demands, and has it rolled back.

That it is watched, and until when, is in the journal from the switch on, so that it goes on after
the end of an agent. Another run ends it: whoever began that has taken over.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from core.aftercare.doubts import Doubts
from core.aftercare.predecessors import Predecessors
from core.aftercare.replies import Replies
from core.aftercare.verdict import Seen, judge
from core.aftercare.windows import Windows
from core.errors import (
    CompartmentError,
    EngineUnavailable,
    GatewayUnavailable,
    JournalError,
    TargetBusy,
    Unreachable,
)
from core.events import EventType
from core.model import Health, Status, Trigger
from core.promotion.ledger import deployment_event
from core.promotion.requests import Request, Undo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from core.aftercare.verdict import Verdict
    from core.gateway.table import Traffic
    from core.journal import Record
    from core.model import EngineName
    from core.promotion.parts import Parts
    from core.records import Deployment, Run

_EVERY_S: Final = 1.0
"""How often replies are counted, which no event tells of."""

_PAUSE_S: Final = 0.1
"""What changes within it is looked at together."""

_PATIENCE_S: Final = 1.0
"""For the gateway to say what was answered; it is asked again."""

_AWAY: Final = frozenset({EngineUnavailable.code, GatewayUnavailable.code})


class Aftercare:
    """Everything that is watched. `submit` begins a run."""

    def __init__(self, parts: Parts, submit: Callable[[Request], Awaitable[Run]]) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._gateway = parts.router.gateway
        self._submit = submit
        self._doubts = Doubts()
        self._replies = Replies()
        self._windows = Windows()
        self._predecessors = Predecessors(parts.ledger)
        self._rollbacks: dict[str, str] = {}
        """The rollback that was begun of each run."""

    def doubt(self, engine: EngineName) -> None:
        """What is live on an engine was away with it, and is on its way up."""
        self._doubts.begin(engine)
        self._replies.begin_anew()

    async def follow(self) -> None:
        """Watches, until cancelled. Costs nothing while there is nothing to watch."""
        for each in self._watched():
            self._doubts.begin(each.engine)  # it was live before this agent
        while True:
            changed = self._ledger.next_change()
            is_watching = await self._look()
            try:
                async with asyncio.timeout(_EVERY_S if is_watching else None):
                    await changed.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(_PAUSE_S)

    def _watched(self) -> list[Deployment]:
        return [each for each in self._ledger.deployments.values() if each.watched]

    async def _look(self) -> bool:
        """Whether there is anything to look at."""
        coming, watched = self._predecessors.coming(), self._watched()
        traffic = await self._traffic([*(each for each, _ in coming), *watched])
        for _, previous in coming:
            self._predecessors.look(previous, traffic)
        for each in watched:
            await self._settle_before(each.id, traffic)
            await self._decide(each.id, traffic)
        going = {each.replaced for each in watched} | {previous.id for _, previous in coming}
        self._predecessors.keep_only(going)
        ids = {each.id for each in watched}
        self._replies.keep_only(ids)
        self._windows.keep_only(ids)
        runs = {each.run_id for each in watched}
        self._rollbacks = {of: id_ for of, id_ in self._rollbacks.items() if of in runs}
        return bool(coming or watched)

    async def _traffic(self, deployments: Iterable[Deployment]) -> Mapping[str, Traffic]:
        """What every activation has answered; nothing where nobody wants to know."""
        rules = [each.service.auto_rollback for each in deployments]
        if all(rule is None or rule.error_rate is None for rule in rules):
            return {}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._gateway.traffic() or {}
        except TimeoutError:
            return {}

    async def _settle_before(self, deployment_id: str, traffic: Mapping[str, Traffic]) -> None:
        """Keeps what was seen of the one before it; the next agent has not seen it."""

        def seen() -> list[Record]:
            each = self._ledger.deployments.get(deployment_id)
            if each is None or each.watched is None or each.watched.was_unhealthy is not None:
                return []
            found = self._predecessors.before(each, traffic)
            return [each.changed(watched=found)] if found else []

        await self._ledger.update(seen)

    async def _decide(self, deployment_id: str, traffic: Mapping[str, Traffic]) -> None:
        each = self._ledger.deployments.get(deployment_id)
        rule = each.service.auto_rollback if each else None
        if each is None or each.watched is None or rule is None:
            return
        if await self._is_rolled_back(each):
            return
        is_over = self._windows.is_over(each.id, rule, each.watched)
        verdict = judge(rule, each.watched, self._seen(each, traffic, is_over=is_over))
        if verdict is None:
            return
        if verdict.goes_back:
            await self._roll_back(each, verdict)
        else:
            await self._end(each.id, verdict.because)

    def _seen(
        self, deployment: Deployment, traffic: Mapping[str, Traffic], *, is_over: bool
    ) -> Seen:
        live = self._ledger.live(deployment.id)
        if live is None or not self._gateway.envoy.is_running:
            return Seen(is_over)
        replies, errors = self._replies.of(deployment.id, traffic.get(live.name))
        is_doubted = self._doubts.hold(deployment)
        is_unhealthy = deployment.health is Health.UNHEALTHY and not is_doubted
        fault = (deployment.health_reason or "nothing is known of it") if is_unhealthy else None
        return Seen(is_over, fault, replies, errors)

    async def _is_rolled_back(self, deployment: Deployment) -> bool:
        """Whether a rollback of its run was begun, which is not begun twice."""
        begun = self._rollbacks.get(deployment.run_id)
        if begun is None or begun in self._ledger.runs:
            return begun is not None
        run = await self._ledger.journal.run(begun)
        if run is not None and run.status is Status.FAILED:
            if run.failure_code in _AWAY:
                self.doubt(deployment.engine)
                del self._rollbacks[deployment.run_id]
            else:
                await self._end(deployment.id, f"its rollback failed: {run.failure_message}")
        return True

    async def _roll_back(self, deployment: Deployment, verdict: Verdict) -> None:
        because = f"{deployment.service.name} of {deployment.id}: {verdict.because}"
        undo = Undo(deployment, because, verdict.figures)
        try:
            run = await self._submit(Request(Trigger.ROLLBACK, deployment.target, undo=undo))
        except JournalError:
            raise
        except TargetBusy:
            pass  # a run that is on its way has taken over; if it does not come up, it is our turn
        except Unreachable:
            self.doubt(deployment.engine)
        except CompartmentError as error:
            told = f"{verdict.because}; but it cannot be rolled back: {error.message}"
            await self._end(deployment.id, told)
        else:
            self._rollbacks[deployment.run_id] = run.id

    async def _end(self, deployment_id: str, because: str) -> None:
        """Watches a deployment no more, and says why."""

        def ended() -> list[Record]:
            each = self._ledger.deployments.get(deployment_id)
            if each is None or each.watched is None:
                return []
            first_line = because.partition("\n")[0]
            message = f"is not watched any more: {first_line}"
            told = deployment_event(EventType.WATCH_ENDED, each, message, because=because)
            return [each.changed(watched=None), told]

        await self._ledger.update(ended)
