"""What the engine is told of the container of a Compose service, besides what is told of all."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import abilities, healthcheck, labels, mounts, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.container import Container, Published
    from core.engines.base import InstanceSpec
    from core.engines.docker.surroundings import Surroundings
    from core.model import Limits

Json = dict[str, Any]

_OURS: Final = "compartment."
_NO_ENTRYPOINT: Final = ("",)
"""The engine's word for none; an empty list would be that of the image."""

_BOUNDED: Final = "json-file"


def config_of(spec: InstanceSpec, container: Container, image: Json, api: str) -> Json:
    """The configuration."""
    variables = {**container.environment, **spec.variables}
    made = {
        **settings.config_of(container.settings),
        **_command(container, image),
        "Env": [f"{name}={value}" for name, value in variables.items()],
        # For who stops it without us, such as an engine that shuts down.
        "StopTimeout": ceil(container.stop_grace_s),
    }
    check = container.healthcheck
    if check is not None:
        made["Healthcheck"] = healthcheck.body_of(
            check, has_start_interval=abilities.has_start_interval(api)
        )
    return made


def labels_of(spec: InstanceSpec, container: Container) -> dict[str, str]:
    """Its labels: those of the file, and what has to be known of it when it is kept."""
    said = container.settings.get("labels") or {}
    made = {name: str(value) for name, value in said.items() if not name.startswith(_OURS)}
    if container.container_name:
        made[labels.NAME] = mounts.scoped(spec.owner.target, container.container_name)
    if limit := settings.pids_limit(container.settings):
        made[labels.PIDS] = str(limit)
    return made


def host_config_of(container: Container, limits: Limits, around: Surroundings, log: Json) -> Json:
    """The host configuration; `log` is how output is kept where the file does not say it."""
    made = {
        "NanoCpus": round(limits.cpus * 1e9) if limits.cpus else 0,
        "Memory": limits.memory_bytes or 0,
        "LogConfig": log,
        **settings.host_config_of(container.settings),
        **around.namespaces_of(container),
        **mounts.body_of(around.mounts),
    }
    made["LogConfig"] = _bounded(made["LogConfig"], log)
    if limit := settings.pids_limit(container.settings):
        # One more than asked for is the mark of a candidate.
        made["PidsLimit"] = limit + 1
    return made


def bindings_of(published: Iterable[Published]) -> Json:
    """The ports that the engine publishes itself, since the gateway takes TCP only."""
    made: Json = {}
    for each in published:
        if each.is_udp:
            at = {"HostIp": each.host, "HostPort": str(each.port or "")}
            made.setdefault(f"{each.target}/udp", []).append(at)
    return made


def _command(container: Container, image: Json) -> Json:
    made: Json = {}
    if container.entrypoint is not None:
        made["Entrypoint"] = list(container.entrypoint or _NO_ENTRYPOINT)
    if container.command is not None:
        made["Cmd"] = list(container.command)
        if not container.command and container.entrypoint is None:
            # Else an empty command would be that of the image.
            own = (image["Config"] or {}).get("Entrypoint")
            made["Entrypoint"] = list(own or _NO_ENTRYPOINT)
    return made


def _bounded(said: Json, usual: Json) -> Json:
    """The engine's usual log is bounded, whatever else is said of it."""
    if said["Type"] != _BOUNDED:
        return said
    options: Mapping[str, str] = said["Config"]
    return {"Type": _BOUNDED, "Config": {**usual["Config"], **options}}
