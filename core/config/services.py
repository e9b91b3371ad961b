"""From the shape of a descriptor to the product's services, every default filled in."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from core.model import (
    Build,
    Condition,
    Dependency,
    Drain,
    Limits,
    Readiness,
    Restart,
    Schedule,
    Service,
)

if TYPE_CHECKING:
    from core.config.descriptor import (
        BuildModel,
        DescriptorModel,
        DrainModel,
        LimitsModel,
        ReadinessModel,
        RunModel,
        ServiceModel,
    )

MEMORY_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


def services(descriptor: DescriptorModel) -> dict[str, Service]:
    """Return the services of a descriptor by name, in the order of the file."""
    return {name: _service(name, model) for name, model in descriptor.services.items()}


def _service(name: str, model: ServiceModel) -> Service:
    return Service(
        name=name,
        path=posixpath.normpath(model.path),
        kind=model.kind,
        access_mode=model.access_mode,
        build=_build(model.build),
        run_command=model.run.command if model.run else None,
        restart=_restart(model.run),
        readiness=_readiness(model.readiness),
        drain=_drain(model.drain),
        port=model.port,
        replicas=model.replicas,
        depends_on=tuple(Dependency(each, Condition.STARTED) for each in model.depends_on),
        schedule=Schedule(model.schedule) if model.schedule else None,
        limits=_limits(model.limits),
        release_command=model.release.command if model.release else None,
    )


def _build(model: BuildModel | None) -> Build:
    if model is None:
        return Build()
    packages = model.packages
    return Build(
        strategy=model.strategy,
        command=model.command,
        env=tuple(model.env),
        build_packages=tuple(packages.build) if packages else (),
        runtime_packages=tuple(packages.runtime) if packages else (),
    )


def _restart(model: RunModel | None) -> Restart:
    if model is None or model.restart is None:
        return Restart()
    return Restart(model.restart.policy, model.restart.max_retries)


def _readiness(model: ReadinessModel | None) -> Readiness | None:
    if model is None:
        return None
    path = model.path if model.path.startswith("/") else f"/{model.path}"
    return Readiness(path, model.timeout_ms)


def _drain(model: DrainModel | None) -> Drain:
    return Drain(model.timeout_ms, model.streams_ms) if model else Drain()


def _limits(model: LimitsModel | None) -> Limits:
    if model is None:
        return Limits()
    size = model.memory
    memory_bytes = int(size[:-1]) * MEMORY_UNITS[size[-1]] if size else None
    return Limits(model.cpus, memory_bytes)
