"""From the shape of a descriptor to the product's services, every default filled in."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from core.config.waits import dependencies
from core.model import (
    AutoRollback,
    Build,
    Drain,
    Limits,
    Readiness,
    Restart,
    Schedule,
    Service,
    ServiceKind,
)

if TYPE_CHECKING:
    from core.config.descriptor import (
        AutoRollbackModel,
        BuildModel,
        DescriptorModel,
        DrainModel,
        LimitsModel,
        ReadinessModel,
        RunModel,
        ScheduleModel,
        ServiceModel,
    )

MEMORY_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


def services(descriptor: DescriptorModel) -> dict[str, Service]:
    """Return the services of a descriptor by name, in the order of the file."""
    models = descriptor.services
    return {name: _service(name, model, models) for name, model in models.items()}


def _service(name: str, model: ServiceModel, models: dict[str, ServiceModel]) -> Service:
    return Service(
        name=name,
        path=posixpath.normpath(model.path),
        kind=ServiceKind(model.kind),
        access_mode=model.access_mode,
        build=_build(model.build),
        run_command=model.run.command if model.run else None,
        restart=_restart(model.run),
        readiness=readiness(model.readiness),
        drain=drain(model.drain),
        port=model.port,
        replicas=model.replicas,
        strategy=model.strategy,
        depends_on=dependencies(model.depends_on, models),
        schedule=_schedule(model.schedule),
        time_limit_ms=model.time_limit_ms,
        limits=_limits(model.limits),
        release_command=model.release.command if model.release else None,
        auto_rollback=auto_rollback(model.auto_rollback),
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


def readiness(model: ReadinessModel | None) -> Readiness | None:
    """Return a readiness block as the product's own."""
    if model is None:
        return None
    path = model.path if model.path.startswith("/") else f"/{model.path}"
    return Readiness(path, model.timeout_ms, model.type, model.command, model.interval_ms)


def drain(model: DrainModel | None) -> Drain:
    """Return a drain block as the product's own."""
    return Drain(model.timeout_ms, model.streams_ms) if model else Drain()


def auto_rollback(model: AutoRollbackModel | None) -> AutoRollback | None:
    """Return an automatic rollback block as the product's own."""
    if model is None:
        return None
    return AutoRollback(model.window_ms, model.on_unhealthy, model.error_rate, model.min_requests)


def _schedule(model: ScheduleModel | None) -> Schedule | None:
    if model is None:
        return None
    return Schedule(model.cron, model.time_zone, model.overlap, model.deadline_ms)


def _limits(model: LimitsModel | None) -> Limits:
    if model is None:
        return Limits()
    size = model.memory
    memory_bytes = int(size[:-1]) * MEMORY_UNITS[size[-1]] if size else None
    return Limits(model.cpus, memory_bytes)
