"""`deploy`: how many, how large, and how a new version takes the place of the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.compose.keys.quantities import duration, size
from core.config.compose.keys.resources import REQUEST
from core.config.compose.keys.scalars import anything, name, number, whole, word
from core.config.compose.keys.shapes import Key, Keyed, listed, noted, settings

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_ONE_SWITCH = "all replicas are started, and requests switched to all of them at once"
_UNTOUCHED = "a deploy that fails leaves what was live untouched"
_WATCHED = "its health check is what watches it, before the switch and after it"
_SAME_WAY = "a rollback takes over as a deploy does: update_config.order is for both"

_action = word("continue", "pause", "rollback")
_order = word("stop-first", "start-first")


def _failure_action(value: Any, at: At) -> str:
    found: str = _action(value, at)
    if found != "rollback":
        at.note(f"{at.label}: {found} does nothing here", _UNTOUCHED)
    return found


_PACE = {
    "parallelism": noted(whole(0), _ONE_SWITCH),
    "delay": noted(duration, _ONE_SWITCH),
    "monitor": noted(duration, _WATCHED),
    "max_failure_ratio": noted(number, "one replica that fails is a failed deploy"),
}
UPDATE = Keyed(
    {
        **_PACE,
        "monitor": Key(
            duration,
            "for how long after the switch failure_action: rollback holds; 5s where it says"
            " nothing, or 0",
        ),
        "failure_action": Key(
            _failure_action,
            f"{_UNTOUCHED}; with rollback, a run after whose switch the service turns unhealthy is"
            " rolled back by itself",
        ),
        "order": Key(_order, "start-first is the default here"),
    }
)
ROLLBACK = Keyed(
    {
        **_PACE,
        "failure_action": noted(_action, _UNTOUCHED),
        "order": noted(_order, _SAME_WAY),
    }
)
RESTART = Keyed(
    {
        "condition": Key(word("none", "on-failure", "any"), "when it is started again"),
        "delay": noted(duration, "the engine has a pause of its own"),
        "max_attempts": Key(whole(0), "how often it is started again"),
        "window": noted(duration, "the engine decides when a start has succeeded"),
    }
)
LIMITS = Keyed(
    {
        "cpus": Key(number, "processors"),
        "memory": Key(size, "memory"),
        "pids": Key(whole(-1), "processes"),
    }
)
RESERVATIONS = Keyed(
    {
        "cpus": noted(number, "nothing is scheduled on one machine"),
        "memory": Key(size, "memory that is kept for it when memory is short"),
        "devices": Key(listed(REQUEST), "GPUs"),
        "generic_resources": noted(anything, "it is for swarm"),
    }
)
RESOURCES = Keyed(
    {
        "limits": Key(LIMITS, "what it cannot go beyond"),
        "reservations": Key(RESERVATIONS, "what is kept for it"),
    }
)
DEPLOY = Keyed(
    {
        "mode": Key(
            word("replicated", "global", "replicated-job", "global-job"),
            "global is one replica; the jobs run once",
        ),
        "replicas": Key(whole(0), "how many containers"),
        "resources": Key(RESOURCES, "limits"),
        "restart_policy": Key(RESTART, "when it is started again"),
        "update_config": Key(UPDATE, "how a new version takes the place of the old one"),
        "rollback_config": Key(ROLLBACK, _SAME_WAY),
        "labels": noted(settings, "labels of containers are those of the service"),
        "endpoint_mode": noted(name, "names lead to all replicas"),
        "placement": noted(anything, "there is one machine"),
    },
)
