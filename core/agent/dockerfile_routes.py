"""The Dockerfile of a service: where its own is, or the one that is generated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from core.agent.bodies import AbsolutePath  # noqa: TC001 - read by FastAPI
from core.config.project import load_project
from core.errors import ConfigError, NotFound
from core.model import BuildStrategy

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI

    from core.model import Service

_NAME = "Dockerfile"


def add_dockerfile(app: FastAPI) -> None:
    """Adds `/v1/dockerfile`: either `file` is null or `dockerfile`, its text, is."""

    @app.get("/v1/dockerfile")
    async def dockerfile(root: AbsolutePath, service: str) -> dict[str, Any]:
        return await asyncio.to_thread(_dockerfile, root, service)


def _dockerfile(root: Path, name: str) -> dict[str, Any]:
    from core.engines.docker.dockerfile import generated

    project = load_project(root)
    service = project.services.get(name)
    if service is None:
        raise NotFound(f"there is no service {name} in {project.name}",
                       code="descriptor_service_not_found")  # fmt: skip
    file = _own(root, service)
    return {
        "project": project.name,
        "serviceName": name,
        "file": str(file) if file else None,
        "dockerfile": None if file else generated(root / service.path, service),
    }


def _own(root: Path, service: Service) -> Path | None:
    file = root / service.path / _NAME
    if service.build.strategy is BuildStrategy.RAILPACK:
        return None
    if file.is_file():
        return file
    if service.build.strategy is BuildStrategy.DOCKERFILE:
        raise ConfigError(
            f"service {service.name} has no Dockerfile in {service.path}",
            hint="write one, or leave build.strategy out",
        )
    return None
