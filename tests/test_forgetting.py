"""The past is forgotten in the end; what is live, or can be gone back to, never is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.events import Event, EventType
from core.journal import Journal, Kept
from core.model import Stage, Status, Trigger
from core.records import Activation, ActivationState, Deployment, Run, Target
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from pathlib import Path

    from core.journal import Record

KEPT = Kept(runs=3, logs=2, releases=2)
OTHER = Target("other", "production")


def deploy(number: int, **fields: Any) -> list[Record]:
    """The records of one run that deployed one service."""
    at = f"2026-01-01T00:00:{number:02}"
    target = fields.pop("target", TARGET)
    name = fields.pop("service", "web")
    made = deployment(
        **{
            "id": f"dep_{name}{number}",
            "run_id": f"drn_{number}",
            "target": target,
            "service": replace(deployment().service, name=name),
            "created_at": at,
            "activated_at": at,
            "status": Status.SUCCEEDED,
            "stage": Stage.ACTIVE,
            **fields,
        }
    )
    run = Run(made.run_id, target, Trigger.DEPLOY, Status.SUCCEEDED, at, (made.id,))
    gone = Activation(made.id, 1, ActivationState.GONE, at)
    told = Event(EventType.RUN_FINISHED, at, "done", run_id=run.id)
    return [run, made, gone, told]


async def kept_runs(journal: Journal, target: Target = TARGET) -> list[int]:
    return [int(each.id[4:]) for each in (await journal.newest_runs(target, 100))[::-1]]


async def forget(journal: Journal, kept: Kept = KEPT) -> int:
    """Forgets all there is to forget; returns how many steps it took."""
    steps = 0
    while await journal.forget_runs(TARGET, kept):
        steps += 1
    return steps


async def rows(journal: Journal, table: str) -> int:
    def work() -> int:
        (count,) = journal._open_connection().execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)

    return await journal._call(work)


async def test_the_newest_runs_are_kept_with_all_that_is_theirs(journal: Journal) -> None:
    for number in range(1, 9):
        await journal.commit(deploy(number))
    await journal.commit(deploy(9, target=OTHER))
    await forget(journal)
    assert await kept_runs(journal) == [6, 7, 8]
    assert await kept_runs(journal, OTHER) == [9]
    for table in ("runs", "deployments", "activations", "events"):
        assert await rows(journal, table) == 4, table
    assert await journal.events_after(0, "drn_5") == []
    # The numbers of events go on where they were.
    (told,) = await journal.commit([Event(EventType.WARNING_GIVEN, "2026", "later")])
    assert told.seq == 10


async def test_what_is_live_or_can_be_gone_back_to_is_never_forgotten(journal: Journal) -> None:
    await journal.commit(deploy(1, is_active=True, service="db"))
    await journal.commit(deploy(2, service="api"))
    await journal.commit(deploy(3, service="api", stage=Stage.ROLLED_BACK))
    await journal.commit(deploy(4, service="api"))
    await journal.commit(deploy(5, service="cache", status=Status.FAILED, activated_at=None))
    await journal.commit([deploy(6)[0], *deploy(6, status=Status.QUEUED)[1:]])
    draining = replace(deploy(7)[2], state=ActivationState.DRAINING)  # type: ignore[arg-type]
    await journal.commit([*deploy(7)[:2], draining])
    for number in range(8, 20):
        await journal.commit(deploy(number))
    await forget(journal)
    # Of `api` the two that a rollback would choose; `cache` has nothing newer.
    assert await kept_runs(journal) == [1, 2, 4, 5, 6, 7, 17, 18, 19]


async def test_a_long_past_is_forgotten_in_small_steps(journal: Journal) -> None:
    for number in range(1, 60):
        await journal.commit(deploy(number))
    assert await forget(journal) == 3
    assert await forget(journal) == 0
    assert await journal.runs_of(TARGET) == 3


async def test_the_newest_events_of_no_run_are_kept(journal: Journal) -> None:
    told = [Event(EventType.WARNING_GIVEN, "2026", str(number)) for number in range(9)]
    await journal.commit([*told, *deploy(1)])
    await journal.forget_loose_events(3)
    assert [each.message for each in await journal.events_after(0)] == ["6", "7", "8", "done"]


async def test_logs_are_kept_of_fewer_runs(journal: Journal) -> None:
    await journal.commit(deploy(1, is_active=True, service="db"))
    for number in range(2, 9):
        await journal.commit(deploy(number, stage=Stage.ROLLED_BACK))
    await journal.commit(deploy(9, target=OTHER))
    found = [f"dep_web{number}" for number in range(2, 10)]
    gone = await journal.unkept_logs(TARGET, KEPT, ["dep_db1", *found, "dep_forgotten"])
    # A rollback takes the newest two by name.
    assert sorted(gone) == ["dep_forgotten", *(f"dep_web{number}" for number in range(2, 7))]


async def test_the_file_gives_back_what_was_forgotten(journal: Journal, tmp_path: Path) -> None:
    for number in range(1, 60):
        (run, made, *more) = deploy(number)
        assert isinstance(made, Deployment)
        await journal.commit([run, made.changed(label="x" * 20_000), *more])
    await journal._call(
        lambda: journal._open_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    )
    before = (tmp_path / "journal.db").stat().st_size
    await forget(journal)
    await journal._call(
        lambda: journal._open_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    )
    assert (tmp_path / "journal.db").stat().st_size < before / 3


async def test_counters_are_kept(journal: Journal) -> None:
    assert await journal.counters() is None
    await journal.keep_counters("first")
    await journal.keep_counters("second")
    assert await journal.counters() == "second"
