"""Who reaches whom on the networks of a Compose file: connections, tried on a real engine."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from core.container import Network, NetworkLink
from core.engines.base import WantedNetwork
from core.errors import CompartmentError
from tests.e2e.beyond import beyond_this_machine, run
from tests.engines.docker.environments import (
    TAKES_CONNECTIONS,
    Environments,
    environments,
    holder_of,
    links,
    target,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.engines.docker.environments import Joined

pytestmark = [pytest.mark.docker("python"), pytest.mark.timeout(180)]

FRONTEND, BACKEND, CACHE = (
    Network("frontend"),
    Network("backend", is_internal=True),
    Network("cache"),
)
DRAWN = {
    "proxy": (FRONTEND,),
    "app": (FRONTEND, BACKEND, CACHE),
    "worker": (BACKEND,),
    "db": (BACKEND,),
    "redis": (CACHE,),
}

TRIES = """
import json, socket, sys, time
from concurrent.futures import ThreadPoolExecutor

def attempt(at):
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection((at[0], at[1]), 1.5):
                return "reached"
        except socket.gaierror:
            return "unknown"
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                return "refused"
            time.sleep(0.02)  # it has not begun to listen yet
        except OSError:
            return "unreachable"

places = json.loads(sys.argv[1])
with ThreadPoolExecutor(max(1, len(places))) as threads:
    print(json.dumps(list(threads.map(attempt, places))))
