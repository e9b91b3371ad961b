"""Which deployment a rollback starts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Conflict, NotFound
from core.model import Stage, Status

if TYPE_CHECKING:
    from core.promotion.parts import Parts
    from core.records import Deployment, Target


async def find(
    parts: Parts, target: Target, services: tuple[str, ...], to: str | None
) -> list[Deployment]:
    """The deployments to start again, one for each service; all are found, or none.

    Raises:
        NotFound: nothing is active, or there is no earlier deployment.
        Conflict: the deployment named is active, or its artifact is gone.
    """
    active = parts.ledger.active(target)
    if not active:
        raise NotFound(f"nothing is active in {target}", code="active_deployment_not_found")
    for name in services:
        if name not in active:
            raise NotFound(
                f"service {name} has no active deployment in {target}",
                hint=f"active: {', '.join(sorted(active))}",
                code="active_deployment_not_found",
            )
    names = services or tuple(sorted(active))
    return [await _find_one(parts, target, name, to) for name in dict.fromkeys(names)]


async def _find_one(parts: Parts, target: Target, service: str, to: str | None) -> Deployment:
    past = await parts.ledger.journal.succeeded(target, service)
    if to is not None:
        return _named(parts, past, service, to)
    for each in past:
        # What was rolled back was bad once: it comes back only by name.
        is_candidate = not each.is_active and each.stage is not Stage.ROLLED_BACK
        if is_candidate and each.status is Status.SUCCEEDED and _is_here(parts, each):
            return _with_artifact(parts, each)
    raise NotFound(
        f"service {service} has no earlier deployment to roll back to",
        hint=f"see `compartment deployment list --service {service}`; --to ID names one",
        code="rollback_target_not_found",
    )


def _named(parts: Parts, past: list[Deployment], service: str, to: str) -> Deployment:
    found = next((each for each in past if each.id == to), None)
    if found is None:
        raise NotFound(
            f"{to} is no earlier deployment of service {service} that was active",
            hint=f"see `compartment deployment list --service {service}`",
            code="rollback_target_not_found",
        )
    if found.is_active:
        raise Conflict(f"{to} is active already", code="rollback_target_active")
    if not _is_here(parts, found):
        raise Conflict(
            f"{to} ran on the {found.engine} engine, which {found.target} has left",
            hint="deploy its source again",
            code="rollback_target_not_found",
        )
    return _with_artifact(parts, found)


def _is_here(parts: Parts, deployment: Deployment) -> bool:
    """Whether it ran on the engine that its environment has now."""
    record = parts.ledger.environments.get(deployment.target)
    return record is None or record.engine == deployment.engine


def _with_artifact(parts: Parts, deployment: Deployment) -> Deployment:
    if not parts.engines.has_artifact(deployment):
        raise Conflict(
            f"the artifact of {deployment.id} is gone, it cannot be started again",
            hint="name another one with --to ID, or deploy its source again",
            code="deployment_image_not_available",
        )
    return deployment
