"""Following a run to its true end, whatever happens to the agent or to us meanwhile."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.cli.again import attach_again
from core.cli.text import duration, plain, seconds_between
from core.ending import single_error
from core.errors import AgentUnavailable, Conflict, NotFound, Unreachable
from core.events import EventType
from core.model import Stage

if TYPE_CHECKING:
    from core.agent.client import Client
    from core.cli.output import Output
    from core.cli.signals import Signals

Json = dict[str, Any]

_LOSSES = 5
"""How often the agent may be lost in a row without a single event in between."""

_SHOWN = frozenset(
    {
        EventType.RUN_QUEUED,
        EventType.ENGINE_CHOSEN,
        EventType.STAGE_CHANGED,
        EventType.READINESS_PASSED,
        EventType.EXECUTION_ENDED,
        EventType.STOOD_ASIDE,
        EventType.CAME_BACK,
        EventType.RUN_HELD,
        EventType.RUN_RESUMED,
        EventType.ROUTES_SWITCHED,
        EventType.PREVIOUS_DRAINED,
        EventType.DEPLOYMENT_FAILED,
        EventType.WARNING_GIVEN,
    }
)


class Follower:
    """Follows one run; `run_id` is known to it once it does."""

    def __init__(self, output: Output, signals: Signals) -> None:
        self.run_id: str | None = None
        """None until the agent has answered that it took the run."""
        self._output = output
        self._signals = signals
        self._seq = 0
        self._first_at = ""
        self._service_width = 0

    async def follow(self, client: Client, run_id: str) -> Json | None:
        """The run with its deployments once it has ended; None when we leave before it.

        Raises:
            AgentUnavailable: the agent is gone, and cannot be brought back.
        """
        self.run_id = run_id
        begun = await client.run_result(run_id)
        names = [each["serviceName"] for each in begun["deployments"]]
        self._service_width = max(map(len, names), default=0)
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                ended = tasks.create_task(self._to_the_end(client, run_id))
                asked = tasks.create_task(self._obey_signal(client, run_id, ended))
                await asyncio.wait([ended])
                asked.cancel()
        if ended.cancelled():
            return None
        try:
            return await client.run_result(run_id)
        except AgentUnavailable:  # stopped at this very moment; the journal has the end
            await client.attach_again()
            return await client.run_result(run_id)

    async def _to_the_end(self, client: Client, run_id: str) -> None:
        losses = 0
        while losses < _LOSSES:
            losses += 1
            try:
                async for event in client.events(self._seq, run_id):
                    losses = 0
                    self._seq = event["seq"]
                    self._output.event(event)
                    self._show(event)
                    if event["type"] == EventType.RUN_FINISHED:
                        return
            except AgentUnavailable:
                pass
            # The agent that this starts takes the run to its end, or back.
            await attach_again(client, self._output, f"run {run_id}")
            await self._check_is_known(client, run_id)
            if client.server is not None and self._signals.first is not None:
                # What asked us to stop may have come while there was no way to the agent.
                with suppress(Conflict, AgentUnavailable):
                    await client.cancel(run_id)
        raise AgentUnavailable(
            f"the agent goes away again and again; run {run_id} may go on",
            hint="compartment doctor checks the machine",
        )

    async def _check_is_known(self, client: Client, run_id: str) -> None:
        """A home folder that was made anew has nothing to tell of the run, ever."""
        with suppress(AgentUnavailable):  # lost once more, which whoever calls counts
            try:
                await client.run_result(run_id)
            except NotFound as error:
                raise Unreachable(
                    f"the agent is another one now, and does not know of run {run_id}",
                    hint="its home folder was deleted; deploy again: compartment deploy",
                ) from error

    def _show(self, event: Json) -> None:
        """One line for each change: time since the run was queued, service, stage."""
        self._first_at = self._first_at or event["timestamp"]
        if event["type"] not in _SHOWN and not event.get("handedTo"):
            return
        is_stage = event["type"] == EventType.STAGE_CHANGED
        what = event["promotionStage"] if is_stage else plain(event["message"].partition("\n")[0])
        if is_stage and event["status"] == "queued":
            what = "queued"
        elif what == Stage.ROLLED_BACK:  # the one that is displaced, not the one of this run
            what = f"{what} {event['deploymentId']}"
        elapsed = duration(seconds_between(self._first_at, event["timestamp"]))
        service = event["serviceName"] or "run"
        self._output.progress(f"{elapsed:>7}  {service:<{self._service_width}}  {what}")

    async def _obey_signal(self, client: Client, run_id: str, ended: asyncio.Task[None]) -> None:
        await self._signals.asked()
        if self._signals.first is signal.SIGHUP:
            ended.cancel()
            return
        self._output.progress(f"cancelling {run_id}; a second signal leaves at once")
        try:
            await client.cancel(run_id)
        except Conflict as error:
            # Over already: the end that it had is on its way to us.
            if error.code == "run_is_past_switch":
                ended.cancel()
        except AgentUnavailable:
            # Whoever follows attaches again, and learns what became of the run.
            return
