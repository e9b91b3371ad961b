"""A recording of a hundred services of which thirty change their stage every second."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from core.model import Stage, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

_STAGES = [
    Stage.BUILDING,
    Stage.STARTING_CANDIDATE,
    Stage.CHECKING_READINESS,
    Stage.SWITCHING_ROUTE,
    Stage.DRAINING_PREVIOUS,
    Stage.ACTIVE,
]
_BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def write_recording(file: Path, *, services: int, changes_per_s: int, seconds: float) -> None:
    """Writes what a dashboard would have recorded; its run never ends within the time."""
    with file.open("w") as opened:
        for line in _lines(services, changes_per_s, seconds):
            opened.write(json.dumps(line) + "\n")


def _lines(services: int, changes_per_s: int, seconds: float) -> Iterator[Json]:
    target = {"project": "crowd", "environment": "production"}
    yield {"recording": 1, "version": "0", **target, "at": _at(0)}
    yield {"t": 0, "link": {"at": _at(0), "isUp": True, "reason": ""}}
    names = [f"service-{number:03}" for number in range(services)]
    first = {name: _service(name, 0, 0) for name in names}
    yield {"t": 0, "update": {**_head(0), "environment": target, "services": first, "run": _run()}}
    stages = dict.fromkeys(names, 0)
    for number in count(1):
        t = number / changes_per_s
        if t > seconds:
            return
        name = names[number % services]
        stages[name] = (stages[name] + 1) % len(_STAGES)
        update = {**_head(t), "services": {name: _service(name, stages[name], t)}}
        if number % (2 * changes_per_s) == 0:
            update["statistics"] = {"at": _at(t), "services": _figures(names, number)}
        yield {"t": t, "update": update}


def _head(t: float) -> Json:
    return {"at": _at(t), "seq": int(t * 1000)}


def _at(t: float) -> str:
    return (_BEGAN + timedelta(seconds=t)).isoformat().replace("+00:00", "Z")


def _run() -> Json:
    return {"id": "drn_crowd", "trigger": "deploy", "status": "running", "createdAt": _at(0)}


def _service(name: str, stage: int, t: float) -> Json:
    is_active = stage >= _STAGES.index(Stage.DRAINING_PREVIOUS)
    deployment = {
        "id": f"dep_{name[-3:]}new",
        "deploymentRunId": "drn_crowd",
        "status": Status.SUCCEEDED if _STAGES[stage] is Stage.ACTIVE else Status.RUNNING,
        "health": "healthy" if is_active else "pending",
        "promotionStage": _STAGES[stage],
        "isActive": is_active,
        "createdAt": _at(0),
        "stageSince": _at(t),
        "startedAt": _at(0),
        "replicas": {"ready": 1, "desired": 1},
    }
    before = {**deployment, "id": f"dep_{name[-3:]}old", "status": Status.SUCCEEDED,
              "promotionStage": Stage.ACTIVE, "isActive": True, "health": "healthy"}  # fmt: skip
    return {
        "name": name,
        "kind": "api",
        "live": deployment if is_active else before,
        "candidate": None if is_active else deployment,
    }


def _figures(names: list[str], number: int) -> Json:
    return {
        name: {
            "cpuPercent": (number + index) % 100,
            "memoryBytes": 50_000_000 + index * 1_000_000,
            "requestsPerSecond": (number * index) % 50,
            "errorsPerSecond": 0,
            "p95Ms": 5 + index % 20,
        }
        for index, name in enumerate(names)
    }
