"""Networks of environments on a real engine."""

from __future__ import annotations

import asyncio
import time
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker import subnets
from core.errors import CompartmentError
from core.records import Target
from tests.engines.docker.environments import (
    Environments,
    attach,
    environments,
    holder_of,
    prepare,
    target,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

REACHES = """
import socket, sys
for host, port in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        with socket.create_connection((host, int(port)), 1):
            print("reached")
    except socket.gaierror:
        print("unknown")
    except OSError:
        print("unreachable")
"""
RESOLVES = "import socket, sys; print([socket.gethostbyname(name) for name in sys.argv[1:]])"
SERVES = ("python3", "-m", "http.server", "8000")


@pytest.fixture
async def engine(docker_socket: str) -> AsyncIterator[Environments]:
    async with environments(docker_socket) as made:
        yield made


async def test_a_network_is_made_once(engine: Environments, figures: FiguresRecorder) -> None:
    names = ["web", "api", "back_office", "7up", "admin"]
    began = time.monotonic()
    await prepare(engine.networks, target(), names)
    figures("prepare an environment of 5 services", (time.monotonic() - began) * 1000, "ms")
    network = await engine.network(target())
    assert network["Driver"] == "bridge"
    assert not network["Internal"]
    config = network["IPAM"]["Config"][0]
    subnet = IPv4Network(config["Subnet"])
    assert subnet.prefixlen == 24
    assert subnet.subnet_of(IPv4Network("10.201.0.0/16"))
    held = [holder_of(engine.networks, target(), name) for name in names]
    assert len({each.address for each in held if each}) == 5
    assert all(each and IPv4Address(each.address) in subnet for each in held)

    asked = engine.docker.asked
    await prepare(engine.networks, target(), names)
    await prepare(engine.networks, target(), ["web"])
    assert engine.docker.asked == asked


async def test_an_agent_after_this_one_finds_it(engine: Environments) -> None:
    await prepare(engine.networks, target(), ["web"])
    network = await engine.network(target())
    for way in ("resync", "prepare"):
        later = engine.agent()
        if way == "resync":
            await later.resync()
        else:
            await prepare(later, target(), ["web"])
        assert holder_of(later, target(), "web") == holder_of(engine.networks, target(), "web")
        attachment = await attach(later, target(), "web")
        assert attachment.network_id == network["Id"]
    assert len(await engine.containers()) == 1
    assert engine.times_moved == 0


async def test_names_that_look_alike_have_networks_of_their_own(engine: Environments) -> None:
    alike = [Target("d-a-b", "c"), Target("d-a", "b-c"), Target("d-a", "B c"), Target("d-a", "b:c")]
    longest = Target("d" * 63, "e" * 63)
    for each in (*alike, longest):
        await prepare(engine.networks, each, ["s" * 63])
    found = await engine.all_networks()
    assert len({each["Name"] for each in found}) == len(found) == 5
    assert all(each["Name"].startswith("compartment-d") for each in found)


async def test_another_home_has_a_network_of_its_own(engine: Environments) -> None:
    await prepare(engine.networks, target(), ["web"])
    other = engine.agent(home=f"{engine.home}-other")
    try:
        await prepare(other, target(), ["web"])
        before = holder_of(engine.networks, target(), "web")
        assert before is not None
        assert holder_of(other, target(), "web") not in (None, before)
    finally:
        await other.clear(target())
    await engine.networks.resync()
    assert holder_of(engine.networks, target(), "web") == before


async def test_who_is_slower_takes_the_next_subnet(
    engine: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(subnets.SUBNETS, "10.201.250.0/23")
    await prepare(engine.networks, target("first"), [])
    # The other agents' networks are made after this one has looked.
    monkeypatch.setattr(subnets, "of_networks", lambda _: ())
    monkeypatch.setattr(subnets, "of_host", lambda: ())
    await prepare(engine.networks, target("second"), [])
    with pytest.raises(CompartmentError, match="no subnet is left"):
        await prepare(engine.networks, target("third"), [])
    found = {each["IPAM"]["Config"][0]["Subnet"] for each in await engine.all_networks()}
    assert found == {"10.201.250.0/24", "10.201.251.0/24"}


async def test_an_address_is_given_out_once(engine: Environments, figures: FiguresRecorder) -> None:
    await prepare(engine.networks, target(), ["web"])
    web = holder_of(engine.networks, target(), "web")
    assert web is not None
    networks = engine.networks
    attaching = (attach(networks, target(), "web") for _ in range(20))
    given = [each.address for each in await asyncio.gather(*attaching)]
    assert len({web.address, *given}) == 21
    began = time.monotonic()
    last = (await attach(networks, target(), "web")).address
    figures("reserve an address", (time.monotonic() - began) * 1000, "ms")
    # One that is free again is not the next one.
    engine.networks.release_address(last)
    following = IPv4Address(last) + 1
    assert (await attach(networks, target(), "web")).address == str(following)
    # One that belongs to an instance which is down at this moment is left out.
    skipped = {str(following + 1), str(following + 2)}
    assert (await attach(networks, target(), "web", skipped)).address == str(following + 3)


async def test_addresses_of_containers_that_do_not_run_are_in_use(engine: Environments) -> None:
    await prepare(engine.networks, target(), [])
    first = await attach(engine.networks, target(), "web")
    second = await attach(engine.networks, target(), "web")
    await engine.create(first)
    stopped = await engine.run(second, "true")
    await engine.docker.call(lambda client: client.wait(stopped))
    unused = [
        each for each in subnet_of(first.address) if each not in (first.address, second.address)
    ]
    later = engine.agent()
    await prepare(later, target(), [])
    with pytest.raises(CompartmentError, match="all addresses of the network compartment-d-shop"):
        await attach(later, target(), "web", unused, None)
    for address in (first.address, second.address):
        with pytest.raises(CompartmentError, match=f"{address} is used by the container d-"):
            await attach(later, target(), "web", (), address)


def subnet_of(address: str) -> list[str]:
    return [str(each) for each in IPv4Network(f"{address}/24", strict=False)]


async def test_an_instance_has_its_address_again(engine: Environments) -> None:
    await prepare(engine.networks, target(), [])
    first = await attach(engine.networks, target(), "web")
    container = await engine.run(first)
    await engine.remove(container)
    # Also where it was not released, and although it is its own that is down at this moment.
    again = await attach(engine.networks, target(), "web", {first.address}, first.address)
    assert again == first
    await engine.run(again)
    with pytest.raises(CompartmentError, match=r"10\.9\.9\.9 is not on it"):
        await attach(engine.networks, target(), "web", (), "10.9.9.9")


async def test_what_the_engine_chooses_is_out_of_the_way(engine: Environments) -> None:
    await prepare(engine.networks, target(), ["web"])
    network = (await engine.network(target()))["Id"]
    container = await engine.run(None, network_mode=network)
    described = await engine.docker.get(f"/containers/{container}/json")
    (endpoint,) = described["NetworkSettings"]["Networks"].values()
    assert int(endpoint["IPAddress"].rpartition(".")[2]) >= 224


async def test_a_network_removed_by_hand_is_made_again(engine: Environments) -> None:
    await prepare(engine.networks, target(), [])
    before = await engine.network(target())
    await engine.docker.call(lambda client: client.remove_network(before["Id"]))

    async def is_back() -> bool:
        return [each["Id"] for each in await engine.all_networks()] not in ([], [before["Id"]])

    await engine.until(is_back)
    await prepare(engine.networks, target(), [])
    after = await engine.network(target())
    assert after["IPAM"] == before["IPAM"]
    assert (await attach(engine.networks, target(), "web")).network_id == after["Id"]


async def test_what_was_removed_while_nobody_listened_is_made_again(engine: Environments) -> None:
    await prepare(engine.networks, target(), ["web", "api"])
    before = await engine.network(target())
    addresses = {name: address_of(engine, name) for name in ("web", "api")}
    held = [each["Id"] for each in await engine.containers()]

    def remove(client: Any) -> None:
        for each in held:
            client.remove_container(each, force=True)
        client.remove_network(before["Id"])

    await engine.stop_listening()
    await engine.docker.call(remove)
    await engine.networks.resync()
    assert engine.times_moved == 1
    after = await engine.network(target())
    assert after["Id"] != before["Id"]
    assert after["IPAM"] == before["IPAM"]
    assert {name: address_of(engine, name) for name in addresses} == addresses


def whole(engine: Environments, *names: str) -> bool:
    return all(holder_of(engine.networks, target(), name) for name in names)


def address_of(engine: Environments, name: str) -> str:
    holder = holder_of(engine.networks, target(), name)
    assert holder is not None
    return holder.address


async def test_nothing_is_left_once_an_environment_is_cleared(engine: Environments) -> None:
    await prepare(engine.networks, target(), ["web"])
    await prepare(engine.networks, target("staging"), ["web"])
    await engine.networks.clear(target())
    assert holder_of(engine.networks, target(), "web") is None
    await engine.network(target("staging"))
    assert len(await engine.containers()) == 1
    await engine.networks.clear(target("staging"))
    await engine.networks.clear(target("never-made"))
    assert await engine.all_networks() == []
    assert await engine.containers() == []
    images = await engine.docker.call(
        lambda client: client.images(filters={"label": f"compartment.home={engine.home}"})
    )
    assert images == []
    # It can be deployed again.
    await prepare(engine.networks, target(), ["web"])
    assert whole(engine, "web")


async def test_a_network_with_containers_of_others_stays(
    engine: Environments, caplog: pytest.LogCaptureFixture
) -> None:
    await prepare(engine.networks, target(), ["web"])
    network = (await engine.network(target()))["Id"]
    others = [await start(None, network_mode=network) for start in (engine.run, engine.create)]
    await engine.networks.clear(target())
    assert "stays, because these containers are attached to it: d-" in caplog.text
    assert (await engine.network(target()))["Id"] == network
    assert await engine.containers() == []
    await engine.remove(others[0])
    await engine.networks.clear(target())
    assert (await engine.network(target()))["Id"] == network
    await engine.remove(others[1])
    await engine.networks.clear(target())
    assert await engine.all_networks() == []


async def test_environments_do_not_see_each_other(engine: Environments) -> None:
    staging = target("staging")
    for each in (target(), staging):
        await prepare(engine.networks, each, ["web", each.environment])
    here = await attach(engine.networks, target(), "web")
    there = await attach(engine.networks, staging, "web")
    caller, *_ = [await engine.run(each, *SERVES) for each in (here, there)]
    beside = await engine.run(await attach(engine.networks, staging, "web"))
    await serving(engine, beside, there.address)
    await serving(engine, caller, here.address)
    holder = holder_of(engine.networks, staging, "staging")
    assert holder is not None
    found = await engine.python(
        caller, REACHES,
        here.address, "8000", there.address, "8000", holder.address, "8000", "staging", "8000",
    )  # fmt: skip
    assert found.split() == ["reached", "unreachable", "unreachable", "unknown"]
    # A name is looked up in one's own environment.
    names = await engine.python(caller, RESOLVES, "web", "production")
    assert names == str([address_of(engine, "web"), address_of(engine, "production")])


SERVING = """
import socket, sys, time
while True:
    try:
        socket.create_connection((sys.argv[1], 8000), 1).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.02)
"""


async def serving(engine: Environments, container: str, address: str) -> None:
    await engine.python(container, SERVING, address)


async def test_containers_reach_the_outside(engine: Environments) -> None:
    await prepare(engine.networks, target(), [])
    container = await engine.run(await attach(engine.networks, target(), "web"))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        bridge = await engine.docker.get("/networks/bridge")
        gateway = bridge["IPAM"]["Config"][0]["Gateway"]
        assert await engine.python(container, REACHES, gateway, str(port)) == "reached"


async def test_without_holders_a_name_is_an_alias(engine: Environments) -> None:
    plain = engine.agent(holds=False)
    await prepare(plain, target(), ["web", "api"])
    assert holder_of(plain, target(), "web") is None
    assert await engine.containers() == []
    web = await attach(plain, target(), "web")
    api = await attach(plain, target(), "api")
    assert (web.aliases, api.aliases) == (("web",), ("api",))
    caller = await engine.run(web)
    await engine.run(api)
    assert await engine.python(caller, RESOLVES, "web", "api") == str([web.address, api.address])


async def test_where_nothing_was_prepared_nothing_is_attached(engine: Environments) -> None:
    with pytest.raises(CompartmentError, match="the network of d-shop/production is not there"):
        await attach(engine.networks, target(), "web")


async def test_a_cancelled_preparation_leaves_nothing_half_made(engine: Environments) -> None:
    preparing = asyncio.create_task(prepare(engine.networks, target(), ["web", "api"]))
    before = engine.docker.asked
    while engine.docker.asked == before:
        await asyncio.sleep(0)
    preparing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await preparing
    assert whole(engine, "web", "api")
