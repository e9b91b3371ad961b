"""When containers of a service that ended by themselves are started again, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import Restart, RestartPolicy

if TYPE_CHECKING:
    from core.config.compose.mapping.given import Json

_POLICIES = {
    "no": RestartPolicy.NO,
    "none": RestartPolicy.NO,
    "on-failure": RestartPolicy.ON_FAILURE,
    "always": RestartPolicy.UNLESS_STOPPED,
    "any": RestartPolicy.UNLESS_STOPPED,
    "unless-stopped": RestartPolicy.UNLESS_STOPPED,
}
"""Compose's words and, for `deploy.restart_policy`, Swarm's. What we stop stays stopped, also with
`always`."""


def restart_of(service: Json) -> Restart:
    """Return the restart policy: `restart`, else `deploy.restart_policy`, else none."""
    if said := service.get("restart"):
        policy, _, retries = said.partition(":")
        return Restart(_POLICIES[policy], int(retries) if retries else None)
    swarm = (service.get("deploy") or {}).get("restart_policy")
    if swarm is None:
        return Restart(RestartPolicy.NO)
    policy = _POLICIES[swarm.get("condition", "any")]
    retries = swarm.get("max_attempts") if policy is RestartPolicy.ON_FAILURE else None
    return Restart(policy, retries or None)
