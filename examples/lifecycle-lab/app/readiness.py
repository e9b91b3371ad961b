"""What `/up` answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings import Settings


class Readiness:
    """Ready from the start, unless the settings say otherwise."""

    def __init__(self, settings: Settings, started: float) -> None:
        self._settings = settings
        self._started = started
        self._asked = 0

    def ask(self) -> tuple[int, str]:
        """Answer one probe: the status, and why."""
        self._asked += 1
        settings, age_ms = self._settings, (time.monotonic() - self._started) * 1000
        if settings.never_ready:
            return 503, "LAB_NEVER_READY"
        if settings.ready_status is not None:
            return settings.ready_status, "LAB_READY_STATUS"
        if settings.flap and self._asked % 2:
            return 503, "LAB_FLAP"
        if settings.fail_ready_after_ms is not None and age_ms >= settings.fail_ready_after_ms:
            return 500, "LAB_FAIL_READY_AFTER_MS"
        return 200, "ready"
