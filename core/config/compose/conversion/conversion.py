"""A whole project: what is written, what is to be set, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.conversion.losses import losses_of, why_left_out
from core.config.compose.conversion.service_block import block_of
from core.config.compose.conversion.traefik import routed, with_front
from core.config.compose.conversion.variables import variable_commands
from core.config.compose.conversion.yaml_text import yaml_text
from core.config.compose.keys.names import own_name
from core.config.compose.loading import load_compose
from core.config.compose.mapping.project import services_of
from core.config.failure import config_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.config.compose.mapping.given import Given
    from core.config.compose.options import ComposeOptions
    from core.model import Problem, Service


@dataclass(frozen=True, slots=True)
class Conversion:
    """What becomes of Compose files."""

    folder: Path
    """Where it belongs."""
    descriptor: str | None
    """The text of the `compartment.yml`; None where no service is built from source."""
    routes: str | None
    """The text of the `compartment.routes.yml`, where one is needed."""
    variables: tuple[str, ...]
    """Commands to be run, since variables belong to an environment and not into a file."""
    losses: tuple[Problem, ...]


def convert_files(root: Path, options: ComposeOptions, name: str | None = None) -> Conversion:
    """Return the equivalent of the Compose files in a folder, or of those that are named.

    Args:
        root: The folder.
        options: What is said about Compose files.
        name: What the project is called then; None: as it is.

    Raises:
        ConfigError: Something is wrong with the files; its `problems` are all of them.
    """
    loaded = load_compose(root, options)
    services, problems, _ = services_of(loaded, loaded.folder)
    if problems:
        raise config_error(problems)
    kept, losses = parted(loaded, services)
    front = routed(loaded, kept)
    kept = with_front(kept, front.front)
    blocks = {
        each: block_of(service, service.container, kept)
        for each, service in kept.items()
        if service.container is not None
    }
    described = {"name": name or own_name(loaded.model["name"]), "services": blocks}
    return Conversion(
        loaded.folder,
        yaml_text(described) if blocks else None,
        yaml_text({"version": 1, "routes": list(front.rules)}) if front.rules else None,
        tuple(line for service in kept.values() for line in variable_commands(service)),
        (*losses, *front.losses),
    )


def parted(
    given: Given, services: Mapping[str, Service]
) -> tuple[dict[str, Service], list[Problem]]:
    """Return the services that there can be, and what is lost: others, and parts of these."""
    left_out = {each: why_left_out(given, service) for each, service in services.items()}
    kept = {each: service for each, service in services.items() if left_out[each] is None}
    losses = [reason for reason in left_out.values() if reason is not None]
    for service in kept.values():
        losses += losses_of(given, service, frozenset(kept))
    return kept, losses
