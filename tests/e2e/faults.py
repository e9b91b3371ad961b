"""What befalls containers behind the program's back, and how a test sees that it is over."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import docker.errors

from core.engines.docker.labels import HOME, INSTANCE, ROLE, SERVICE, Role, home_id, only
from tests.e2e.clients import get
from tests.engine.client import connected
from tests.load.outcome import LossKind, RequestLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import docker

    from tests.e2e.house import House, Json, LabProject
    from tests.load.plan import Target
    from tests.load.report import Report

SEEN_WITHIN_S = 2.0
"""After the engine answers again what is shown is right."""

HEALED_WITHIN_S = 60.0
LIMIT_S = 60.0
"""For what has no bound of its own in a test: nothing may wait for ever."""

_EATS = """
import os, runpy, threading, time
def eat():
    while not os.path.exists("/tmp/eat"):
        time.sleep(0.02)
    os.remove("/tmp/eat")
    b"x" * 10**9
threading.Thread(target=eat, daemon=True).start()
runpy.run_path("server.py", run_name="__main__")
"""
GLUTTON = f"exec python3 -c '{_EATS}'"
"""The lab, which eats more memory than it may have once it finds /tmp/eat."""


class Containers:
    """The containers of a home, straight from the engine."""

    def __init__(self, socket: str, running: House) -> None:
        self._socket = socket
        self._home = home_id(running.home)

    async def call(self, work: Callable[[docker.APIClient], Any]) -> Any:
        """Asks the engine itself."""

        def ask() -> Any:
            with connected(self._socket) as client:
                return work(client)

        return await asyncio.to_thread(ask)

    async def of(self, role: Role, service: str, instance: str = "") -> str:
        """The id of the one running container of a service, or that of an instance."""
        more = {SERVICE: service, **({INSTANCE: instance} if instance else {})}
        filters = only(self._home, role, **more)
        found = await self.call(lambda client: client.containers(filters=filters))
        (container,) = found
        return str(container["Id"])

    async def kill(self, id_: str) -> None:
        await self.call(lambda client: client.kill(id_))

    async def remove(self, id_: str) -> None:
        await self.call(lambda client: client.remove_container(id_, force=True))

    async def disconnect(self, id_: str) -> None:
        def work(client: docker.APIClient) -> None:
            (network,) = client.inspect_container(id_)["NetworkSettings"]["Networks"]
            client.disconnect_container_from_network(id_, network, force=True)

        await self.call(work)

    async def overeat(self, id_: str) -> None:
        def work(client: docker.APIClient) -> None:
            command = client.exec_create(id_, ["touch", "/tmp/eat"])
            client.exec_start(command["Id"])

        await self.call(work)

    async def everything(self) -> dict[str, list[str]]:
        """The names of what there is of this home, by role; images left out."""

        def work(client: docker.APIClient) -> dict[str, list[str]]:
            filters = {"label": f"{HOME}={self._home}"}
            found: dict[str, list[str]] = {}
            for each in client.containers(all=True, filters=filters):
                labels = each["Labels"]
                # That of a build is of no service.
                name = labels.get(INSTANCE) or labels.get(SERVICE) or each["Names"][0]
                found.setdefault(labels[ROLE], []).append(name)
            for each in client.networks(filters=filters):
                found.setdefault(Role.NETWORK, []).append(each["Name"])
            return {role: sorted(names) for role, names in found.items()}

        everything: dict[str, list[str]] = await self.call(work)
        return everything


async def until_seen(
    running: House, project: LabProject, is_so: Callable[[dict[str, Json]], bool]
) -> dict[str, Json]:
    """Watches until the services are seen as wanted; returns them."""
    services: dict[str, Json] = {}
    async with (
        asyncio.timeout(LIMIT_S),
        aclosing(running.client.watch({"project": project.name})) as updates,
    ):
        async for update in updates:
            services |= update.get("services", {})
            if is_so(services):
                return services
    raise AssertionError(f"never seen: {json.dumps(services)}")


def all_healthy(services: dict[str, Json]) -> bool:
    """Whether each service has a live deployment that is healthy."""
    live = [each["live"] for each in services.values()]
    return all(each and each["isActive"] and each["health"] == "healthy" for each in live)


async def until_answered(target: Target, version: str, within_s: float = HEALED_WITHIN_S) -> float:
    """Asks until a version of the lab answers; returns the seconds that took."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while True:
            try:
                reply = await get(target, "/version")
            except (RequestLost, OSError):
                reply = None
            if reply is not None and reply.status == 200:
                assert reply.version == version
                return time.monotonic() - began
            await asyncio.sleep(0.02)


def no_strangers(report: Report, *versions: str) -> None:
    """What was lost had no answer, or the gateway's; nobody else answered in its place."""
    assert set(report.versions) <= set(versions)
    wrong = (LossKind.WRONG_REPLY, LossKind.WRONG_DIGEST)
    assert [str(loss) for loss in report.lost if loss.kind in wrong] == []
    assert {loss.status for loss in report.lost} <= {None, 503, 504}


def lost_after(report: Report, moment: float) -> list[str]:
    """What was lost of the requests that began after a moment."""
    return [str(loss) for loss in report.lost if loss.start.monotonic > moment]


async def as_it_should_be(
    running: House, containers: Containers, project: LabProject, names: Iterable[str]
) -> None:
    """One active, healthy deployment per service, and nothing on the engine but theirs."""
    # What has befallen one may be told, and be over, up to two seconds after it serves again.
    await until_seen(running, project, all_healthy)
    active = await running.active(project)
    assert {name: len(found) for name, found in active.items()} == dict.fromkeys(names, 1)
    assert {found[0]["health"] for found in active.values()} == {"healthy"}
    found = await containers.everything()
    instances = {name.rpartition(".")[0] for name in found.pop(Role.INSTANCE)}
    assert instances == {each[0]["id"] for each in active.values()}
    assert found.pop(Role.HOLDER) == sorted(names)
    assert len(found.pop(Role.NETWORK)) == 1
    assert found == {}
