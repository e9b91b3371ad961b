"""What a plan of a large Compose project takes, as whoever types the command waits for it."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

import pytest

from core.ports import free_port
from tests.config.compose.large import SERVICES, large_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House
    from tests.figures import FiguresRecorder

GOAL_S = 1.0
ROUNDS = 3
FILES = 200


@pytest.mark.engines("docker")
@pytest.mark.timeout(120)
async def test_a_plan_for_57_services(
    running: House, tmp_path: Path, docker_socket: str, figures: FiguresRecorder
) -> None:
    project = tmp_path / "large"
    (project / "app").mkdir(parents=True)
    (project / "config").mkdir()
    (project / "scripts").mkdir()
    (project / "compose.yaml").write_text(large_file())
    (project / "app" / "Dockerfile").write_text("FROM python:3.12-slim\nCOPY . /app\n")
    for number in range(FILES):
        (project / "app" / f"part{number}.py").write_text(f"NUMBER = {number}\n" * 100)
    environment = {
        **os.environ,
        "COMPARTMENT_HOME": str(running.home.root),
        "DOCKER_HOST": f"unix://{docker_socket}",
        "PORT": str(free_port(set())),
    }
    taken = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "core.cli.main", "plan", "--engine", "docker"),
            cwd=project,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, told = await process.communicate()
        taken.append(time.monotonic() - began)
        assert process.returncode == 0, told.decode()
        assert said.decode().count("first deployment") == SERVICES
    median = statistics.median(taken)
    figures("plan for 57 Compose services, the whole command, median", median, "s", GOAL_S)
    assert median < 3 * GOAL_S
