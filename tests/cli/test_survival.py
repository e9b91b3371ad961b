"""What `doctor` says of reboots and logouts, from what it finds; systemd itself is not asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.agent import systemd
from core.agent.unit import Kind, Unit
from core.cli import survival
from core.cli.checks import Level
from core.files import Home

if TYPE_CHECKING:
    from core.cli.checks import Check

SESSION = "/user.slice/user-1000.slice/session-3.scope"
MANAGER = "/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope"
UNIT = "/system.slice/compartment.service"
OURS = Unit(Home(Path("/srv/shop")), Kind.USER, "compartment.service")


@pytest.mark.parametrize(
    ("where", "kills", "lingers", "level", "words"),
    [
        (UNIT, True, False, Level.OK, "belongs to no login"),
        (SESSION, True, False, Level.WARNING, "KillUserProcesses=yes"),
        (SESSION, True, True, Level.OK, "leave their processes"),
        (SESSION, False, False, Level.OK, "leave their processes"),
        (SESSION, None, False, Level.WARNING, "may end with it"),
        (MANAGER, False, False, Level.WARNING, "ends with your last login"),
        (MANAGER, True, True, Level.OK, "belongs to no login"),
        (None, True, False, Level.OK, "nothing is live yet"),
    ],
)
def test_logout(
    monkeypatch: pytest.MonkeyPatch, where: str | None, *, kills: bool | None, lingers: bool,
    level: Level, words: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(survival, "lasting", lambda *_: [7] if where else [])
    monkeypatch.setattr(survival, "cgroup_of", lambda _: where)
    monkeypatch.setattr(survival, "_kills_processes", lambda: kills)
    monkeypatch.setattr(systemd, "lingers", lambda: lingers)
    found = checks()["logout"]
    assert (found.level, words in found.found) == (level, True)
    assert (found.mend is None) == (level is Level.OK)


@pytest.mark.parametrize(
    ("unit", "runs", "is_ours", "enabled", "lingers", "level", "words"),
    [
        (None, False, True, True, True, Level.WARNING, "no systemd here"),
        (None, True, True, True, True, Level.WARNING, "nothing starts the agent"),
        (OURS, True, False, True, True, Level.WARNING, "another installation"),
        (OURS, True, True, False, True, Level.WARNING, "is not enabled"),
        (OURS, True, True, True, False, Level.WARNING, "waits for your first login"),
        (OURS, True, True, True, True, Level.OK, "starts everything again"),
    ],
)
def test_reboot(
    monkeypatch: pytest.MonkeyPatch, unit: Unit | None, *, runs: bool, is_ours: bool,
    enabled: bool, lingers: bool, level: Level, words: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(survival, "installed", lambda _: unit)
    monkeypatch.setattr(Unit, "starts_us", is_ours)
    monkeypatch.setattr(systemd, "runs", lambda _: runs)
    monkeypatch.setattr(systemd, "call", lambda *_: None if enabled else "disabled")
    monkeypatch.setattr(systemd, "lingers", lambda: lingers)
    found = checks()["reboot"]
    assert (found.level, words in found.found) == (level, True)
    assert (found.mend is None) == (level is Level.OK)


def checks() -> dict[str, Check]:
    return {each.name: each for each in survival.survival_checks(Home(Path("/srv/shop")))}
