"""Sources that are sent from another machine, and the runs that are deployed from them."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request

from core.config.relocation import relocated
from core.model import DEFAULT_ENVIRONMENT
from core.records import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import FastAPI

    from core.agent.bodies import RunBody
    from core.promotion import requests
    from core.sources.store import Sources

_ARCHIVE = {
    "required": True,
    "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
}
_OF_A_MACHINE = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"})
_OF_A_MACHINE_BEGINS = ("LC_", "DOCKER_")
"""Variables that mean the machine that they are set on: paths, its user, its Docker Engine."""


def add_sources(app: FastAPI, sources: Sources) -> None:
    """Adds `/v1/sources`."""

    @app.get("/v1/sources")
    async def known(project: str, environment: str = DEFAULT_ENVIRONMENT) -> dict[str, Any]:
        target = Target(project, environment)
        return {
            "root": str(sources.root_of(target)),
            "digests": await sources.known(target),
            "limitBytes": sources.limit_bytes,
        }

    @app.post("/v1/sources", openapi_extra={"requestBody": _ARCHIVE})
    async def receive(
        request: Request,
        project: str,
        digest: str,
        environment: str = DEFAULT_ENVIRONMENT,
        writable: Annotated[list[str] | None, Query()] = None,
    ) -> dict[str, Any]:
        target = Target(project, environment)
        await sources.receive(target, digest, tuple(writable or ()), request.stream())
        return {"digest": digest}


@asynccontextmanager
async def to_be_run(sources: Sources, body: RunBody) -> AsyncIterator[requests.Request]:
    """What is asked for, with its source in its place until the run has taken a copy of it."""
    request = as_here(body)
    if body.source_digest is None:
        yield request
        return
    async with sources.settled(request.target, body.source_digest):
        yield request


@asynccontextmanager
async def to_be_planned(sources: Sources, body: RunBody) -> AsyncIterator[requests.Request]:
    """The same for a plan, which changes nothing: what was sent is looked at where it lies."""
    request = as_here(body)
    if body.source_digest is None:
        yield request
        return
    root = sources.root_of(request.target)
    async with sources.looked_at(request.target, body.source_digest) as folder:
        yield replace(relocated(request, root, folder), kept_in=root)


def as_here(body: RunBody) -> requests.Request:
    """A request; of one that comes from another machine, the variables of a machine are ours."""
    request = body.request()
    if not body.is_from_elsewhere:
        return request
    environ = with_ours(request.environ, os.environ)
    return replace(request, environ=environ, compose=replace(request.compose, environ=environ))


def with_ours(theirs: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """An environment from another machine, with what means a machine from ours."""
    kept = {name: value for name, value in theirs.items() if not _means_a_machine(name)}
    return kept | {name: value for name, value in ours.items() if _means_a_machine(name)}


def _means_a_machine(name: str) -> bool:
    return name in _OF_A_MACHINE or name.startswith(_OF_A_MACHINE_BEGINS)
