"""One service of the canonical model, as the product's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.quantities import seconds
from core.config.compose.mapping.access_rules import access_problems
from core.config.compose.mapping.containers import (
    build_of,
    environment_of,
    limits_of,
    settings_of,
    words_of,
)
from core.config.compose.mapping.extension import extension_of
from core.config.compose.mapping.healthchecks import healthcheck_of, probed
from core.config.compose.mapping.mounts import mounted
from core.config.compose.mapping.networks import links_of
from core.config.compose.mapping.notes import notes_of
from core.config.compose.mapping.ports import Evidence, ports_of, published_of
from core.config.compose.mapping.programs import known_program
from core.config.compose.mapping.relations import dependencies_of, replicas_of, waits_of
from core.config.compose.mapping.restarts import restart_of
from core.config.compose.mapping.role_rules import role_problems
from core.config.compose.mapping.roles import Seen, kind_of, strategy_of
from core.config.compose.mapping.rollbacks import auto_rollback_of
from core.container import Container
from core.model import RestartPolicy, Service, ServiceKind, Strategy

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.compose.mapping.given import Given, Json
    from core.config.compose.mapping.mounts import Mounted
    from core.config.compose.mapping.relations import Relations
    from core.container import Healthcheck
    from core.model import Problem

_OF_JOBS = (Strategy.OVERLAP, "it runs to its end before the others are switched")
_PULL_POLICY = "missing"
_STOP_GRACE = "10s"
"""What Compose and the engine wait by default."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A service, and what is wrong with it."""

    service: Service
    problems: tuple[Problem, ...]


def mapped(given: Given, name: str, others: Relations, root: Path) -> Mapped:
    """Return a service of the model in a project with the folder `root`."""
    said: Json = given.model["services"][name]
    extension, problems = extension_of(given, name)
    check = healthcheck_of(said)
    image = known_program(said)
    asked = probed(check, environment_of(said))
    found = mounted(given, name)
    seen = Seen(
        name=name,
        service=said,
        extension=extension,
        relations=others,
        ports=ports_of(said, Evidence(extension, asked, image)),
        published=published_of(said),
        mounts=found.mounts,
        links=links_of(given.model, name),
        image=image,
    )
    if not problems:
        problems += [*role_problems(given, seen), *access_problems(given, seen)]
    service = _service(given.model, seen, check, found, root)
    return Mapped(service, (*problems, *found.problems))


def _service(
    model: Json, seen: Seen, check: Healthcheck | None, found: Mounted, root: Path
) -> Service:
    said, extension = seen.service, seen.extension
    kind, kind_because = kind_of(seen)
    strategy, strategy_because = strategy_of(seen) if kind.is_long_running else _OF_JOBS
    restart = restart_of(said)
    takes_connections = kind not in (ServiceKind.WORKER, ServiceKind.JOB)
    ports = seen.ports if takes_connections else ()
    container = Container(
        **_described(model, seen.name),
        ports=ports,
        published=seen.published if takes_connections else (),
        networks=seen.links,
        mounts=found.mounts,
        files=found.files,
        healthcheck=check,
        may_finish=not takes_connections and restart.policy is not RestartPolicy.UNLESS_STOPPED,
        notes=tuple(notes_of(seen, kind, (strategy, strategy_because), check, root)),
        kind_because=kind_because,
        strategy_because=strategy_because,
    )
    return Service(
        name=seen.name,
        path=_path(container, root),
        kind=kind,
        access_mode=extension.access_mode,
        restart=restart,
        readiness=extension.readiness,
        drain=extension.drain,
        port=ports[0].number if ports else None,
        replicas=replicas_of(said),
        strategy=strategy,
        depends_on=dependencies_of(model, seen.name, seen.relations.jobs),
        limits=limits_of(said),
        auto_rollback=auto_rollback_of(seen, kind),
        container=container,
    )


def _described(model: Json, name: str) -> dict[str, Any]:
    """The fields of a container that are as the file has them."""
    said = model["services"][name]
    restarting = [other for other, wait in waits_of(model, name).items() if wait.get("restart")]
    return {
        "image": said.get("image"),
        "build": build_of(said),
        "pull_policy": said.get("pull_policy") or _PULL_POLICY,
        "command": words_of(said, "command"),
        "entrypoint": words_of(said, "entrypoint"),
        "environment": environment_of(said),
        "network_mode": said.get("network_mode"),
        "container_name": said.get("container_name"),
        "stop_grace_s": seconds(said.get("stop_grace_period") or _STOP_GRACE),
        "restarts_with": tuple(restarting),
        "settings": settings_of(said),
    }


def _path(container: Container, root: Path) -> str:
    """What is built is told by its folder, relative to the project."""
    if container.build is None:
        return "."
    return os.path.relpath(container.build.context, root)
