"""What the engine is asked for a network of a Compose file: tables, no engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.container import Network
from core.engines.docker.definitions import body_of, digest_of, name_of, subnet_of
from core.engines.docker.subnets import Addresses, Subnet
from core.records import Target

PRODUCTION, STAGING = Target("shop", "production"), Target("shop", "staging")
BACKEND = Network("backend")


def asked(**config: Any) -> Network:
    return replace(BACKEND, settings={"ipam": {"config": [config]}})


def test_networks_of_an_environment_are_named_apart() -> None:
    frontend = Network("frontend")
    names = {name_of("home", *each) for each in (
        (PRODUCTION, BACKEND), (PRODUCTION, frontend), (STAGING, BACKEND), (PRODUCTION,),
        (Target("shop", "production-backend"),), (Target("shop-production", "backend"),),
    )}  # fmt: skip
    assert len(names) == 6
    assert name_of("home", PRODUCTION, BACKEND).startswith("compartment-shop-production-backend-")


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ("production", "mine"),
        ("staging", "mine-staging"),
        ("a b", "mine-a-b-c8687a"),
        ("a/b", "mine-a-b-c14cdd"),
    ],
)
def test_a_name_of_the_file_is_that_of_production(environment: str, name: str) -> None:
    assert name_of("home", Target("shop", environment), replace(BACKEND, name="mine")) == name


def test_a_definition_has_another_digest_when_it_says_something_else() -> None:
    others = [
        replace(BACKEND, is_internal=True),
        replace(BACKEND, name="mine"),
        asked(subnet="10.9.0.0/24"),
        replace(BACKEND, settings={"driver": "macvlan"}),
        replace(BACKEND, settings={"enable_ipv6": True}),
    ]
    assert len({digest_of(each) for each in (BACKEND, *others)}) == 6
    # Its labels change nothing of what it is, so that they are no reason to end what is on it.
    assert digest_of(replace(BACKEND, settings={"labels": {"a": "b"}})) == digest_of(BACKEND)


def test_what_the_file_says_is_what_the_engine_is_asked_for() -> None:
    definition = Network(
        "backend",
        is_internal=True,
        settings={
            "driver_opts": {"com.docker.network.driver.mtu": 1400},
            "attachable": True,
            "enable_ipv6": True,
            "labels": {"team": "shop"},
            "ipam": {
                "driver": "default",
                "options": {"a": "b"},
                "config": [
                    {"subnet": "fd00:1::/64", "gateway": "fd00:1::1"},
                    {
                        "subnet": "172.28.0.0/16",
                        "ip_range": "172.28.5.0/24",
                        "gateway": "172.28.5.254",
                        "aux_addresses": {"router": "172.28.0.2"},
                    },
                ],
            },
        },
    )
    assert body_of(definition, subnet_of(definition)) == {
        "Driver": "bridge",
        "Options": {"com.docker.network.driver.mtu": "1400"},
        "Internal": True,
        "Attachable": True,
        "EnableIPv6": True,
        "IPAM": {
            "Driver": "default",
            "Options": {"a": "b"},
            "Config": [
                {
                    "Subnet": "172.28.0.0/16",
                    "Gateway": "172.28.5.254",
                    "IPRange": "172.28.5.0/24",
                    "AuxiliaryAddresses": {"router": "172.28.0.2"},
                },
                {"Subnet": "fd00:1::/64", "Gateway": "fd00:1::1"},
            ],
        },
        "Labels": {"team": "shop"},
    }


@pytest.mark.parametrize(
    ("config", "first", "count", "dynamic"),
    [
        ({"subnet": "10.9.1.0/24"}, "10.9.1.2", 222, "10.9.1.224/27"),
        ({"subnet": "10.9.1.7/24"}, "10.9.1.2", 222, "10.9.1.224/27"),
        ({"subnet": "10.9.1.0/26"}, "10.9.1.2", 30, "10.9.1.32/27"),
        ({"subnet": "10.9.1.0/28"}, "10.9.1.2", 13, None),
        ({"subnet": "10.9.1.0/28", "gateway": "10.9.1.9"}, "10.9.1.1", 13, None),
        ({"subnet": "10.9.1.0/28", "aux_addresses": {"a": "10.9.1.2"}}, "10.9.1.3", 12, None),
        ({"subnet": "10.9.0.0/23", "ip_range": "10.9.0.0/24"}, "10.9.1.0", 255, "10.9.0.0/24"),
        ({"subnet": "10.0.0.0/8"}, "10.0.0.2", 4095, "10.255.255.224/27"),
    ],
)
def test_a_subnet_of_the_file_is_divided(
    config: dict[str, Any], first: str, count: int, dynamic: str | None
) -> None:
    subnet = subnet_of(asked(**config))
    assert subnet is not None
    fixed = subnet.fixed
    assert (fixed[0], len(fixed)) == (first, count)
    assert subnet.dynamic == (dynamic and type(subnet.range)(dynamic))
    assert Subnet.read(subnet.config) == subnet
    assert Addresses(subnet).take(()) == first


@pytest.mark.parametrize(
    "address", ["10.9.1.1", "10.9.1.0", "10.9.1.15", "10.9.1.4", "10.9.2.2", "x"]
)
def test_no_container_can_have_what_is_not_free(address: str) -> None:
    subnet = subnet_of(asked(subnet="10.9.1.0/28", aux_addresses={"router": "10.9.1.4"}))
    assert subnet is not None
    assert subnet.has("10.9.1.5")
    assert not subnet.has(address)


def test_of_ipv6_alone_the_engine_is_asked_and_ipv4_is_ours() -> None:
    definition = asked(subnet="fd00::/64")
    assert subnet_of(definition) is None
    ours = Subnet.read({"Subnet": "10.201.1.0/24"})
    configs = body_of(definition, ours)["IPAM"]["Config"]
    assert [each["Subnet"] for each in configs] == ["10.201.1.0/24", "fd00::/64"]
