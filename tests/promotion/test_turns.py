from __future__ import annotations

import asyncio

from core.promotion.turns import Turn, Turns
from core.records import Target

HERE = Target("shop", "production")
THERE = Target("shop", "staging")


async def test_turns_come_in_order() -> None:
    turns = Turns()
    first, second, third = (turns.join(HERE, name) for name in ("a", "b", "c"))
    assert [turn.ahead for turn in (first, second, third)] == [None, "a", "b"]
    reached: list[str] = []

    async def wait(name: str, turn: Turn) -> None:
        await turn.reached()
        reached.append(name)

    await first.reached()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait("b", second))
        group.create_task(wait("c", third))
        await asyncio.sleep(0)
        assert reached == []
        first.leave()
        await waiting
        assert reached == ["b"]
        second.leave()
    assert reached == ["b", "c"]
    assert not turns.is_idle
    third.leave()
    assert turns.is_idle


async def test_one_that_gives_up_is_not_waited_for() -> None:
    turns = Turns()
    first, second, third = (turns.join(HERE, name) for name in ("a", "b", "c"))
    second.leave()
    first.leave()
    async with asyncio.timeout(60):
        await third.reached()


async def test_environments_do_not_wait_for_each_other() -> None:
    turns = Turns()
    with turns.joined(HERE, "a"), turns.joined(THERE, "b") as other:
        assert other.ahead is None
        async with asyncio.timeout(60):
            await other.reached()
    assert turns.is_idle
