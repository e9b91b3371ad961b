"""The verbs of a recording: there is no agent that could carry them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from core.errors import UsageError

if TYPE_CHECKING:
    from core.model import Project


async def _refuse(*_: object, **__: object) -> NoReturn:
    raise UsageError("this is a recording: nothing can be changed or asked", code="recording")


class _RefusedVariables:
    found = set = remove = take_in = staticmethod(_refuse)


class _RefusedExecutions:
    recent = crons = start = cancel = staticmethod(_refuse)


class RefusedVerbs:
    """Refuses everything, in one sentence."""

    project: Project | None = None
    variables = _RefusedVariables()
    executions = _RefusedExecutions()

    plan = submit = promotion = promote = hold = resume = cancel = shell = staticmethod(_refuse)
    runs = run_result = run_events = deployments = staticmethod(_refuse)
    inspect = environments = networks = staticmethod(_refuse)
