"""What a test wants to know of an engine, around the program under test."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from core.engines.docker.labels import HOME, INSTANCE, Role, only
from tests.engine.client import connected

_RECENT_S = 120


def host_address(socket: str) -> str:
    """An address of this machine that containers of every network reach."""
    with connected(socket) as client:
        return str(client.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"])


def instance_names(socket: str, home: str) -> set[str]:
    """The instances of a home folder that have a container, running or not."""
    with connected(socket) as client:
        found = client.containers(all=True, filters=only(home, Role.INSTANCE))
        return {each["Labels"][INSTANCE] for each in found}


def image_of(socket: str, home: str) -> str:
    """The image of the one instance of a home folder that runs."""
    with connected(socket) as client:
        (found,) = client.containers(filters=only(home, Role.INSTANCE))
        return str(found["ImageID"])


def first_pids(socket: str, home: str) -> list[int]:
    """The first process, as this machine counts, of each container of an instance that runs."""
    with connected(socket) as client:
        found = client.containers(filters=only(home, Role.INSTANCE))
        return [client.inspect_container(each["Id"])["State"]["Pid"] for each in found]


def ended_at(socket: str, home: str, instance: str) -> datetime:
    """When the container of an instance has ended, which may be removed by now."""
    labels = [f"{HOME}={home}", f"{INSTANCE}={instance}"]
    now = int(time.time())
    with connected(socket) as client:
        events = client.events(
            since=now - _RECENT_S,
            until=now + 1,
            filters={"type": "container", "event": "die", "label": labels},
            decode=True,
        )
        (died,) = events
    return datetime.fromtimestamp(died["timeNano"] / 1e9, UTC)
