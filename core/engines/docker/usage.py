"""What containers take of the machine: from the kernel where it can be read, else the engine."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.ending import single_error
from core.engines.base import Usage
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines.docker.connection import Docker
    from core.engines.docker.instance import DockerInstance

Json = dict[str, Any]

_ROOT: Final = Path("/sys/fs/cgroup")
_PROCESSES: Final = Path("/proc")


async def usage_of(docker: Docker, instances: Sequence[DockerInstance]) -> dict[str, Usage]:
    """The usage of each instance that runs, by its name. Page cache that can be had back is no use.

    The kernel's own figures cost a hundredth of asking the engine.
    """
    running = {each.name: (each.pid, each.id) for each in instances if each.pid is not None}
    found = await asyncio.to_thread(_from_kernel, running)
    others = [each for each in instances if each.name in running and each.name not in found]
    with single_error():
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(_from_engine(docker, each)) for each in others]
    return found | {name: usage for task in asked for name, usage in task.result().items()}


def _from_kernel(running: dict[str, tuple[int, str]]) -> dict[str, Usage]:
    found = {}
    for name, (pid, container_id) in running.items():
        with suppress(OSError, KeyError, ValueError):
            found[name] = _read(pid, container_id)
    return found


def _read(pid: int, container_id: str) -> Usage:
    """Raises OSError or KeyError where the groups of the process cannot be seen."""
    groups: dict[str, str] = {}
    for line in (_PROCESSES / str(pid) / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if container_id in path:  # else the engine counts its processes elsewhere
            groups |= {name: path.lstrip("/") for name in controllers.split(",")}
    if "memory" in groups:
        memory = _ROOT / "memory" / groups["memory"]
        inactive = _figure(memory / "memory.stat", "total_inactive_file")
        used = int((memory / "memory.usage_in_bytes").read_text())
        nanoseconds = int((_ROOT / "cpuacct" / groups["cpuacct"] / "cpuacct.usage").read_text())
        return Usage(nanoseconds / 1e9, max(0, used - inactive))
    group = _ROOT / groups[""]
    inactive = _figure(group / "memory.stat", "inactive_file")
    used = int((group / "memory.current").read_text())
    return Usage(_figure(group / "cpu.stat", "usage_usec") / 1e6, max(0, used - inactive))


def _figure(path: Path, name: str) -> int:
    found = re.search(rf"^{name} (\d+)$", path.read_text(), re.MULTILINE)
    if found is None:
        raise KeyError(name)
    return int(found[1])


async def _from_engine(docker: Docker, instance: DockerInstance) -> dict[str, Usage]:
    """Nothing for one that has just ended."""
    path = f"/containers/{instance.id}/stats"
    try:
        told = await docker.get(path, **{"stream": "0", "one-shot": "1"})
    except CompartmentError:
        return {}
    memory: Json = told["memory_stats"]
    if "usage" not in memory:
        return {}
    details = memory.get("stats", {})
    inactive = details.get("total_inactive_file", details.get("inactive_file", 0))
    seconds = told["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
    return {instance.name: Usage(seconds, max(0, memory["usage"] - inactive))}
