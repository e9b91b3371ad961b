"""What is kept of the past: what is in use, what a rollback may want, what happened last."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from core.promotion.parts import Parts
    from core.records import Execution

_EXECUTIONS: Final = 100
"""How many of the newest executions of a service are known."""

_EXECUTION_LOGS: Final = 20
"""Of how many of a deployment the output is kept: whoever follows its log holds each file open."""


async def prune(parts: Parts) -> None:
    """Deletes the artifacts and manifests that no kept deployment needs, over all environments."""
    kept = await parts.ledger.journal.returnable_artifacts(parts.kept_releases)
    # After the journal was asked, and with no await in between: what was queued meanwhile is here.
    kept |= {(each.engine, each.artifact_id) for each in parts.ledger.deployments.values()}
    for engine in parts.engines:
        keep = {artifact for name, artifact in kept if name == engine.name}
        # One that does not answer now is pruned after the next run.
        with suppress(EngineUnavailable):
            await engine.prune(keep)
    await parts.manifests.keep_only(await parts.ledger.journal.returnable_ids(parts.kept_releases))


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
