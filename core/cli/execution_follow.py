"""Following an execution to its end with what it prints, whatever happens to the agent."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.cli.again import attach_again
from core.cli.output import Form
from core.cli.text import without_colour
from core.ending import single_error
from core.errors import AgentUnavailable, Conflict
from core.model import ExecutionStatus, Stream

if TYPE_CHECKING:
    from core.agent.client import Client
    from core.cli.output import Output
    from core.cli.signals import Signals

Json = dict[str, Any]

_LOSSES = 5
"""How often the agent may be lost in a row without a single line in between."""

_ALL_LINES = 1_000_000
"""Of what it has printed before we ask."""


class ExecutionFollower:
    """Prints the lines of one execution as they come."""

    def __init__(self, output: Output, signals: Signals) -> None:
        self._output = output
        self._signals = signals
        self._at = ""
        self._seen = 0
        """How many lines with that time stamp were printed."""

    async def follow(self, client: Client, execution: Json) -> Json | None:
        """The execution once it has ended; None when we leave before it.

        Raises:
            AgentUnavailable: the agent is gone, and cannot be brought back.
        """
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                ended = tasks.create_task(self._to_the_end(client, execution))
                asked = tasks.create_task(self._obey_signal(client, execution, ended))
                await asyncio.wait([ended])
                asked.cancel()
        return None if ended.cancelled() else ended.result()

    async def _to_the_end(self, client: Client, execution: Json) -> Json:
        losses = 0
        while losses < _LOSSES:
            losses += 1
            try:
                if await self._show_lines(client, execution):
                    losses = 0
                found = await client.execution(execution["id"])
                if found["status"] != ExecutionStatus.RUNNING:
                    return found
            except AgentUnavailable:
                pass
            await attach_again(client, self._output, execution["id"])
        raise AgentUnavailable(
            f"the agent goes away again and again; {execution['id']} may go on",
            hint="compartment doctor checks the machine",
        )

    async def _show_lines(self, client: Client, execution: Json) -> bool:
        """Prints what comes until it has ended, or the agent; returns whether anything came."""
        query = {
            "project": execution["project"],
            "environment": execution["environment"],
            "execution": execution["id"],
            "stream": [Stream.STDOUT, Stream.STDERR],
            "tail": _ALL_LINES,
            "since": self._at or None,
            "following": "true",
        }
        begins_at, again = self._at, self._seen
        is_news = False
        async for line in client.logs(query):
            if line["timestamp"] == begins_at and again:
                again -= 1
                continue
            is_news = True
            self._seen = self._seen + 1 if line["timestamp"] == self._at else 1
            self._at = line["timestamp"]
            self._show(line)
        return is_news

    def _show(self, line: Json) -> None:
        self._output.event(line)
        if self._output.form is not Form.TEXT:
            return
        # Codes that are not undone at the end of a line would colour what follows.
        text = line["message"]
        shown = f"{text}\x1b[0m" if self._output.has_colour else without_colour(text)
        if line["stream"] == Stream.STDERR:
            self._output.progress(shown)
        else:
            self._output.lines([shown])

    async def _obey_signal(
        self, client: Client, execution: Json, ended: asyncio.Task[Json]
    ) -> None:
        await self._signals.asked()
        if self._signals.first is signal.SIGHUP:
            ended.cancel()
            return
        self._output.progress(f"cancelling {execution['id']}; a second signal leaves at once")
        # Over already, or lost: whoever follows learns what became of it.
        with suppress(Conflict, AgentUnavailable):
            await client.cancel_execution(execution["id"])
