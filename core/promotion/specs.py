"""What an engine needs to start the instances of a deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.engines.base import InstanceSpec, Owner
from core.errors import NotFound
from core.promotion.hosts import LOOPBACK
from core.promotion.masking import secrets_in
from core.records import ActivationState

if TYPE_CHECKING:
    from core.engines.base import Address, Variables
    from core.promotion.parts import Parts
    from core.records import Activation, Deployment, Target

BESIDE = "service:"
"""Begins the network mode of a service that shares the network of another one."""


def owner_of(deployment: Deployment) -> Owner:
    """Whose a deployment's artifact and instances are."""
    return Owner(deployment.target, deployment.service.name, deployment.id)


def variables_of(parts: Parts, deployment: Deployment) -> Variables:
    """What every process of a deployment sees.

    A container of a Compose project finds the others by the names that its file gives them; what it
    does not expect may mean something to it.
    """
    container = deployment.service.container
    given = container.environment if container else parts.router.hosts.urls_of(deployment.target)
    return {
        **given,
        **deployment.variables,
        **{name: each.value for name, each in deployment.assigned.items()},
        "COMPARTMENT_PROJECT": deployment.target.project,
        "COMPARTMENT_ENVIRONMENT": deployment.target.environment,
        "COMPARTMENT_SERVICE": deployment.service.name,
        "COMPARTMENT_DEPLOYMENT": deployment.id,
    }


def secrets_of(deployment: Deployment) -> tuple[str, ...]:
    """The values that must not appear in what a deployment prints."""
    return tuple(secrets_in(deployment))


def taken_addresses(parts: Parts) -> frozenset[Address]:
    """Addresses that are given out, also to what may be down at this moment."""
    taken = {at for each in parts.ledger.activations.values() for at in each.addresses}
    inner = {each.inner_port for each in parts.ledger.hosts.values()}
    return frozenset(taken | {(LOOPBACK, port) for port in inner if port is not None})


def spec_named(parts: Parts, deployment: Deployment, name: str) -> InstanceSpec:
    """What anything of a deployment is started from, wherever it is to answer."""
    return InstanceSpec(
        name=name,
        owner=owner_of(deployment),
        service=deployment.service,
        artifact_id=deployment.artifact_id,
        variables=variables_of(parts, deployment),
        log=parts.home.logs / deployment.id / f"{name}.log",
        secrets=secrets_of(deployment),
        beside=_beside(parts, deployment),
    )


def _beside(parts: Parts, deployment: Deployment) -> str | None:
    """The first instance of the service whose network it shares.

    What is to become live shares that of what becomes live with it, if there is such.
    """
    container = deployment.service.container
    if container is None or not (container.network_mode or "").startswith(BESIDE):
        return None
    service = (container.network_mode or "").removeprefix(BESIDE)
    known = parts.ledger.deployments
    found = [
        each
        for each in parts.ledger.activations.values()
        if _is_of(known[each.deployment_id], deployment.target, service)
    ]
    live = [each for each in found if each.state is ActivationState.LIVE]
    if not deployment.is_active:
        # Also what still drained, and was taken back by a rollback.
        live += [each for each in found if not _is_past(known[each.deployment_id], each)]
    return live[-1].name if live else None


def _is_past(deployment: Deployment, activation: Activation) -> bool:
    """Whether an activation is not on its way to be live."""
    starting = (ActivationState.CANDIDATE, ActivationState.DRAINING)
    is_coming = not deployment.is_active and not deployment.status.is_final
    return not (is_coming and activation.state in starting)


def _is_of(deployment: Deployment, target: Target, service: str) -> bool:
    return (deployment.target, deployment.service.name) == (target, service)


def spec_of(parts: Parts, name: str) -> InstanceSpec:
    """What one instance of an activation was started from.

    Raises:
        NotFound: it belongs to no activation any more.
    """
    for activation in parts.ledger.activations.values():
        if name in activation.instance_names:
            specs = instance_specs(parts, activation)
            return next(each for each in specs if each.name == name)
    raise NotFound(f"there is no instance {name}")


def instance_specs(parts: Parts, activation: Activation) -> list[InstanceSpec]:
    """What the engine needs to start, or start again, the instances of an activation."""
    deployment = parts.ledger.deployments[activation.deployment_id]
    taken = taken_addresses(parts)
    known = activation.addresses or (None,) * activation.replicas
    return [
        replace(spec_named(parts, deployment, name), taken=taken, address=address)
        for name, address in zip(activation.instance_names, known, strict=True)
    ]
