"""Crons by a clock that a test turns: whole weeks of them, and machines that sleep."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest

from core.errors import JournalError
from core.lines import stamp
from core.model import ExecutionStatus, ExecutionTrigger, Schedule, Service, ServiceKind
from core.schedule import Scheduler, SystemClock
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.records import Deployment, Execution

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
DAILY, HOURLY, QUARTERS, MONDAYS = "30 2 * * *", "0 * * * *", "*/15 * * * *", "0 3 * * 1"
LIMIT_S = 30.0


class TurnedClock:
    """It shows what it is turned to; whoever sleeps turns it to when he wants to wake."""

    def __init__(self, at: datetime, until: datetime) -> None:
        self.at = at
        self.until = until
        self.is_over = asyncio.Event()

    def now(self) -> datetime:
        return self.at

    async def sleep_until(self, at: datetime) -> None:
        self.at = max(self.at, min(at, self.until))
        if at > self.until:
            self.is_over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


class FakeJournal:
    """Remembers one execution at most."""

    def __init__(self) -> None:
        self.last: Execution | None = None
        self.failure: JournalError | None = None

    async def last_scheduled(self, *_: object) -> Execution | None:
        if self.failure:
            raise self.failure
        return self.last


class FakeLedger:
    """What is active."""

    def __init__(self) -> None:
        self.journal = FakeJournal()
        self.deployments: dict[str, Deployment] = {}
        self._changed = asyncio.Event()

    def next_change(self) -> asyncio.Event:
        return self._changed

    def write(self, *found: Deployment) -> None:
        self.deployments |= {each.id: each for each in found}
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class FakeBackground:
    """Takes down what is to be started, and when."""

    def __init__(self) -> None:
        self.started: list[tuple[str, datetime]] = []
        self.missed: list[tuple[str, list[datetime]]] = []

    def start_due(self, found: Deployment, due_at: datetime) -> None:
        self.started.append((found.id, due_at))

    def miss(self, found: Deployment, times: Sequence[datetime]) -> None:
        self.missed.append((found.id, list(times)))


class World:
    """A scheduler with everything around it in the hands of the test."""

    def __init__(self, began: datetime, until: datetime) -> None:
        self.clock = TurnedClock(began, until)
        self.ledger = FakeLedger()
        self.background = FakeBackground()
        self.failures: list[JournalError] = []
        self.scheduler = Scheduler(
            cast("Any", self.ledger),
            cast("Any", self.background),
            failed=self.failures.append,
            clock=self.clock,
        )

    def cron(self, id_: str, schedule: Schedule, activated: datetime | None = None) -> Deployment:
        """An active deployment of a cron."""
        found = deployment(
            id=id_,
            service=Service(id_.partition("@")[0], ".", ServiceKind.CRON, schedule=schedule),
            is_active=True,
            activated_at=stamp(activated or self.clock.at),
        )
        self.ledger.write(found)
        return found

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Until the clock has come to its end."""
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self.scheduler.follow())
            yield
            await self.clock.is_over.wait()
            following.cancel()

    def times(self, id_: str) -> list[datetime]:
        return [at for name, at in self.background.started if name == id_]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "monday", "counts"),
    [
        pytest.param("UTC", "2026-03-23", (7, 168, 672, 1), id="UTC"),
        pytest.param(BERLIN, "2026-03-23", (7, 167, 668, 1), id="Berlin, an hour is left out"),
        pytest.param(BERLIN, "2026-10-19", (7, 169, 676, 1), id="Berlin, an hour comes twice"),
        pytest.param(NEW_YORK, "2026-03-02", (7, 167, 668, 1), id="New York, one is left out"),
        pytest.param(NEW_YORK, "2026-10-26", (7, 169, 676, 1), id="New York, one comes twice"),
        pytest.param(LORD_HOWE, "2026-09-28", (7, 167, 670, 1), id="Lord Howe, half an hour less"),
        pytest.param(LORD_HOWE, "2026-03-30", (7, 168, 674, 1), id="Lord Howe, half an hour more"),
    ],
)
async def test_a_week(zone: str, monday: str, counts: tuple[int, ...]) -> None:
    local = datetime.fromisoformat(monday).replace(tzinfo=ZoneInfo(zone))
    world = World(local.astimezone(UTC), (local + timedelta(days=7)).astimezone(UTC))
    world.clock.until -= timedelta(seconds=1)
    # What is due at the very moment that it becomes active belongs to the time before.
    world.clock.at -= timedelta(seconds=1)
    patterns = (DAILY, HOURLY, QUARTERS, MONDAYS)
    for pattern in patterns:
        world.cron(pattern, Schedule(pattern, zone))
    async with world.followed():
        pass
    found = Counter(name for name, _ in world.background.started)
    assert tuple(found[each] for each in patterns) == counts
    assert world.background.missed == []
    moments = world.background.started
    assert len(set(moments)) == len(moments)
    days = [at.astimezone(ZoneInfo(zone)).date() for at in world.times(DAILY)]
    assert days == [local.date() + timedelta(days=n) for n in range(7)]
    shown = {at.astimezone(ZoneInfo(zone)).minute for at in world.times(QUARTERS)}
    assert shown == {0, 15, 30, 45}


