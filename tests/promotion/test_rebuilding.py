"""What a journal that is made anew says, whatever the manifests were late with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.events import Event, EventType
from core.files import Home
from core.gateway.routes import ROUTES, route_configuration
from core.gateway.table import Site, Table
from core.gateway.told import content_of
from core.journal import Journal
from core.journal.manifests import Manifests
from core.journal.salvage import Salvaged
from core.logs.writer import CompartmentLog
from core.model import EngineName, Service, ServiceKind, Stage, Status, Trigger
from core.promotion import rebuilding
from core.promotion.ledger import Ledger
from core.records import (
    Activation,
    ActivationState,
    EnvironmentRecord,
    Run,
    UserRecord,
)
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from core.journal.manifests import Entry
    from core.journal.schema import Kept
    from core.records import Deployment

OLD = deployment(
    id="dep_old",
    status=Status.SUCCEEDED,
    stage=Stage.ACTIVE,
    is_active=True,
    activations=1,
    activated_at="2026-01-01T00:00:00.000000Z",
)
NEW = deployment(id="dep_new", status=Status.RUNNING, stage=Stage.CHECKING_READINESS, activations=1)
RUN = Run(NEW.run_id, TARGET, Trigger.DEPLOY, Status.RUNNING, NEW.created_at, ("dep_new", "dep_x"))
ENVIRONMENT = EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop")


def activation(of: Deployment, state: ActivationState) -> Activation:
    return Activation(of.id, 1, state, of.created_at, addresses=(("127.0.0.1", 1),))


LIVE = activation(OLD, ActivationState.LIVE)
CANDIDATE = activation(NEW, ActivationState.CANDIDATE)


@pytest.fixture
def home(home: object, tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("home") / "h")
    made.create()
    return made


def lead_to(home: Home, *upstreams: str) -> None:
    """Writes routes as the gateway's writer does."""
    sites = tuple(
        Site(f"{name}.localhost", "web", is_public=True, rules=(), live={"web": name})
        for name in upstreams
    )
    content = content_of("1", [route_configuration("1", Table(sites))])
    (home.gateway / f"{ROUTES}.json").write_bytes(content)


class Made:
    """What the next agent would find."""

    def __init__(self, ledger: Ledger, doubts: list[str], past: list[Deployment]) -> None:
        self.runs = ledger.runs
        self.activations = {each.name: each for each in ledger.activations.values()}
        self.active = {each.id for each in ledger.deployments.values() if each.is_active}
        self.states = {each.id: (each.status, each.stage) for each in past}
        self.users = {name for _, name in ledger.users}
        self.doubts = doubts


async def made(
    home: Home, manifests: dict[str, list[Entry]], salvaged: list[Kept] | None = None
) -> Made:
    for name, entries in manifests.items():
        Manifests(home.manifests).write(name, entries)
    found = rebuilding.find(home, Salvaged(salvaged or []))
    journal = Journal(home.journal)
    await journal.open()
    rebuilding.write(home.journal, found.entries)
    await journal.close()
    journal, log = Journal(home.journal), CompartmentLog(home.logs)
    await journal.open()
    try:
        ledger = Ledger(journal, log)
        await ledger.load()
        doubts = await rebuilding.make_true(ledger, home)
        past = await journal.history(TARGET, None, 10)
        return Made(ledger, doubts, past)
    finally:
        log.close()
        await journal.close()


IN_A_RUN: dict[str, list[Entry]] = {
    "dep_old": [OLD, LIVE],
    "dep_new": [NEW, CANDIDATE, RUN],
    "env_1": [ENVIRONMENT],
}


async def test_a_run_that_is_routed_to_has_switched(home: Home) -> None:
    lead_to(home, "dep_new.1")
    found = await made(home, IN_A_RUN)
    assert found.active == {"dep_new"}
    assert found.states["dep_new"] == (Status.RUNNING, Stage.DRAINING_PREVIOUS)
    assert found.activations["dep_new.1"].state is ActivationState.LIVE
    assert found.activations["dep_old.1"].state is ActivationState.DRAINING
    assert found.activations["dep_old.1"].replaced_by == RUN.id
    # One that was never started is no part of it.
    assert found.runs[RUN.id].deployment_ids == ("dep_new",)
    assert found.doubts == []


async def test_a_run_that_is_not_routed_to_is_left_to_the_next_agent(home: Home) -> None:
    lead_to(home, "dep_old.1")
    found = await made(home, IN_A_RUN)
    assert found.active == {"dep_old"}
    assert found.activations["dep_new.1"].state is ActivationState.CANDIDATE
    assert "is taken back" in found.doubts[0]


async def test_what_switched_together_is_switched_together(home: Home) -> None:
    """A worker is not routed to; the manifest of its run's `web` was quicker."""
    worker = replace(NEW, id="dep_worker", service=Service("mail", ".", ServiceKind.WORKER))
    candidate = activation(worker, ActivationState.CANDIDATE)
    run = replace(RUN, deployment_ids=("dep_new", "dep_worker"))
    switched = NEW.changed(stage=Stage.DRAINING_PREVIOUS, is_active=True, replaced=OLD.id)
    found = await made(
        home,
        {
            "dep_old": [OLD.changed(is_active=False)],
            "dep_new": [switched, replace(CANDIDATE, state=ActivationState.LIVE), run],
            "dep_worker": [worker, candidate, run],
        },
    )
    assert found.active == {"dep_new", "dep_worker"}
    assert found.activations["dep_worker.1"].state is ActivationState.LIVE


async def test_of_two_that_are_active_traffic_chooses(home: Home) -> None:
    later = OLD.changed(id="dep_later", activated_at="2026-02-01T00:00:00.000000Z")
    manifests: dict[str, list[Entry]] = {
        "dep_old": [OLD, LIVE],
        "dep_later": [later, activation(later, ActivationState.LIVE)],
    }
    found = await made(home, manifests)
    assert (found.active, len(found.doubts)) == ({"dep_later"}, 1)
    assert found.activations.keys() == {"dep_later.1"}
    home.journal.unlink()
    lead_to(home, "dep_old.1")
    assert (await made(home, manifests)).active == {"dep_old"}


async def test_an_older_copy_brings_nothing_back(home: Home) -> None:
    """What was taken down, removed or replaced since is known to be so by who has no manifest."""
    down = OLD.changed(id="dep_down", service=Service("gone", "."))
    salvaged: list[Kept] = [
        ENVIRONMENT,
        UserRecord(TARGET, "eve", "{SHA}x"),
        OLD.changed(is_active=False),
        down,
        activation(down, ActivationState.LIVE),
        Event(EventType.RUN_QUEUED, "then", "x", seq=7),
    ]
    manifests: dict[str, list[Entry]] = {
        **IN_A_RUN,
        "env_1": [ENVIRONMENT, UserRecord(TARGET, "ann", "{SHA}x")],
    }
    found = await made(home, manifests, salvaged)
    assert found.users == {"ann"}
    assert found.active == {"dep_old"}
    assert found.states["dep_down"] == (Status.SUCCEEDED, Stage.ACTIVE)


async def test_without_manifests_it_is_what_was_salvaged(home: Home) -> None:
    user = UserRecord(TARGET, "ann", "{SHA}x")
    found = await made(home, {}, [ENVIRONMENT, user, OLD, LIVE, NEW])
    assert (found.users, found.active) == ({"ann"}, {"dep_old"})
    # Its run cannot be read: nobody would end it.
    assert found.states["dep_new"] == (Status.FAILED, Stage.CHECKING_READINESS)
