"""Which artifacts are kept: what is in use, and what a rollback may want."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import EngineUnavailable
from core.model import Stage, Status

if TYPE_CHECKING:
    from core.promotion.parts import Parts

KEPT = "COMPARTMENT_KEEP_RELEASES"
_DEFAULT_KEPT = 5


def kept_per_service() -> int:
    """How many succeeded deployments of each service stay ready for a rollback."""
    given = os.environ.get(KEPT, "")
    return max(1, int(given)) if given.isdecimal() else _DEFAULT_KEPT


async def prune(parts: Parts) -> None:
    """Deletes the artifacts that no kept deployment needs, over all environments."""
    kept = list(parts.ledger.deployments.values())
    limit = kept_per_service()
    for target, service in await parts.ledger.journal.services_with_history():
        past = await parts.ledger.journal.succeeded(target, service)
        # Those that a rollback would choose by itself come before those it takes only by name.
        past.sort(key=lambda each: each.stage is Stage.ROLLED_BACK)
        kept += [each for each in past if each.status is Status.SUCCEEDED][:limit]
    for engine in parts.engines:
        keep = {each.artifact_id for each in kept if each.engine == engine.name}
        # One that does not answer now is pruned after the next run.
        with suppress(EngineUnavailable):
            await engine.prune(keep)
