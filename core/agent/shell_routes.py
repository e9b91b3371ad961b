"""How a shell is started beside a service: the agent tells, the front end has the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import NotFound
from core.model import DEFAULT_ENVIRONMENT
from core.promotion.specs import instance_specs
from core.records import Target

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.engines.base import Shell
    from core.platform import Platform


def add_shell(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/shell`."""

    @app.get("/v1/shell")
    async def shell(
        project: str, service: str, environment: str = DEFAULT_ENVIRONMENT
    ) -> dict[str, Any]:
        found = _shell(platform, Target(project, environment), service)
        return {
            "argv": list(found.argv),
            "cwd": found.cwd,
            "environment": found.environment,
        }


def _shell(platform: Platform, target: Target, service: str) -> Shell:
    active = platform.ledger.active(target)
    live = platform.ledger.live(active[service].id) if service in active else None
    if live is None:
        others = ", ".join(sorted(active))
        raise NotFound(
            f"service {service} has no live instance in {target}",
            hint=f"live: {others}" if others else "deploy it: compartment deploy",
            code="service_not_live",
        )
    first, *_ = instance_specs(platform.parts, live)
    return platform.parts.engine_behind(live).shell(first)