async def test_what_a_machine_slept_through_is_told_once_and_not_replayed() -> None:
    world = World(utc("2026-01-01T00:00:30"), utc("2026-01-01T10:30"))
    world.cron("hourly", Schedule(HOURLY))
    world.cron("minutely", Schedule("* * * * *"))
    clock, wakes = world.clock, [0]

    async def sleep_until(at: datetime) -> None:
        wakes[0] += 1
        if wakes[0] == 3:
            clock.at = utc("2026-01-01T06:20:40")  # a lid was closed
            return
        await TurnedClock.sleep_until(clock, at)

    clock.sleep_until = sleep_until  # type: ignore[method-assign] # the test turns it
    async with world.followed():
        pass
    assert [(name, len(times)) for name, times in world.background.missed] == [
        ("hourly", 6),
        ("minutely", 378),
    ]
    assert world.times("hourly") == [utc(f"2026-01-01T{hour:02}:00") for hour in range(7, 11)]
    assert world.times("minutely")[2] == utc("2026-01-01T06:21")


async def test_what_came_due_while_no_agent_ran_is_missed_but_for_what_is_in_time() -> None:
    world = World(utc("2026-01-02T03:00:05"), utc("2026-01-02T03:30"))
    world.cron("daily", Schedule("0 3 * * *"), activated=utc("2025-12-30T12:00"))
    world.cron(
        "half", Schedule("*/30 * * * *", deadline_ms=1000), activated=utc("2026-01-02T02:10")
    )
    async with world.followed():
        pass
    assert world.times("daily") == [utc("2026-01-02T03:00")]
    assert world.background.missed == [
        ("daily", [utc("2025-12-31T03:00"), utc("2026-01-01T03:00")]),
        ("half", [utc("2026-01-02T02:30"), utc("2026-01-02T03:00")]),
    ]
    assert world.times("half") == [utc("2026-01-02T03:30")]


async def test_what_an_agent_before_has_seen_to_is_not_missed() -> None:
    world = World(utc("2026-01-01T03:00:40"), utc("2026-01-01T03:01:30"))
    found = world.cron("minutely", Schedule("* * * * *"), activated=utc("2025-01-01T00:00"))
    last = _execution(found, "2026-01-01T03:00:00.210000Z")
    world.ledger.journal.last = last
    async with world.followed():
        pass
    assert world.background.missed == []
    assert world.times("minutely") == [utc("2026-01-01T03:01")]


def _execution(found: Deployment, at: str) -> Execution:
    from core.promotion.executions import new_execution

    made = new_execution(found, ExecutionTrigger.SCHEDULE, ExecutionStatus.SKIPPED)
    return made.changed(started_at=at)


