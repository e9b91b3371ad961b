"""When a service is rolled back by itself after its switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.config.compose.keys.quantities import seconds
from core.config.compose.mapping.given import part
from core.model import AutoRollback

if TYPE_CHECKING:
    from core.config.compose.mapping.roles import Seen
    from core.model import ServiceKind

_MONITOR_S: Final = 5.0
"""For how long Swarm watches an update whose file does not say, or says 0."""


def auto_rollback_of(seen: Seen, kind: ServiceKind) -> AutoRollback | None:
    """Return what `x-compartment` says, else `deploy.update_config`; None without either."""
    if not kind.is_long_running:
        return None
    if seen.extension.auto_rollback is not None:
        return seen.extension.auto_rollback
    update = part(seen.service, "deploy", "update_config")
    if update.get("failure_action") != "rollback":
        return None
    monitor_s = seconds(update["monitor"]) if "monitor" in update else 0.0
    return AutoRollback(window_ms=round(1000 * (monitor_s or _MONITOR_S)))
