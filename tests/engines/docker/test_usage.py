"""What containers take, as the kernel says and as the engine says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.engines.base import Usage
from core.engines.docker import usage
from core.engines.docker.usage import usage_of
from tests.engines.docker.lab import LIMIT_S, lab

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

TAKES = """
import signal, time
taken = bytearray(50_000_000)
while time.process_time() < 0.5:
    pass
print("done", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("is_from_kernel", [True, False])
async def test_processor_time_and_memory(
    docker_socket: str, home: Path, monkeypatch: pytest.MonkeyPatch, is_from_kernel: bool
) -> None:
    if not is_from_kernel:
        monkeypatch.setattr(usage, "_ROOT", home / "nowhere")
    async with lab(docker_socket, home) as it:
        instance = await it.start(TAKES)
        await it.until_printed("done")
        found = (await usage_of(it.docker, [instance]))[instance.name]
        assert 0.5 <= found.cpu_seconds < 2
        assert 50_000_000 <= found.memory_bytes < 80_000_000


async def test_nothing_of_one_that_has_ended(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start("print('x')")
        async with asyncio.timeout(LIMIT_S):
            await instance.wait_exit()
        assert await usage_of(it.docker, [instance]) == {}


def test_the_figures_of_the_second_version_of_control_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "system.slice" / "docker-abc.scope"
    group.mkdir(parents=True)
    (group / "memory.current").write_text("1000\n")
    (group / "memory.stat").write_text("anon 1\ninactive_file 300\nactive_file 5\n")
    (group / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    process = tmp_path / "7"
    process.mkdir()
    (process / "cgroup").write_text("0::/system.slice/docker-abc.scope\n")
    monkeypatch.setattr(usage, "_ROOT", tmp_path)
    monkeypatch.setattr(usage, "_PROCESSES", tmp_path)
    found = usage._from_kernel({"web": (7, "abc"), "other": (7, "another container")})
    assert found == {"web": Usage(2.5, 700)}