async def test_a_deploy_with_the_same_schedule_loses_no_time() -> None:
    """One comes due in the very moment that one deployment takes the place of another."""
    world = World(utc("2026-01-01T02:59:50"), utc("2026-01-01T03:30"))
    schedule = Schedule("0 3 * * *")
    before = world.cron("nightly@1", schedule)

    async def sleep_until(at: datetime) -> None:
        if before.id in world.ledger.deployments:
            world.clock.at = utc("2026-01-01T03:00:00") + timedelta(milliseconds=2)
            del world.ledger.deployments[before.id]
            world.cron("nightly@2", schedule)
            return
        await TurnedClock.sleep_until(world.clock, at)

    world.clock.sleep_until = sleep_until  # type: ignore[method-assign] # the test turns it
    async with world.followed():
        pass
    assert world.background.started == [("nightly@2", utc("2026-01-01T03:00"))]


async def test_another_schedule_counts_from_its_own_deploy() -> None:
    world = World(utc("2026-01-01T00:30"), utc("2026-01-01T05:30"))
    world.cron("nightly@1", Schedule("0 1 * * *"))
    async with world.followed():
        pass
    world.clock.is_over.clear()
    world.clock.until = utc("2026-01-01T07:30")
    world.ledger.deployments.clear()
    world.cron("nightly@2", Schedule("0 * * * *"))
    async with world.followed():
        pass
    assert world.background.started == [
        ("nightly@1", utc("2026-01-01T01:00")),
        ("nightly@2", utc("2026-01-01T06:00")),
        ("nightly@2", utc("2026-01-01T07:00")),
    ]
    assert world.background.missed == []


@pytest.mark.parametrize(
    ("back", "wanted"),
    [
        pytest.param("2026-01-01T08:00", 3, id="by two hours: nothing runs twice"),
        pytest.param("2025-06-01T10:00", 5, id="by months: it had been wrong"),
    ],
)
async def test_a_clock_that_is_set_back(back: str, wanted: int) -> None:
    world = World(utc("2026-01-01T09:30"), utc("2026-01-01T10:10"))
    world.cron("hourly", Schedule(HOURLY))
    async with world.followed():
        pass
    assert len(world.background.started) == 1
    world.clock.is_over.clear()
    world.clock.at = utc(back)
    world.clock.until = utc(back) + timedelta(hours=4, minutes=1)
    async with world.followed():
        pass
    assert len(world.background.started) == wanted
    assert world.background.missed == []


async def test_what_becomes_active_while_nothing_is_due_wakes_it() -> None:
    world = World(utc("2026-01-01T00:30"), utc("2026-01-01T01:30"))
    async with world.followed():
        await asyncio.sleep(0)
        world.cron("hourly", Schedule(HOURLY))
    assert world.times("hourly") == [utc("2026-01-01T01:00")]


async def test_what_cannot_be_read_is_never_due_and_harms_no_other() -> None:
    world = World(utc("2026-01-01T00:30"), utc("2026-01-01T01:30"))
    world.cron("lost", Schedule(HOURLY, "Atlantis/Capital"))
    world.cron("bad", Schedule("61 * * * *"))
    world.cron("hourly", Schedule(HOURLY))
    async with world.followed():
        pass
    assert [name for name, _ in world.background.started] == ["hourly"]


async def test_a_journal_that_fails_is_told() -> None:
    world = World(utc("2026-01-01T00:30"), utc("2026-01-01T01:30"))
    world.cron("hourly", Schedule(HOURLY))
    world.ledger.journal.failure = JournalError("the disk is gone")
    await world.scheduler.follow()
    assert [error.message for error in world.failures] == ["the disk is gone"]


async def test_the_clock_of_the_machine_wakes_in_time_and_never_spins() -> None:
    clock = SystemClock()
    at = clock.now() + timedelta(milliseconds=30)
    looks = 0
    async with asyncio.timeout(LIMIT_S):
        while clock.now() < at:
            await clock.sleep_until(at)
            looks += 1
    assert looks <= 30
