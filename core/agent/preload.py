"""Everything of ours that is otherwise imported when it is first needed.

An upgrade replaces our files under a running agent, which would then import half of another
version.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
from typing import Final

import core

_log = logging.getLogger(__name__)

_QUIET_S: Final = 10.0
"""An agent is started by somebody who wants something of it: that comes first."""

_NOT_OURS: Final = ("core.cli", "core.examples", "core.agent.daemon")
"""What an agent never runs, and what it is running."""


async def preload_later() -> None:
    """Imports all of it, once whoever has started the agent has been served."""
    await asyncio.sleep(_QUIET_S)
    try:
        await asyncio.to_thread(preload)
    except Exception:  # noqa: BLE001 - whoever needs what cannot be imported hears of it then
        _log.exception("not everything could be imported beforehand")


def preload() -> None:
    """Imports all of it."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        if not module.name.startswith(_NOT_OURS):
            importlib.import_module(module.name)
