"""What is replaced because another service is, whichever verb replaces that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.container import Container
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import Service, ServiceKind, Stage, Status, Trigger
from core.promotion.following import bring_along, leaders_first, sharing
from core.promotion.ledger import Ledger
from core.promotion.specs import spec_named
from core.records import Activation, ActivationState, Run
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.records import Deployment

CANDIDATE, LIVE = ActivationState.CANDIDATE, ActivationState.LIVE
DRAINING = ActivationState.DRAINING


def service(name: str, kind: ServiceKind = ServiceKind.WORKER, **container: Any) -> Service:
    return Service(name, ".", kind, container=Container(image="x", **container))


DB = service("db")
APP = service("app", restarts_with=("db",), environment={"A": "1"})
SIDE = service("side", network_mode="service:app")
MIGRATE = service("migrate", ServiceKind.JOB, restarts_with=("db",))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    journal = Journal(tmp_path / "journal.db")
    await journal.open()
    log = CompartmentLog(tmp_path / "logs")
    yield Ledger(journal, log)
    log.close()
    await journal.close()


def active(service_: Service, id_: str) -> Deployment:
    return deployment(
        id=id_,
        service=service_,
        artifact_id=f"art_{service_.name}",
        is_active=True,
        status=Status.SUCCEEDED,
        stage=Stage.ACTIVE,
    )


async def test_what_follows_is_started_again_as_it_is(ledger: Ledger) -> None:
    """Also what nobody could name when the run was asked for."""
    older = deployment(id="dep_old", service=DB, status=Status.SUCCEEDED, stage=Stage.ACTIVE)
    run = Run("drn_1", TARGET, Trigger.ROLLBACK, Status.RUNNING, "", deployment_ids=("dep_old",))
    there = [active(DB, "dep_db"), active(APP, "dep_app"), active(SIDE, "dep_side")]
    await ledger.write(run, older, *there, active(MIGRATE, "dep_job"))
    app, side = await bring_along(ledger, run.id, [older])
    assert (app.service, app.artifact_id, app.status) == (APP, "art_app", Status.QUEUED)
    assert side.service == SIDE, "followers have followers"
    assert ledger.runs[run.id].deployment_ids == ("dep_old", app.id, side.id)
    assert ledger.deployments[app.id] == app


async def test_what_is_in_the_run_already_is_not_brought_along(ledger: Ledger) -> None:
    app = deployment(id="dep_new", service=APP)
    run = Run("drn_1", TARGET, Trigger.DEPLOY, Status.RUNNING, "", deployment_ids=("dep_new",))
    await ledger.write(run, app, active(APP, "dep_app"))
    assert await bring_along(ledger, run.id, [app]) == []
    assert ledger.runs[run.id] == run


def test_who_is_in_the_network_of_what_stops_has_to_stop() -> None:
    assert sharing([DB, APP, SIDE], {"app"}) == {"side"}
    assert sharing([DB, APP, SIDE], {"db"}) == set(), "a network of its own is not lost"


def test_what_shares_a_network_starts_after_whose_it_is() -> None:
    side, app = active(SIDE, "dep_side"), active(APP, "dep_app")
    found = [Activation(each.id, 1, LIVE, "") for each in (side, app)]
    known = {side.id: side, app.id: app}
    assert [each.deployment_id for each in leaders_first(found, known)] == [app.id, side.id]


@pytest.mark.parametrize("state", [CANDIDATE, DRAINING])
async def test_whose_network_is_shared(
    ledger: Ledger, tmp_path: Path, state: ActivationState
) -> None:
    """What becomes live shares the network of what does; what is live stays where it was.

    A rollback takes back what still drains.
    """
    coming = deployment(
        id="dep_next", service=APP, status=Status.RUNNING, stage=Stage.STARTING_CANDIDATE
    )
    old, side = active(APP, "dep_app"), active(SIDE, "dep_side")
    next_side = deployment(id="dep_side2", service=SIDE, status=Status.RUNNING)
    await ledger.write(old, side, coming, next_side)
    await ledger.write(Activation("dep_next", 1, state, ""), Activation("dep_app", 1, LIVE, ""))
    home = type("Home", (), {"logs": tmp_path})
    parts: Any = type("Parts", (), {"ledger": ledger, "home": home})
    assert spec_named(parts, next_side, "dep_side2.1").beside == "dep_next.1"
    assert spec_named(parts, side, "dep_side.1").beside == "dep_app.1"
    await ledger.write(Activation("dep_next", 1, ActivationState.GONE, ""))
    assert spec_named(parts, next_side, "dep_side2.1").beside == "dep_app.1"
