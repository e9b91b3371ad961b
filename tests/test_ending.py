from __future__ import annotations

import asyncio

import pytest

from core.ending import to_the_end


async def test_gives_the_result_or_the_error() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise ValueError("no")

    assert await to_the_end(answer()) == 42
    with pytest.raises(ValueError, match="no"):
        await to_the_end(fail())


@pytest.mark.parametrize("fails", [False, True])
async def test_cancellation_waits_for_the_end(fails: bool) -> None:
    go_on, done = asyncio.Event(), False

    async def work() -> None:
        nonlocal done
        await go_on.wait()
        done = True
        if fails:
            raise ValueError

    task = asyncio.ensure_future(to_the_end(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done
