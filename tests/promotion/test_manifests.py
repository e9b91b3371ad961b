"""What is kept a second time of the ledger, and when."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from core.files import Home
from core.journal import Journal
from core.journal.manifests import Manifests, Setting
from core.logs.writer import CompartmentLog
from core.model import Health, Stage, Status, Trigger
from core.promotion.ledger import Ledger
from core.promotion.manifests import ManifestWriter
from core.records import (
    Activation,
    ActivationState,
    Run,
    UserRecord,
    UserRemoved,
    Variable,
    VariableRecord,
)
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

COMING = deployment(status=Status.RUNNING, stage=Stage.STARTING_CANDIDATE, activations=1)
CANDIDATE = Activation(COMING.id, 1, ActivationState.CANDIDATE, "now")
STARTED = Activation(COMING.id, 1, ActivationState.CANDIDATE, "now", addresses=(("127.0.0.1", 1),))
RUN = Run(COMING.run_id, TARGET, Trigger.DEPLOY, Status.RUNNING, "now", (COMING.id,))
ACTIVE = COMING.changed(status=Status.SUCCEEDED, stage=Stage.ACTIVE, is_active=True)


@pytest.fixture
def place(home: Path) -> Home:
    found = Home(home)
    found.create()
    return found


@pytest.fixture
async def ledger(place: Home) -> AsyncIterator[Ledger]:
    journal, log = Journal(place.journal), CompartmentLog(place.logs)
    await journal.open()
    found = Ledger(journal, log)
    await found.load()
    yield found
    log.close()
    await journal.close()


@pytest.fixture
def manifests(place: Home) -> Manifests:
    return Manifests(place.manifests)


@pytest.fixture
def writer(ledger: Ledger, manifests: Manifests) -> ManifestWriter:
    return ManifestWriter(ledger, manifests)


async def test_what_is_on_its_way_is_kept_once_it_can_be_reached(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    await ledger.write(RUN, COMING.changed(stage=Stage.BUILDING))
    await writer.catch_up()
    await ledger.write(COMING, CANDIDATE)
    await writer.catch_up()
    assert manifests.deployment_ids == set()
    await ledger.write(STARTED)
    await writer.catch_up()
    assert manifests.read().entries == [COMING, STARTED, RUN]


async def test_only_what_matters_is_written_again(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    await ledger.write(ACTIVE, STARTED)
    await writer.catch_up()
    await ledger.write(ACTIVE.changed(health=Health.UNHEALTHY, health_reason="it says so"))
    await writer.catch_up()
    (kept, _) = manifests.read().entries
    assert kept == ACTIVE
    await ledger.write(ACTIVE.changed(is_active=False))
    await writer.catch_up()
    (kept, _) = manifests.read().entries
    assert kept == ACTIVE.changed(is_active=False)


async def test_what_became_the_past_at_once_is_kept_as_that(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    await ledger.write(ACTIVE)
    await writer.catch_up()
    await ledger.write(ACTIVE.changed(status=Status.STOPPED, is_active=False))
    ledger.forget_past()
    await writer.catch_up()
    (kept,) = manifests.read().entries
    assert kept == ACTIVE.changed(status=Status.STOPPED, is_active=False)


async def test_what_was_the_past_a_moment_ago_may_be_on_its_way_again(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    await ledger.write(ACTIVE.changed(is_active=False))
    ledger.forget_past()
    await ledger.write(RUN, COMING, STARTED)
    await writer.catch_up()
    assert manifests.read().entries == [COMING, STARTED, RUN]


async def test_what_was_removed_is_in_no_manifest(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    variable = VariableRecord(TARGET, None, "KEY", Variable("x"), "now")
    await ledger.write(variable, UserRecord(TARGET, "ann", "{SHA}x"))
    await writer.catch_up()
    await ledger.write(UserRemoved(TARGET, "ann"))
    await writer.catch_up()
    assert manifests.read().entries == [variable]


async def test_an_environment_without_anything_has_no_manifest(
    ledger: Ledger, manifests: Manifests
) -> None:
    await ledger.write(UserRecord(TARGET, "ann", "{SHA}x"))
    await ManifestWriter(ledger, manifests).catch_up()
    await ledger.write(UserRemoved(TARGET, "ann"))
    # Also by an agent that has not written it.
    await ManifestWriter(ledger, manifests).catch_up()
    assert manifests.names == {"home"}


async def test_what_nobody_can_go_back_to_has_none(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    past = ACTIVE.changed(id="dep_past", is_active=False)
    await ledger.write(ACTIVE, past, ACTIVE.changed(id="dep_gone", is_active=False))
    await writer.catch_up()
    assert manifests.deployment_ids == {ACTIVE.id, "dep_past", "dep_gone"}
    ledger.forget_past()
    await writer.keep_only({ACTIVE.id, "dep_past"})
    assert manifests.deployment_ids == {ACTIVE.id, "dep_past"}


async def test_what_an_earlier_version_has_left_gets_one(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    past = ACTIVE.changed(id="dep_past", is_active=False)
    await ledger.write(past)
    ledger.forget_past()
    await writer.keep_only({"dep_past"})
    assert manifests.read().entries == [past]


async def test_where_the_gateway_listens_is_kept(
    ledger: Ledger, manifests: Manifests, writer: ManifestWriter
) -> None:
    await ledger.journal.keep_setting("ports", "1 2 ::1")
    await writer.catch_up()
    assert manifests.read().entries == [Setting("ports", "1 2 ::1")]


async def test_a_disk_that_does_not_take_it_holds_nobody_up(
    ledger: Ledger,
    manifests: Manifests,
    writer: ManifestWriter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    await ledger.write(ACTIVE, STARTED)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(manifests, "write", full)
        await writer.catch_up()
        await writer.catch_up()
    assert [each.message for each in caplog.records] == [
        "the manifests cannot be written: No space left on device"
    ]
    await writer.catch_up()
    assert manifests.deployment_ids == {ACTIVE.id}
