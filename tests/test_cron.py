"""When a cron is due: by a brute-force clock, and at every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from core.cron import due, next_time
from core.model import Schedule

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, zone: str, since: str, until: str) -> list[str]:
    """All times of a schedule in a span of UTC, as the clock of its zone shows them."""
    found, at, schedule = [], next_time(Schedule(cron, zone), utc(since)), Schedule(cron, zone)
    while at is not None and at <= utc(until):
        found.append(at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")[5:])
        at = next_time(schedule, at)
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "since", "until", "wanted"),
    [
        # The hour from 02:00 to 03:00 is left out.
        pytest.param(
            "30 2 * * *", BERLIN, "2026-03-28T12:00", "2026-03-30T12:00",
            ["03-29T03:00+02:00", "03-30T02:30+02:00"], id="left out: once, right after the gap",
        ),
        pytest.param(
            "0,30 2 * * *", NEW_YORK, "2026-03-08T00:00", "2026-03-08T20:00",
            ["03-08T03:00-04:00"], id="two times that are left out: once",
        ),
        pytest.param(
            "0 2,3 * * *", BERLIN, "2026-03-28T12:00", "2026-03-29T12:00",
            ["03-29T03:00+02:00"], id="left out, and wanted right after the gap anyway: once",
        ),
        pytest.param(
            "15 2 * * *", LORD_HOWE, "2026-10-03T00:00", "2026-10-04T00:00",
            ["10-04T02:30+11:00"], id="half an hour is left out",
        ),
        pytest.param(
            "30 2 * * *", LORD_HOWE, "2026-10-03T00:00", "2026-10-04T00:00",
            ["10-04T02:30+11:00"], id="the first moment after half an hour that is left out",
        ),
        pytest.param(
            "0 * * * *", BERLIN, "2026-03-29T00:00", "2026-03-29T02:00",
            ["03-29T03:00+02:00", "03-29T04:00+02:00"], id="every real hour, one is left out",
        ),
        pytest.param(
            "0 */3 * * *", LORD_HOWE, "2026-10-03T13:30", "2026-10-03T20:00",
            ["10-04T03:00+11:00", "10-04T06:00+11:00"], id="every third hour, after half an hour",
        ),
        # The hour from 02:00 to 03:00 comes twice.
        pytest.param(
            "30 2 * * *", BERLIN, "2026-10-24T12:00", "2026-10-26T12:00",
            ["10-25T02:30+02:00", "10-26T02:30+01:00"], id="twice: the first time only",
        ),
        pytest.param(
            "45 1 * * *", LORD_HOWE, "2026-04-04T00:00", "2026-04-05T00:00",
            ["04-05T01:45+11:00"], id="half an hour twice: the first time only",
        ),
        pytest.param(
            "30 2 * * *", BERLIN, "2026-10-25T01:10", "2026-10-26T12:00",
            ["10-26T02:30+01:00"], id="asked within the second time: not again",
        ),
        pytest.param(
            "0 * * * *", BERLIN, "2026-10-24T23:59", "2026-10-25T02:00",
            ["10-25T02:00+02:00", "10-25T02:00+01:00", "10-25T03:00+01:00"],
            id="every real hour, one comes twice",
        ),
        pytest.param(
            "*/15 * * * *", LORD_HOWE, "2026-04-04T14:44", "2026-04-04T15:45",
            ["04-05T01:45+11:00", "04-05T01:30+10:30", "04-05T01:45+10:30", "04-05T02:00+10:30",
             "04-05T02:15+10:30"], id="every quarter of an hour, half an hour comes twice",
        ),
        pytest.param(
            "0 12 * * *", "Pacific/Apia", "2011-12-29T00:00", "2011-12-31T00:00",
            ["12-29T12:00-10:00", "12-31T00:00+14:00", "12-31T12:00+14:00"],
            id="a whole day is left out",
        ),
        # Fields.
        pytest.param(
            "0 3 * * 1", "UTC", "2026-11-15T00:00", "2026-11-30T00:00",
            ["11-16T03:00+00:00", "11-23T03:00+00:00"], id="Mondays",
        ),
        pytest.param(
            "0 0 1,15 * 5", "UTC", "2026-05-01T00:00", "2026-05-15T00:00",
            ["05-08T00:00+00:00", "05-15T00:00+00:00"], id="a day of the month or of the week",
        ),
        pytest.param(
            "0 0 29 2 *", "UTC", "2026-01-01T00:00", "2033-01-01T00:00",
            ["02-29T00:00+00:00", "02-29T00:00+00:00"], id="leap years",
        ),
        pytest.param(
            "* * 1 8 *", BERLIN, "2026-01-01T00:00", "2026-07-31T22:01",
            ["08-01T00:00+02:00", "08-01T00:01+02:00"], id="summer, asked in winter",
        ),
    ],
)  # fmt: skip
def test_when_it_is_due(cron: str, zone: str, since: str, until: str, wanted: list[str]) -> None:
    assert times(cron, zone, since, until) == wanted


@pytest.mark.parametrize("zone", ["UTC", BERLIN, NEW_YORK, LORD_HOWE, "Asia/Kathmandu"])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_what_follows_real_time_is_due_whenever_the_clock_shows_it(zone: str, month: int) -> None:
    """Against a clock that is looked at every five minutes of a month."""
    began, shown_by = datetime(2026, month, 1, tzinfo=UTC), ZoneInfo(zone)
    ends, schedule = began + timedelta(days=30), Schedule("*/20 */2 * * *", zone)
    looks = (began + n * timedelta(minutes=5) for n in range(1, 30 * 288 + 1))
    local = ((at, at.astimezone(shown_by)) for at in looks)
    wanted = [at for at, shown in local if shown.minute % 20 == 0 and shown.hour % 2 == 0]
    found, at = [], next_time(schedule, began)
    while at is not None and at <= ends:
        found.append(at)
        at = next_time(schedule, at)
    assert found == wanted


@pytest.mark.parametrize("zone", ["UTC", BERLIN, NEW_YORK, LORD_HOWE])
def test_a_time_of_day_is_due_once_a_day_all_year(zone: str) -> None:
    shown = times("30 2 * * *", zone, "2026-01-01T00:00", "2026-12-31T00:00")
    days = [text[:5] for text in shown]
    assert len(set(days)) == len(days)
    first = datetime.fromisoformat(f"2026-{days[0]}")
    assert days == [f"{first + timedelta(days=n):%m-%d}" for n in range(len(days))]
    assert len(days) >= 363


def test_times_only_go_forward() -> None:
    schedule, at = Schedule("*/7 1-3 * * *", LORD_HOWE), utc("2026-03-31T00:00")
    found = [at]
    for _ in range(500):
        at = next_time(schedule, at) or at
        found.append(at)
    assert all(one < two for one, two in pairwise(found))


def test_what_never_comes_is_none() -> None:
    assert next_time(Schedule("0 0 * 2 1#5"), utc("2045-01-01T00:00")) is not None
    assert next_time(Schedule("0 0 */20 * 1L"), utc("2020-01-01T00:00")) is None


def test_in_time_is_the_last_one_only() -> None:
    schedule = Schedule("*/5 * * * *", deadline_ms=10_000)
    found = due(schedule, utc("2026-01-01T00:00"), utc("2026-01-01T00:20:10"))
    assert found.start == utc("2026-01-01T00:20")
    assert [f"{at:%M}" for at in found.missed] == ["05", "10", "15"]
    late = due(schedule, utc("2026-01-01T00:16"), utc("2026-01-01T00:20:10.000001"))
    assert late.start is None
    assert late.missed == (utc("2026-01-01T00:20"),)


def test_nothing_is_due_in_between_nor_at_the_moment_itself_again() -> None:
    schedule = Schedule("0 * * * *")
    assert due(schedule, utc("2026-01-01T00:00"), utc("2026-01-01T00:59:59")).missed == ()
    assert due(schedule, utc("2026-01-01T01:00"), utc("2026-01-01T01:00:05")).start is None


def test_years_of_minutes_are_counted_to_a_thousand() -> None:
    found = due(Schedule("* * * * *"), utc("2020-01-01T00:00"), utc("2026-01-01T00:00:30"))
    assert (len(found.missed), found.start) == (1000, None)
    in_time = due(Schedule("* * * * *"), utc("2020-01-01T00:00"), utc("2026-01-01T00:00:05"))
    assert (len(in_time.missed), in_time.start) == (1000, utc("2026-01-01T00:00"))
