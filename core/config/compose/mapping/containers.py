"""What a Compose file says of the containers of a service, beyond its role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.compose.keys.services import SERVICE
from core.config.compose.keys.shapes import Tier
from core.config.compose.mapping.given import part
from core.container import ImageBuild
from core.model import Limits

if TYPE_CHECKING:
    from core.config.compose.mapping.given import Json

_MAPPED = (
    "build", "command", "configs", "container_name", "cpus", "depends_on", "deploy",
    "entrypoint", "env_file", "environment", "expose", "extends", "healthcheck", "image",
    "label_file", "links", "mem_limit", "network_mode", "networks", "ports", "profiles",
    "pull_policy", "restart", "scale", "secrets", "stop_grace_period", "volumes", "volumes_from",
)  # fmt: skip
"""Keys of a service that have a field of their own, or were used up by the loader."""

_OF_BUILD = ("context", "dockerfile", "dockerfile_inline", "args", "target")


def build_of(service: Json) -> ImageBuild | None:
    """Return how the image of a service is built; None where it is not."""
    said = service.get("build")
    if not said:
        return None
    return ImageBuild(
        said["context"],
        said.get("dockerfile") or "Dockerfile",
        said.get("dockerfile_inline"),
        {key: str(value) for key, value in part(said, "args").items() if value is not None},
        said.get("target"),
        _rest(said, _OF_BUILD),
    )


def environment_of(service: Json) -> dict[str, str]:
    """Return the variables of a service; one that nobody gives a value is not set."""
    said = part(service, "environment")
    return {key: str(value) for key, value in said.items() if value is not None}


def words_of(service: Json, key: str) -> tuple[str, ...] | None:
    """Return `command` or `entrypoint`; None where the image decides."""
    said = service.get(key)
    return None if said is None else tuple(said)


def limits_of(service: Json) -> Limits:
    """Return the upper bounds of one container; `mem_limit` and `cpus` say the same."""
    said = part(service, "deploy", "resources", "limits")
    cpus = said.get("cpus", service.get("cpus"))
    memory = said.get("memory", service.get("mem_limit"))
    return Limits(float(cpus) or None if cpus else None, int(memory) or None if memory else None)


def settings_of(service: Json) -> dict[str, Any]:
    """Return all other keys of a service that are honoured, as Compose spells them."""
    settings = {
        key: value
        for key, value in _rest(service, _MAPPED).items()
        if SERVICE.table[key].tier is Tier.HONOURED
    }
    resources = part(service, "deploy", "resources")
    if pids := part(resources, "limits").get("pids"):
        settings.setdefault("pids_limit", pids)
    if devices := part(resources, "reservations").get("devices"):
        settings["deploy"] = {"resources": {"reservations": {"devices": devices}}}
    foreign = [each for each in service.get("volumes_from") or () if each.startswith("container:")]
    if foreign:
        settings["volumes_from"] = foreign
    return settings


def _rest(said: Json, taken: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: value
        for key, value in said.items()
        if key not in taken and not key.startswith("x-") and value is not None
    }
