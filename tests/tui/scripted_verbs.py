"""Verbs that answer as a test tells them to, and remember what they were asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Project, Trigger

Json = dict[str, Any]
Answer = Any
"""JSON, an error to raise, or a function of what was asked that returns one of them."""


class ScriptedVerbs:
    """Every verb answers with the value that is set under its name.

    While `is_open` is cleared, no verb answers: what a screen shows meanwhile can be looked at.
    """

    def __init__(self, project: Project | None = None, **answers: Answer) -> None:
        self.project = project
        self.answers: dict[str, Answer] = answers
        self.asked: list[tuple[Any, ...]] = []
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def _answer(self, verb: str, *asked: Any) -> Any:
        self.asked.append((verb, *asked))
        await self.is_open.wait()
        answer = self.answers[verb]
        if callable(answer):
            answer = answer(*asked)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def plan(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        found: Json = await self._answer("plan", trigger, tuple(services), to)
        return found

    async def submit(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        found: Json = await self._answer("submit", trigger, tuple(services), to)
        return found

    async def cancel(self, run_id: str) -> Json:
        found: Json = await self._answer("cancel", run_id)
        return found

    async def runs(self, limit: int = 30) -> list[Json]:
        found: list[Json] = await self._answer("runs")
        return found[:limit]

    async def run_result(self, run_id: str) -> Json:
        found: Json = await self._answer("run_result", run_id)
        return found

    async def run_events(self, run_id: str) -> list[Json]:
        found: list[Json] = await self._answer("run_events", run_id)
        return found

    async def deployments(self, service: str | None = None, limit: int = 50) -> list[Json]:
        found: list[Json] = await self._answer("deployments", service)
        return found[:limit]

    async def inspect(self, deployment_id: str) -> Json:
        found: Json = await self._answer("inspect", deployment_id)
        return found

    async def environments(self) -> list[Json]:
        found: list[Json] = await self._answer("environments")
        return found

    async def shell(self, service: str) -> Json:
        found: Json = await self._answer("shell", service)
        return found
