from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import JournalDamaged, JournalError
from core.events import Event, EventType
from core.journal import Journal
from core.model import EngineName, ExecutionStatus, ExecutionTrigger, Stage, Status, Trigger
from core.records import (
    Activation,
    ActivationState,
    Deployment,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    Target,
    Variable,
    VariableRecord,
    VariableRemoved,
)
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from pathlib import Path


def run(number: int, status: Status = Status.RUNNING) -> Run:
    return Run(f"drn_{number}", TARGET, Trigger.DEPLOY, status, f"2026-01-0{number}")


def event(message: str, run_id: str | None = None) -> Event:
    return Event(EventType.WARNING_GIVEN, "2026-01-01", message, run_id=run_id, data={"n": 1})


async def test_records_come_back_as_they_were(journal: Journal, tmp_path: Path) -> None:
    active = deployment(
        is_active=True,
        status=Status.SUCCEEDED,
        stage=Stage.ACTIVE,
        activated_at="2026-01-02",
        returns_to=(Status.SUCCEEDED, Stage.ROLLED_BACK),
        variables={"PATH": "/bin", "LANG": "é"},
    )
    activation = Activation(
        active.id, 1, ActivationState.LIVE, "2026-01-01", addresses=(("127.0.0.1", 20_000),)
    )
    environment = EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop")
    host = HostRecord("shop.localhost", TARGET, "web", is_public=True)
    await journal.commit([run(1), active, activation, environment, host])
    again = Journal(tmp_path / "journal.db")
    await again.open()
    assert await again.current_deployments() == [active]
    assert await again.current_activations() == [activation]
    assert await again.environments() == [environment]
    assert await again.hosts() == [host]
    assert await again.unfinished_runs() == [run(1)]
    await again.close()


async def test_a_variable_has_one_value_per_scope_until_it_is_removed(journal: Journal) -> None:
    def kept(service: str | None, value: str) -> VariableRecord:
        return VariableRecord(TARGET, service, "KEY", Variable(value, is_sensitive=True), "2026")

    await journal.commit([kept(None, "old"), kept("web", "own")])
    await journal.commit([kept(None, "new\n'é")])
    assert await journal.variables() == [kept("web", "own"), kept(None, "new\n'é")]
    await journal.commit([VariableRemoved(TARGET, None, "KEY"), event("removed")])
    assert await journal.variables() == [kept("web", "own")]


async def test_a_commit_is_whole_or_nothing(journal: Journal) -> None:
    class Unknown:
        pass

    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever a bug of ours raises
        await journal.commit([run(1), Unknown()])  # type: ignore[list-item]  # the point
    assert await journal.unfinished_runs() == []
    # And the next commit is not part of the one that broke.
    await journal.commit([run(2)])
    assert await journal.unfinished_runs() == [run(2)]


async def test_events_are_numbered_without_a_gap(journal: Journal, tmp_path: Path) -> None:
    first, second = await journal.commit([event("a"), event("b", "drn_1")])
    assert (first.seq, second.seq) == (1, 2)
    again = Journal(tmp_path / "journal.db")
    await again.open()
    (third,) = await again.commit([event("c")])
    assert third.seq == 3
    assert [each.message for each in await again.events_after(1)] == ["b", "c"]
    assert [each.message for each in await again.events_after(0, "drn_1")] == ["b"]
    await again.close()


async def test_history_and_newest(journal: Journal) -> None:
    made = [deployment(id=f"dep_{n}", created_at=f"2026-01-0{n}") for n in (1, 2, 3)]
    await journal.commit(made)
    assert await journal.history(TARGET, None, 2) == [made[2], made[1]]
    assert await journal.history(TARGET, "stranger", 2) == []
    assert await journal.newest_per_service(TARGET) == [made[2]]


async def test_what_may_be_active_again(journal: Journal) -> None:
    def past(number: int, at: str | None, **fields: object) -> Deployment:
        given = {"activated_at": at, "status": Status.SUCCEEDED, "artifact_id": f"art_{number}"}
        return deployment(id=f"dep_{number}", **{**given, "stage": Stage.ACTIVE, **fields})

    await journal.commit(
        [
            past(1, "2026-01-03"),
            past(2, "2026-01-05"),
            past(3, None),
            past(4, "2026-01-04", status=Status.STOPPED),
            past(5, "2026-01-06", stage=Stage.ROLLED_BACK),
            past(6, "2026-01-02", target=Target("other", "staging"), engine=EngineName.DOCKER),
        ]
    )
    found = await journal.returnable(TARGET, "web", 9)
    assert [each.id for each in found] == ["dep_2", "dep_1", "dep_5"]
    assert await journal.returnable(TARGET, "web", 1) == found[:1]
    assert await journal.returnable_artifacts(2) == {
        (EngineName.PROCESS, "art_2"),
        (EngineName.PROCESS, "art_1"),
        (EngineName.DOCKER, "art_6"),
    }


async def test_each_service_is_found_once(journal: Journal) -> None:
    targets = [Target(project, name) for project in ("a", "b", "c") for name in ("x", "y")]
    made = [
        deployment(
            id=f"dep_{project}{service}{number}",
            target=target,
            service=replace(deployment().service, name=service),
            created_at=f"2026-01-0{number}",
        )
        for project, target in enumerate(targets)
        for service in ("db", "web", "worker")
        for number in (1, 2)
    ]
    assert await journal.services_with_history() == []
    assert await journal.newest_per_service(TARGET) == []
    assert await journal.returnable_artifacts(5) == set()
    await journal.commit(made)
    expected = [(each, name) for each in targets for name in ("db", "web", "worker")]
    assert await journal.services_with_history() == expected
    newest = await journal.newest_per_service(targets[2])
    assert [each.id for each in newest] == ["dep_2db2", "dep_2web2", "dep_2worker2"]


