"""Users over HTTP. Nobody is ever told a password or what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr  # noqa: TC002 - read by FastAPI

from core.agent.bodies import TargetBody
from core.model import DEFAULT_ENVIRONMENT
from core.promotion.users import add, names, remove
from core.records import Target

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.platform import Platform

Json = dict[str, Any]


class UserBody(TargetBody):
    """The login of one user."""

    password: SecretStr


def add_users(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/users`."""
    router = platform.parts.router

    @app.get("/v1/users")
    async def listed(project: str, environment: str = DEFAULT_ENVIRONMENT) -> Json:
        target = Target(project, environment)
        return {**_named(target), "users": [{"name": each} for each in names(router, target)]}

    @app.put("/v1/users/{name:path}")
    async def kept(name: str, body: UserBody) -> Json:
        is_new = await add(router, body.target, name, body.password.get_secret_value())
        return {**_named(body.target), "name": name, "isNew": is_new}

    @app.delete("/v1/users/{name:path}")
    async def removed(name: str, project: str, environment: str = DEFAULT_ENVIRONMENT) -> Json:
        target = Target(project, environment)
        await remove(router, target, name)
        return {**_named(target), "name": name}


def _named(target: Target) -> Json:
    return {"project": target.project, "environment": target.environment}
