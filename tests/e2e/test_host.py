"""`--host`: a laptop and a server, which are two home folders of this machine and a real sshd."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from core.errors import Conflict
from tests.e2e.clients import get
from tests.e2e.compose_project import ComposeProject, published
from tests.load.load import Load
from tests.load.plan import LoadPlan
from tests.ssh.server import ALIAS, SshServer, ssh_server
from tests.tui.pty import terminal

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.timeout(180)

_COMPARTMENT = (sys.executable, "-P", "-m", "core.cli.main")
_PATIENCE_S = 60.0
SLOW = {"lab": {"boot_delay_ms": 2500}}


class Laptop:
    """Where a person types, beside the files of a project."""

    def __init__(self, folder: Path, project: LabProject, ssh: SshServer) -> None:
        self.home = folder
        self.ssh = ssh
        self.project = project
        path = f"{ssh.programs}:{os.environ['PATH']}"
        self.environ = {**os.environ, "COMPARTMENT_HOME": str(folder), "PATH": path}

    async def start(self, *arguments: str) -> Process:
        """Begins a command, about the server unless it says otherwise."""
        return await asyncio.create_subprocess_exec(
            *_COMPARTMENT, "--host", ALIAS, *arguments,
            cwd=self.project.root, env=self.environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            limit=1024**2,
        )  # fmt: skip

    async def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Carries out a command; returns what it printed on standard output and error."""
        process = await self.start(*arguments)
        async with asyncio.timeout(_PATIENCE_S):
            out, err = await process.communicate()
        said = out.decode(), err.decode()
        assert process.returncode == code, said
        return said

    def left(self) -> list[str]:
        """What commands left behind for their connections."""
        return sorted(path.name for path in (self.home / "run").glob("s*"))


@pytest.fixture
def ssh(running: House, tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "ssh", running.home.root) as found:
        yield found


@pytest.fixture
def laptop(tmp_path: Path, home: Path, lab: LabProject, ssh: SshServer) -> Laptop:
    return Laptop(home.parent / "laptop", lab, ssh)


async def said(process: Process, words: str) -> str:
    """Reads the standard error of a command until a line has these words."""
    assert process.stderr is not None
    read = ""
    async with asyncio.timeout(_PATIENCE_S):
        while words not in read:
            line = await process.stderr.readline()
            assert line, f"ended without {words!r}: {read}"
            read += line.decode()
    return read


async def gone(process: psutil.Process) -> None:
    """Waits until a process has ended."""
    with suppress(psutil.NoSuchProcess):
        async with asyncio.timeout(_PATIENCE_S):
            while process.status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.02)


async def no_connections(ssh: SshServer) -> None:
    """Waits until nobody is logged in any more."""
    async with asyncio.timeout(_PATIENCE_S):
        while ssh.connections():
            await asyncio.sleep(0.02)


def ssh_of(pid: int) -> psutil.Process:
    """The connection of a command."""
    (found,) = (each for each in psutil.Process(pid).children() if each.name() == "ssh")
    return found


async def test_from_a_laptop_to_a_server_and_back(
    running: House, lab: LabProject, laptop: Laptop
) -> None:
    _, told = await laptop.run("plan", "--engine", "process")
    assert re.search(r"sending \d+ files \(0\.\d MB\) to server", told)
    assert await running.client.environments() == {"environments": []}

    # What was sent for the plan is there.
    out, told = await laptop.run("deploy", "--engine", "process", "--output", "json")
    assert "sending" not in told
    assert json.loads(out)["run"]["status"] == "succeeded"
    assert [each["status"] for each in (await running.active(lab))["web"]] == ["succeeded"]

    out, told = await laptop.run("deploy")
    assert ("sending" in told, "nothing changed" in out) == (False, True)

    lab.bump()
    out, _ = await laptop.run("plan", "--output", "json")
    (planned,) = json.loads(out)["services"]
    assert (planned["build"], planned["because"]) == (True, "the source changed")
    root = running.home.uploads / "lab@production" / "source"
    assert (root / "app" / "VERSION").read_text() == "v1\n"

    # Another laptop, on which the project lies elsewhere, is the same place.
    other = lab.root.rename(lab.root.parent / "elsewhere")
    lab.root = other
    out, told = await laptop.run("deploy", "--output", "json")
    assert "sending" not in told
    assert (root / "app" / "VERSION").read_text() == "v2\n"
    assert len(json.loads(out)["deployments"]) == 1
    assert sorted(path.name for path in root.parent.iterdir()) == ["source", "source.json"]

    out, _ = await laptop.run("status", "--output", "json")
    assert json.loads(out)["activeDeployments"][0]["serviceName"] == "web"
    out, _ = await laptop.run("logs", "--tail", "5")
    assert "[compartment]" in out
    await laptop.run("variable", "set", "COLOUR", "blue")
    assert "COLOUR" in (await laptop.run("variable", "list"))[0]
    out, _ = await laptop.run("agent", "status", "--output", "json")
    assert json.loads(out)["home"] == str(running.home.root)
    await laptop.run("rollback")

    # On the server itself, from a folder there, it would be another project of that name.
    with pytest.raises(Conflict, match="is deployed from another machine, with --host"):
        await running.submit(lab)
    assert laptop.left() == []
    await no_connections(laptop.ssh)


