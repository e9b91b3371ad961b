"""What is kept of the past: what is in use, what a rollback may want, what happened last."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.errors import EngineUnavailable
from core.model import Stage, Status

if TYPE_CHECKING:
    from pathlib import Path

    from core.promotion.parts import Parts
    from core.records import Execution

_EXECUTIONS: Final = 100
"""How many of the newest executions of a service are known."""

_EXECUTION_LOGS: Final = 20
"""Of how many of a deployment the output is kept: whoever follows its log holds each file open."""


async def prune(parts: Parts) -> None:
    """Deletes the artifacts that no kept deployment needs, over all environments."""
    kept = list(parts.ledger.deployments.values())
    for target, service in await parts.ledger.journal.services_with_history():
        past = await parts.ledger.journal.succeeded(target, service)
        # Those that a rollback would choose by itself come before those it takes only by name.
        past.sort(key=lambda each: each.stage is Stage.ROLLED_BACK)
        kept += [each for each in past if each.status is Status.SUCCEEDED][: parts.kept_releases]
    for engine in parts.engines:
        keep = {each.artifact_id for each in kept if each.engine == engine.name}
        # One that does not answer now is pruned after the next run.
        with suppress(EngineUnavailable):
            await engine.prune(keep)


async def forget_executions(parts: Parts, newest: Execution) -> None:
    """Deletes what was kept of the oldest executions of a service: a cron may run each minute."""
    await parts.ledger.journal.forget_executions(newest.target, newest.service, _EXECUTIONS)
    running = frozenset(parts.ledger.executions)
    await asyncio.to_thread(_delete_old_logs, parts.home.logs / newest.deployment_id, running)


def _delete_old_logs(folder: Path, running: frozenset[str]) -> None:
    with suppress(FileNotFoundError):  # another one that has ended does the same now
        logs = [log for log in folder.glob("exe_*.log") if log.stem not in running]
        logs.sort(key=lambda log: log.stat().st_mtime, reverse=True)
        for log in logs[_EXECUTION_LOGS:]:
            for part in folder.glob(f"{log.name}*"):
                part.unlink(missing_ok=True)
