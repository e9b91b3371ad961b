"""The table that all listeners share, and what is read back from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.gateway.routed import routed
from core.gateway.routes import ROUTES, route_configuration
from core.gateway.table import Encryption, Entrance, Site, Table, User
from core.gateway.told import content_of

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW, OTHER = "dep_old.1", "dep_new.2", "dep_other.3"
ANN = User("ann", "{SHA}x")


def site(host: str, service: str, **fields: Any) -> Site:
    live = {"web": OLD, "api": OTHER}
    return Site(host, service, service == "web", (), live, **fields)


def entrance(name: str, upstream: str | None, users: tuple[User, ...] | None = None) -> Entrance:
    return Entrance(name, (), upstream, users=users)


def ways(table: Table) -> dict[str, list[str]]:
    """Where requests may come in, by the clusters that they are led to."""
    found: dict[str, list[str]] = {}
    for host in route_configuration("1", table)["virtual_hosts"]:
        clusters = [each["route"]["cluster"] for each in host["routes"] if "route" in each]
        if clusters:
            assert clusters[-1] not in found
            found[clusters[-1]] = host["domains"]
    del found["pages"]
    return found


def test_a_way_to_a_service_is_told_once() -> None:
    table = Table(
        (site("shop.localhost", "web"), site("api.localhost", "api")),
        (),
        (entrance("web", OLD), entrance("api", OTHER), entrance("later", NEW)),
    )
    assert ways(table) == {
        OLD: ["public/shop.localhost", "internal/shop.localhost", "entrances/[web]"],
        OTHER: ["internal/api.localhost", "entrances/[api]"],
        NEW: ["entrances/[later]"],
    }


def test_who_may_come_in_is_told_for_each_way() -> None:
    shop = site("shop.localhost", "web", needs_login=frozenset({"web"}), users=(ANN,))
    table = Table((shop,), (), (entrance("web", OLD),))
    hosts = {
        each["domains"][0]: each["routes"]
        for each in route_configuration("1", table)["virtual_hosts"]
    }
    assert all("typed_per_filter_config" in each for each in hosts["public/shop.localhost"][:-1])
    assert not any("typed_per_filter_config" in each for each in hosts["entrances/[web]"])


@pytest.mark.parametrize("encryption", Encryption)
def test_a_domain_of_what_is_public_no_more_leads_nowhere(encryption: Encryption) -> None:
    """Its service may have become another kind."""
    table = Table((site("api.example", "api", encryption=encryption),))
    assert ways(table) == {}


def test_what_only_an_entrance_leads_to_is_not_live(tmp_path: Path) -> None:
    table = Table(
        (site("shop.localhost", "web"),), (), (entrance("web", OLD), entrance("later", NEW))
    )
    content = content_of("1", [route_configuration("1", table)])
    (tmp_path / f"{ROUTES}.json").write_bytes(content)
    assert routed(tmp_path).requests == {OLD}


def test_files_that_are_damaged_lead_nowhere(tmp_path: Path) -> None:
    for content in (b"", b"{", b"[1, null]", json.dumps({"domains": [1, None]}).encode()):
        (tmp_path / f"{ROUTES}.json").write_bytes(content)
        assert routed(tmp_path).requests == frozenset()
