"""Compose services that become another kind of thing: who carries their names, who is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.container import NetworkLink, Published
from core.model import ServiceKind, Status, Strategy, Trigger
from core.promotion.networks import networks_of
from core.promotion.serving import table
from core.records import Activation, ActivationState, HostRecord, Run
from tests.promotion.records import TARGET, deployment
from tests.promotion.test_compose_serving import BACK, FRONT, HTTP, Hosts, ledger_of, live, service

if TYPE_CHECKING:
    from core.model import Service
    from core.promotion.ledger import Ledger

RUN = Run("drn_1", TARGET, Trigger.DEPLOY, Status.RUNNING, "", deployment_ids=("dep_b",))


def held(ledger: Ledger, ended: str | None = None) -> dict[str, list[str]]:
    """The names on each network."""
    parts: Any = type("Parts", (), {"ledger": ledger})
    return {each.key: sorted(each.names) for each in networks_of(parts, TARGET, ended=ended)}


def with_strategy(name: str, strategy: Strategy) -> Service:
    return replace(service(name), strategy=strategy)


def changing(before: Strategy, after: Strategy, state: ActivationState) -> Ledger:
    """A service that is replaced by one of another strategy; `state` is that of the old one."""
    old = deployment(id="dep_a", service=with_strategy("db", before), is_active=True)
    new = deployment(id="dep_b", service=with_strategy("db", after), status=Status.RUNNING)
    serving = replace(live(old, (5432, HTTP), state=state), replaced_by=RUN.id)
    return ledger_of(RUN, old, serving, new)


@pytest.mark.parametrize(
    ("before", "after", "while_live", "while_aside"),
    [
        (Strategy.OVERLAP, Strategy.STOP_FIRST, ["db"], []),
        (Strategy.STOP_FIRST, Strategy.OVERLAP, [], ["db"]),
        (Strategy.STOP_FIRST, Strategy.SINGLETON, [], []),
    ],
)
def test_a_name_is_held_or_carried_and_changes_hands_while_nobody_has_it(
    before: Strategy, after: Strategy, while_live: list[str], while_aside: list[str]
) -> None:
    ledger = changing(before, after, ActivationState.LIVE)
    assert held(ledger) == {"back": while_live, "front": while_live}
    ledger = changing(before, after, ActivationState.ASIDE)
    assert held(ledger) == {"back": while_aside, "front": while_aside}
    assert held(ledger, ended=RUN.id) == {"back": while_live, "front": while_live}, "as it was"


@pytest.mark.parametrize("state", [ActivationState.LIVE, ActivationState.ASIDE])
def test_a_run_that_waits_for_its_turn_takes_no_name(state: ActivationState) -> None:
    """Whoever carries the name now would be started without it."""
    ledger = changing(Strategy.STOP_FIRST, Strategy.STOP_FIRST, state)
    later = deployment(id="dep_c", service=with_strategy("db", Strategy.OVERLAP))
    queued = replace(RUN, id="drn_2", status=Status.QUEUED, deployment_ids=("dep_c",))
    for each in (later, queued):
        ledger._fold(each)
    assert held(ledger) == {"back": [], "front": []}
    assert held(ledger, ended=RUN.id) == {"back": [], "front": []}


def test_two_versions_have_the_networks_and_names_of_both_until_the_run_is_over() -> None:
    before = service("app", networks=(NetworkLink(FRONT, ("old",)),))
    after = service("app", networks=(NetworkLink(FRONT, ("new",)), NetworkLink(BACK)))
    old = deployment(id="dep_a", service=before, is_active=True)
    new = deployment(id="dep_b", service=after, status=Status.RUNNING)
    ledger = ledger_of(RUN, old, live(old, (3000, HTTP)), new)
    parts: Any = type("Parts", (), {"ledger": ledger})
    back, front = networks_of(parts, TARGET)
    assert (back.names["app"], front.names["app"]) == ((), ("old", "new"))
    assert held(ledger, ended=RUN.id) == {"front": ["app"]}, "a run that failed leaves nothing"


@pytest.mark.parametrize("kind", [ServiceKind.WORKER, ServiceKind.JOB])
def test_what_serves_nothing_any_more_is_not_led_to(kind: ServiceKind) -> None:
    """From the switch on, and not only once the one before it is gone."""
    old = deployment(
        id="dep_a",
        service=service("web", ServiceKind.WEB, published=(Published(3000, 8090),)),
        is_active=True,
    )
    new = deployment(id="dep_b", service=service("web", kind))
    host = HostRecord("shop.localhost", TARGET, "web", is_public=True)
    candidates = (Activation(new.id, 1, ActivationState.CANDIDATE, ""),)
    incoming = candidates if kind is ServiceKind.WORKER else ()
    ledger = ledger_of(host, old, live(old, (3000, HTTP)), new, *incoming)
    found = table(ledger, cast("Any", Hosts("web")), incoming, {new.id})
    assert found.sites[0].live == {}
    assert found.entrances == ()
    assert [each.name for each in found.upstreams] == ["dep_a.1"], "it is drained"
