"""The gateway is kept running, and its doors open, whatever happens to them."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from core.errors import CompartmentError, GatewayUnavailable
from core.events import Event, EventType
from core.lines import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.promotion.routing import Router

_log = logging.getLogger(__name__)

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_STABLE_S = 2.0
"""A gateway that lived longer than this is started again at once."""
_LOOK_EVERY_S = 2.0


async def keep_gateway(router: Router, wanted: asyncio.Event) -> None:
    """Starts Envoy again when it has died, however often that takes; from when it is wanted on."""
    await wanted.wait()
    pause_s = _PAUSE_S
    while True:
        began = time.monotonic()
        await router.gateway.envoy.wait_exit()
        is_stable = time.monotonic() - began > _STABLE_S
        try:
            await router.start()
            message = "the gateway had ended and was started again"
            await router.ledger.write(Event(EventType.GATEWAY_RESTARTED, stamp(), message))
        except CompartmentError as error:
            _log.warning("the gateway does not come back: %s", error.message)
        if is_stable:
            pause_s = _PAUSE_S
        else:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def keep_doors(router: Router) -> None:
    """Opens doors that somebody else was in the way of, once they can be; says what is shut."""
    known: dict[str, str] = {}
    while True:
        if not known:
            await router.gateway.listeners.has_shut.wait()
        try:
            shut = await _still_shut(router) if router.gateway.envoy.is_running else known
        except GatewayUnavailable as error:
            _log.warning("a door cannot be opened: %s", error.message)
        else:
            await _tell(router, known, shut)
            known = shut
        await asyncio.sleep(_LOOK_EVERY_S)


async def _still_shut(router: Router) -> dict[str, str]:
    """Doors that cannot be opened, and why; those that can be are."""
    found = await router.gateway.listeners.shut()
    if None in found.values():
        await router.open_doors()
        found = await router.gateway.listeners.shut()
    return {name: why for name, why in found.items() if why is not None}


async def _tell(router: Router, known: Mapping[str, str], shut: Mapping[str, str]) -> None:
    """Says what is new; a door that nobody wants any more is not said to be open."""
    told = [f"warning: {why}" for name, why in shut.items() if name not in known]
    opened = (name for name in known if name not in shut and router.gateway.listeners.has(name))
    told += [f"{name} is reached again" for name in opened]
    if told:
        at = stamp()
        await router.ledger.write(*(Event(EventType.WARNING_GIVEN, at, each) for each in told))
