"""What Envoy's health checks find, heard from the file that it writes to.

Envoy tells of the first check of each instance, and of every one that ends otherwise than the one
before. So the agent asks nobody and costs nothing while nothing changes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from core.errors import GatewayUnavailable
from core.gateway.growth import growth_of
from core.gateway.table import Cause, Failure

if TYPE_CHECKING:
    from pathlib import Path

    from core.gateway.admin import Admin

_log = logging.getLogger(__name__)

_LIMIT_BYTES: Final = 1024 * 1024
"""Of the file; what was read of a longer one is thrown away."""

_PATIENCE_S: Final = 5.0
"""For a disk that is full, or a machine that has no descriptor left."""

_CAUSES: Final = {
    "ACTIVE": Cause.STATUS,
    "NETWORK": Cause.CONNECTION,
    "NETWORK_TIMEOUT": Cause.TIMEOUT,
}
_GOOD: Final = "add_healthy_event"
_BAD: Final = ("eject_unhealthy_event", "health_check_failure_event")

Address = tuple[str, int]
Key = tuple[str, Address]
"""One instance: its upstream and its address."""


class Findings:
    """Which instances fail their health check. `follow` must run for it to be true."""

    def __init__(self, log: Path, admin: Admin) -> None:
        self.log = log
        self._admin = admin
        self._failing: dict[Key, Failure] = {}
        self._news: dict[Key, asyncio.Event] = defaultdict(asyncio.Event)
        """What somebody waits for."""
        self._read_bytes = 0

    def of(self, upstream: str, address: Address) -> Failure | None:
        """Why an instance fails its check now; None where it passes, or was not checked yet."""
        return self._failing.get((upstream, address))

    async def next(self, upstream: str, address: Address, known: Failure | None) -> Failure | None:
        """Returns what is true of an instance as soon as that is not what is known."""
        key = (upstream, address)
        while (found := self._failing.get(key)) == known:
            news = self._news[key]
            try:
                await news.wait()
            finally:
                if self._news.get(key) is news:
                    del self._news[key]
        return found

    async def follow(self) -> None:
        """Reads what Envoy writes, as it writes it, until cancelled."""
        while True:
            try:
                await self._follow()
            except OSError as error:
                _log.warning("health checks are not heard of: %s", error)
            await asyncio.sleep(_PATIENCE_S)

    async def _follow(self) -> None:
        # It may be there with what was found before this agent; Envoy itself makes no private file.
        os.close(os.open(self.log, os.O_CREAT | os.O_WRONLY, 0o600))
        async with growth_of(self.log) as grown:
            await self._look_anew()
            while True:
                self._read_on()
                if self._read_bytes > _LIMIT_BYTES:
                    os.truncate(self.log, 0)
                    # Something may have been written since it was read.
                    await self._look_anew()
                await grown()

    async def _look_anew(self) -> None:
        """Finds out how all instances are at this moment."""
        # Taken before Envoy is asked: what is told twice does no harm.
        self._read_bytes = self.log.stat().st_size
        before = self._failing
        try:
            self._failing = await self._admin.failing()
        except GatewayUnavailable as error:
            # One that does not run tells of each instance once it does.
            _log.debug("%s", error.message)
            self._failing = {}
        for key in before.keys() | self._failing.keys():
            self._tell(key)

    def _read_on(self) -> None:
        with self.log.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                self._learn(line)

    def _learn(self, line: bytes) -> None:
        try:
            event: dict[str, Any] = json.loads(line)
            at = event["host"]["socket_address"]
            key = (event["cluster_name"], (at["address"], at["port_value"]))
        except (ValueError, KeyError, TypeError):
            _log.warning("the gateway wrote something strange: %r", line[:200])
            return
        bad = next((event[name] for name in _BAD if name in event), None)
        if bad is not None:
            cause = _CAUSES.get(bad.get("failure_type"), Cause.UNKNOWN)
            self._failing[key] = Failure(cause, bad.get("http_status_code") or None)
        elif _GOOD in event:
            self._failing.pop(key, None)
        self._tell(key)

    def _tell(self, key: Key) -> None:
        if key in self._news:
            self._news[key].set()
