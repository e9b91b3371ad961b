"""What was told is a fact only when it is seen: in Envoy's statistics, or where traffic is."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.gateway.handshake import shown_certificate
from core.gateway.served import ServedVersions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.gateway.envoy import Envoy
    from core.gateway.table import Ports

_TIMEOUT_S = 10.0
_PAUSE_S = 0.002
_CDS_VERSION = "cluster_manager.cds.version_text"
_CDS_WARMING = "cluster_manager.warming_clusters"
_LDS_VERSION = "listener_manager.lds.version_text"


class Acknowledgements:
    """Waits until Envoy has taken an update, and says why when it refuses.

    A `mark` is taken before an update is written: Envoy may refuse it at once.

    Every wait raises GatewayUnavailable when the update is refused, when Envoy ends meanwhile, and
    after ten seconds.
    """

    def __init__(self, envoy: Envoy, entrances: Path) -> None:
        self._envoy = envoy
        self._entrances = entrances
        self._served = ServedVersions()

    def forget_connections(self) -> None:
        """Those to an Envoy that has been replaced would tell what that one serves."""
        self._served.forget_connections()

    def mark(self) -> int:
        """Where Envoy's log ends now: what it refuses is told after that."""
        log = self._envoy.log
        return log.stat().st_size if log.exists() else 0

    async def of_clusters(self, version: str, mark: int) -> None:
        """Waits for clusters; Envoy may check them first."""
        await self._of_version(_CDS_VERSION, version, mark)

    async def until_warm(self) -> None:
        """Waits until Envoy serves from all clusters, which is once each instance was checked.

        A check ends in time, one way or the other.
        """
        deadline = time.monotonic() + _TIMEOUT_S
        while (await self._envoy.admin.stats(f"^{_CDS_WARMING}$")).get(_CDS_WARMING):
            await self._pause(deadline)

    async def of_listeners(self, version: str, mark: int) -> None:
        """Waits for listeners."""
        await self._of_version(_LDS_VERSION, version, mark)

    async def of_routes(self, version: str, mark: int, ports: Ports) -> None:
        """Waits until the listeners themselves answer with the version of the table."""
        deadline = time.monotonic() + _TIMEOUT_S
        for address in (
            (ports.reached_at, ports.public),
            ("127.0.0.1", ports.internal),
            self._entrances,
        ):
            while await self._served.at(address) != version:
                self._check_refusal(mark)
                await self._pause(deadline)

    async def of_certificate(
        self, host: str, leaf_der: bytes, mark: int, ports: Ports, is_wanted: Callable[[], bool]
    ) -> None:
        """Waits until it is seen in a handshake, for as long as it is wanted there."""
        deadline = time.monotonic() + _TIMEOUT_S
        while ports.https and self._envoy.is_running and is_wanted():
            if await shown_certificate(ports.reached_at, ports.https, host) == leaf_der:
                return
            self._check_refusal(mark)
            await self._pause(deadline)

    async def _of_version(self, statistic: str, version: str, mark: int) -> None:
        deadline = time.monotonic() + _TIMEOUT_S
        while (await self._envoy.admin.stats(f"^{statistic}$")).get(statistic) != version:
            self._check_refusal(mark)
            await self._pause(deadline)

    async def _pause(self, deadline: float) -> None:
        if not self._envoy.is_running:
            raise GatewayUnavailable(
                "the gateway ended while it was updated; it is started again", hint="try again"
            )
        if time.monotonic() > deadline:
            raise GatewayUnavailable(
                "the gateway did not take an update in time", hint="run `compartment doctor`"
            )
        await asyncio.sleep(_PAUSE_S)

    def _check_refusal(self, mark: int) -> None:
        reason = self._refusal(mark)
        if reason is not None:
            raise GatewayUnavailable(
                f"the gateway refused an update, the old routes stay: {reason}",
                hint="this is a bug: please report it with the project files",
            )

    def _refusal(self, mark: int) -> str | None:
        if self.mark() <= mark:
            return None
        with self._envoy.log.open(errors="replace") as log:
            log.seek(mark)
            for line in log:
                _, found, reason = line.partition("update rejected: ")
                if found:
                    return reason.strip()
        return None
