"""The gateway is kept running, whatever happens to it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from core.errors import CompartmentError
from core.events import Event, EventType
from core.lines import stamp

if TYPE_CHECKING:
    from core.promotion.routing import Router

_log = logging.getLogger(__name__)

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_STABLE_S = 2.0
"""A gateway that lived longer than this is started again at once."""


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
