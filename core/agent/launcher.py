"""Finding the agent of a home folder, or starting it: like a terminal multiplexer's server."""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.agent import systemd
from core.agent.protocol import error_from_json
from core.agent.systemd import scoped
from core.agent.unit import installed
from core.errors import AgentUnavailable
from core.files import private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.files import Home
    from core.gateway.table import Ports

_START_TIMEOUT_S = 60.0
"""Long, because an agent first adopts, or starts again, everything that is live."""

_RETRY_PAUSE_S = 0.25
_READY = b'{"ready": true}\n'

_LOG_LIMIT_BYTES = 8 * 1024 * 1024

AGAIN = "--again"
"""Has the agent make no home folder: it may have been deleted while the agent was on its way up."""

_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "XDG_CONFIG_HOME")


async def launch(home: Home, ports: Ports | None = None) -> None:
    """Starts an agent and waits until it answers.

    Raises:
        CompartmentError: what the agent said instead of getting ready.
    """
    home.create()
    await asyncio.to_thread(_launch, home, _options(ports))


async def launch_again(home: Home) -> None:
    """The same for a home that had an agent: one that was deleted stays deleted.

    Raises:
        AgentUnavailable: it is gone.
        CompartmentError: what the agent said instead of getting ready.
    """
    try:
        await asyncio.to_thread(_launch, home, [AGAIN])
    except FileNotFoundError:
        check_is_there(home)
        raise


def check_is_there(home: Home) -> None:
    """Refuses a home folder that was deleted.

    Raises:
        AgentUnavailable: it is gone.
    """
    if not home.journal.exists():
        anew, deploy = "compartment doctor --rebuild", "deploy again: compartment deploy"
        is_known = home.manifests.is_dir()
        raise AgentUnavailable(
            f"the home folder {home.root} is gone, and with it all that its agent knew",
            hint=f"only its journal is: {anew}" if is_known else deploy,
            code="home_gone",
        )


def _options(ports: Ports | None) -> list[str]:
    if ports is None:
        return []
    chosen = ["--port", str(ports.public), "--internal-port", str(ports.internal)]
    https = [] if ports.https is None else ["--https-port", str(ports.https)]
    return [*chosen, *https, "--host", ports.host]


def _launch(home: Home, options: Sequence[str]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _start(home, options):
        # Another client's agent is on its way up, or one that was stopped finishes its drains: it
        # has no socket any more and holds the lock until it is done.
        if _answers(home):
            return
        if time.monotonic() > deadline:
            raise AgentUnavailable(
                "another agent holds the home folder but does not answer",
                hint=f"see {home.agent_output}",
            )
        time.sleep(_RETRY_PAUSE_S)


def _answers(home: Home) -> bool:
    """Whether somebody listens: a socket may have outlived the agent that made it."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(home.agent_socket)) == 0


def _start(home: Home, options: Sequence[str]) -> bool:
    """Starts an agent and waits until it is ready; False where another one holds the home."""
    if AGAIN in options:
        check_is_there(home)
    if not set(options) - {AGAIN} and _start_unit(home):
        return True
    command = [sys.executable, "-P", "-m", "core.agent.daemon", *options]
    # What a login has started may end with it; see docs/operations.md.
    in_scope = scoped(command)
    line = _spawn(home, in_scope)
    if not line and in_scope != command:
        line = _spawn(home, command)
    if not line:
        raise AgentUnavailable("the agent ended at its start", hint=f"see {home.agent_output}")
    answer = json.loads(line)
    if "error" not in answer:
        return True
    error = error_from_json(answer["error"])
    if error.code != "agent_running":
        raise error
    return False


def _start_unit(home: Home) -> bool:
    """Has systemd start the agent where it is to; False where that is not so, or it cannot."""
    unit = installed(home)
    if unit is None or not unit.starts_us or not systemd.runs(unit.kind):
        return False
    return systemd.call(unit.kind, "start", unit.name) is None


def _spawn(home: Home, command: Sequence[str]) -> bytes:
    """Starts an agent and returns the line in which it says how that went; empty: it ended."""
    if home.agent_output.exists() and home.agent_output.stat().st_size > _LOG_LIMIT_BYTES:
        home.agent_output.replace(home.agent_output.with_suffix(".log.1"))
    with open(home.agent_output, "ab", opener=private) as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd="/",
            env=_environment(home),
            start_new_session=True,
        )
    assert process.stdout is not None
    with process.stdout as said:
        if not select.select([said], [], [], _START_TIMEOUT_S)[0]:
            if _answers(home):  # and brings back what was live
                return _READY
            raise AgentUnavailable(
                f"the agent (pid {process.pid}) does not get ready",
                hint=f"see {home.agent_output}",
            )
        line = said.readline()
    # It goes on without us, on purpose; subprocess would warn of it.
    process.returncode = process.poll() or 0
    return line


def _environment(home: Home) -> dict[str, str]:
    """The agent's environment: clean, so that no terminal leaks into every deploy."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    ours = {name: value for name, value in os.environ.items() if name.startswith("COMPARTMENT_")}
    return {**passed, **ours, **places(home)}


def places(home: Home) -> dict[str, str]:
    """The variables that name our folder and file, for an agent, which runs in another folder."""
    named = os.environ.get("COMPARTMENT_CONFIG")
    config = {"COMPARTMENT_CONFIG": str(Path(named).absolute())} if named else {}
    return {"COMPARTMENT_HOME": str(home.root), **config}


async def wait_ended(pid: int) -> None:
    """Returns when an agent has ended; another one may hold its home by then."""
    await asyncio.to_thread(_wait_ended, pid)


def _wait_ended(pid: int) -> None:
    try:
        if hasattr(os, "pidfd_open"):
            # Readable at the end of a process, whoever its parent is.
            with os.fdopen(os.pidfd_open(pid), "rb") as ended:
                select.select([ended], [], [])
        else:
            while True:
                os.kill(pid, 0)
                time.sleep(_RETRY_PAUSE_S)
    except ProcessLookupError:
        return
