"""Ports of this machine: chosen once, each for one service, and handed on within a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from core.container import Container, Port, Protocol, Published
from core.errors import Conflict
from core.gateway.table import Ports
from core.model import Service, ServiceKind, Status
from core.promotion import publishing as module
from core.promotion.publishing import OwnPorts, Publishing
from core.promotion.routing import Router
from tests.promotion.records import deployment
from tests.promotion.test_compose_serving import ledger_of

if TYPE_CHECKING:
    from collections.abc import Collection

RANGE = Published(80, 28_100, last=28_110)


def service(name: str, *published: Published, ports: tuple[int, ...] = ()) -> Service:
    known = tuple(Port(each, Protocol.HTTP) for each in ports)
    container = Container(image="x", published=published, ports=known)
    return Service(name, ".", ServiceKind.WEB, container=container)


def publishing(*records: Any) -> Publishing:
    return Publishing(ledger_of(*records), deployment().target, OwnPorts(frozenset(), {}))


def ports_of(found: Service) -> list[int | None]:
    return [each.port for each in found.container.published] if found.container else []


def test_two_services_with_one_range_get_two_ports() -> None:
    found = publishing().given([service("a", RANGE), service("b", RANGE)])
    assert [ports_of(each) for each in found] == [[28_100], [28_101]]


def test_a_range_leaves_the_port_that_another_service_names() -> None:
    named = service("b", Published(80, 28_100))
    assert ports_of(publishing().given([service("a", RANGE), named])[0]) == [28_101]


def test_a_port_that_was_chosen_for_a_run_ahead_is_kept() -> None:
    wanted = service("a", Published(80))
    (first,) = publishing().given([wanted])
    queued = deployment(service=first)
    assert publishing(queued).given([wanted]) == [first]
    active = deployment(id="dep_b", service=service("a", Published(80, 20_001)), is_active=True)
    assert publishing(active, queued).given([wanted]) == [first], "it is active by then"


def test_a_port_moves_from_one_service_to_another_in_one_run() -> None:
    active = deployment(service=service("a", Published(80, 28_120)), is_active=True)
    taker = service("b", Published(80, 28_120))
    publishing(active).check([service("a"), taker])
    with pytest.raises(Conflict, match="28120, which a of shop/production has") as conflict:
        publishing(active).check([taker])
    assert conflict.value.hint == "deploy a, too, or take it down: compartment down --service a"


def test_a_port_of_a_run_ahead_is_not_taken_from_it() -> None:
    """It was free when both were asked for."""
    ahead = deployment(service=service("a", Published(80, 28_120)), status=Status.RUNNING)
    with pytest.raises(Conflict, match="28120"):
        publishing(ahead).check([service("b", Published(80, 28_120))])


def test_an_address_changes_with_its_port_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway has the port: it opens it elsewhere in the same update."""

    def refuse(*_: object) -> None:
        raise AssertionError("the gateway itself has it")

    monkeypatch.setattr(module, "check_can_open", refuse)
    active = deployment(service=service("a", Published(80, 28_120)), is_active=True)
    publishing(active).check([service("a", Published(80, 28_120, host="127.0.0.1"))])


def test_a_promoted_service_that_listens_elsewhere_keeps_its_published_port() -> None:
    there = service("a", Published(80, 80), Published(443, 443), ports=(80, 443))
    active = deployment(service=there, is_active=True)
    promoted = service("a", Published(3000, 8090), ports=(3000, 443))
    kept = publishing(active).kept(promoted)
    assert kept.container
    assert kept.container.published == (Published(3000, 80), Published(443, 443))


class Leaving:
    """A gateway that takes note of what it is to leave, and where it must not go."""

    def __init__(self) -> None:
        self.ports = Ports(8080, 8081)
        self.left: list[tuple[set[int], set[int]]] = []

    async def leave(self, ports: Collection[int], taken: Collection[int]) -> None:
        self.left.append((set(ports), set(taken)))


async def test_the_gateway_goes_nowhere_where_somebody_is_to_be_published() -> None:
    gateway: Any = Leaving()
    coming = deployment(service=service("c", Published(80, 8083)))
    ledger, no_engines = ledger_of(coming), cast("Any", None)
    router = Router(ledger, gateway, no_engines)
    router.keep_ports = nothing  # type: ignore[method-assign]
    await router.make_room([service("a", Published(80, 8080)), service("b", Published(80, 8082))])
    ((left, taken),) = gateway.left
    assert left == {8080}
    assert taken >= {8080, 8082, 8083}


async def nothing() -> None:
    pass