async def test_a_connection_that_is_cut_does_not_end_the_run(
    running: House, lab: LabProject, laptop: Laptop, counts: FiguresRecorder
) -> None:
    await laptop.run("deploy", "--engine", "process")
    lab.write(web=SLOW)
    lab.bump()
    plan = LoadPlan(fresh_per_s=50, posts_per_s=1, sse_clients=0, websocket_clients=0)
    async with Load(await running.target(), plan) as load:
        await load.has_sent(50)
        deploy = await laptop.start("deploy", "--output", "json")
        await said(deploy, "starting_candidate")
        ssh_of(deploy.pid).kill()
        await said(deploy, "the connection to server is lost; connecting again (1 of 6)")
        # And once more, from the other side.
        await said(deploy, "web")
        laptop.ssh.cut()
        async with asyncio.timeout(_PATIENCE_S):
            out, err = await deploy.communicate()
        await load.has_sent(load.report().sent + 50)
    assert deploy.returncode == 0, err.decode()
    found = json.loads(out)
    assert found["run"]["status"] == "succeeded"
    report = load.report()
    counts("requests sent while connections were cut", report.sent, "requests")
    counts("requests lost while connections were cut", len(report.lost), "requests", 0)
    assert [str(loss) for loss in report.lost] == []
    assert laptop.left() == []


async def test_ctrl_c_and_a_kill_of_the_command(
    running: House, lab: LabProject, laptop: Laptop
) -> None:
    lab.write(web=SLOW)
    deploy = await laptop.start("deploy", "--engine", "process")
    await said(deploy, "starting_candidate")
    carrier = ssh_of(deploy.pid)
    # As the terminal does: to the command and to its ssh.
    os.kill(carrier.pid, signal.SIGINT)
    os.kill(deploy.pid, signal.SIGINT)
    async with asyncio.timeout(_PATIENCE_S):
        _, err = await deploy.communicate()
    assert deploy.returncode == 130, err.decode()
    assert "lost" not in err.decode()
    assert laptop.left() == []

    deploy = await laptop.start("deploy", "--engine", "process")
    told = await said(deploy, "starting_candidate")
    carrier = ssh_of(deploy.pid)
    deploy.kill()
    await deploy.wait()
    await gone(carrier)
    assert len(laptop.left()) == 1
    # The run goes on, and the next command cleans up.
    run_id = re.search(r"drn_\w+", told)
    assert run_id is not None
    assert (await running.end(run_id[0]))["run"]["status"] == "succeeded"
    await laptop.run("status")
    assert laptop.left() == []


