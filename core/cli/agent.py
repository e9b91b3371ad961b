"""Commands about the agent itself."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from typing import TYPE_CHECKING, Any

from core.agent.client import Client
from core.agent.launcher import places
from core.cli.exits import Exit
from core.cli.ports import known_ports
from core.cli.target import ask
from core.cli.text import counted, pairs
from core.errors import AgentUnavailable, Conflict, UsageError
from core.files import Home
from core.remote.where import agent_door, is_elsewhere

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output
    from core.gateway.table import Ports

Json = dict[str, Any]

_LISTENERS = ("port", "internal_port", "https_port", "host")
"""What may be said of where the gateway listens."""


def start(arguments: Namespace, output: Output) -> int:
    """Starts the agent where none runs; says so where one runs that listens elsewhere."""
    if is_elsewhere():
        return _start_there(arguments, output)
    home = Home.locate()
    ports = _asked_ports(arguments, home)

    async def conversation() -> tuple[Json | None, Json]:
        async with Client.opened(home) as client:
            before = await _about(client)
            await client.attach(ports=ports)
            return before, await client.agent()

    before, about = asyncio.run(conversation())
    # Somebody else may have started one in the same moment, too.
    _refuse_other_ports(arguments, about)
    _warn_of_open_listener(about["publicAddress"].rpartition(":")[0], output)
    word = "runs already" if before and before["pid"] == about["pid"] else "started"
    output.answer(about, lambda: [f"the agent {word}", *_about_lines(about)])
    return Exit.DONE


def _start_there(arguments: Namespace, output: Output) -> int:
    """The same on a server, whose own command decides about listeners."""
    if any(getattr(arguments, name) is not None for name in _LISTENERS):
        raise UsageError(
            "where the gateway of a server listens is said there",
            hint=f"{arguments.server.ssh} compartment agent start --port ...",
        )

    async def about_it(client: Client) -> Json:
        return await client.agent()

    about = ask(about_it)
    output.answer(about, lambda: [f"the agent runs on {arguments.server}", *_about_lines(about)])
    return Exit.DONE


def stop(_: Namespace, output: Output) -> int:
    """Stops the agent, whatever its version; what is live goes on."""

    async def conversation() -> Json | None:
        async with Client.opened(agent_door()) as client:
            about = await _about(client)
            if about is None:
                return None
            if not about["isIdle"]:
                output.progress("warning: a run is going on; before its switch it is cancelled")
            return await client.stop_agent()

    told = asyncio.run(conversation())
    document = {"wasRunning": told is not None, **(told or {})}
    output.answer(document, lambda: [_stopped(told)])
    return Exit.DONE


def _stopped(told: Json | None) -> str:
    if told is None:
        return "no agent is running"
    left = told["instancesLeftRunning"]
    if not left:
        return "the agent has stopped; nothing is left running"
    goes_on = f"{counted(left, 'instance')} and the gateway go on serving"
    return (
        f"the agent has stopped; {goes_on}, and the next command starts an agent that adopts them"
    )


def status(_: Namespace, output: Output) -> int:
    """What the agent says of itself. Starts none."""

    async def conversation() -> Json:
        async with Client.opened(agent_door()) as client:
            about = await _about(client)
        if about is None:
            raise AgentUnavailable("no agent is running", hint="start it: compartment agent start")
        return about

    about = asyncio.run(conversation())
    output.answer(about, lambda: _about_lines(about))
    return Exit.DONE


def run(arguments: Namespace, output: Output) -> int:
    """Becomes the agent: this process is replaced by it."""
    home = Home.locate()
    ports = _asked_ports(arguments, home)
    command = [sys.executable, "-P", "-m", "core.agent.daemon"]
    if ports is not None:
        _warn_of_open_listener(ports.host, output)
        command += ["--port", str(ports.public), "--internal-port", str(ports.internal)]
        command += ["--host", ports.host]
        command += [] if ports.https is None else ["--https-port", str(ports.https)]
    home.create()
    environment = {**os.environ, **places(home)}
    os.chdir("/")
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is wanted


async def _about(client: Client) -> Json | None:
    try:
        await client.reach()
        return await client.agent()
    except AgentUnavailable as error:
        if error.code != AgentUnavailable.code:
            raise
        return None


def _asked_ports(arguments: Namespace, home: Home) -> Ports | None:
    """The listeners as they were asked for; what was not named is as set, or as it was.

    Raises:
        ConfigError: the settings are wrong.
        Conflict: it would be one port for both.
    """
    # Imported here: the other commands need no validation.
    from core.config.settings import read_settings

    settings = read_settings(os.environ)
    if "@" in (arguments.host or ""):
        raise UsageError(
            f"{arguments.host} is no address that the gateway could listen on",
            hint=f"the agent of a server: compartment --host {arguments.host} agent start",
        )
    told = {name: getattr(arguments, name) for name in _LISTENERS}
    given = {name: value for name, value in told.items() if value is not None}
    return known_ports(home, settings.model_copy(update=given)) if given else None


def _refuse_other_ports(arguments: Namespace, about: Json) -> None:
    host, _, public = about["publicAddress"].rpartition(":")
    internal = about["internalAddress"].rpartition(":")[2]
    https = (about.get("secureAddress") or "").rpartition(":")[2]
    # Any free port was asked for with 0: the one that it has is as good.
    asked = (
        *((arguments.port, public), (arguments.internal_port, internal)),
        *((arguments.https_port, https), (arguments.host, host)),
    )
    if any(want and str(want) != have for want, have in asked):
        raise Conflict(
            f"the agent runs already and listens on {about['publicAddress']}"
            f" and {about['internalAddress']}",
            hint="to change that: compartment agent stop, then start it again",
            code="agent_running",
        )


def _warn_of_open_listener(host: str, output: Output) -> None:
    try:
        is_private = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_private = host == "localhost"
    if not is_private:
        output.progress(f"warning: {host} opens the public listener to other machines")


def _about_lines(about: Json) -> list[str]:
    return pairs(
        [
            ("Home", about["home"]),
            ("Pid", about["pid"]),
            ("Started by", _starter(about)),
            ("Version", about["version"]),
            ("Engines", ", ".join(about["engines"])),
            ("Public", _address(about["publicAddress"])),
            ("Internal", _address(about["internalAddress"])),
            ("TLS", _address(secure) if (secure := about.get("secureAddress")) else None),
            ("Gateway", "running" if about["gatewayRunning"] else "starts with the first deploy"),
            ("Runs", _runs(about)),
            ("Environments", ", ".join(about["environments"]) or None),
        ],
        indent="  ",
    )


def _runs(about: Json) -> str:
    if not about.get("isRecovered", True):
        return "wait until what was live is back"
    return "none going on" if about["isIdle"] else "going on"


def _starter(about: Json) -> str:
    """What has started it; one of an earlier version does not say."""
    unit = about.get("unit")
    return f"systemd, as {unit}" if unit else "a command"


def _address(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{host}, any free port" if port == "0" else address
