"""Who reaches whom, from services as they are deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.container import Container, Network, NetworkLink, Published
from core.model import EngineName, Service
from core.reach import SHARED, reach_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

FRONT = NetworkLink(Network("frontend"))
BACK = NetworkLink(Network("backend", is_internal=True), aliases=("database", "postgres"))
OUTSIDE = NetworkLink(Network("proxy", is_external=True))


def contained(name: str, *links: NetworkLink, **container: Any) -> Service:
    return Service(name, ".", container=Container(networks=links, **container))


def reach(*services: Service, engine: EngineName = EngineName.DOCKER) -> Json:
    return reach_of(services, engine)


def members(found: Json) -> dict[str, list[str]]:
    return {each["name"]: names(each["services"]) for each in found["networks"]}


def names(services: Iterable[Json]) -> list[str]:
    return [each["serviceName"] for each in services]


def test_networks_are_told_with_their_services_and_names() -> None:
    found = reach(contained("db", BACK), contained("app", FRONT, BACK), contained("web", FRONT))
    assert members(found) == {"backend": ["app", "db"], "frontend": ["app", "web"]}
    backend, frontend = found["networks"]
    assert backend["services"][1] == {
        "serviceName": "db", "aliases": ["database", "postgres"], "beside": None,
    }  # fmt: skip
    assert (backend["isInternal"], frontend["isInternal"]) == (True, False)
    assert (found["hostNetwork"], found["none"], found["published"]) == ([], [], [])


def test_what_somebody_else_made_is_told() -> None:
    (found,) = reach(contained("web", OUTSIDE))["networks"]
    assert (found["isExternal"], found["isShared"]) == (True, False)


def test_published_ports_are_told_with_what_they_lead_to() -> None:
    ports = (Published(80, port=8090, host="127.0.0.1"), Published(53, port=53, is_udp=True))
    assert reach(contained("web", FRONT, published=ports))["published"] == [
        {"serviceName": "web", "host": "127.0.0.1", "port": 8090, "target": 80, "protocol": "tcp"},
        {"serviceName": "web", "host": "", "port": 53, "target": 53, "protocol": "udp"},
    ]


def test_modes_are_no_networks() -> None:
    found = reach(contained("lonely", network_mode="none"), contained("agent", network_mode="host"))
    assert (found["networks"], found["hostNetwork"], found["none"]) == ([], ["agent"], ["lonely"])


def test_a_service_in_the_network_of_another_one_is_where_that_is() -> None:
    found = reach(
        contained("vpn", FRONT, BACK),
        contained("app", network_mode="service:vpn"),
        contained("helper", network_mode="service:app"),
        contained("agent", network_mode="host"),
        contained("aside", network_mode="service:agent"),
    )
    assert members(found)["frontend"] == ["app", "helper", "vpn"]
    app, helper, vpn = found["networks"][0]["services"]
    assert (app["beside"], helper["beside"], vpn["beside"]) == ("vpn", "vpn", None)
    assert (app["aliases"], vpn["aliases"]) == ([], ["database", "postgres"])
    assert found["hostNetwork"] == ["agent", "aside"]


def test_whoever_was_beside_what_is_gone_is_nowhere() -> None:
    found = reach(contained("app", network_mode="service:vpn"))
    assert (found["networks"], found["hostNetwork"], found["none"]) == ([], [], [])


def test_two_that_are_beside_each_other_come_to_an_end() -> None:
    found = reach(
        contained("a", network_mode="service:b"), contained("b", network_mode="service:a")
    )
    assert found["networks"] == []


def test_without_a_compose_file_all_share_one_network() -> None:
    (found,) = reach(Service("web", "."), Service("api", "."))["networks"]
    assert (found["name"], found["isShared"]) == (SHARED, True)
    assert names(found["services"]) == ["api", "web"]


def test_processes_share_the_machine() -> None:
    found = reach(Service("web", "."), Service("api", "."), engine=EngineName.PROCESS)
    assert (found["networks"], found["hostNetwork"]) == ([], ["api", "web"])