async def test_the_dashboard_of_a_server(
    running: House, lab: LabProject, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PATH", "COMPARTMENT_HOME"):
        monkeypatch.setenv(name, laptop.environ[name])
    async with terminal("--host", ALIAS, "--engine", "process", cwd=lab.root) as found:
        await found.until("connecting to server")
        await found.until("nothing is deployed to production")
        await found.until("on server")
        found.press("D")
        await found.until("barrier")
        await found.press_until("enter", lambda found: "barrier" not in found.text)
        await found.until("deploy succeeded")
        # Away until the server lets it in again, however slowly this is looked at.
        laptop.ssh.command("echo not now >&2; exit 1")
        ssh_of(found.process.pid).kill()
        await found.until("no connection", within_s=_PATIENCE_S)
        laptop.ssh.command(laptop.ssh.compartment)
        await found.until(lambda found: "no connection" not in found.text, within_s=_PATIENCE_S)
        found.press("q")
        assert await found.end() == 0
        assert found.is_restored
    assert [each["status"] for each in (await running.active(lab))["web"]] == ["succeeded"]
    assert laptop.left() == []


async def test_why_there_is_no_way_to_an_agent(
    running: House, laptop: Laptop, tmp_path: Path
) -> None:
    ssh = laptop.ssh
    known, command = ssh.known_hosts.read_text(), ssh.compartment

    async def refused(*arguments: str) -> str:
        _, err = await laptop.run(*arguments, code=4)
        assert len(err.strip().splitlines()) == 2, err
        return err

    ssh.command("")
    err = await refused("status")
    assert "there is no command `compartment` on server" in err
    ssh.command("echo this machine is busy >&2; exit 3")
    assert "cannot reach server: this machine is busy" in await refused("status")
    ssh.command("""echo '{"version": "0.0.1", "protocol": 1}'""")
    assert "compartment on server is version 0.0.1, which knows no --host" in await refused(
        "status"
    )
    # What a login shell says before it is passed over.
    ssh.command(f"echo 'Welcome! {{'; {command}")
    assert json.loads((await laptop.run("agent", "status", "--output", "json"))[0])["pid"]

    ssh.known_hosts.write_text("")
    err = await refused("status")
    assert "Host key verification failed" in err
    assert "accept it once: ssh server" in err
    other_key = (tmp_path / "ssh" / "user.pub").read_text().split()[1]
    ssh.known_hosts.write_text(known.replace(known.split()[-1], other_key))
    assert "ssh-keygen -R" in await refused("status")
    ssh.known_hosts.write_text(known)

    with ssh_server(tmp_path / "strict", running.home.root, "AllowStreamLocalForwarding no") as two:
        strict = Laptop(laptop.home, laptop.project, two)
        _, err = await strict.run("status", code=4)
        assert "the agent's socket on server cannot be forwarded" in err
        assert "AllowStreamLocalForwarding yes" in err
    _, err = await strict.run("status", code=4)
    assert "Connection refused" in err
    assert laptop.left() == []


BOUND = """\
services:
  page:
    image: nginx
    ports: ["127.0.0.1::80"]
    volumes: [./page:/usr/share/nginx/html:ro, ./data:/data]
"""


@pytest.mark.engines("docker")
@pytest.mark.docker("nginx")
async def test_what_is_bound_into_containers_stays_where_it_is(
    running: House, home: Path, tmp_path: Path, ssh: SshServer
) -> None:
    project = ComposeProject.written(tmp_path, "bound", BOUND)
    for name, text in (("page/index.html", "one"), ("data/rows", "seed")):
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).write_text(text)
    # The agent has to know the engine of the test, which is at no usual place.
    body = {"project": project.name, "trigger": "deploy", "root": str(project.root)}
    await running.client.plan({**body, "environ": dict(os.environ), "engine": "docker"})
    laptop = Laptop(home.parent / "laptop", project, ssh)
    await laptop.run("deploy", "--engine", "docker")
    page = await published(running, project, "page")
    assert (await get(page, "/")).body == b"one"
    root = running.home.uploads / f"{project.name}@production" / "source"
    (root / "data" / "rows").write_text("written by the service")

    out, _ = await laptop.run("plan", "--output", "json")
    assert [each["because"] for each in json.loads(out)["services"]] == ["unchanged"]
    (project.root / "page" / "index.html").write_text("two")
    out, _ = await laptop.run("plan", "--output", "json")
    (planned,) = json.loads(out)["services"]
    assert (planned["because"], planned["build"]) == ("the configuration changed", False)
    assert (await get(page, "/")).body == b"one"
    await laptop.run("deploy")
    assert (await get(page, "/")).body == b"two"
    assert (root / "data" / "rows").read_text() == "written by the service"
