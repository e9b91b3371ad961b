"""When it cannot be told whether a deployment is unhealthy, or what it runs on was away.

An engine that was restarted, or an agent that was, finds what is live on its way up. That is no
fault of the last deploy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.model import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.model import EngineName
    from core.records import Deployment

_LEAST_S: Final = 3.0
"""Health as it was told before is no news; within this it was looked at again."""

_MOST_S: Final = 30.0
"""What has not come up again by then is unhealthy, whatever it began with."""


@dataclass(slots=True)
class _Doubt:
    began: float
    settled: set[str] = field(default_factory=set)
    """Deployments that were well since, so that they are believed again."""


class Doubts:
    """What is doubted, by engine. The clock is one that is never set, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._doubts: dict[EngineName, _Doubt] = {}

    def begin(self, engine: EngineName) -> None:
        """What is live on an engine may be unhealthy because that was away."""
        self._doubts[engine] = _Doubt(self._clock())

    def hold(self, deployment: Deployment) -> bool:
        """Whether what is told of a deployment is not to be believed yet."""
        doubt = self._doubts.get(deployment.engine)
        if doubt is None or deployment.id in doubt.settled:
            return False
        age_s = self._clock() - doubt.began
        is_well = deployment.health is not Health.UNHEALTHY
        if age_s < _LEAST_S or (age_s < _MOST_S and not is_well):
            return True
        doubt.settled.add(deployment.id)
        return False
