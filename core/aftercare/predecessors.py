"""What is being replaced, looked at while it serves: to go back to what is as bad is no use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.model import Health, Status, Trigger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from core.gateway.table import Traffic
    from core.promotion.ledger import Ledger
    from core.records import Deployment, Watched


@dataclass(slots=True)
class _Look:
    activation: str
    first: Traffic | None
    """What it had answered when the run began; None where the gateway told of nothing."""
    is_unhealthy: bool


class Predecessors:
    """Those of all runs that go on, and of those that have just switched."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._looks: dict[str, _Look] = {}

    def coming(self) -> list[tuple[Deployment, Deployment]]:
        """What will be watched once it is switched to, each with what it is to replace."""
        runs = {
            run.id
            for run in self._ledger.runs.values()
            if run.status is Status.RUNNING and run.trigger is not Trigger.ROLLBACK
        }
        found = []
        for each in self._ledger.deployments.values():
            if each.service.auto_rollback and not each.is_active and each.run_id in runs:
                previous = self._ledger.active(each.target).get(each.service.name)
                if previous is not None:
                    found.append((each, previous))
        return found

    def look(self, previous: Deployment, traffic: Mapping[str, Traffic]) -> None:
        """Looks at one that is to be replaced; one that stands aside is as it was before."""
        live = self._ledger.live(previous.id)
        if live is None:
            return
        look = self._looks.get(previous.id)
        is_unhealthy = previous.health is Health.UNHEALTHY
        if look is None:
            self._looks[previous.id] = _Look(live.name, traffic.get(live.name), is_unhealthy)
        else:
            look.is_unhealthy = is_unhealthy

    def before(self, deployment: Deployment, traffic: Mapping[str, Traffic]) -> Watched | None:
        """How what a deployment has replaced was; None where nobody looked."""
        look, watched = self._looks.get(deployment.replaced or ""), deployment.watched
        rule = deployment.service.auto_rollback
        if look is None or watched is None or rule is None:
            return None
        rate = _rate(look.first, traffic.get(look.activation), rule.min_requests)
        return replace(watched, was_unhealthy=look.is_unhealthy, error_rate_before=rate)

    def keep_only(self, wanted: Collection[str | None]) -> None:
        """Forgets what is not being replaced any more."""
        self._looks = {id_: look for id_, look in self._looks.items() if id_ in wanted}


def _rate(first: Traffic | None, last: Traffic | None, least: int) -> float | None:
    """The part of 5xx among the replies between two looks; None where there are too few."""
    if last is None:
        return None
    # One that had answered nothing when its successor's run began had no figures.
    requests = last.requests_total - (first.requests_total if first else 0)
    errors = last.errors_total - (first.errors_total if first else 0)
    return errors / requests if requests >= least else None
