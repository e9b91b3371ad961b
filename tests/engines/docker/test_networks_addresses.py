"""Who gets which address of a network, and how an instance is wired: no engine."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest

from core.engines.docker.address_register import AddressRegister
from core.engines.docker.attachments import Attachment, Joining
from core.engines.docker.network import Network
from core.engines.docker.subnets import Addresses, Subnet
from core.engines.docker.wiring import Wiring, is_own
from core.errors import CompartmentError


def network(size: int = 24) -> Network:
    subnet = Subnet.of(IPv4Network(f"10.9.1.0/{size}"))
    return Network("id", "backend", subnet, addresses=Addresses(subnet))


def at(number: int) -> str:
    return f"10.9.1.{number}"


def test_what_stops_first_gets_its_address_again() -> None:
    register, found = AddressRegister(), network()
    db, app = Joining("db", is_sticky=True), Joining("app")
    first = register.give(found, {}, db, None)
    others = [register.give(found, {}, app, None) for _ in range(3)]
    for each in (first, *others):
        register.release(each)
    assert register.give(found, {}, app, None) not in (first, *others)
    assert register.give(found, {}, db, None) == first
    # While somebody else's container has it, or it may come back at any moment, it gets another.
    register.release(first)
    assert register.give(found, {first: "theirs"}, db, None) != first


def test_replicas_get_their_addresses_again() -> None:
    register, found = AddressRegister(), network()
    joining = Joining("db", is_sticky=True)
    before = [register.give(found, {}, joining, None) for _ in range(3)]
    for each in before:
        register.release(each)
    assert [register.give(found, {}, joining, None) for _ in range(3)] == before


def test_an_agent_after_this_one_remembers_what_runs() -> None:
    register, found = AddressRegister(), network()
    register.note("db", at(77))
    assert register.give(found, {at(2): "app"}, Joining("app"), None) == at(78)
    assert register.give(found, {}, Joining("db", is_sticky=True), None) == at(77)


def test_what_others_remember_is_given_out_when_nothing_else_is_left() -> None:
    register, found = AddressRegister(), network(size=30)
    register.note("db", at(2))
    assert register.give(found, {}, Joining("app"), None) == at(2)


def test_what_the_file_gives_to_a_service_is_left_to_it() -> None:
    register, found = AddressRegister(), network()
    register.reserved = frozenset({at(2), at(3)})
    assert register.hold(found, {}, "") == at(4)
    assert register.give(found, {}, Joining("app"), None) == at(5)
    assert register.give(found, {}, Joining("db"), at(2)) == at(2)


@pytest.mark.parametrize(
    ("exact", "message"),
    [
        (at(7), "db cannot have its address on the network backend: 10.9.1.7 is used by .* theirs"),
        (at(1), "10.9.1.1 is not on it"),
        ("10.9.2.7", "10.9.2.7 is not on it"),
    ],
)
def test_an_address_of_the_file_that_cannot_be_had(exact: str, message: str) -> None:
    with pytest.raises(CompartmentError, match=message) as caught:
        AddressRegister().give(network(), {at(7): "theirs"}, Joining("db"), exact)
    assert "ipv4_address" in (caught.value.hint or "")


def test_an_instance_that_is_started_again_cannot_have_its_address() -> None:
    joining = Joining("db", wanted=at(7))
    with pytest.raises(CompartmentError, match=r"again: 10\.9\.1\.7 is used by"):
        AddressRegister().give(network(), {at(7): "theirs"}, joining, at(7))


def test_a_holder_keeps_its_address_until_it_is_dropped() -> None:
    register, found = AddressRegister(), network(size=29)
    held = register.hold(found, {}, "")
    register.release(held)
    given = {register.give(found, {}, Joining("app"), None) for _ in range(4)}
    assert held not in given
    with pytest.raises(CompartmentError, match="all addresses of the network backend are in use"):
        register.give(found, {}, Joining("app"), None)
    register.drop(held)
    assert register.give(found, {}, Joining("app"), None) == held


def end(name: str, address: str = "", **changes: Any) -> Attachment:
    return Attachment(name, f"{name}-id", address, ("db",), **changes)


@pytest.mark.parametrize(
    ("attachments", "host", "reached_on"),
    [
        ([end("a", "10.9.1.2"), end("b", "10.9.2.2")], "10.9.1.2", ""),
        ([end("a", "10.9.1.2", is_reachable=False), end("b", "10.9.2.2")], "10.9.2.2", ""),
        ([end("proxy"), end("b", "10.9.2.2")], "10.9.2.2", ""),
        ([end("proxy")], "", "proxy"),
        ([end("a", "10.9.1.2", is_reachable=False)], "", ""),
    ],
)
def test_where_this_machine_reaches_it(
    attachments: list[Attachment], host: str, reached_on: str
) -> None:
    wiring = Wiring.of(attachments)
    assert (wiring.mode, wiring.host) == (attachments[0].network, host)
    assert (wiring.reached_on) == reached_on
    assert ("compartment.reached-on" in wiring.labels(is_named=True)) is bool(reached_on)


def test_a_container_is_made_on_its_first_network_and_connected_to_the_others() -> None:
    settings = {"ipv6_address": "fd00::7", "driver_opts": {"a": "b"}, "priority": 3}
    wiring = Wiring.of([end("a", "10.9.1.2"), end("b", "10.9.2.2", settings=settings)])
    first = {"IPAMConfig": {"IPv4Address": "10.9.1.2"}, "Aliases": ["db"]}
    other = {
        "IPAMConfig": {"IPv4Address": "10.9.2.2", "IPv6Address": "fd00::7"},
        "Aliases": ["db"],
        "DriverOpts": {"a": "b"},
    }
    assert wiring.networking(is_named=True) == {"EndpointsConfig": {"a": first}}
    assert wiring.connections(is_named=True) == [("b-id", other)]
    told = json.loads(wiring.labels(is_named=True)["compartment.endpoints"])
    assert told == {"a": first, "b": other}


def test_a_release_command_has_no_name() -> None:
    wiring = Wiring.of([end("a", "10.9.1.2"), end("b", "10.9.2.2")])
    unnamed = wiring.networking(is_named=False)["EndpointsConfig"]["a"]
    assert unnamed["Aliases"] == wiring.connections(is_named=False)[0][1]["Aliases"] == []


@pytest.mark.parametrize(
    ("mode", "is_so"),
    [("host", False), ("none", False), ("container:abc", False), ("bridge", True), ("mine", True)],
)
def test_which_containers_have_a_network_of_their_own(mode: str, is_so: bool) -> None:
    assert is_own(mode) is is_so
