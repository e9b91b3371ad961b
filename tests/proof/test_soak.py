"""However often something is deployed, no more is left of it than what is kept on purpose.

A service is deployed a thousand times in a row, each time with another content, on the process
engine. Then nothing may have grown between the first half and the second: not the memory of the
agent nor of the gateway, not their open files and threads, not the processes of the home, its
releases, clusters, sockets and logs. The journal may keep of each deploy what its history shows,
and no more than 20 kB; what is older than the history is forgotten, so that the file stops growing.

The memory is that of a process which frees what it needs no more as it likes. So a straight line is
laid through its values over the second half, and what that line gains is compared with the bound.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from contextlib import closing
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.clients import get
from tests.e2e.house import house, processes_of
from tests.proof.scale.tiny import TinyProject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.e2e.house import House
    from tests.figures import FiguresRecorder
    from tests.proof.evidence import SeriesRecorder

KEPT_RUNS = 50
"""The least history that a soak can be seen to outgrow; a tenth more is kept until it is cut."""

KEPT_LOGS = 10
KEPT_RELEASES = 5
LOOKS = 40
JOURNAL_BYTES_A_DEPLOY = 20_000
"""The bound of the project; of several services, for each of them."""

BOUNDS = {
    "agent_bytes": 8_000_000,
    "envoy_bytes": 12_000_000,
    "agent_files": 3,
    "agent_threads": 3,
    "envoy_files": 3,
    "gateway_bytes": 2_000,
    "logs": 2,
    "journal_bytes": 600_000,
}
"""What the second half may have gained; what is not named here may have gained nothing."""

SETTLED_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of something."""

    agent_bytes: int
    envoy_bytes: int
    agent_files: int
    agent_threads: int
    envoy_files: int
    processes: int
    releases: int
    instances: int
    gateway_files: int
    gateway_bytes: int
    logs: int
    journal_bytes: int


EXACT = ("processes", "releases", "instances", "gateway_files")
"""What is the same after any deploy, once it is over."""


def size_of(running: House, agent: int) -> Size:
    """How much there is now."""
    home = running.home
    process, envoy = psutil.Process(agent), psutil.Process(running.gateway_pid())
    gateway = [each for each in home.gateway.iterdir() if each.suffix == ".json"]
    return Size(
        agent_bytes=process.memory_info().rss,
        envoy_bytes=envoy.memory_info().rss,
        agent_files=process.num_fds(),
        agent_threads=process.num_threads(),
        envoy_files=envoy.num_fds(),
        processes=len(processes_of(home)),
        releases=sum(each.is_dir() for each in home.releases.iterdir()),
        instances=len(list(home.instances.iterdir())),
        gateway_files=len(gateway),
        gateway_bytes=sum(each.stat().st_size for each in gateway),
        logs=len(list(home.logs.iterdir())),
        journal_bytes=journal_bytes(home.journal),
    )


def journal_bytes(journal: Path) -> int:
    """What the journal holds: its file and its write-ahead log, without pages that are free."""
    with closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)) as connection:

        def ask(name: str) -> int:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

        return (ask("page_count") - ask("freelist_count")) * ask("page_size")


def gain(values: Sequence[float]) -> float:
    """How much a straight line through the values gains from the first to the last."""
    slope, _ = statistics.linear_regression(range(len(values)), values)
    return slope * (len(values) - 1)


async def settled(running: House, agent: int) -> Size:
    """How much there is once all that happens after a run has happened."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while True:
            found = size_of(running, agent)
            is_done = (
                found.releases <= KEPT_RELEASES + 1 and found.logs <= KEPT_LOGS + KEPT_RELEASES
            )
            if is_done and found.instances == 1:
                return found
            await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
async def test_a_thousand_deploys_leave_nothing_behind(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    extent: Callable[[int, int], int],
    counts: FiguresRecorder,
    series: SeriesRecorder,
) -> None:
    """In short twenty, which show what does not depend on time."""
    deploys = extent(20, 1000)
    monkeypatch.setenv("COMPARTMENT_KEEP_RELEASES", str(KEPT_RELEASES))
    monkeypatch.setenv("COMPARTMENT_KEEP_LOGS", str(KEPT_LOGS))
    monkeypatch.setenv("COMPARTMENT_KEEP_HISTORY", str(extent(10, KEPT_RUNS)))
    project = TinyProject.made(tmp_path, ["web"])
    sizes: list[Size] = []
    async with house(home) as running:
        agent = await running.agent_pid()
        began = time.monotonic()
        for number in range(deploys):
            project.bump()
            await running.deployed(project)
            if (number + 1) % (deploys // min(deploys, LOOKS)) == 0:
                sizes.append(await settled(running, agent))
        seconds = (time.monotonic() - began) / deploys
        assert await running.agent_pid() == agent
        reply = await get(await running.target("tiny.localhost"), "/")
        assert reply.body == f"v{project.version}".encode()
    counts("deploys in a row", deploys, "deploys")
    counts("a deploy with all that follows it", seconds, "s")
    gains = gains_of(sizes, deploys, counts, series)
    half = sizes[len(sizes) // 2 :]
    for name in EXACT:
        assert len({getattr(each, name) for each in half}) == 1, f"{name}: {half}"
    # By the second half of a thousand all that is bounded has reached its bound, such as open logs.
    for name, most in BOUNDS.items() if extent(0, 1) else ():
        assert gains[name] < most, f"{name}: {half}"


def gains_of(
    sizes: Sequence[Size], deploys: int, counts: FiguresRecorder, series: SeriesRecorder
) -> dict[str, float]:
    """What each size has gained over the second half of the deploys, told as figures."""
    gains: dict[str, float] = {}
    every = deploys / len(sizes)
    for field in fields(Size):
        name, values = field.name.replace("_", " "), [getattr(each, field.name) for each in sizes]
        gains[field.name] = gain(values[len(values) // 2 :])
        # What is bounded reaches its bound within a hundred deploys, such as open logs.
        most = 0 if field.name in EXACT else BOUNDS[field.name] if deploys >= 1000 else None
        counts(f"{name}, gained by the last half", gains[field.name], "", most)
        if field.name not in EXACT:
            points = [(n * every, each) for n, each in enumerate(values, 1)]
            series("soak", name, "deploys", points)
    return gains


@pytest.mark.whole
@pytest.mark.timeout(300)
@pytest.mark.parametrize("services", [1, 10])
async def test_what_a_deploy_leaves_in_the_journal(
    running: House,
    tmp_path: Path,
    counts: FiguresRecorder,
    services: int,
) -> None:
    """Before anything is forgotten; of ten services it is the deploy of all of them."""
    deploys = 40
    project = TinyProject.made(tmp_path, [f"service-{number}" for number in range(services)])
    await running.deployed(project)
    before = journal_bytes(running.home.journal)
    for _ in range(deploys):
        project.bump()
        await running.deployed(project)
    each = (journal_bytes(running.home.journal) - before) / deploys / services
    counts(f"journal, a deployment of {services}", each, "bytes", JOURNAL_BYTES_A_DEPLOY)
    assert each < JOURNAL_BYTES_A_DEPLOY
