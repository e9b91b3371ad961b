from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.load.connection import Connection, request_head
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICES = Path(__file__).parents[2] / "examples" / "multi-service" / "services"


@dataclass(frozen=True, slots=True)
class RunningService:
    process: asyncio.subprocess.Process
    target: Target


@asynccontextmanager
async def running_service(name: str, **environment: str) -> AsyncIterator[RunningService]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "server.py",
        cwd=SERVICES / name,
        env={"PORT": "0", **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        yield RunningService(process, Target("127.0.0.1", int(line.split()[-1]), "example.test"))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def get(connection: Connection, path: str, target: Target, **headers: str) -> bytes:
    connection.write(request_head("GET", path, target, **headers))
    head = await connection.read_head()
    assert head.status == 200
    return await connection.read_body(head)


@pytest.mark.parametrize(("name", "readiness"), [("web", "/healthz"), ("backoffice", "/ready")])
async def test_replies_name_the_instance_and_the_path(name: str, readiness: str) -> None:
    environment = {"COMPARTMENT_SERVICE": "named", "COMPARTMENT_DEPLOYMENT": "dep_1"}
    async with running_service(name, **environment) as service:
        with await Connection.open(service.target) as connection:
            for path in (readiness, "/orders?open=1"):
                reply: dict[str, Any] = json.loads(await get(connection, path, service.target))
                version = (SERVICES / name / "VERSION").read_text().strip()
                assert reply == {
                    "service": "named",
                    "version": version,
                    "instance": "dep_1",
                    "path": path,
                }


async def test_browsers_get_a_page() -> None:
    async with running_service("web") as service:
        with await Connection.open(service.target) as connection:
            page = await get(connection, "/", service.target, accept="text/html,*/*")
            assert page.startswith(b"<!doctype html>")
            assert "path" in json.loads(await get(connection, "/", service.target))


@pytest.mark.parametrize("name", ["web", "backoffice"])
async def test_sigterm_ends_it_although_connections_are_open(name: str) -> None:
    async with running_service(name) as service:
        with await Connection.open(service.target) as connection:
            await get(connection, "/", service.target)
            service.process.terminate()
            async with asyncio.timeout(60):
                assert await connection.reader.read() == b""
                assert await service.process.wait() == 0
