"""The verbs of a recording: there is no agent that could carry them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from core.errors import UsageError

if TYPE_CHECKING:
    from core.model import Project


class RefusedVerbs:
    """Refuses everything, in one sentence."""

    project: Project | None = None

    async def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise UsageError("this is a recording: nothing can be changed or asked", code="recording")

    plan = submit = cancel = shell = _refuse
    runs = run_result = run_events = deployments = inspect = environments = _refuse
