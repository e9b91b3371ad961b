"""The networks of a Compose file on a real engine: made, held, mended, changed, removed."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.container import Network
from core.engines.base import WantedNetwork
from core.errors import CompartmentError, Conflict
from tests.engines.docker.environments import (
    Environments,
    attach,
    environments,
    holder_of,
    links,
    prepare,
    target,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.engines.base import Holder

pytestmark = [pytest.mark.docker("python"), pytest.mark.timeout(120)]

FRONTEND, BACKEND = Network("frontend"), Network("backend", is_internal=True)
RESOLVES = "import socket, sys; print([socket.gethostbyname(name) for name in sys.argv[1:]])"


@pytest.fixture
async def engine(docker_socket: str) -> AsyncIterator[Environments]:
    async with environments(docker_socket) as made:
        yield made


async def have(engine: Environments, *wanted: WantedNetwork) -> None:
    await engine.networks.prepare(target(), wanted)


def held(engine: Environments, key: str, name: str = "web") -> Holder:
    found = holder_of(engine.networks, target(), name, key)
    assert found is not None
    return found


async def networks_of(engine: Environments) -> dict[str, Any]:
    """By their keys."""
    found = await engine.all_networks()
    return {each["Labels"].get("compartment.network", ""): each for each in found}


async def test_each_network_is_as_it_is_described(engine: Environments) -> None:
    divided = Network(
        "divided",
        settings={
            "driver_opts": {"com.docker.network.driver.mtu": 1400},
            "labels": {"team": "shop", "compartment.home": "theirs"},
            "ipam": {"config": [{"subnet": "10.202.7.0/24", "gateway": "10.202.7.254"}]},
        },
    )
    await have(engine, *(WantedNetwork(each, {}) for each in (FRONTEND, BACKEND, divided)))
    found = await networks_of(engine)
    assert {key: each["Internal"] for key, each in found.items()} == {
        "frontend": False,
        "backend": True,
        "divided": False,
    }
    assert found["divided"]["IPAM"]["Config"] == [
        {"Subnet": "10.202.7.0/24", "Gateway": "10.202.7.254", "IPRange": "10.202.7.224/27"}
    ]
    assert found["divided"]["Options"] == {"com.docker.network.driver.mtu": "1400"}
    assert found["divided"]["Labels"]["team"] == "shop"

    asked = engine.docker.asked
    await have(engine, *(WantedNetwork(each, {}) for each in (FRONTEND, BACKEND, divided)))
    assert engine.docker.asked == asked
    await engine.networks.clear(target())
    assert await engine.all_networks() == []


async def test_a_name_is_held_on_each_network_of_its_service(engine: Environments) -> None:
    names = {"web": ("www", "shop")}
    await have(engine, WantedNetwork(FRONTEND, names), WantedNetwork(BACKEND, names))
    before = {key: held(engine, key) for key in ("frontend", "backend")}
    assert len({each.namespace for each in before.values()}) == 2
    for network in (FRONTEND, BACKEND):
        caller = await engine.join(target(), "calls", *links(network))
        address = before[network.key].address
        found = await engine.python(caller.id, RESOLVES, "web", "www", "shop")
        assert found == str([address] * 3)

    # An agent after this one finds them before it knows any file, and mends them as well.
    later = engine.agent()
    await engine.stop_listening()
    lost = next(
        each["Id"]
        for each in await engine.containers("compartment.network=backend")
        if each["Labels"]["compartment.service"] == "web"
    )
    await engine.docker.call(lambda client: client.remove_container(lost, force=True))
    await later.resync()
    assert holder_of(later, target(), "web", "frontend") == before["frontend"]
    assert len(later.holders(target(), "web")) == 1
    await later.prepare(target(), [WantedNetwork(FRONTEND, names), WantedNetwork(BACKEND, names)])
    after = holder_of(later, target(), "web", "backend")
    assert after is not None
    assert after.namespace != before["backend"].namespace


@pytest.mark.parametrize("how", ["kill", "remove", "disconnect"])
async def test_a_holder_is_back_on_its_network_and_the_others_stay(
    engine: Environments, how: str
) -> None:
    await have(engine, *(WantedNetwork(each, {"web": ("www",)}) for each in (FRONTEND, BACKEND)))
    before, untouched = held(engine, "backend"), held(engine, "frontend")
    (container,) = [each["Id"] for each in await engine.containers("compartment.network=backend")]
    network = (await networks_of(engine))["backend"]["Id"]

    def harm(client: Any) -> None:
        if how == "remove":
            client.remove_container(container, force=True)
        elif how == "disconnect":
            client.disconnect_container_from_network(container, network, force=True)
        else:
            client.kill(container)

    await engine.docker.call(harm)
    await engine.until(
        lambda: holder_of(engine.networks, target(), "web", "backend") not in (None, before)
    )
    assert held(engine, "backend").address == before.address
    assert held(engine, "frontend") == untouched
    (again,) = await engine.containers("compartment.network=backend")
    described = await engine.docker.get(f"/containers/{again['Id']}/json")
    (endpoint,) = described["NetworkSettings"]["Networks"].values()
    assert {"web", "www"} <= set(endpoint["Aliases"])


async def test_what_stops_first_carries_its_name_itself(engine: Environments) -> None:
    await have(engine, WantedNetwork(BACKEND, {"db": ()}))
    holder = held(engine, "backend", "db")
    (end,) = (await engine.join(target(), "db", *links(BACKEND))).ends
    assert end.aliases == ()
    await have(engine, WantedNetwork(BACKEND, {}))
    assert engine.networks.holders(target(), "db") == ()
    assert await engine.containers() == []
    db = await engine.join(target(), "db", *links(BACKEND))
    assert db.ends[0].aliases == ("db",)
    assert db.ends[0].address != holder.address
    assert await engine.python(db.id, RESOLVES, "db") == str([db.ends[0].address])
    # And again at the same address, although others have come meanwhile.
    await engine.remove(db.id)
    engine.networks.release_address(db.ends[0].address)
    other = await engine.join(target(), "app", *links(BACKEND))
    again = await engine.join(target(), "db", *links(BACKEND))
    assert other.ends[0].address != again.ends[0].address == db.ends[0].address


async def test_a_network_that_is_described_otherwise_is_made_anew(engine: Environments) -> None:
    await have(engine, WantedNetwork(FRONTEND, {"web": ()}))
    before = (await networks_of(engine))["frontend"]["Id"]
    internal = replace(FRONTEND, is_internal=True)
    await have(engine, WantedNetwork(internal, {"web": ()}))
    after = (await networks_of(engine))["frontend"]
    assert after["Internal"]
    assert after["Id"] != before
    held(engine, "frontend")

    joined = await engine.join(target(), "app", *links(internal))
    with pytest.raises(
        Conflict, match="cannot become what the Compose file describes now"
    ) as found:
        await have(engine, WantedNetwork(FRONTEND, {"web": ()}))
    assert "compartment down" in (found.value.hint or "")
    assert (await networks_of(engine))["frontend"]["Id"] == after["Id"]
    await engine.remove(joined.id)
    await have(engine, WantedNetwork(FRONTEND, {"web": ()}))
    assert not (await networks_of(engine))["frontend"]["Internal"]


async def test_a_network_that_nobody_needs_any_more_goes_when_it_is_empty(
    engine: Environments,
) -> None:
    both = [WantedNetwork(each, {"web": ()}) for each in (FRONTEND, BACKEND)]
    await have(engine, *both)
    joined = await engine.join(target(), "app", *links(BACKEND))
    await have(engine, both[0])
    assert set(await networks_of(engine)) == {"frontend", "backend"}
    await engine.remove(joined.id)
    engine.networks.release_address(joined.ends[0].address)
    await have(engine, both[0])
    assert set(await networks_of(engine)) == {"frontend"}
    assert len(await engine.containers()) == 1


async def test_a_name_or_subnet_that_somebody_else_has_is_told(engine: Environments) -> None:
    name = f"d-{secrets.token_hex(4)}"
    config = {"subnet": "10.202.8.0/24"}
    theirs = await engine.docker.call(
        lambda client: client.create_network(
            name, ipam={"Driver": "default", "Config": [{"Subnet": "10.202.8.0/24"}]}
        )
    )
    try:
        named = Network("backend", name=name)
        with pytest.raises(Conflict, match=f"there is a network `{name}` already") as found:
            await have(engine, WantedNetwork(named, {}))
        assert f"docker network rm {name}" in (found.value.hint or "")
        divided = replace(BACKEND, settings={"ipam": {"config": [config]}})
        with pytest.raises(CompartmentError, match=r"cannot have the subnet 10\.202\.8\.0/24"):
            await have(engine, WantedNetwork(divided, {}))
    finally:
        await engine.docker.call(lambda client: client.remove_network(theirs["Id"]))


async def test_the_shared_network_stays_as_it_is(engine: Environments) -> None:
    await prepare(engine.networks, target(), ["web"])
    (network,) = await engine.all_networks()
    assert set(network["Labels"]) == {
        "compartment.home", "compartment.role", "compartment.project", "compartment.environment",
    }  # fmt: skip
    await have(engine, WantedNetwork(FRONTEND, {"web": ()}))
    assert [each.network for each in engine.networks.holders(target(), "web")] == ["", "frontend"]
    shared, drawn = await asyncio.gather(
        attach(engine.networks, target(), "app"), engine.join(target(), "app", *links(FRONTEND))
    )
    assert (shared.network_id, shared.aliases) == (network["Id"], ())
    assert drawn.ends[0].aliases == ("app",)
