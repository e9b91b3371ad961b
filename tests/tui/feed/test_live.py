"""The live feed: what is told when the agent goes away and comes back, and in which order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from core.errors import AgentUnavailable, InternalError, NotFound
from tests.tui.feed.source import LOST, TARGET, Heard, Source, line
from tui.feed import live
from tui.feed.live import LiveFeed, Pauses
from tui.feed.messages import Lines, LinkChanged, Update

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(live, "_LONGEST_PAUSE_S", 0.01)


@asynccontextmanager
async def running(source: Source) -> AsyncIterator[Heard]:
    heard = Heard()
    feed = LiveFeed(source, TARGET, attach=source.attach)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(feed.run(heard.take))
        yield heard
        task.cancel()


async def test_the_first_success_is_told_before_what_it_brings(source: Source) -> None:
    source.watches.append([{"seq": 1}, {"seq": 2}])
    async with running(source) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
    assert [type(each) for each in heard.messages] == [LinkChanged, Update, Update]
    assert heard.links == [True]
    assert source.attached == 0


async def test_a_lost_agent_is_told_of_and_attached_to_again(source: Source) -> None:
    source.watches.extend([[{"seq": 1}, LOST], [{"seq": 5}]])
    async with running(source) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
    assert heard.links == [True, "the agent does not answer", True]
    assert [each["seq"] for each in heard.updates] == [1, 5]
    assert source.attached == 1


async def test_a_connection_that_just_ends_is_a_loss(source: Source) -> None:
    source.watches.extend([[{"seq": 1}, None], [{"seq": 5}]])
    async with running(source) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
    assert heard.links == [True, "it ended the connection", True]


async def test_it_goes_on_trying_and_tells_each_reason_once(source: Source) -> None:
    other = AgentUnavailable("the agent is version 9", code="agent_version")
    source.watches.extend([[{"seq": 1}, LOST], [{"seq": 2}]])
    source.attach_errors.extend([LOST, LOST, other, other, InternalError("it cannot start")])
    async with running(source) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
    assert heard.links == [
        True,
        "the agent does not answer",
        "the agent is version 9",
        "it cannot start",
        True,
    ]


async def test_an_agent_that_hangs_is_lost(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_SILENCE_S", 0.02)
    source.hangs = True
    source.watches.extend([[{"seq": 1}], [{"seq": 2}]])
    async with running(source) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
    assert heard.links == [True, "the agent does not answer", True]


async def test_an_agent_with_nothing_to_say_is_not_lost(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_SILENCE_S", 0.001)
    asked = asyncio.Event()
    times = iter(range(3))

    async def agent() -> dict[str, object]:
        if next(times) == 2:
            asked.set()
        return {}

    monkeypatch.setattr(source, "agent", agent)
    source.watches.append([{"seq": 1}])
    async with running(source) as heard:
        async with asyncio.timeout(60):
            await asked.wait()
    assert heard.links == [True]


async def test_lines_wait_for_the_link(source: Source) -> None:
    source.watches.extend([[LOST], [{"seq": 1}]])
    source.logs.append([[line("01.000000", "a")]])
    async with running(source) as heard:
        await heard.until(lambda: bool(heard.lines))
    kinds = [type(each) for each in heard.messages]
    assert kinds.index(Update) < kinds.index(Lines)
    assert source.log_queries == [{**TARGET, "following": "true", "tail": 1000}]


async def test_lines_go_on_where_they_were_lost(source: Source) -> None:
    source.watches.append([{"seq": 1}])
    first = [line("05.000000", "a"), line("05.500000", "b"), line("05.500000", "b")]
    again = [*first, line("05.500000", "b"), line("05.600000", "c")]
    source.logs.extend([[first, LOST], [again]])
    async with running(source) as heard:
        await heard.until(lambda: "c" in heard.lines)
    assert heard.lines == ["a", "b", "b", "b", "c"]
    assert source.log_queries[1]["since"] == "2026-04-24T10:01:03.500000Z"


async def test_many_lines_come_in_slices_with_room_in_between(source: Source) -> None:
    source.watches.append([{"seq": 1}])
    source.logs.append([[line(f"05.{n:06}", str(n)) for n in range(1200)]])
    turns: list[int] = []
    async with running(source) as heard:
        while len(heard.lines) < 1200:
            turns.append(len(heard.lines))
            await asyncio.sleep(0)
    assert [len(each.lines) for each in heard.messages if isinstance(each, Lines)] == [
        500, 500, 200,
    ]  # fmt: skip
    assert {0, 500, 1000} <= set(turns)
    assert heard.lines == [str(n) for n in range(1200)]


async def test_what_was_never_deployed_has_lines_once_it_is(source: Source) -> None:
    source.watches.append([{"seq": 1}])
    nothing = NotFound("project shop was never deployed")
    source.logs.extend([[nothing], [nothing], [[line("05.000000", "a")]]])
    async with running(source) as heard:
        await heard.until(lambda: bool(heard.lines))
    assert heard.links == [True]
    assert len(source.log_queries) == 3


async def test_a_bug_is_an_error_of_its_own(source: Source) -> None:
    source.watches.append([{"seq": 1}])

    def broken(_: object) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await LiveFeed(source, TARGET, attach=source.attach).run(broken)


def test_pauses_grow_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FIRST_PAUSE_S", 0.2)
    monkeypatch.setattr(live, "_LONGEST_PAUSE_S", 3.0)
    pauses = Pauses()
    assert [pauses.next() for _ in range(6)] == [0.2, 0.4, 0.8, 1.6, 3.0, 3.0]
    pauses.reset()
    assert pauses.next() == 0.2
