"""What workers of `tests/e2e/small/worker.py` did, read from their logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject


@dataclass
class Life:
    """One process of a worker."""

    version: str
    up: datetime
    down: datetime | None = None
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def overlaps(self, other: Life) -> bool:
        """Whether both were up at some moment."""
        first, second = sorted((self, other), key=lambda life: life.up)
        return first.down is None or first.down > second.up


async def lives(running: House, project: LabProject, service: str) -> list[Life]:
    """All processes that a service of a project ever had, the first one first."""
    found: dict[str, Life] = {}
    query = {"project": project.name, "service": service, "limit": 100}
    for deployment in (await running.client.history(query))["deployments"]:
        wanted = {"project": project.name, "deployment": deployment["id"], "tail": 10_000}
        async for line in running.client.logs({**wanted, "stream": "stdout"}):
            version, pid, what, *number = line["message"].split()
            at = datetime.fromisoformat(line["timestamp"])
            key = f"{deployment['id']} {pid} {found_number(found, deployment['id'], pid, what)}"
            if what == "up":
                found[key] = Life(version, at)
            elif what == "down":
                found[key].down = at
            else:
                (found[key].begun if what == "begin" else found[key].ended).append(int(number[0]))
    return sorted(found.values(), key=lambda life: life.up)


def found_number(found: dict[str, Life], deployment_id: str, pid: str, what: str) -> int:
    """Which process of a pid it is: in a container every one of them has the same."""
    earlier = sum(key.startswith(f"{deployment_id} {pid} ") for key in found)
    return earlier + 1 if what == "up" else earlier
