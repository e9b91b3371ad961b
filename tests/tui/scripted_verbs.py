"""Verbs that answer as a test tells them to, and remember what they were asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model import Project, Trigger

Json = dict[str, Any]
Answer = Any
"""JSON, an error to raise, or a function of what was asked that returns one of them."""


class ScriptedVariables:
    """Those of an environment."""

    def __init__(self, verbs: ScriptedVerbs) -> None:
        self._verbs = verbs

    async def found(self) -> list[Json]:
        found: list[Json] = await self._verbs.answer("variables")
        return found

    async def set(self, name: str, value: str, service: str | None, *, is_sensitive: bool) -> None:
        await self._verbs.answer("set_variable", name, value, service, is_sensitive)

    async def remove(self, name: str, service: str | None) -> None:
        await self._verbs.answer("remove_variable", name, service)

    async def take_in(
        self, values: Mapping[str, str], service: str | None, *, is_sensitive: bool
    ) -> None:
        await self._verbs.answer("import_variables", dict(values), service, is_sensitive)


class ScriptedExecutions:
    """Those of an environment."""

    def __init__(self, verbs: ScriptedVerbs) -> None:
        self._verbs = verbs

    async def recent(self, service: str, limit: int = 10) -> list[Json]:
        found: list[Json] = await self._verbs.answer("executions", service)
        return found[:limit]

    async def crons(self) -> list[Json]:
        found: list[Json] = await self._verbs.answer("crons")
        return found

    async def start(self, service: str) -> Json:
        found: Json = await self._verbs.answer("execute", service)
        return found

    async def cancel(self, execution_id: str) -> Json:
        found: Json = await self._verbs.answer("cancel_execution", execution_id)
        return found


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
        self.variables = ScriptedVariables(self)
        self.executions = ScriptedExecutions(self)

    async def answer(self, verb: str, *asked: Any) -> Any:
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
        found: Json = await self.answer("plan", trigger, tuple(services), to)
        return found

    async def submit(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        found: Json = await self.answer("submit", trigger, tuple(services), to)
        return found

    async def promotion(self, source: str, target: str) -> Json:
        found: Json = await self.answer("promotion", source, target)
        return found

    async def promote(self, source: str, target: str) -> Json:
        found: Json = await self.answer("promote", source, target)
        return found

    async def hold(self, run_id: str) -> None:
        await self.answer("hold", run_id)

    async def resume(self, run_id: str) -> None:
        await self.answer("resume", run_id)

    async def cancel(self, run_id: str) -> Json:
        found: Json = await self.answer("cancel", run_id)
        return found

    async def runs(self, limit: int = 30) -> list[Json]:
        found: list[Json] = await self.answer("runs")
        return found[:limit]

    async def run_result(self, run_id: str) -> Json:
        found: Json = await self.answer("run_result", run_id)
        return found

    async def run_events(self, run_id: str) -> list[Json]:
        found: list[Json] = await self.answer("run_events", run_id)
        return found

    async def deployments(self, service: str | None = None, limit: int = 50) -> list[Json]:
        found: list[Json] = await self.answer("deployments", service)
        return found[:limit]

    async def inspect(self, deployment_id: str) -> Json:
        found: Json = await self.answer("inspect", deployment_id)
        return found

    async def networks(self) -> Json:
        found: Json = await self.answer("networks")
        return found

    async def environments(self) -> list[Json]:
        found: list[Json] = await self.answer("environments")
        return found

    async def shell(self, service: str) -> Json:
        found: Json = await self.answer("shell", service)
        return found