"""


@pytest.fixture
async def engine(docker_socket: str) -> AsyncIterator[Environments]:
    async with environments(docker_socket) as made:
        yield made


async def tried(
    engine: Environments, container: str, places: list[str], port: int = 8000
) -> list[str]:
    """What comes of connecting to each of these hosts, all at the same time."""
    at = json.dumps([[host, port] for host in places])
    found: list[str] = json.loads(await engine.python(container, TRIES, at))
    return found


def wanted(*networks: Network, **held: tuple[str, ...]) -> list[WantedNetwork]:
    return [WantedNetwork(each, held) for each in networks]


async def start(engine: Environments, environment: str = "production") -> dict[str, Joined]:
    """The services as they are drawn."""
    of = target(environment)
    await engine.networks.prepare(of, wanted(FRONTEND, BACKEND, CACHE))
    starting = [engine.join(of, name, *links(*on)) for name, on in DRAWN.items()]
    return {each.service: each for each in await asyncio.gather(*starting)}


async def test_who_reaches_whom_is_as_it_is_drawn(engine: Environments) -> None:
    services = await start(engine)
    ends = [(name, key.key) for name, on in DRAWN.items() for key in on]

    async def look(caller: str) -> None:
        addresses = [services[name].at(key) for name, key in ends]
        found = await tried(engine, services[caller].id, addresses + list(DRAWN))
        by_address = dict(zip(ends, found, strict=False))
        by_name = dict(zip(DRAWN, found[len(ends) :], strict=True))
        mine = {each.key for each in DRAWN[caller]}
        assert by_address == {
            (name, key): "reached" if key in mine else "unreachable" for name, key in ends
        }
        assert by_name == {
            name: "reached" if mine & {each.key for each in on} else "unknown"
            for name, on in DRAWN.items()
        }

    await asyncio.gather(*(look(caller) for caller in DRAWN))


async def gateway_of(engine: Environments, network: str) -> str:
    described = await engine.docker.get(f"/networks/{network}")
    return str(described["IPAM"]["Config"][0]["Gateway"])


async def test_an_internal_network_has_no_way_out(engine: Environments) -> None:
    of = target()
    held = {"api": ()}
    await engine.networks.prepare(
        of, [WantedNetwork(FRONTEND, held), WantedNetwork(BACKEND, {}), WantedNetwork(CACHE, held)]
    )
    inside = await engine.join(of, "db", *links(BACKEND))
    outside = await engine.join(of, "proxy", *links(FRONTEND))
    both = await engine.join(of, "app", *links(BACKEND, FRONTEND))
    async with beyond_this_machine() as address:
        callers = [each.id for each in (inside, outside, both)]
        found = await asyncio.gather(*(tried(engine, each, [address]) for each in callers))
        assert found == [["unreachable"], ["reached"], ["reached"]]
        # Nor has one that finds itself a way through this machine, which leads to all networks.
        await route_through_the_machine(engine, inside)
        assert await tried(engine, inside.id, [address]) == ["unreachable"]
    holders = engine.networks.holders(of, "api")
    assert len(holders) == 2
    places = [outside.at("frontend"), both.at("frontend"), *(each.address for each in holders)]
    assert await tried(engine, inside.id, places) == ["unreachable"] * 4
    assert await tried(engine, inside.id, [both.at("backend")]) == ["reached"]


async def route_through_the_machine(engine: Environments, joined: Joined) -> None:
    """What a program with CAP_NET_ADMIN could do; engines before 27 do it themselves."""
    gateway = await gateway_of(engine, joined.ends[0].network)
    described = await engine.docker.get(f"/containers/{joined.id}/json")
    inside = ["nsenter", "-t", str(described["State"]["Pid"]), "-n"]
    await run(*inside, "ip", "route", "replace", "default", "via", gateway)


async def test_environments_do_not_reach_each_other(engine: Environments) -> None:
    named = Network("backend", name=f"d-{secrets.token_hex(4)}")
    there = target("staging")
    for of in (target(), there):
        await engine.networks.prepare(of, [WantedNetwork(named, {"api": ()})])
    names = {each["Name"] for each in await engine.all_networks()}
    assert names == {named.name, f"{named.name}-staging"}
    here = await engine.join(target(), "web", *links(named))
    others = [await engine.join(there, name, *links(named)) for name in ("web", "db")]
    holder = holder_of(engine.networks, there, "api", "backend")
    assert holder is not None
    places = ["web", "db", *(each.ends[0].address for each in others), holder.address]
    found = await tried(engine, here.id, places)
    assert found == ["reached", "unknown", "unreachable", "unreachable", "unreachable"]


async def test_an_external_network_is_shared_with_somebody_else(engine: Environments) -> None:
    name, of = f"d-{secrets.token_hex(4)}", target()
    proxy = Network("proxy", name=name, is_external=True)
    both = [WantedNetwork(proxy, {"web": ()}), WantedNetwork(BACKEND, {"web": ()})]
    with pytest.raises(CompartmentError, match=f"the network `{name}` is not there") as caught:
        await engine.networks.prepare(of, both)
    assert caught.value.hint is not None
    assert f"docker network create {name}" in caught.value.hint
    made: Any = await engine.docker.call(lambda client: client.create_network(name))
    try:
        await engine.networks.prepare(of, both)
        assert [each.network for each in engine.networks.holders(of, "web")] == ["backend"]
        on_proxy = NetworkLink(proxy, aliases=("shop",))
        web = await engine.join(of, "web", on_proxy, NetworkLink(BACKEND))
        db = await engine.join(of, "db", *links(BACKEND))
        foreign = await engine.run(None, "python3", "-c", TAKES_CONNECTIONS, network_mode=name)
        # There its names lead to itself, and its address is the engine's.
        assert [bool(each.address) for each in web.ends] == [False, True]
        places = ["web", "shop", "db", db.at("backend")]
        found = await tried(engine, foreign, places)
        assert found == ["reached", "reached", "unknown", "unreachable"]
        address = (await endpoint_of(engine, foreign, name))["IPAddress"]
        assert await tried(engine, web.id, [address]) == ["reached"]
        assert await tried(engine, db.id, [address]) == ["unreachable"]
        for each in (web.id, db.id):
            await engine.remove(each)
        await engine.networks.clear(of)
        assert (await engine.docker.get(f"/networks/{name}"))["Id"] == made["Id"]
    finally:
        await engine.end()
        await engine.docker.call(lambda client: client.remove_network(made["Id"]))


async def endpoint_of(engine: Environments, container: str, network: str) -> Any:
    described = await engine.docker.get(f"/containers/{container}/json")
    return described["NetworkSettings"]["Networks"][network]
