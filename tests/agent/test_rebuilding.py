"""A home whose journal is damaged, without anything of it running."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.agent.damage import damage
from core.agent.rebuilding import rebuild
from core.cli.main import main
from core.errors import JournalDamaged
from core.files import Home
from core.journal import Journal
from core.journal.manifests import Manifests, Setting
from core.model import EngineName, Stage, Status
from core.promotion.traces import check_knows_all
from core.records import Activation, ActivationState, EnvironmentRecord
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from pathlib import Path

LIVE = deployment(
    status=Status.SUCCEEDED, stage=Stage.ACTIVE, is_active=True, activations=2, activated_at="now"
)
ACTIVATION = Activation(LIVE.id, 2, ActivationState.LIVE, "now", addresses=(("127.0.0.1", 1),))


@pytest.fixture
def place(home: Path) -> Home:
    found = Home(home)
    found.create()
    return found


def keep(place: Home) -> None:
    manifests = Manifests(place.manifests)
    manifests.write(LIVE.id, [LIVE, ACTIVATION])
    record = EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop")
    manifests.write("env_1", [record])
    manifests.write("home", [Setting("ports", "1 2 ::1")])


async def _checked(place: Home) -> dict[str, str]:
    journal = Journal(place.journal)
    await journal.open()
    try:
        await check_knows_all(journal, place)
        return journal.settings
    finally:
        await journal.close()


def checked(place: Home) -> dict[str, str]:
    """What an agent does at its start; the settings that it finds."""
    return asyncio.run(_checked(place))


def test_a_new_home_is_sound(home: Path) -> None:
    assert damage(Home(home)) is None
    assert rebuild(Home(home)) is None
    assert not home.exists()


def test_a_journal_that_is_gone_is_made_of_the_manifests(place: Home) -> None:
    keep(place)
    assert damage(place) == "it is gone"
    with pytest.raises(JournalDamaged, match=LIVE.id):
        checked(place)
    made = rebuild(place)
    assert made is not None
    assert (made.active, made.lost) == (["shop/production web"], [])
    assert made.doubts == [f"{ACTIVATION.name} does not run: it is started again"]
    assert checked(place)["ports"] == "1 2 ::1"
    assert (damage(place), rebuild(place)) == (None, None)
    assert place.journal.stat().st_mode & 0o077 == 0


def test_the_damaged_one_is_kept_with_its_log(place: Home) -> None:
    keep(place)
    place.journal.write_bytes(b"not a journal" * 400)
    place.journal.with_name("journal.db-wal").write_bytes(b"its log")
    made = rebuild(place)
    assert made is not None
    assert made.aside is not None
    assert made.aside.read_bytes() == b"not a journal" * 400
    assert made.aside.with_name(f"{made.aside.name}-wal").read_bytes() == b"its log"
    assert not place.journal.with_name("journal.db-wal").exists()


def test_a_journal_that_knows_too_few_activations_is_an_older_one(place: Home) -> None:
    """As where its copy was made before a rollback."""
    keep(place)
    rebuild(place)
    (place.instances / f"{LIVE.id}.3").mkdir()
    with pytest.raises(JournalDamaged, match=rf"{LIVE.id}\.3"):
        checked(place)
    assert "knows too little" in (damage(place) or "")
    made = rebuild(place)
    assert made is not None
    assert f"nothing is known of {LIVE.id}.3: it is ended" in made.doubts
    checked(place)


def test_what_nothing_tells_of_is_lost_and_said(
    place: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(place)
    rebuild(place)
    (place.instances / "dep_bbbbbbbbbbbb.1").mkdir()
    (place.manifests / "dep_bbbbbbbbbbbb.json").write_bytes(b"{")
    place.journal.unlink()
    capsys.readouterr()
    assert main(["doctor", "--rebuild", "--output", "json"], "compartment") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["lost"] == ["dep_bbbbbbbbbbbb"]
    assert "dep_bbbbbbbbbbbb" in told["failureMessage"]
    # An agent may start, and end it.
    checked(place)
    assert damage(place) is None


def test_a_candidate_that_nothing_was_led_to_yet_is_not_lost(place: Home) -> None:
    (place.instances / "dep_bbbbbbbbbbbb.1").mkdir()
    made = rebuild(place)
    assert made is not None
    assert (made.lost, made.doubts) == (
        [],
        ["nothing is known of dep_bbbbbbbbbbbb.1: it is ended"],
    )
    checked(place)


def test_in_words(place: Home, capsys: pytest.CaptureFixture[str]) -> None:
    keep(place)
    assert main(["doctor", "--rebuild"], "compartment") == 0
    said = capsys.readouterr().out
    assert "live         shop/production web" in said
    assert "it was made anew" in said
    assert main(["doctor", "--rebuild"], "compartment") == 0
    assert "the journal is sound" in capsys.readouterr().out


def test_a_record_that_is_no_record_is_damage(place: Home) -> None:
    keep(place)
    rebuild(place)
    with closing(sqlite3.connect(place.journal)) as journal, journal:
        journal.execute("UPDATE deployments SET body = '{}'")
    assert damage(place) == "a row of deployments cannot be read"
