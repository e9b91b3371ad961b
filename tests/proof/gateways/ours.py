"""Our own gateway: a project that is really deployed, or its gateway alone with the same rules."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import Home
from core.gateway.gateway import Gateway
from core.gateway.table import Check, Ports, Site, Table, Upstream
from core.model import RouteRule, Transform
from tests.e2e.house import house, processes_of
from tests.load.plan import Target
from tests.proof.gateways import responder
from tests.proof.gateways.cores import GATEWAY, REST, move
from tests.proof.gateways.scene import HOST, SECURE_HOST, Scene, Version

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.certificates.issuing import Issued
    from tests.e2e.house import House, LabProject

OURS = "ours"
PROJECT = "bench"
_CHECKED_EVERY_S = 10.0


@dataclass
class Deployed:
    """Where a deployed project is reached, and what the others are to lead to."""

    name = OURS
    plain: Target
    secure: Target
    pids: list[int]
    scene: Scene


@asynccontextmanager
async def deployed(home: Path, folder: Path, certificate: Issued) -> AsyncIterator[Deployed]:
    """`web` and `api` on the process engine, with all settings of the program as they come."""
    chain, key = certificate.write(folder / "certificate")
    async with house(home, https=0) as running:
        project = _project(running, folder)
        await running.deployed(project)
        files = {"certificateFile": str(chain), "keyFile": str(key)}
        named = {"project": PROJECT, "service": "web"}
        await running.client.add_domain(SECURE_HOST, {**named, **files})
        secure = (await running.client.agent())["secureAddress"].rpartition(":")[2]
        status = await running.status(project)
        web, api = (_address(running, status[name]["id"]) for name in ("web", "api"))
        gateway = running.gateway_pid()
        move([each.pid for each in processes_of(running.home)], REST)
        move([gateway], GATEWAY)
        yield Deployed(
            await running.target(HOST),
            Target("127.0.0.1", int(secure), SECURE_HOST),
            [gateway],
            Scene((Version(web, api),), chain, key),
        )


def _project(running: House, folder: Path) -> LabProject:
    project = running.lab(folder, PROJECT)
    source = project.root / "responder"
    source.mkdir()
    shutil.copy(Path(responder.__file__), source / "responder.py")
    project.write(**{name: _service(name, folder) for name in ("web", "api")})
    project.write(api={**_service("api", folder), "kind": "api"})
    project.route(
        {"on": "web", "path": "/api/*", "to": "api", "stripPrefix": "/api"},
        {"on": "web", "path": "/assets/*", "to": "api"},
    )
    return project


def _service(name: str, folder: Path) -> dict[str, object]:
    command = [sys.executable, "responder.py", name, str(folder / f"nginx-{name}")]
    return {
        "path": "responder",
        "run": {"command": f"exec {shlex.join(command)}"},
        "readiness": {"type": "http", "path": "/up"},
    }


def _address(running: House, deployment: str) -> tuple[str, int]:
    """Where the gateway reaches the first activation of a deployment."""
    clusters = json.loads((running.home.gateway / "clusters.json").read_text())["resources"]
    (found,) = [each for each in clusters if each["name"] == f"{deployment}.1"]
    (endpoint,) = found["load_assignment"]["endpoints"][0]["lb_endpoints"]
    address = endpoint["endpoint"]["address"]["socket_address"]
    return address["address"], address["port_value"]


class Switching:
    """The program's own gateway code, told of one version after the other as a deploy tells it."""

    name = OURS
    switches_by = "rename of the route file"

    def __init__(self, home: Path, scene: Scene) -> None:
        where = Home(home)
        where.create()
        self._gateway = Gateway(where.gateway, where.sockets / "envoy.sock", Ports(0, 0))
        self._scene = scene
        self._live = self._upstreams(0, 0)
        self.routes_s: list[float] = []
        """How long the routes of each switch took, from the first file to the acknowledgement."""

    @property
    def plain(self) -> Target:
        """Where it listens."""
        return Target("127.0.0.1", self._gateway.ports.public, HOST)

    async def __aenter__(self) -> Switching:
        await self._gateway.start(self._table(self._live))
        assert self._gateway.envoy.pid is not None
        move([self._gateway.envoy.pid], GATEWAY)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._gateway.envoy.stop()
        await self._gateway.close()

    async def switch(self, version: int) -> None:
        """Clusters, routes, and what is over afterwards."""
        activation = len(self.routes_s) + 1
        before, self._live = self._live, self._upstreams(version, activation)
        self.routes_s.append(await self._gateway.apply(self._table(self._live, *before)))
        await self._gateway.remove_drained(self._table(self._live))

    def _upstreams(self, version: int, activation: int) -> tuple[Upstream, Upstream]:
        """Under names that have never served."""
        live, check = self._scene.versions[version], Check("/up", _CHECKED_EVERY_S)
        return (
            Upstream(f"dep_web.{activation}", (live.web,), check),
            Upstream(f"dep_api.{activation}", (live.api,), check),
        )

    @staticmethod
    def _table(live: tuple[Upstream, Upstream], *also: Upstream) -> Table:
        rules = (
            RouteRule("web", "/api/*", "api", transform=Transform.STRIP_PREFIX, value="/api"),
            RouteRule("web", "/assets/*", "api"),
        )
        names = {"web": live[0].name, "api": live[1].name}
        site = Site(HOST, "web", is_public=True, rules=rules, live=names)
        return Table((site,), (*live, *also))
