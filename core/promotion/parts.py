"""What a run works with, handed down as one value."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.certificates.authority import NoAuthority
from core.certificates.challenges import Challenges
from core.journal.manifests import Manifests
from core.promotion.executions import Executions
from core.promotion.manifests import ManifestWriter
from core.promotion.progress import Progress

if TYPE_CHECKING:
    import httpx

    from core.certificates.authority import Authority
    from core.engines.base import Engine
    from core.files import Home
    from core.model import Service
    from core.promotion.engines import Engines
    from core.promotion.ledger import Ledger
    from core.promotion.routing import Router
    from core.records import Activation, Deployment


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one platform that a run needs."""

    home: Home
    ledger: Ledger
    router: Router
    engines: Engines
    probes: httpx.AsyncClient
    build_slots: asyncio.Semaphore
    stop_grace_s: float = 10.0
    """What an instance gets between SIGTERM and SIGKILL, as with Docker."""
    kept_releases: int = 5
    """How many succeeded deployments of each service stay ready for a rollback."""
    kept_runs: int = 1_000
    """How many of the newest runs of each environment are known at least."""
    kept_logs: int = 100
    """Of how many of the newest runs of each environment the logs are kept."""
    progress: Progress = field(default_factory=Progress)
    challenges: Challenges = field(default_factory=lambda: Challenges(None))
    """What certificate authorities ask the gateway for."""
    authority: Authority = field(default_factory=NoAuthority)
    starting: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    """By deployment: held while what is live of it is started again, or is told to stand aside."""
    executions: Executions = field(init=False)
    manifests: ManifestWriter = field(init=False)

    def __post_init__(self) -> None:
        # They work with other parts.
        object.__setattr__(self, "executions", Executions(self))
        manifests = ManifestWriter(self.ledger, Manifests(self.home.manifests))
        object.__setattr__(self, "manifests", manifests)

    async def stop(self, activation: Activation) -> None:
        """Ends and removes the instances of an activation."""
        engine = self.engine_behind(activation)
        grace_s = self.grace_s(self.ledger.deployments[activation.deployment_id].service)
        stops = (engine.stop(name, grace_s=grace_s) for name in activation.instance_names)
        await asyncio.gather(*stops)

    def grace_s(self, service: Service) -> float:
        """What an instance gets between SIGTERM and SIGKILL, in seconds.

        Nobody drains a worker: it finishes what it has in hand once it is asked to end. A Compose
        file says so itself.
        """
        if service.container is not None:
            return service.container.stop_grace_s
        if service.kind.is_routable:
            return self.stop_grace_s
        return max(self.stop_grace_s, service.drain.timeout_ms / 1000)

    def engine_of(self, deployment: Deployment) -> Engine:
        """What a deployment was built by and runs on."""
        return self.engines.of(deployment.engine)

    def engine_behind(self, activation: Activation) -> Engine:
        """What the instances of an activation run on."""
        return self.engine_of(self.ledger.deployments[activation.deployment_id])