async def test_the_newest_is_what_was_made_or_became_active_last(journal: Journal) -> None:
    returned = deployment(id="dep_1", created_at="2026-01-01", activated_at="2026-01-04")
    failed = deployment(id="dep_2", created_at="2026-01-03")
    await journal.commit([returned, failed])
    assert await journal.newest_per_service(TARGET) == [returned]
    later = deployment(id="dep_3", created_at="2026-01-05")
    await journal.commit([later])
    assert await journal.newest_per_service(TARGET) == [later]


async def test_what_a_rollback_would_choose(journal: Journal) -> None:
    def past(number: int, **fields: object) -> Deployment:
        given = {"activated_at": f"2026-01-0{number}", "status": Status.SUCCEEDED}
        return deployment(id=f"dep_{number}", **{**given, "stage": Stage.ACTIVE, **fields})

    await journal.commit(
        [
            past(1),
            past(2),
            past(3, stage=Stage.ROLLED_BACK),
            past(4, status=Status.STOPPED),
            past(5, activated_at=None),
            past(6, is_active=True),
        ]
    )
    assert [each.id for each in await journal.earlier_per_service(TARGET)] == ["dep_2"]
    assert await journal.earlier_per_service(Target("shop", "staging")) == []


async def test_runs_of_a_kind(journal: Journal) -> None:
    def made(number: int, **fields: object) -> Run:
        return run(number, Status.SUCCEEDED).changed(**{"deployment_ids": ("dep_1",), **fields})

    nothing, failed = made(4, deployment_ids=()), made(3, status=Status.FAILED)
    runs = [made(1), made(2, trigger=Trigger.ROLLBACK), failed, nothing, made(5)]
    await journal.commit(runs)
    assert await journal.runs_like(TARGET, Trigger.DEPLOY, 9) == [runs[4], runs[0]]
    assert await journal.runs_like(TARGET, Trigger.DEPLOY, 1) == [runs[4]]
    assert await journal.newest_runs(TARGET, 2) == [runs[4], nothing]


async def test_events_of_an_environment_are_found_in_an_old_journal(
    journal: Journal, tmp_path: Path
) -> None:
    def told(message: str, project: str | None) -> Event:
        environment = "production" if project else None
        return replace(event(message), project=project, environment=environment)

    await journal.commit([told("a", "shop"), told("b", "other"), told("c", None)])
    connection = sqlite3.connect(journal._path)
    connection.execute("DROP INDEX events_by_target")
    connection.commit()
    connection.close()
    again = Journal(tmp_path / "journal.db")
    await again.open()
    assert again.last_seq == 3
    await again.commit([told("d", "shop"), told("e", "other")])
    found = await again.newest_events(TARGET, 9)
    assert [each.message for each in found] == ["a", "c", "d"]
    assert [each.message for each in await again.newest_events(TARGET, 2)] == ["c", "d"]
    await again.close()


async def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a journal" * 100)
    with pytest.raises(JournalDamaged, match="is damaged: file is not a database"):
        await Journal(path).open()


async def test_a_journal_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(JournalError, match="later version"):
        await Journal(path).open()


async def test_a_record_of_a_later_minor_version_is_readable(journal: Journal) -> None:
    await journal.commit([run(1)])
    connection = sqlite3.connect(journal._path)
    connection.execute("UPDATE runs SET body = json_set(body, '$.somethingNew', 1)")
    connection.commit()
    connection.close()
    assert await journal.unfinished_runs() == [run(1)]


def execution(number: int, **fields: Any) -> Execution:
    given = {
        "id": f"exe_{number:012}",
        "deployment_id": "dep_aaaaaaaaaaaa",
        "target": TARGET,
        "service": "nightly",
        "trigger": ExecutionTrigger.SCHEDULE,
        "status": ExecutionStatus.SUCCEEDED,
        "started_at": f"2026-01-01T00:{number:02}:00.000000Z",
    }
    return Execution(**{**given, **fields})


async def test_executions_are_found_newest_first_and_old_ones_forgotten(journal: Journal) -> None:
    running = execution(0, status=ExecutionStatus.RUNNING)
    manual = execution(9, trigger=ExecutionTrigger.MANUAL)
    other = execution(5, id="exe_other", service="hourly", due_at="2026-01-01T00:05:00.000000Z")
    await journal.commit([running, *map(execution, range(1, 9)), manual, other])
    newest = await journal.newest_executions(TARGET, "nightly", 3)
    assert [each.id for each in newest] == [execution(n).id for n in (9, 8, 7)]
    assert await journal.last_executions(TARGET) == {"nightly": manual, "hourly": other}
    assert await journal.last_scheduled(TARGET, "nightly") == execution(8)
    assert await journal.running_executions() == [running]
    await journal.forget_executions(TARGET, "nightly", 2)
    left = await journal.newest_executions(TARGET, None, 100)
    assert [each.id for each in left] == [manual.id, execution(8).id, other.id, running.id]
    assert await journal.execution(other.id) == other
    assert await journal.execution("exe_none") is None
