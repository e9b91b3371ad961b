"""Subnets and addresses: what is free, and in which order it is given out."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker.subnets import (
    SUBNETS,
    Addresses,
    Subnet,
    free,
    of_host,
    of_networks,
    ranges,
)
from core.errors import CompartmentError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
tun0	00000000	010200C0	0003	0	0	0	00000080	0	0	0
tun0	00000080	010200C0	0003	0	0	0	00000080	0	0	0
docker0	0000D30A	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun1	0000C90A	00000000	0001	0	0	0	0000FFFF	0	0	0
"""


def first_free(taken: list[str], key: str = "key", within: str = "10.201.0.0/22") -> list[str]:
    found = free([IPv4Network(within)], map(IPv4Network, taken), key)
    return [str(each.range) for each in islice(found, 1)]


def test_a_subnet_overlaps_nothing_that_is_taken() -> None:
    every = ["10.201.0.0/24", "10.201.1.0/24", "10.201.2.0/24", "10.201.3.0/24"]
    for left in every:
        assert first_free([each for each in every if each != left]) == [left]
    assert first_free(["10.201.0.0/23", "10.201.2.128/25"]) == ["10.201.3.0/24"]


def test_an_environment_gets_the_same_subnet_again() -> None:
    assert first_free([], "one") == first_free([], "one")
    assert len({first_free([], f"key {i}", "10.201.0.0/16")[0] for i in range(50)}) > 30


def test_where_a_vpn_takes_all_of_ten_there_is_a_second_range() -> None:
    found = next(free(ranges({}), [IPv4Network("10.0.0.0/8")], "key"))
    assert found.range.subnet_of(IPv4Network("198.18.0.0/16"))
    assert next(free(ranges({}), [], "key")).range.subnet_of(IPv4Network("10.201.0.0/16"))


def test_when_no_subnet_is_left_it_says_what_to_do() -> None:
    with pytest.raises(CompartmentError, match=r"no subnet is left.*10\.201\.0\.0/22") as caught:
        first_free(["10.201.0.0/16"])
    assert SUBNETS in (caught.value.hint or "")


def test_the_setting_names_other_ranges() -> None:
    assert ranges({SUBNETS: "10.9.0.0/20, 10.10.3.0/24"}) == [
        IPv4Network("10.9.0.0/20"),
        IPv4Network("10.10.3.0/24"),
    ]


@pytest.mark.parametrize("text", ["ten", "10.9.0.1/20", "10.9.0.0/25", "10.9.0.0/20,", "fd00::/64"])
def test_a_setting_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match=SUBNETS) as caught:
        ranges({SUBNETS: text})
    assert "10.201.0.0/16" in (caught.value.hint or "")


def test_routes_of_the_host_but_for_those_to_everywhere(tmp_path: Path) -> None:
    routes = tmp_path / "route"
    routes.write_text(ROUTES)
    assert list(map(str, of_host(routes))) == ["10.211.0.0/24", "10.201.0.0/16"]
    assert list(of_host(tmp_path / "missing")) == []


def test_subnets_of_the_networks_of_an_engine() -> None:
    networks: list[dict[str, Any]] = [
        {"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}, {"Subnet": "fd00::/64"}]}},
        {"IPAM": {"Config": None}},
        {"IPAM": None},
    ]
    assert list(map(str, of_networks(networks))) == ["172.17.0.0/16"]


def test_what_the_engine_gives_out_by_itself_is_not_given_out() -> None:
    subnet = Subnet.of(IPv4Network("10.201.7.0/24"))
    assert subnet.config == {
        "Subnet": "10.201.7.0/24",
        "Gateway": "10.201.7.1",
        "IPRange": "10.201.7.224/27",
    }
    assert subnet.fixed[0] == "10.201.7.2"
    assert subnet.fixed[-1] == "10.201.7.223"
    assert len(subnet.fixed) == 222
    assert Subnet.read(subnet.config) == subnet


def test_a_network_that_somebody_else_made_is_used_as_it_is() -> None:
    subnet = Subnet.read({"Subnet": "10.201.7.0/28", "Gateway": "10.201.7.14"})
    assert subnet.fixed == [f"10.201.7.{i}" for i in range(1, 14)]
    assert Subnet.read({"Subnet": "10.201.7.0/28"}).fixed[0] == "10.201.7.2"


def test_an_address_is_not_given_out_again_at_once() -> None:
    addresses = Addresses(Subnet.read({"Subnet": "10.201.7.0/29"}))
    assert [addresses.take(()) for _ in range(6)] == [
        *(f"10.201.7.{i}" for i in (2, 3, 4, 5, 6)),
        "10.201.7.2",
    ]
    assert addresses.take({"10.201.7.3", "10.201.7.4"}) == "10.201.7.5"
    assert addresses.take({f"10.201.7.{i}" for i in range(8)}) is None


def test_after_another_agent_it_goes_on_where_that_was() -> None:
    addresses = Addresses(Subnet.read({"Subnet": "10.201.7.0/29"}))
    assert addresses.take({"10.201.7.2", "10.201.7.4"}) == "10.201.7.5"
