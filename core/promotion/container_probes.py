"""The checks of Compose services: what a container brings along, and whether its ports are open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from core.errors import CompartmentError
from core.lines import clean, shorten
from core.promotion.probes import (
    DETAIL_CHARACTERS,
    NOT_EXECUTABLE,
    NOT_FOUND,
    TRY_LIMIT_S,
    TcpProbe,
    Tried,
    ended,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines.base import Address, Instance, OwnCheck

_UNHEARD_S: Final = 20.0
"""How long a check that passes is not believed while nothing takes connections."""

_GUESSES_BY_CODE: Final = {
    NOT_EXECUTABLE: "what healthcheck.test names cannot be executed",
    NOT_FOUND: "what healthcheck.test names is not in the image",
}


class PortsProbe:
    """A connection to any of the ports that a service is known by, the main one first."""

    eager_pause_s = 0.05
    is_by_port = True
    try_limit_s = TRY_LIMIT_S

    def __init__(self, addresses: Sequence[Address]) -> None:
        (host, first), *others = addresses
        more = "".join(f" or {port}" for _, port in others)
        self.what = f"connect to {host}:{first}{more}"
        self._probes = [TcpProbe(*each) for each in addresses]

    async def attempt(self, limit_s: float) -> Tried:
        """Connects once to each, until one takes it; says how it went at the main one."""
        each_s = limit_s / len(self._probes)
        tried = [await self._probes[0].attempt(each_s)]
        for probe in self._probes[1:]:
            if tried[-1].is_good:
                break
            tried.append(await probe.attempt(each_s))
        return tried[-1] if tried[-1].is_good else tried[0]


class OwnCheckProbe:
    """The check that an instance brings along, run at our pace instead of the engine's.

    At that pace it may pass too early: a database that is set up first answers its own check at a
    socket file, before it takes connections. So it is not believed while no port is open.
    """

    eager_pause_s = 0.5
    is_by_port = False

    def __init__(self, instance: Instance, own: OwnCheck, ports: PortsProbe | None) -> None:
        self.what = f"health check `{shorten(clean(own.what))[:DETAIL_CHARACTERS]}`"
        self.try_limit_s = own.timeout_s
        self._instance = instance
        self._ports = ports
        self._first_passed: float | None = None

    async def attempt(self, limit_s: float) -> Tried:
        """Runs it once."""
        try:
            ran = await self._instance.try_own_check(limit_s)
        except TimeoutError:
            return Tried(is_good=False, said=f"did not end within {limit_s:g} s")
        except CompartmentError as error:
            return Tried(is_good=False, said=error.message)
        tried = ended(ran, _GUESSES_BY_CODE)
        if tried.is_good and self._ports is not None and not await self._is_heard(self._ports):
            return Tried(is_good=False, said=f"it passed, but nobody could {self._ports.what} yet")
        return tried

    async def _is_heard(self, ports: PortsProbe) -> bool:
        self._first_passed = self._first_passed or time.monotonic()
        if time.monotonic() - self._first_passed > _UNHEARD_S:
            return True
        return (await ports.attempt(ports.try_limit_s)).is_good
