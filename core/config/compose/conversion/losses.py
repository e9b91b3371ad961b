"""What a `compartment.yml` cannot say of the services of Compose files, each with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.config.compose.conversion.service_block import speaks_http
from core.config.document import quote
from core.config.patterns import PATTERN_WORDS, SERVICE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.mapping.given import Given
    from core.model import Problem, Service

_CONVERTED = frozenset(
    {"build", "container_name", "cpus", "depends_on", "deploy", "env_file", "environment", "expose",
     "extends", "healthcheck", "hostname", "image", "logging", "mem_limit", "ports", "profiles",
     "restart", "scale"}
)  # fmt: skip
"""What the new file says otherwise, or what needs no word in it."""
_IN_DOCKERFILE = frozenset({"command", "entrypoint", "stop_signal", "user", "working_dir"})
_DOCKERFILE = "Dockerfile"
_OF_BUILD = frozenset({"context", "dockerfile"})


def why_left_out(given: Given, service: Service) -> Problem | None:
    """Return why a service cannot be in a `compartment.yml` at all; None if it can."""
    container = service.container
    path = ("services", service.name)
    if container is None or container.build is None:
        hint = "keep it in Compose, or give it a Dockerfile that begins with FROM"
        message = f"{service.name} is an image: only what is built from source can be there"
        return given.problem((*path, "image"), message, hint)
    if not re.fullmatch(SERVICE_NAME, service.name):
        message = f"the name {quote(service.name)} is not valid there"
        return given.problem(path, message, f"use {PATTERN_WORDS[SERVICE_NAME]}")
    if service.path.split("/")[0] == "..":
        message = f"{service.name} is built outside of the project: {service.path}"
        return given.problem((*path, "build"), message, "move it, or copy it")
    if not speaks_http(container):
        message = f"{service.name} takes connections that are not HTTP"
        return given.problem(path, message, "keep it in Compose")
    return None


def losses_of(given: Given, service: Service, kept: frozenset[str]) -> Iterator[Problem]:
    """Yield what is lost of a service that is kept."""
    path = ("services", service.name)
    said = given.model["services"][service.name]
    for key, value in said.items():
        if value in (None, {}, []) or key in _CONVERTED or key.startswith("x-"):
            continue
        if key == "networks" and set(value) == {"default"}:
            continue
        if key == "labels" and all(label.startswith("traefik.") for label in value):
            continue
        words = "goes into its Dockerfile" if key in _IN_DOCKERFILE else "has no equivalent"
        yield given.problem((*path, key), f"{service.name}: {quote(key)} {words}")
    build = said.get("build") or {}
    for key in build:
        if key not in _OF_BUILD:
            message = f'{service.name}: "build.{key}" has no equivalent'
            yield given.problem((*path, "build", key), message)
    if build.get("dockerfile") not in (None, _DOCKERFILE):
        message = f"{service.name}: its Dockerfile has to be {service.path}/{_DOCKERFILE}"
        yield given.problem((*path, "build", "dockerfile"), message, "move it, or rename it")
    for wait in service.depends_on:
        if wait.service not in kept:
            message = f"{service.name} cannot wait for {wait.service}, which is left out"
            yield given.problem((*path, "depends_on", wait.service), message)
