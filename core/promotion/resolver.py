"""From what a front end asks for to the steps of a run, checked before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import Conflict, NotFound, UsageError
from core.model import Trigger
from core.promotion.deploying import Deploys
from core.promotion.engines import AUTO
from core.promotion.promoting import Promotes
from core.promotion.rollback import Rollbacks
from core.promotion.usual import usual_seconds

if TYPE_CHECKING:
    from core.promotion.engines import Chosen
    from core.promotion.parts import Parts
    from core.promotion.requests import Accepted, Request
    from core.records import EnvironmentRecord, Run, Target

Json = dict[str, Any]


class Verb(Protocol):
    """How requests of one kind become runs. Both may raise what `Resolver` says."""

    async def accept(
        self, request: Request, run: Run, chosen: Chosen, *, is_first: bool
    ) -> Accepted:
        """The run, with all that is journalled when it is queued."""

    async def plan(self, request: Request, chosen: Chosen) -> tuple[list[Json], list[str]]:
        """What would be done with each service, and what is to be said besides."""


class Resolver:
    """Turns requests into accepted runs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        deploys = Deploys(parts)
        self._verbs: dict[Trigger, Verb] = {
            Trigger.DEPLOY: deploys,
            Trigger.REDEPLOY: deploys,
            Trigger.PROMOTE: Promotes(parts),
            Trigger.ROLLBACK: Rollbacks(parts),
        }

    async def accept(self, request: Request, run: Run, *, is_first: bool) -> Accepted:
        """Checks a request. Only a run that is first in line may leave unchanged services alone.

        Raises:
            ConfigError, NotFound, Conflict, UsageError: it cannot be done; nothing was changed.
            EngineUnavailable: its engine cannot be used.
        """
        chosen = await self._choose(request)
        return await self._verbs[request.trigger].accept(request, run, chosen, is_first=is_first)

    async def plan(self, request: Request) -> Json:
        """What a run would do now.

        Raises:
            ConfigError, NotFound, Conflict, UsageError: it could not be done.
            EngineUnavailable: its engine cannot be used.
        """
        chosen = await self._choose(request)
        services, warnings = await self._verbs[request.trigger].plan(request, chosen)
        return {
            "project": request.target.project,
            "environment": request.target.environment,
            "sourceEnvironment": request.source.environment if request.source else None,
            "engine": chosen.engine.name,
            "engineBecause": chosen.because,
            "services": services,
            "warnings": warnings,
            "usualSeconds": await usual_seconds(
                self._ledger.journal, request.target, request.trigger
            ),
        }

    async def _choose(self, request: Request) -> Chosen:
        record = self._lives(request.target)
        if request.trigger is Trigger.PROMOTE:
            return await self._choose_like_source(request, record)
        return await self._parts.engines.choose(request.engine, request.environ, record)

    async def _choose_like_source(
        self, request: Request, record: EnvironmentRecord | None
    ) -> Chosen:
        """A promote stays on the engine that its artifacts were built by."""
        source, target = request.source, request.target
        if source is None:
            raise UsageError("a promote needs the environment that it takes from")
        engine = self._source_of(source).engine
        if request.engine not in (AUTO, engine):
            raise Conflict(
                f"{source} runs on the {engine} engine, and a promote stays on it",
                hint="leave --engine out",
                code="engine_conflict",
            )
        if record is not None and record.engine is not engine:
            raise Conflict(
                f"{target} runs on the {record.engine} engine, and what is active in {source}"
                f" was built by the {engine} engine",
                hint=f"deploy it from source: compartment deploy --env {quote(target.environment)}",
                code="engine_conflict",
            )
        chosen = await self._parts.engines.choose(engine, request.environ, record)
        return chosen if record else replace(chosen, because=f"{source} runs on it")

    def _source_of(self, source: Target) -> EnvironmentRecord:
        record = self._ledger.environments.get(source)
        if record is None:
            known = sorted(
                each.environment
                for each in self._ledger.environments
                if each.project == source.project
            )
            raise NotFound(
                f"project {source.project} has no environment {source.environment}",
                hint=f"it has: {', '.join(known)}" if known else "deploy it: compartment deploy",
                code="environment_not_found",
            )
        return record

    def _lives(self, target: Target) -> EnvironmentRecord | None:
        """What decides about the engine; nothing does where no deploy has come up so far."""
        return self._ledger.environments.get(target) if self._ledger.is_used(target) else None
