"""When what could not be put right is tried again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.engines.docker import retries
from core.engines.docker.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
async def pauses_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Each that is waited for from now on; none takes any time."""
    loop, found = asyncio.get_running_loop(), list[float]()

    def call_later(delay: float, work: Callable[..., None], *given: object) -> asyncio.Handle:
        found.append(delay)
        return loop.call_soon(work, *given)

    monkeypatch.setattr(loop, "call_later", call_later)
    return found


async def test_each_pause_is_longer_than_the_one_before(pauses_s: list[float]) -> None:
    tried = Retries[str](lambda _: None)
    for _ in range(9):
        tried.note("a", is_right=False)
    assert pauses_s == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_it_begins_anew(pauses_s: list[float]) -> None:
    tried = Retries[str](lambda _: None)
    tried.note("a", is_right=False)
    tried.note("b", is_right=False)
    tried.note("a", is_right=True)
    tried.note("a", is_right=False)
    tried.note("b", is_right=False)
    tried.begin_anew()
    tried.note("b", is_right=False)
    assert pauses_s == [0.5, 0.5, 0.5, 1, 0.5]


async def test_only_what_is_not_right_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_PAUSE_S", 0)
    due: asyncio.Queue[str] = asyncio.Queue()
    tried = Retries[str](due.put_nowait)
    for key in ("a", "a", "b", "c"):
        tried.note(key, is_right=False)
    tried.note("b", is_right=True)
    assert [await due.get(), await due.get()] == ["a", "c"]
    assert due.empty()
