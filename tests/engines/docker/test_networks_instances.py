"""Instances on the networks of a Compose file: where they are reached, and what they listen on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.container import Container, Network, NetworkLink
from core.engines.base import WantedNetwork
from core.engines.docker import listening
from core.errors import CompartmentError
from core.model import Strategy
from tests.engines.docker.environments import links
from tests.engines.docker.lab import LIMIT_S, NAME, SERVICE, WAITS, lab

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.base import Instance, InstanceSpec
    from core.engines.docker.instance import DockerInstance
    from tests.engines.docker.lab import Lab

pytestmark = [
    pytest.mark.docker("python"),
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("lab_image"),
]

FRONTEND, BACKEND = Network("frontend"), Network("backend", is_internal=True)
LISTENS = """
import signal, socket
open_to = [socket.create_server(("", port)) for port in (8000, 5432)]
open_to.append(socket.create_server(("::", 6379), family=socket.AF_INET6))
closed_to = socket.create_server(("127.0.0.1", 9000))
print("up", flush=True)
signal.pause()
"""


async def have(it: Lab, *networks: Network) -> None:
    await it.networks.prepare(it.target, [WantedNetwork(each, {}) for each in networks])


def spec(it: Lab, text: str = WAITS, name: str = NAME, **said: Any) -> InstanceSpec:
    """Of a Compose service that runs a Python text."""
    beside = said.pop("beside", None)
    container = Container(**{"environment": {"TEXT": text}, **said})
    service = replace(SERVICE, container=container, strategy=Strategy.STOP_FIRST)
    return it.spec(text, name, service=service, beside=beside)


async def start(it: Lab, *given: Any, **said: Any) -> DockerInstance:
    return await it.instances.start(spec(it, *given, **said), await it.image())


async def ends(it: Lab, instance: DockerInstance) -> dict[str, Any]:
    """By the keys of the networks."""
    found = (await it.inspected(instance))["NetworkSettings"]["Networks"]
    keys = (each.key for each in (FRONTEND, BACKEND))
    return {key: end for key in keys for name, end in found.items() if f"-{key}-" in name}


async def test_an_instance_is_on_all_of_its_networks(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        await have(it, FRONTEND, BACKEND)
        both = (NetworkLink(BACKEND, aliases=("database",)), NetworkLink(FRONTEND))
        instance = await start(it, networks=both)
        before = await ends(it, instance)
        assert instance.address[0] == before["backend"]["IPAddress"]
        assert instance.address_of(5432) == (instance.address[0], 5432)
        assert {"web", "database"} <= set(before["backend"]["Aliases"])
        assert "database" not in before["frontend"]["Aliases"]

        # Whoever takes it off one of them: it is there again, where and as it was.
        network = before["frontend"]["NetworkID"]
        disconnect = {"Container": instance.id, "Force": True}
        await it.docker.order("POST", f"/networks/{network}/disconnect", disconnect)
        async with asyncio.timeout(LIMIT_S):
            while "frontend" not in (after := await ends(it, instance)):
                await asyncio.sleep(0.02)
        assert after["frontend"]["IPAddress"] == before["frontend"]["IPAddress"]
        assert "web" in after["frontend"]["Aliases"]

        await it.instances.stop(NAME, grace_s=0)
        again = await start(it, networks=both)
        assert {key: end["IPAddress"] for key, end in (await ends(it, again)).items()} == {
            key: end["IPAddress"] for key, end in before.items()
        }


async def test_an_address_of_the_file_is_that_of_the_instance(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        divided = Network("data", settings={"ipam": {"config": [{"subnet": "10.202.9.0/24"}]}})
        await have(it, divided)
        link = NetworkLink(divided, settings={"ipv4_address": "10.202.9.77"})
        assert (await start(it, networks=(link,))).address[0] == "10.202.9.77"
        with pytest.raises(CompartmentError, match=r"10\.202\.9\.77 is used by the container"):
            await start(it, WAITS, "dep_cccccccccccc.2", networks=(link,))


async def test_it_is_known_what_an_instance_listens_on(
    docker_socket: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab(docker_socket, home) as it:
        await have(it, FRONTEND)
        instance = await start(it, LISTENS, networks=links(FRONTEND))
        await it.until_printed("up")
        assert await instance.listens() == (5432, 6379, 8000)
        # Where the agent may not look for itself, the container is asked.
        monkeypatch.setattr(listening, "listeners_of", lambda *_: None)
        assert await instance.listens() == (5432, 6379, 8000)
        await it.docker.order("POST", f"/containers/{instance.id}/kill")
        await instance.wait_exit()
        assert await instance.listens() is None


async def test_an_instance_without_a_network_is_reached_nowhere(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        instance = await start(it, network_mode="none")
        assert instance.address_of(80) is None
        assert await instance.listens() is None
        assert list((await it.inspected(instance))["NetworkSettings"]["Networks"]) == ["none"]
        await it.instances.resync()
        assert instance.exit is None


async def test_an_instance_on_the_network_of_the_machine_is_reached_here(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        instance: Instance = await start(it, network_mode="host")
        assert instance.address_of(80) == ("127.0.0.1", 80)
        assert await instance.listens() is None


async def test_an_instance_shares_the_network_of_another(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        await have(it, FRONTEND)
        web = await start(it, networks=links(FRONTEND))
        other = "dep_cccccccccccc.2"
        side = await start(it, WAITS, other, network_mode="service:web", beside=NAME)
        assert side.address_of(80) == web.address_of(80)
        mode = (await it.inspected(side))["HostConfig"]["NetworkMode"]
        assert mode == f"container:{web.id}"
        with pytest.raises(CompartmentError, match="on the network of db, which does not run"):
            await start(it, WAITS, "dep_cccccccccccc.3", network_mode="service:db")


async def test_on_the_network_of_somebody_else_the_engine_gives_the_address(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        name = f"{it.home}-proxy"
        made = await it.docker.call(lambda client: client.create_network(name))
        try:
            proxy = Network("proxy", name=name, is_external=True)
            await have(it, proxy)
            instance = await start(it, networks=links(proxy))
            (end,) = (await it.inspected(instance))["NetworkSettings"]["Networks"].values()
            assert instance.address[0] == end["IPAddress"]
            assert "web" in end["Aliases"]
            await it.instances.stop(NAME, grace_s=0)
        finally:
            await it.docker.call(lambda client: client.remove_network(made["Id"]))
