"""Which service an activation is of, also when it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.metrics.exposition import Labels
    from core.promotion.ledger import Ledger


class Owners:
    """The project, environment and service of activations."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Labels] = {}

    async def learn(self, activations: Collection[str]) -> None:
        """Finds those of activations; from now on no others are known.

        Raises:
            JournalError: the journal cannot be read.
        """
        known = {}
        for name in activations:
            deployment_id = name.rpartition(".")[0]
            owner = self._known.get(name) or await self._find(deployment_id)
            if owner is not None:
                known[name] = owner
        self._known = known

    async def _find(self, deployment_id: str) -> Labels | None:
        ledger = self._ledger
        found = ledger.deployments.get(deployment_id)
        found = found or await ledger.journal.deployment(deployment_id)
        if found is None:
            return None
        return found.target.project, found.target.environment, found.service.name

    def of(self, activation: str) -> Labels | None:
        """That of one; None where nobody knows it."""
        return self._known.get(activation)
