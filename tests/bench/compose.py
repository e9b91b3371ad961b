"""The same project deployed with this program and with `docker-compose up`, side by side.

Run by `make bench-compose`, which prints the table of the README. Both build the same Dockerfile
with the same builder and its cache, on one engine, and are asked 50 times a second meanwhile. They
take turns, and each figure is the median of the rounds. The exit code is 1 if our side loses any.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from core import __version__
from core.ports import free_port
from tests.e2e.house import LAB, house
from tests.engine.client import connected
from tests.engine.found import find
from tests.engine.place import NoEngine
from tests.load.load import Load
from tests.load.plan import NO_LOAD, Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.load.report import Report

ROUNDS: Final = 5
PER_S: Final = 50
BOOT_MS: Final = 1500
OURS: Final = "compartment deploy"
COMPOSE: Final = "docker-compose up -d --build"

_SETTLED_S: Final = 1.0
"""Of load before and after, so that nothing is missed that comes late."""

_PATIENCE_S: Final = 20.0
_PROGRAM: Final = "docker-compose"
_NAME: Final = "sidebyside"
_DOCKERFILE: Final = f"""\
FROM python:3.11-slim
WORKDIR /app
ENV PORT=8000 LAB_BIND=0.0.0.0 LAB_BOOT_DELAY_MS={BOOT_MS}
EXPOSE 8000
COPY . .
CMD ["python3", "server.py"]
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What one deploy took and cost."""

    command_s: float
    """Until the command was done."""
    new_after_s: float
    """Until the new version answered for the first time."""
    lost: int
    outage_s: float
    """How long nobody answered, up to the first answer after a loss."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way to deploy: its command, and where what it has deployed answers."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    root: Path
    target: Target

    def run(self) -> None:
        """One deploy."""
        done = subprocess.run(
            self.command,
            cwd=self.root,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(self.command)} failed:\n{done.stdout}")

    def write(self, version: str) -> None:
        """Changes the source."""
        (self.root / "app" / "VERSION").write_text(f"{version}\n")


def is_installed() -> bool:
    """Whether there is a Compose to compare with."""
    return shutil.which(_PROGRAM) is not None


async def compare(folder: Path, socket: str, rounds: int = ROUNDS) -> dict[str, list[Round]]:
    """The rounds of each side, by its name."""
    environ = {**os.environ, "DOCKER_HOST": f"unix://{socket}"}
    async with ours(folder, socket, environ) as one, composed(folder, socket, environ) as other:
        found: dict[str, list[Round]] = {one.name: [], other.name: []}
        for number in range(rounds):
            for side in (one, other):
                found[side.name].append(await deploy(side, f"r{number}"))
    return found


@asynccontextmanager
async def ours(folder: Path, socket: str, environ: Mapping[str, str]) -> AsyncIterator[Side]:
    """This program, with a first version deployed."""
    root = written(folder / "ours")
    service = {"path": "app", "readiness": {"type": "http", "path": "/up"}}
    (root / "compartment.yml").write_text(json.dumps({"name": _NAME, "services": {"web": service}}))
    compartment = str(Path(sys.executable).with_name("compartment"))
    async with house(folder / "home", socket) as found:
        side = Side(
            OURS,
            (compartment, "deploy", "--engine", "docker"),
            {**environ, "COMPARTMENT_HOME": str(folder / "home")},
            root,
            Target("", 0, ""),
        )
        await asyncio.to_thread(side.run)
        # The gateway chooses its port when there is something to serve.
        yield replace(side, target=await found.target(f"{_NAME}.localhost"))


@asynccontextmanager
async def composed(folder: Path, socket: str, environ: Mapping[str, str]) -> AsyncIterator[Side]:
    """Compose, with a first version up."""
    root = written(folder / "composed")
    port = free_port(set())
    label = f"compartment.bench={os.getpid()}"
    build = {"context": "app", "labels": [label]}
    service = {"build": build, "ports": [f"127.0.0.1:{port}:8000"]}
    text = json.dumps({"version": "3.3", "services": {"web": service}})
    (root / "docker-compose.yml").write_text(text)
    side = Side(
        COMPOSE,
        (_PROGRAM, "up", "-d", "--build"),
        # The engine's own builder, as on our side.
        {**environ, "COMPOSE_DOCKER_CLI_BUILD": "0", "COMPOSE_PROJECT_NAME": f"h{os.getpid()}"},
        root,
        Target("127.0.0.1", port, "localhost"),
    )
    try:
        await asyncio.to_thread(side.run)
        yield side
    finally:
        down = replace(side, command=(_PROGRAM, "down", "-v", "--rmi", "all", "-t", "0"))
        await asyncio.to_thread(down.run)
        # Each build has taken its name from the image before.
        filters = {"dangling": True, "label": label}
        with connected(socket) as engine:
            await asyncio.to_thread(engine.prune_images, filters)


