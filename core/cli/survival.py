"""What `doctor` says of a reboot, and of the end of the login that has started something."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from core.agent import systemd
from core.agent.taking_in import cgroup_of, lasting
from core.agent.unit import Kind, installed
from core.cli.checks import Check, Level
from core.gateway import processes

if TYPE_CHECKING:
    from core.agent.unit import Unit
    from core.files import Home

_INSTALL: Final = "compartment agent install"
_LIMIT_S: Final = 5.0
_KILLS: Final = (
    "busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager", "KillUserProcesses",
)  # fmt: skip


def survival_checks(home: Home) -> list[Check]:
    """Whether what is live is there again after a reboot, and still there after a logout."""
    gateway = processes.read(home.gateway / "envoy.json").serving
    return [_reboot(installed(home)), _logout(lasting(home, gateway.pid if gateway else None))]


def _reboot(unit: Unit | None) -> Check:
    name = "reboot"
    if unit is None:
        if not systemd.runs(Kind.SYSTEM):
            found = "no systemd here: something else has to run `compartment agent run` at boot"
            return Check(name, Level.WARNING, found, "have the init of this machine run it")
        return Check(name, Level.WARNING, "nothing starts the agent after a reboot", _INSTALL)
    flag = "--user " if unit.kind is Kind.USER else ""
    if not unit.starts_us:
        found = f"{unit.name} starts another installation than this one"
        return Check(name, Level.WARNING, found, _INSTALL)
    if systemd.call(unit.kind, "is-enabled", unit.name):
        mend = f"systemctl {flag}enable --now {unit.name}"
        return Check(name, Level.WARNING, f"{unit.name} is not enabled", mend)
    if unit.kind is Kind.USER and not systemd.lingers():
        return Check(name, Level.WARNING, f"{unit.name} waits for your first login", _linger())
    return Check(name, Level.OK, f"{unit.name} starts everything again")


def _linger() -> str:
    return f"sudo loginctl enable-linger {systemd.user_name()}"


def _logout(pids: list[int]) -> Check:
    name = "logout"
    where = {cgroup_of(pid) for pid in pids}
    if not pids:
        return Check(name, Level.OK, "nothing is live yet")
    if any("/user@" in each for each in where) and not systemd.lingers():
        return Check(name, Level.WARNING, "what is live ends with your last login", _linger())
    if not any("/session-" in each for each in where):
        return Check(name, Level.OK, "what is live belongs to no login")
    kills = _kills_processes()
    if kills is None:
        found = "what is live was started by a login, and may end with it"
    elif kills and os.geteuid() != 0 and not systemd.lingers():
        found = "what is live ends with the login that started it (KillUserProcesses=yes)"
    else:
        return Check(name, Level.OK, "logins of this machine leave their processes running")
    return Check(name, Level.WARNING, found, _INSTALL)


def _kills_processes() -> bool | None:
    """Whether logind ends what a login leaves behind (logind.conf(5)); None: it does not say."""
    try:
        said = subprocess.run(_KILLS, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.split()[-1:] == ["true"]
