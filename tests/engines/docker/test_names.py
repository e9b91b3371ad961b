"""What networks and containers are called, whatever somebody calls an environment."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engines.base import InstanceSpec, Owner
from core.engines.docker import containers, definitions
from core.model import Service
from core.records import Target
from tests.engines.docker.environments import Environments, environments, prepare
from tests.promotion.test_hosts import NAMES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""What the engine takes."""


def container_name(environment: str, instance: str = "dep_a.1") -> str:
    owner = Owner(Target("shop", environment), "web", "dep_a")
    return containers.name_of(
        InstanceSpec(instance, owner, Service("web", "."), "", {}, Path("log"))
    )


@pytest.mark.parametrize("environment", NAMES)
def test_the_engine_takes_the_names(environment: str) -> None:
    for name in (
        definitions.name_of("home", Target("shop", environment)),
        container_name(environment),
    ):
        assert NAME.fullmatch(name)
        assert name.startswith("compartment-shop-")
        assert len(name) < 255


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=63), min_size=2, max_size=5, unique=True))
def test_two_environments_never_share_a_network(names: list[str]) -> None:
    made = [definitions.name_of("home", Target("shop", name)) for name in names]

    assert all(NAME.fullmatch(name) for name in made)
    assert all(one != other for one, other in combinations(made, 2))


def test_two_instances_never_share_a_container() -> None:
    assert container_name("a b", "dep_a.1") != container_name("a/b", "dep_b.1")
    assert container_name("a b", "dep_a.1") != container_name("a b", "dep_a.1-2")


@pytest.fixture
async def engine(docker_socket: str) -> AsyncIterator[Environments]:
    async with environments(docker_socket) as made:
        yield made


@pytest.mark.docker
@pytest.mark.timeout(120)
async def test_environments_that_are_spelled_alike_have_networks_of_their_own(
    engine: Environments,
) -> None:
    alike = [Target("shop", name) for name in ("a b", "a/b", "a=b,c", "日本", "..", "A b")]
    for each in alike:
        await prepare(engine.networks, each, [])
    found = [(await engine.network(each))["Labels"]["compartment.environment"] for each in alike]
    assert found == [each.environment for each in alike]
    later = engine.agent()
    for each in alike:
        await prepare(later, each, [])
    assert len(await engine.all_networks()) == len(alike)
