"""A login before a Compose service: at the port that it publishes, and not between services."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import get
from tests.e2e.compose_project import ComposeProject, Inside, published

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House

pytestmark = [
    pytest.mark.engines("docker"),
    pytest.mark.docker("python"),
    pytest.mark.timeout(120),
]

PASSWORD = "a password of the lab"
ANN = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()

SPEAKS = """
import http.server, socketserver, threading
web = http.server.ThreadingHTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=web.serve_forever).start()
class Talker(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"no words of HTTP\\n")
socketserver.ThreadingTCPServer(("", 7000), Talker).serve_forever()
"""
CALLS = "import urllib.request; print(urllib.request.urlopen('http://app:8000').status)"

FILE = f"""
services:
  app:
    image: python:3.11-slim
    command: {json.dumps(["python3", "-c", SPEAKS])}
    ports: ["127.0.0.1::8000"]
    x-compartment: {{accessMode: authenticated, kind: web, port: 8000}}
  caller:
    image: python:3.11-slim
    command: [sleep, infinity]
"""


async def test_a_published_port_asks_for_a_login(
    running: House, tmp_path: Path, docker_socket: str
) -> None:
    project = ComposeProject.written(tmp_path, "guarded", FILE)
    await running.deployed(project)
    app = await published(running, project, "app")
    assert (await get(app, "/", authorization=ANN)).status == 403
    target = {"project": project.name, "environment": "production"}
    await running.client.add_user("ann", {**target, "password": PASSWORD})
    assert (await get(app, "/")).status == 401
    assert (await get(app, "/", authorization=ANN)).status == 200
    inside = Inside(docker_socket, running, project)
    assert await inside.run("caller", "python3", "-c", CALLS) == "200"

    # Where no login can be asked for it is not published, and what is live stays.
    project.override('services: {app: {ports: ["127.0.0.1::7000"]}}\n')
    result = await running.run(project)
    assert result["run"]["status"] == "failed"
    assert "its published port 7000 speaks plain TCP" in result["failureMessage"]
    assert (await get(app, "/")).status == 401
    assert (await get(app, "/", authorization=ANN)).status == 200
