"""The program as people and scripts run it, against a real agent, gateway and services."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpcore
import pytest

from core.agent.client import Client
from core.gateway.table import Ports
from tests.e2e.clients import held
from tests.e2e.house import kill
from tests.pausing import pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.house import House, LabProject

pytestmark = pytest.mark.e2e

DRAINS_LONG = {"drain": {"timeoutMs": 60_000}}
PROGRAM = "import sys; from core.cli.main import run; sys.exit(run())"
SLOW_BOOT = {"boot_delay_ms": 8000}
PATIENCE_S = 30
TAKES_ENGINE = ("plan", "deploy", "redeploy")
CTRL = "\x1b"


@dataclass
class Done:
    """How a command ended."""

    code: int | None
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


class Command:
    """A command that is running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def until(self, words: str) -> None:
        """Reads its progress until something was said."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.said:
                line = (await self.process.stderr.readline()).decode()
                assert line, f"it ended without {words!r}: {self.said}"
                self.said += line

    async def done(self) -> Done:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await self.process.communicate()
        return Done(self.process.returncode, out.decode(), self.said + err.decode())


@pytest.fixture
async def started(lab: LabProject, engine: str) -> AsyncIterator[Any]:
    """Starts commands in the project's folder; none outlives its test."""
    commands: list[Command] = []

    async def start(*arguments: str, **variables: str) -> Command:
        if arguments[0] in TAKES_ENGINE:
            arguments += ("--engine", engine)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, *arguments),
            cwd=lab.root,
            env={**os.environ, **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        commands.append(Command(process))
        return commands[-1]

    yield start
    for command in commands:
        if command.process.returncode is None:
            command.process.kill()
            await command.process.communicate()


@pytest.fixture
def cli(started: Any) -> Any:
    """Runs a command to its end."""

    async def run(*arguments: str, **variables: str) -> Done:
        command: Command = await started(*arguments, **variables)
        return await command.done()

    return run


async def ask(running: House, path: str) -> int:
    """Asks the public listener; returns the status."""
    at = await running.target()
    async with httpcore.AsyncConnectionPool() as pool:
        url = f"http://{at.address}:{at.port}{path}"
        return (await pool.request("GET", url, headers={"host": at.host})).status


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_a_day_in_the_life(cli: Any, lab: LabProject) -> None:
    planned = await cli("plan")
    assert "web" in planned.out
    assert "first deployment" in planned.out

    first = await cli("deploy", "--label", "one")
    assert first.code == 0, first.err
    assert "checking_readiness" in first.err
    assert first.out.splitlines()[1].split()[:4] == ["web", "succeeded", "active", "healthy"]
    assert CTRL not in first.out + first.err

    again = await cli("deploy")
    assert (again.code, again.out) == (0, "nothing changed: every service is up to date\n")

    lab.bump()
    second = await cli("deploy", "--output", "json")
    assert second.code == 0
    assert second.document["run"]["status"] == "succeeded"
    new = second.document["deployments"][0]["id"]

    status = await cli("status")
    assert new in status.out
    back = await cli("rollback", "--output", "jsonl")
    assert back.code == 0
    types = [json.loads(line)["type"] for line in back.out.splitlines()]
    assert types[0] == "RunQueued"
    assert types[-1] == "RunFinished"
    after = (await cli("status", "--output", "json")).document
    assert after["activeDeployments"][0]["id"] != new

    listed = await cli("deployment", "list")
    assert listed.code == 0
    assert '"one"' in listed.out
    assert "rolled_back" in listed.out
    assert "  rollback  succeeded  1 service  " in listed.out
    assert "  returned  " in listed.out
    assert (await cli("inspect", "--deployment", new)).out.count(new) == 1
    assert (await cli("status", "--verbose")).code == 0

    down = await cli("down")
    assert (down.code, down.out) == (0, "stopped in lab/production: web\n")


async def test_reads_and_rollback_need_no_project_file(
    cli: Any, running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    (lab.root / "compartment.yml").unlink()
    assert (await cli("status")).code == 2
    for command in ("status", "logs", "inspect"):
        assert (await cli(command, "--project", "lab")).code == 0
    none_earlier = await cli("rollback", "--project", "lab")
    assert none_earlier.code == 1
    assert "no earlier deployment" in none_earlier.err
    assert (await cli("down", "--project", "lab")).code == 0


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_a_failed_run_says_why_and_leaves_the_live_one(
    cli: Any, running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    lab.write(web={"lab": {"exit_at_start": 3}})
    failed = await cli("deploy", "--output", "json")
    assert failed.code == 1
    assert failed.document["run"]["status"] == "failed"
    assert failed.document["failureMessage"]
    assert "error: web:" in failed.err
    assert "everything that was live still serves" in failed.err
    assert "Traceback" not in failed.err
    assert await ask(running, "/") == 200
    status = await cli("status")
    assert "failed" in status.out
    assert "serves" in status.out


async def test_who_does_not_want_to_wait_gets_3(
    cli: Any, started: Any, running: House, lab: LabProject
) -> None:
    lab.write(web={"lab": SLOW_BOOT})
    ahead = await started("deploy")
    await ahead.until("checking_readiness")
    at_once = await cli("deploy", "--timeout", "0")
    assert at_once.code == 3
    assert "is ahead" in at_once.err
    later = await cli("deploy", "--timeout", "0.2", "--output", "json")
    assert later.code == 3
    assert later.document["run"]["failureCode"] == "deployment_target_busy"
    ahead.process.send_signal(signal.SIGTERM)
    assert (await ahead.done()).code == 143


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "stage", ["", "queued", "building", "starting_candidate", "checking_readiness"]
)
async def test_a_signal_before_the_switch_cancels(
    number: signal.Signals, stage: str, started: Any, running: House, lab: LabProject
) -> None:
    await cancelled_by(number, stage, started, running, lab)


@pytest.mark.engines("docker")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("stage", ["building", "starting_candidate", "checking_readiness"])
async def test_a_signal_cancels_on_docker_too(
    stage: str, started: Any, running: House, lab: LabProject
) -> None:
    await cancelled_by(signal.SIGINT, stage, started, running, lab)


async def cancelled_by(
    number: signal.Signals, stage: str, started: Any, running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    build = {"build": {"command": "sleep 30"}} if stage == "building" else {}
    lab.write(web={"lab": SLOW_BOOT, **build})
    command = await started("deploy", "--output", "json")
    await command.until(stage or "drn_")
    command.process.send_signal(number)
    done = await command.done()
    assert done.code == 128 + number, done.err
    assert done.document["run"]["failureCode"] == "cancelled"
    assert "everything that was live still serves" in done.err
    assert await ask(running, "/") == 200
    assert len(running.instance_names()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_after_the_switch_leaves_the_run_to_the_agent(
    number: signal.Signals, started: Any, running: House, lab: LabProject
) -> None:
    lab.write(web=DRAINS_LONG)
    await running.deployed(lab)
    lab.bump()
    async with held(await running.target()) as request:
        command = await started("deploy")
        await command.until("draining_previous")
        command.process.send_signal(number)
        done = await command.done()
        assert (await request.end()).status == 200
    assert done.code == 128 + number
    assert "past the switch and goes on" in done.err
    run_id = done.err.partition(":")[0]
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_a_hangup_detaches(started: Any, running: House, lab: LabProject) -> None:
    lab.write(web={"lab": {"boot_delay_ms": 1500}})
    command = await started("deploy")
    await command.until("checking_readiness")
    command.process.send_signal(signal.SIGHUP)
    done = await command.done()
    assert done.code == 129
    run_id = done.err.partition(":")[0]
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_a_second_signal_leaves_at_once(
    started: Any, running: House, lab: LabProject
) -> None:
    # Stopped, the agent answers nothing: only a second signal gets away from it.
    lab.write(web={"lab": SLOW_BOOT})
    command = await started("deploy", "--output", "json")
    await command.until("checking_readiness")
    agent = await running.agent_pid()
    pause(agent)
    try:
        command.process.send_signal(signal.SIGTERM)
        await command.until("a second signal leaves at once")
        command.process.send_signal(signal.SIGINT)
        done = await command.done()
    finally:
        os.kill(agent, signal.SIGCONT)
    assert done.code == 143
    assert "left at the second signal" in done.document["failureMessage"]


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_the_agents_death_is_survived(started: Any, running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    lab.write(web={"lab": SLOW_BOOT})
    command = await started("deploy", "--output", "json")
    await command.until("checking_readiness")
    kill(await running.agent_pid())
    done = await command.done()
    assert "the agent went away; attaching again" in done.err
    assert done.code == 1
    assert "the agent ended before the switch" in done.document["failureMessage"]
    assert await ask(running, "/") == 200


async def test_an_agent_that_is_stopped_in_the_middle_is_replaced(
    cli: Any, started: Any, running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    lab.write(web={"lab": SLOW_BOOT})
    command = await started("deploy")
    await command.until("checking_readiness")
    stopped = await cli("agent", "stop")
    assert stopped.code == 0
    assert "a run is going on" in stopped.err
    assert "1 instance and the gateway go on serving" in stopped.out
    assert (await command.done()).code == 1
    assert await ask(running, "/") == 200


async def test_an_agent_that_is_started_again_keeps_its_ports(
    started: Any, running: House, lab: LabProject
) -> None:
    about = await running.client.agent()
    lab.write(web={"lab": SLOW_BOOT})
    command = await started("deploy")
    await command.until("checking_readiness")
    ports = (await running.client.agent())["publicAddress"]
    assert ports != about["publicAddress"] == "127.0.0.1:0"
    await running.client.stop_agent()
    await command.done()
    assert (await running.client.agent())["publicAddress"] == ports


async def test_a_home_folder_that_was_deleted_stays_deleted(
    started: Any, running: House, lab: LabProject
) -> None:
    lab.write(web={"lab": SLOW_BOOT})
    command = await started("deploy")
    await command.until("checking_readiness")
    # As `make demo-stop` does it: once the agent has ended, at once.
    await running.client.stop_agent()
    running.home.journal.unlink()
    # An agent that the command has just started writes its log before it finds no journal.
    while running.home.root.exists():
        shutil.rmtree(running.home.root, ignore_errors=True)
    done = await command.done()
    assert done.code == 4
    assert f"error: the home folder {running.home.root} is gone" in done.err
    assert not running.home.root.exists()
    running.home.create()  # for the fixture, which shows what the agent has said
    running.home.agent_output.touch()


async def test_a_home_folder_that_was_made_anew_knows_nothing_of_the_run(
    started: Any, running: House, lab: LabProject
) -> None:
    lab.write(web={"lab": SLOW_BOOT})
    command = await started("deploy", "--output", "json")
    await command.until("checking_readiness")
    pause(command.process.pid)
    await running.client.stop_agent()
    shutil.rmtree(running.home.root)
    async with Client.connected(running.home, ports=Ports(0, 0)):
        os.kill(command.process.pid, signal.SIGCONT)
        done = await command.done()
    assert done.code == 4
    assert "does not know of run" in done.document["failureMessage"]


async def test_an_agent_that_still_drains_is_waited_for(
    cli: Any, started: Any, running: House, lab: LabProject
) -> None:
    lab.write(web=DRAINS_LONG)
    await running.deployed(lab)
    lab.bump()
    async with held(await running.target()) as request:
        command = await started("deploy")
        await command.until("draining_previous")
        stopping = await started("agent", "stop")
        await command.until("attaching again")
        assert (await request.end()).status == 200
        done = await command.done()
        assert (await stopping.done()).code == 0
    assert done.code == 0, done.err


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_cut_requests_are_told_by_the_exit_code(
    cli: Any, running: House, lab: LabProject
) -> None:
    lab.write(web={"drain": {"timeoutMs": 500}, "lab": {"term_mode": "instant"}})
    await running.deployed(lab)
    lab.bump()
    async with held(await running.target()) as request:
        done = await cli("deploy")
        assert (await request.reply()).status == 503
    assert done.code == 5, done.err
    assert "1 requests were cut" in done.err


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_logs_are_followed_until_interrupted(
    started: Any, running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    command = await started("logs", "--follow", "--tail", "1")
    assert await command.process.stdout.readline()
    lab.bump()
    await running.deployed(lab)
    async for line in command.process.stdout:
        if b"[stdout]      web v2 listens" in line:
            break
    command.process.send_signal(signal.SIGINT)
    done = await command.done()
    assert done.code == 130
    assert not done.err


async def test_a_closed_pipe_ends_a_follower_quietly_and_not_the_run(
    started: Any, running: House, lab: LabProject
) -> None:
    lab.write(web={"lab": {"boot_delay_ms": 1000}})
    command = await started("deploy", "--output", "jsonl")
    await command.until("drn_")
    command.process.stdout._transport.close()
    done = await command.done()
    assert done.code == 141
    assert "Traceback" not in done.err
    run_id = done.err.partition(":")[0]
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_cancel_and_detach(cli: Any, running: House, lab: LabProject) -> None:
    lab.write(web={"lab": SLOW_BOOT})
    run_id = (await cli("deploy", "--detach")).out.strip()
    cancelled = await cli("cancel", "--run", run_id)
    assert cancelled.code == 0
    assert run_id in cancelled.out
    over = await cli("cancel", "--run", run_id)
    assert over.code == 1
    assert "is over" in over.err


async def test_agent_and_doctor(cli: Any, running: House) -> None:
    about = (await cli("agent", "status", "--output", "json")).document
    assert about["pid"] == await running.agent_pid()
    assert (await cli("agent", "start", "--port", "0")).code == 0
    elsewhere = await cli("agent", "start", "--port", "1")
    assert elsewhere.code == 1
    assert "compartment agent stop" in elsewhere.err
    healthy = await cli("doctor", "--output", "json")
    assert healthy.code == 0
    assert healthy.document["isHealthy"]
    assert (await cli("agent", "stop")).code == 0
    assert (await cli("agent", "status")).code == 4
    assert (await cli("agent", "stop")).out == "no agent is running\n"


async def test_doctor_tells_of_an_agent_that_hangs(cli: Any, running: House) -> None:
    agent = await running.agent_pid()
    pause(agent)
    try:
        done = await cli("doctor", "--output", "json")
    finally:
        os.kill(agent, signal.SIGCONT)
    assert done.code == 4
    found = {check["name"]: check for check in done.document["checks"]}
    assert found["agent"]["level"] == "fail"
    assert f"kill {agent}" in found["agent"]["mend"]