def written(root: Path) -> Path:
    """The project, as both have it."""
    shutil.copytree(LAB / "app", root / "app", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "app" / "VERSION").write_text("first\n")
    (root / "app" / "Dockerfile").write_text(_DOCKERFILE)
    return root


async def deploy(side: Side, version: str) -> Round:
    """Deploys a new version under load, once the old one answers."""
    await answered(side)
    side.write(version)
    async with Load(side.target, replace(NO_LOAD, fresh_per_s=PER_S, timeout_s=5.0)) as load:
        await load.has_sent(round(PER_S * _SETTLED_S))
        began = time.monotonic()
        await asyncio.to_thread(side.run)
        ended = time.monotonic()
        async with asyncio.timeout(_PATIENCE_S):
            while version not in load.report().versions:
                await asyncio.sleep(0.1)
        await load.has_sent(load.report().sent + round(PER_S * _SETTLED_S))
    report = load.report()
    first = report.versions[version].first_start
    return Round(ended - began, first - began, len(report.lost), outage_s(report))


async def answered(side: Side) -> None:
    """Waits until requests are answered."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        async with Load(side.target, replace(NO_LOAD, fresh_per_s=PER_S)) as load:
            await load.has_sent(5)
        if not (lost := load.report().lost):
            return
        if time.monotonic() > until:
            raise RuntimeError(f"nothing answers after `{side.name}`: {lost[-1]}")


def outage_s(report: Report) -> float:
    """How long nobody answered, from each first loss to the next request that was answered."""
    lost = {loss.start.monotonic for loss in report.lost}
    ends = sorted([*lost, *(each.start.monotonic for each in report.answered)])
    total, since = 0.0, None
    for start in ends:
        if start in lost:
            since = start if since is None else since
        elif since is not None:
            total, since = total + start - since, None
    return total


def table(found: Mapping[str, list[Round]]) -> str:
    """The figures as Markdown: medians."""
    head = "| | command, s | new version answers after, s | requests lost | outage, s |"
    lines = [head, "|---|---|---|---|---|"]
    for name, rounds in found.items():
        command, new, lost, outage = (
            statistics.median(getattr(each, field) for each in rounds)
            for field in ("command_s", "new_after_s", "lost", "outage_s")
        )
        lines.append(f"| `{name}` | {command:.1f} | {new:.1f} | {lost:g} | {outage:.1f} |")
    return "\n".join(lines)


def machine(engine_version: str) -> str:
    """When and on what it was measured."""
    compose = subprocess.run(
        [_PROGRAM, "version", "--short"], capture_output=True, text=True, check=True
    ).stdout.strip()
    ram = psutil.virtual_memory().total / 2**30
    kernel = platform.release().partition("-")[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {ram:.0f} GiB RAM, Linux {kernel};"
        f" compartment-tui {__version__}, docker-compose {compose}, Docker Engine {engine_version}"
        f" with its own builder, Python {platform.python_version()}"
    )


def main() -> int:
    """Measures and prints; returns the exit code."""
    say = sys.stdout.write
    if not is_installed():
        say("docker-compose is not installed\n")
        return 1
    try:
        engine = find(os.environ, (), lambda line: None)
    except NoEngine as error:
        say(f"{error}\n")
        return 1
    try:
        # A house says in the end what its agent had to say.
        with (
            tempfile.TemporaryDirectory(prefix="ct-", dir="/tmp") as folder,
            redirect_stdout(io.StringIO()),
        ):
            found = asyncio.run(compare(Path(folder), engine.socket))
    finally:
        engine.end()
    say(f"{table(found)}\n\n{ROUNDS} rounds each, {PER_S} requests/s, a service that listens")
    say(f" {BOOT_MS / 1000:g} s after its start. {machine(engine.version)}.\n")
    return int(any(each.lost for each in found[OURS]))


if __name__ == "__main__":
    sys.exit(main())
