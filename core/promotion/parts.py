"""What a run works with, handed down as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.promotion.progress import Progress

if TYPE_CHECKING:
    import asyncio

    import httpx

    from core.engines.base import Engine
    from core.files import Home
    from core.promotion.ledger import Ledger
    from core.promotion.routing import Router


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one platform that a run needs."""

    home: Home
    ledger: Ledger
    router: Router
    engine: Engine
    probes: httpx.AsyncClient
    build_slots: asyncio.Semaphore
    stop_grace_s: float = 10.0
    """What an instance gets between SIGTERM and SIGKILL, as with Docker."""
    progress: Progress = field(default_factory=Progress)
