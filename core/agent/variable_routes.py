"""Variables over HTTP. A list has no values, and what is sensitive is never told again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.agent.bodies import Name, TargetBody, Variables
from core.model import DEFAULT_ENVIRONMENT
from core.promotion.variables import Scope, assign, find, remove, services_of, visible
from core.records import Target

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.platform import Platform
    from core.records import VariableRecord

Json = dict[str, Any]


class ScopeBody(TargetBody):
    """An environment, or a service in it."""

    service: Name | None = None
    sensitive: bool = False

    @property
    def scope(self) -> Scope:
        """As the platform names it."""
        return Scope(self.target, self.service)


class ValueBody(ScopeBody):
    """The value of one variable."""

    value: str


class ImportBody(ScopeBody):
    """Several variables; with `replace` the scope has no others afterwards."""

    variables: Annotated[Variables, Field(min_length=1)]
    replace: bool = False


def add_variables(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/variables`."""
    ledger = platform.ledger

    @app.get("/v1/variables")
    async def listed(
        project: str, environment: str = DEFAULT_ENVIRONMENT, service: str | None = None
    ) -> Json:
        scope = Scope(Target(project, environment), service)
        return {
            **_named(scope),
            "variables": [_described(scope, each) for each in visible(ledger, scope)],
            "servicesWithVariables": [] if service else services_of(ledger, scope.target),
        }

    @app.post("/v1/variables/import")
    async def taken_in(body: ImportBody) -> Json:
        await assign(
            ledger, body.scope, body.variables, is_sensitive=body.sensitive, is_all=body.replace
        )
        return {**_named(body.scope), "importedKeyNames": sorted(body.variables)}

    @app.get("/v1/variables/{key:path}")
    async def shown(
        key: str,
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        service: str | None = None,
    ) -> Json:
        scope = Scope(Target(project, environment), service)
        return _with_value(scope, find(ledger, scope, key))

    @app.put("/v1/variables/{key:path}")
    async def kept(key: str, body: ValueBody) -> Json:
        await assign(ledger, body.scope, {key: body.value}, is_sensitive=body.sensitive)
        return _with_value(body.scope, find(ledger, body.scope, key))

    @app.delete("/v1/variables/{key:path}")
    async def removed(
        key: str,
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        service: str | None = None,
    ) -> Json:
        await remove(ledger, Scope(Target(project, environment), service), key)
        return {"success": True}


def _named(scope: Scope) -> Json:
    return {
        "project": scope.target.project,
        "environment": scope.target.environment,
        "serviceName": scope.service,
    }


def _described(scope: Scope, record: VariableRecord) -> Json:
    return {
        "keyName": record.name,
        "sensitivity": "sensitive" if record.variable.is_sensitive else "plain",
        "scopeType": "service" if record.service else "environment",
        "scopeServiceName": record.service,
        "sourceType": "direct" if record.service == scope.service else "inherited",
        "updatedAt": record.updated_at,
    }


def _with_value(scope: Scope, record: VariableRecord) -> Json:
    is_hidden = record.variable.is_sensitive
    value = None if is_hidden else record.variable.value
    told = {**_described(scope, record), "value": value, "valueHidden": is_hidden}
    return {**_named(scope), "variable": told}
