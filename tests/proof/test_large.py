"""A gigabyte of logs is searched, and a project of a thousand services planned, by the real parts.

The logs are those of 35 live services, each of which has as much as is kept. A search that finds
nothing but the oldest line of all must read every byte: that is its worst case.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.proof.scale.commands import median_of, seconds_of
from tests.proof.scale.crowd import NAME, crowded
from tests.proof.scale.long_logs import NEEDLE, write_logs
from tests.proof.scale.tiny import TinyProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House
    from tests.figures import FiguresRecorder

SERVICES = 35
GIGABYTE = 10**9


@pytest.mark.whole
@pytest.mark.timeout(500)
async def test_a_gigabyte_of_logs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: FiguresRecorder
) -> None:
    async with crowded(home, tmp_path, SERVICES, 0, monkeypatch) as (running, _):
        names = [
            f"{each['id']}.1"
            for each in (await running.client.status({"project": NAME}))["activeDeployments"]
        ]
        written = write_logs(running.home.logs, names, GIGABYTE)
        agent = psutil.Process(await running.agent_pid())
        before = agent.memory_info().rss
        figures("logs that were written", written / 1e9, "GB")
        of_project = ("logs", "--project", NAME)
        figures("logs --tail 100 of all", await median_of(*of_project, "--tail", "100"), "s", 1)
        of_one = (*of_project, "--service", "service-0000")
        figures("logs --tail 10000 of one", await median_of(*of_one, "--tail", "10000"), "s")
        figures("logs --since 1m of all", await median_of(*of_project, "--since", "1m"), "s", 1)
        searched = await seconds_of(*of_project, "--grep", NEEDLE)
        figures("logs --grep through all", searched, "s", 10)
        figures("searched in a second", written / 1e6 / searched, "MB")
        figures("what the agent grew by", (agent.memory_info().rss - before) / 2**20, "MiB", 64)
        assert searched < 120


@pytest.mark.whole
@pytest.mark.timeout(500)
async def test_a_project_of_a_thousand_services(
    running: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: FiguresRecorder
) -> None:
    project = TinyProject.made(tmp_path, [f"service-{number:04}" for number in range(1000)])
    monkeypatch.setenv("COMPARTMENT_HOME", str(running.home.root))
    monkeypatch.chdir(project.root)
    validated = await median_of("validate")
    figures("validate, 1,000 services", validated, "s")
    planned = [await seconds_of("plan", "--engine", "process") for _ in range(3)]
    figures("plan, 1,000 services, median", statistics.median(planned), "s")
    assert max(validated, *planned) < 60
