"""What the gateway is told of Compose services: their names, their ports, who is behind them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.container import Container, Network, NetworkLink, Protocol, Published
from core.engines.base import Holder
from core.errors import Conflict
from core.model import EngineName, Service, ServiceKind, Status, Strategy
from core.promotion.following import follow, with_followers
from core.promotion.ledger import Ledger
from core.promotion.networks import networks_of
from core.promotion.plan import Action, PlannedService
from core.promotion.publishing import OwnPorts, Publishing
from core.promotion.serving import table
from core.records import (
    Activation,
    ActivationState,
    Deployment,
    EnvironmentRecord,
    HostRecord,
    ServedPort,
    Target,
)
from core.secrets import Mask
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from core.gateway.table import Entrance

FRONT, BACK = Network("front"), Network("back", is_internal=True)
HTTP, TCP = Protocol.HTTP, Protocol.TCP


def service(name: str, kind: ServiceKind = ServiceKind.API, **container: Any) -> Service:
    links = (NetworkLink(FRONT), NetworkLink(BACK, aliases=(f"{name}-alias",)))
    given = {"image": "x", "networks": links, **container}
    return Service(name, "", kind, container=Container(**given))


def live(
    found: Deployment,
    *ports: tuple[int, Protocol],
    number: int = 1,
    state: ActivationState = ActivationState.LIVE,
) -> Activation:
    at = f"10.0.0.{number}"
    served = tuple(ServedPort(port, speaks, ((at, port),)) for port, speaks in ports)
    addresses = ((at, ports[0][0] if ports else 3000),)
    return Activation(found.id, number, state, "", addresses=addresses, ports=served)


class Hosts:
    """Knows the holders of services, as the Docker engine does."""

    def __init__(self, *held: str) -> None:
        self._held = held

    def holders_of(self, _: Target, name: str) -> tuple[Holder, ...]:
        networks = ("front", "back") if name in self._held else ()
        return tuple(Holder(f"10.9.{at}.2", f"/ns/{key}", key) for at, key in enumerate(networks))

    def holder_of(self, host: HostRecord) -> Holder | None:
        return next(iter(self.holders_of(host.target, host.service)), None)


def ledger_of(*records: Any) -> Ledger:
    found = Ledger(cast("Any", None), cast("Any", SimpleNamespace(mask=Mask())))
    found.environments[TARGET] = EnvironmentRecord(TARGET, EngineName.DOCKER, "/")
    for each in records:
        found._fold(each)
    return found


def entrances(ledger: Ledger, *held: str, incoming: tuple[Activation, ...] = ()) -> list[Entrance]:
    return list(table(ledger, cast("Any", Hosts(*held)), incoming).entrances)


def active(name: str, id_: str = "dep_a", **container: Any) -> Deployment:
    return deployment(id=id_, service=service(name, **container), is_active=True)


def test_a_name_leads_to_each_port_on_each_network() -> None:
    app = active("app")
    ledger = ledger_of(app, live(app, (3000, HTTP), (9229, TCP), (3001, HTTP)))
    found = entrances(ledger, "app")
    assert [(each.upstream, each.is_tcp) for each in found] == [
        ("dep_a.1", False),
        ("dep_a.1-9229.tcp", True),
        ("dep_a.1-3001", False),
    ]
    doors = [(door.address, door.port, door.namespace) for door in found[0].doors]
    assert doors == [("10.9.0.2", 3000, "/ns/front"), ("10.9.1.2", 3000, "/ns/back")]
    names = [door.name for each in found for door in each.doors]
    assert len(set(names)) == len(names) == 6
    upstreams = table(ledger, cast("Any", Hosts("app"))).upstreams
    assert [each.name for each in upstreams] == [each.upstream for each in found]
    assert [bool(each.check) for each in upstreams] == [True, False, False]


def test_what_carries_its_name_itself_has_no_entrance() -> None:
    db = active("db")
    assert entrances(ledger_of(db, live(db, (5432, TCP)))) == []


def test_a_candidate_is_reached_until_something_is_live() -> None:
    app, next_ = active("app"), deployment(id="dep_b", service=service("app"))
    candidate = live(next_, (3000, HTTP), number=2, state=ActivationState.CANDIDATE)
    first = ledger_of(next_, candidate)
    assert [each.upstream for each in entrances(first, "app")] == ["dep_b.2"]
    both = ledger_of(app, live(app, (3000, HTTP)), next_, candidate)
    assert [each.upstream for each in entrances(both, "app")] == ["dep_a.1"]
    switched = entrances(both, "app", incoming=(candidate,))
    assert [each.upstream for each in switched] == ["dep_b.2"]


def test_a_host_name_of_a_service_in_a_container_opens_no_other_entrance() -> None:
    """The first deploy has a host name, and a holder, before anything is reached."""
    queued = deployment(service=service("web", ServiceKind.WEB))
    host = HostRecord("shop.localhost", TARGET, "web", is_public=True)
    assert entrances(ledger_of(queued, host), "web") == []


def test_published_ports_stay_while_what_serves_them_is_replaced() -> None:
    ports = (
        Published(80, 8090),
        Published(5432, 5433, host="127.0.0.1"),
        Published(53, 53, is_udp=True),
    )
    shop = active("shop", published=ports)
    serving = live(shop, (80, HTTP), (5432, TCP))
    (web, sql) = entrances(ledger_of(shop, serving))
    assert (web.upstream, web.is_tcp, web.doors[0].address) == ("dep_a.1", False, "0.0.0.0")
    assert (sql.upstream, sql.is_tcp, sql.doors[0].port) == ("dep_a.1-5432.tcp", True, 5433)
    assert not web.doors[0].is_new
    aside = replace(serving, state=ActivationState.ASIDE)
    (web, sql) = entrances(ledger_of(shop, aside))
    assert (web.upstream, web.is_tcp) == (None, False), "whoever asks is told to come again"
    assert (sql.upstream, sql.is_tcp) == (None, True)


def test_a_port_that_is_not_published_any_more_is_given_up_with_the_switch() -> None:
    old = active("shop", published=(Published(80, 8090),))
    new = deployment(id="dep_b", service=service("shop", published=(Published(80, 8091),)))
    candidate = live(new, (80, HTTP), number=2, state=ActivationState.CANDIDATE)
    ledger = ledger_of(old, live(old, (80, HTTP)), new, candidate)
    assert [each.doors[0].port for each in entrances(ledger)] == [8090]
    (switched,) = entrances(ledger, incoming=(candidate,))
    assert (switched.doors[0].port, switched.doors[0].is_new) == (8091, True)


def test_networks_hold_the_names_of_what_overlaps() -> None:
    db = replace(service("db"), strategy=Strategy.STOP_FIRST)
    stopping = deployment(id="dep_b", service=db, is_active=True)
    job = deployment(id="dep_c", service=service("migrate", ServiceKind.JOB), is_active=True)
    parts: Any = type("Parts", (), {"ledger": ledger_of(active("app"), stopping, job)})
    back, front = networks_of(parts, TARGET)
    assert (back.network, dict(back.names)) == (BACK, {"app": ("app-alias",)})
    assert (front.network, dict(front.names)) == (FRONT, {"app": ()})


OWN = OwnPorts(frozenset({8081}), {8080: "--port"})


def publishing(*records: Any, target: Target = TARGET) -> Publishing:
    return Publishing(ledger_of(*records), target, OWN)


def test_a_port_that_the_file_leaves_open_is_chosen_once() -> None:
    wanted = service("web", published=(Published(80), Published(81)))
    (first,) = publishing().given([wanted])
    assert first.container
    chosen = [each.port for each in first.container.published]
    assert all(chosen)
    assert len(set(chosen)) == 2
    kept = publishing(deployment(service=first, is_active=True)).given([wanted])
    assert kept == [first]


def test_a_port_of_another_environment_is_refused() -> None:
    mine = service("web", published=(Published(80, 28_090),))
    theirs = deployment(service=mine, is_active=True, target=Target("shop", "staging"))
    with pytest.raises(Conflict, match="28090, which web of shop/staging has"):
        publishing(theirs).check([mine])
    elsewhere = service("web", published=(Published(80, 28_090, host="127.0.0.2"),))
    here = service("web", published=(Published(80, 28_090, host="127.0.0.1"),))
    beside = deployment(service=elsewhere, is_active=True, target=Target("shop", "staging"))
    publishing(beside).check([here])


def test_the_gateways_own_ports() -> None:
    with pytest.raises(Conflict, match="port 8080 is the gateway's own"):
        publishing().check([service("web", published=(Published(80, 8080),))])
    publishing().check([service("web", published=(Published(80, 8081),))])


def test_a_promoted_service_keeps_the_ports_of_where_it_goes() -> None:
    there = deployment(service=service("web", published=(Published(80, 80),)), is_active=True)
    found = publishing(there).kept(service("web", published=(Published(80, 8090),)))
    assert found.container
    assert found.container.published == (Published(80, 80),)


def planned(name: str, action: Action, **container: Any) -> PlannedService:
    return PlannedService(
        service(name, **container),
        action,
        needs_build=False,
        because="",
        zero_downtime=True,
        downtime_reason="",
    )


def test_what_restarts_with_another_one_follows_it() -> None:
    services = [
        planned("db", Action.DEPLOY),
        planned("app", Action.LEAVE, restarts_with=("db",)),
        planned("side", Action.LEAVE, network_mode="service:app"),
        planned("other", Action.LEAVE),
    ]
    found = {each.service.name: each for each in follow(services, ["db", "app", "side", "other"])}
    assert [name for name, each in found.items() if each.action is Action.DEPLOY] == [
        "db",
        "app",
        "side",
    ]
    assert found["app"].because == "it is replaced together with db"


def test_followers_are_taken_along_though_nobody_named_them() -> None:
    app, db, side = (
        service("app", restarts_with=("db",)),
        service("db"),
        service("side", network_mode="service:app"),
    )
    services = {each.name: each for each in (app, db, side)}
    assert with_followers(["db"], services, active=["app", "side"]) == ["db", "app", "side"]
    assert with_followers(["db"], services, active=[]) == ["db"]
    unchanged = [planned("db", Action.LEAVE), planned("app", Action.DEPLOY, restarts_with=("db",))]
    assert all(each.action is Action.LEAVE for each in follow(unchanged, ["db"]))


def test_a_deployment_on_its_way_has_its_ports_already() -> None:
    coming = deployment(
        target=Target("shop", "staging"),
        status=Status.RUNNING,
        service=service("web", published=(Published(80, 28_091),)),
    )
    with pytest.raises(Conflict, match="28091"):
        publishing(coming).check([service("web", published=(Published(80, 28_091),))])
