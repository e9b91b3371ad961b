"""The whole engine: from a folder to an instance that answers, and what an engine's end does."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from core.engines.base import InstanceSpec, Owner, WantedNetwork
from core.engines.docker.connection import Docker
from core.engines.docker.endpoint import Mode
from core.engines.docker.engine import DockerEngine
from core.engines.docker.labels import home_id
from core.errors import EngineUnavailable, NotFound
from core.files import Home
from core.model import EngineName, Restart, RestartPolicy, Service, ServiceKind
from core.records import Target
from tests.engine import leftovers
from tests.engine.client import connected
from tests.engine.cut import cut
from tests.engines.docker.lab import LIMIT_S, SERVICE, WAITS, labs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.engine.plugin import Faults

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

TARGET = Target("lab", "production")
OWNER = Owner(TARGET, "web", "dep_cccccccccccc")
NAME = "dep_cccccccccccc.1"
ALWAYS = replace(SERVICE, restart=Restart(RestartPolicy.UNLESS_STOPPED))
NEVER = replace(SERVICE, restart=Restart(RestartPolicy.NO))
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["GREETING"].encode())
print("up", flush=True)
http.server.HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""


async def _no_secrets(_deployment_id: str) -> tuple[str, ...]:
    return ()


@asynccontextmanager
async def engine(socket: str, root: Path, mode: Mode = Mode.DIRECT) -> AsyncIterator[DockerEngine]:
    """One of a home of its own, open."""
    home = Home(root)
    home.create()
    async with asyncio.TaskGroup() as tasks:
        found = DockerEngine(home, Docker(socket), mode, tasks, _no_secrets)
        try:
            await found.open()
            yield found
        finally:
            await found.close()


@pytest.fixture
def project(docker_socket: str, home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "server.py").write_text(SERVER)
    return tmp_path


def _spec(home: Path, artifact_id: str) -> InstanceSpec:
    variables = {"GREETING": "hello"}
    return InstanceSpec(NAME, OWNER, Service("web", "web"), artifact_id, variables, home / "x.log")


async def _answer(address: tuple[str, int]) -> str:
    async with httpx.AsyncClient() as client, asyncio.timeout(LIMIT_S):
        while True:
            try:
                return (await client.get("http://{}:{}".format(*address))).text
            except httpx.TransportError:
                await asyncio.sleep(0.01)


async def test_from_a_folder_to_an_answer(docker_socket: str, home: Path, project: Path) -> None:
    said: list[str] = []
    try:
        async with engine(docker_socket, home) as it:
            assert it.name is EngineName.DOCKER
            source = await it.take(project, Service("web", "web"), {}, {})
            assert not it.has_artifact(source.artifact_id)
            await it.build(source, OWNER, said.append)
            assert said
            assert it.has_artifact(source.artifact_id)
            await it.prepare(TARGET, [WantedNetwork(None, {"web": ()})])
            instance = await it.start(_spec(home, source.artifact_id))
            assert await _answer(instance.address) == "hello"
            await instance.keep()
        async with engine(docker_socket, home) as it:
            assert it.has_artifact(source.artifact_id)
            assert await it.instances() == [NAME]
            found = await it.adopt(NAME)
            assert found is not None
            assert await _answer(found.address) == "hello"
            assert (await it.usage([NAME, "none"]))[NAME].memory_bytes > 0
            released = await it.release(_spec(home, source.artifact_id), "exit 3", LIMIT_S)
            assert released.code == 3
            await it.stop(NAME, grace_s=0)
            assert await it.instances() == []
            await it.clear(TARGET)
            await it.prune(set())
            assert not it.has_artifact(source.artifact_id)
    finally:
        with connected(docker_socket) as client:
            leftovers.remove(client, home_id(Home(home)))


async def test_a_shell_is_inside_of_the_container(
    docker_socket: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engines.docker.shell import shell_in

    async with labs(docker_socket, home) as make:
        lab = await make()
        instance = await lab.start(variables={"TEXT": WAITS, "GREETING": "hello"})
        shell = shell_in(instance.id, docker_socket)
        argv = [each for each in shell.argv if each != "-it"]
        argv.insert(argv.index("exec") + 1, "-i")
        done = await asyncio.to_thread(
            subprocess.run, argv, input=b"echo $0 $GREETING", env=shell.environment, cwd=shell.cwd,
            capture_output=True, check=True,
        )  # fmt: skip
        assert done.stdout == b"bash hello\n"
        monkeypatch.setenv("PATH", str(home))
        with pytest.raises(NotFound, match="needs the `docker` command"):
            shell_in(instance.id, docker_socket)


async def test_what_it_says_of_services(docker_socket: str, home: Path) -> None:
    async with engine(docker_socket, home) as it:
        web, worker = Service("web", "."), Service("worker", ".", kind=ServiceKind.WORKER)
        assert it.refusal(web) is None
        assert len(it.warnings(web)) == 1
        assert it.warnings(worker) == ()
        assert it.inherited({"PATH": "/bin"}) == {}
        with pytest.raises(NotFound, match="there is no instance"):
            it.shell(_spec(home, "art_none"))
        await it.check()
    async with engine(docker_socket, home, Mode.HOLDERS) as it:
        assert it.warnings(web) == ()


async def test_an_engine_that_is_away_is_opened_all_the_same(
    docker_socket: str, home: Path
) -> None:
    async with cut(docker_socket) as proxy:
        proxy.refuse(True)
        async with engine(proxy.socket, home) as it:
            with pytest.raises(EngineUnavailable):
                await it.check()
            with pytest.raises(EngineUnavailable):
                await it.instances()
            proxy.refuse(False)
            async with asyncio.timeout(LIMIT_S):
                await it.wait_back()
            await it.check()
            assert await it.instances() == []


@pytest.mark.parametrize("fault", ["restart", "kill"])
async def test_what_was_live_is_live_again_after_the_engine_is(
    docker_socket: str, home: Path, engine_faults: Faults, fault: str
) -> None:
    async with labs(docker_socket, home) as make:
        it = await make()
        image = await it.image()
        live = {
            "dep_c.1": await it.start(name="dep_c.1", image=image, service=SERVICE),
            "dep_c.2": await it.start(name="dep_c.2", image=image, service=ALWAYS),
            "dep_c.3": await it.start(name="dep_c.3", image=image, service=NEVER),
        }
        for name, instance in live.items():
            await instance.keep()
            await it.until_printed("up", name)
        candidate = await it.start(name="dep_c.4", image=image)
        await it.until_printed("up", "dep_c.4")
        back = asyncio.ensure_future(it.events.wait_back())
        mend = engine_faults.restart if fault == "restart" else engine_faults.kill
        await mend()
        async with asyncio.timeout(60):
            await back
            ended = await candidate.wait_exit()
        assert ended.code != 0
        for name, instance in live.items():
            assert instance.exit is None
            found = await it.inspected(instance)
            assert found["State"]["Running"], found["State"]
            (network,) = found["NetworkSettings"]["Networks"].values()
            assert network["IPAddress"] == instance.address[0]
            async with asyncio.timeout(LIMIT_S):
                while it.texts(name) != ["up", "up"]:
                    await asyncio.sleep(0.01)
        assert it.texts("dep_c.4") == ["up"]


async def test_an_engine_that_hangs_is_waited_for(
    docker_socket: str, home: Path, engine_faults: Faults
) -> None:
    async with labs(docker_socket, home) as make:
        it = await make()
        instance = await it.start("import os, signal; print('up'); signal.pause()")
        await it.until_printed("up")
        engine_faults.pause()
        pid = instance.pid
        assert pid is not None
        await asyncio.to_thread(subprocess.run, ["kill", "-9", str(pid)], check=True)
        assert instance.exit is None
        engine_faults.resume()
        async with asyncio.timeout(60):
            assert str(await instance.wait_exit()) == "ended by signal 9 (SIGKILL)"
