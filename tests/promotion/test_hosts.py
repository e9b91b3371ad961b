"""Giving out host names; what they look like is in `tests/rules/test_hosts.py`."""

from __future__ import annotations

import re
from itertools import combinations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model import EngineName, Service, ServiceKind
from core.promotion.hosts import Hosts
from core.records import HostRecord, Target

if TYPE_CHECKING:
    from core.promotion.ledger import Ledger

HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.apps\.example\.com")
SERVICES = [Service("web", "."), Service("api", ".", kind=ServiceKind.API)]
NAMES = [
    *("production", "Staging", "staging", "STAGING", "stage/1", "stage 1", "stage-1", "..", "."),
    *(
        "日本",
        "日 本",
        "a b",
        "-x",
        "x",
        "🚀",
        "é",
        "a" * 63,
        "a" * 62 + "b",
        "-" * 63,
        "..//..",
        "%2e",
    ),
]


class Given:
    """Gives out hosts and remembers them, as a journal would."""

    def __init__(self) -> None:
        self.hosts: dict[str, HostRecord] = {}
        ledger = cast("Ledger", SimpleNamespace(hosts=self.hosts, domains={}, activations={}))
        self._hosts = Hosts(ledger, cast("Any", None), "apps.example.com")

    def to(self, target: Target, services: list[Service] = SERVICES) -> dict[str, str]:
        found = self._hosts.give(target, services, EngineName.DOCKER)
        for record in found.values():
            assert self.hosts.setdefault(record.host, record) == record, "given out twice"
        return {name: record.host for name, record in found.items()}


def test_a_host_stays_with_its_service() -> None:
    given_out = Given()
    first = given_out.to(Target("shop", "staging"))

    given_out.to(Target("shop", "Staging"))
    assert given_out.to(Target("shop", "staging")) == first


def test_what_takes_no_requests_has_no_host() -> None:
    kinds = (ServiceKind.WORKER, ServiceKind.JOB, ServiceKind.CRON)
    services = [Service(kind, ".", kind=kind) for kind in kinds]

    assert Given().to(Target("shop", "production"), services) == {}


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]])
def test_whatever_an_environment_is_called_it_has_hosts_of_its_own(order: list[str]) -> None:
    given_out = Given()
    hosts = [host for name in order for host in given_out.to(Target("shop", name)).values()]

    assert all(HOST.fullmatch(host) for host in hosts)
    assert len(set(hosts)) == 2 * len(NAMES)


def test_what_comes_first_never_has_the_names_of_production() -> None:
    for name in NAMES[1:]:
        given_out = Given()
        given_out.to(Target("shop", name))
        assert given_out.to(Target("shop", "production")) == {
            "web": "shop.apps.example.com",
            "api": "api-shop.apps.example.com",
        }


def test_two_projects_may_ask_for_one_name() -> None:
    given_out = Given()
    api = [Service("api", ".", kind=ServiceKind.API)]
    one = given_out.to(Target("shop", "staging"), api)
    other = given_out.to(Target("shop-staging", "production"), api)

    assert one["api"] == "api-shop-staging.apps.example.com"
    assert re.fullmatch(r"api-shop-staging-[0-9a-f]{6}\.apps\.example\.com", other["api"])


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=63), min_size=2, max_size=6, unique=True))
def test_any_environments_are_told_apart(names: list[str]) -> None:
    given_out = Given()
    hosts = [set(given_out.to(Target("shop", name)).values()) for name in names]

    assert all(HOST.fullmatch(host) for found in hosts for host in found)
    assert all(one.isdisjoint(other) for one, other in combinations(hosts, 2))
