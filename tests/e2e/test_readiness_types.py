"""Readiness by port and by command, on both engines: what passes, and what a failure says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.clients import get

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject

pytestmark = [pytest.mark.engines("process", "docker"), pytest.mark.timeout(120)]

TCP = {"type": "tcp", "timeoutMs": 15_000}
WORKS = "python3 -c 'import time; print(\"works\", flush=True); time.sleep(600)'"


def command(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "command", "command": text, "timeoutMs": 15_000, **more}


async def said(running: House, lab: LabProject, service: str) -> list[str]:
    query = {"project": lab.name, "service": service, "tail": 500}
    return [line["message"] async for line in running.client.logs(query)]


async def test_what_passes(running: House, lab: LabProject) -> None:
    """A port, and commands that run where the service runs, with what it sees."""
    marks = 'test "$COMPARTMENT_SERVICE" = worker && test -e server.py && test -e done'
    lab.write(
        web={"readiness": TCP, "lab": {"boot_delay_ms": 300}},
        worker={
            "kind": "worker",
            "run": {"command": f"sleep 0.4; touch done; exec {WORKS}"},
            "readiness": command(f"{marks} || {{ echo is not done; exit 7; }}"),
        },
    )
    result = await running.deployed(lab)
    assert {each["health"] for each in result["deployments"]} == {"healthy"}
    assert (await get(await running.target(), "/version")).status == 200
    web, worker = await said(running, lab, "web"), await said(running, lab, "worker")
    assert any(line.startswith("connect to ") and "connection refused" in line for line in web)
    assert any(line.startswith("connect to ") and "→ connected" in line for line in web)
    assert any("exited with code 7: is not done; not ready yet" in line for line in worker)
    assert any(line.endswith("→ exited with code 0") for line in worker)


FAILURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no listener": (
        {"readiness": {**TCP, "timeoutMs": 700}, "lab": {"listen_port": 19_877}},
        ["connect to", "connection refused", "tries", "it listens on port 19877"],
    ),
    "another code": (
        {"readiness": command("echo the cellar is wet >&2; exit 3", timeoutMs=600)},
        ["exited with code 3: the cellar is wet", "tries"],
    ),
    "no such program": (
        {"readiness": command("no-such-program", timeoutMs=600)},
        ["exited with code 127", "likely: what readiness.command names is not installed"],
    ),
    "a command that hangs": (
        {"readiness": command("sleep 77; true", timeoutMs=600)},
        ["not ready within 0.6 s", "`sleep 77; true`", "1 try"],
    ),
    "an end meanwhile": (
        {
            "kind": "worker",
            "run": {"command": "sleep 0.5; echo cannot reach the queue; exit 9"},
            "readiness": command("exit 1"),
        },
        ["exited with code 9 while it was being checked", "cannot reach the queue"],
    ),
    "a worker that ends early": (
        {"kind": "worker", "run": {"command": "sleep 0.5; exit 9"}, "readiness": None},
        ["exited with code 9 as soon as it was started"],
    ),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_what_fails(running: House, lab: LabProject, kind: str) -> None:
    fields, expected = FAILURES[kind]
    lab.write(web=fields)
    began = time.monotonic()
    result = await running.run(lab)
    assert result["run"]["status"] == "failed"
    (failed,) = result["deployments"]
    for text in expected:
        assert text in failed["failureMessage"]
    assert running.instance_names() == set()
    # A command that hangs is killed, not waited for.
    assert time.monotonic() - began < 60
