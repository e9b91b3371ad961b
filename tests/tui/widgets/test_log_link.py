"""Panes that are linked go to the same second."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from textual import events

from core.model import Stream
from tests.tui.logs.wire import line
from tests.tui.widgets.log_host import LogHost, screen_of, shown
from tests.tui.widgets.test_log_pane import push, tick

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

EVERY = {"compartment": 10, "stdout": 1, "stderr": 7}
"""Seconds between two lines."""


@asynccontextmanager
async def three() -> AsyncIterator[tuple[LogHost, Pilot[None]]]:
    """The compartment log has the focus."""
    host = LogHost(Stream.COMPARTMENT, Stream.STDOUT, Stream.STDERR)
    async with shown(host, (120, 14)) as pilot:
        found = [
            line(f"{second}", stream=stream, after_s=second)
            for stream, every in EVERY.items()
            for second in range(0, 600, every)
        ]
        await push(host, pilot, found)
        yield host, pilot


def seconds(host: LogHost) -> list[int | None]:
    """The second of each pane's cursor; None for one that follows."""
    found: list[int | None] = []
    for pane in host.panes:
        row = pane.viewport.chosen
        assert row is not None
        found.append(None if pane.viewport.is_following else int(row.record.text))
    return found


async def test_the_others_go_along_with_the_cursor() -> None:
    async with three() as (host, pilot):
        await pilot.press("k")
        await pilot.pause()
        assert seconds(host) == [580, None, None]
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert seconds(host) == [580, 580, 574]
        assert screen_of(host).splitlines()[-1].count("linked") == 3
        await pilot.press("k", "k")
        await pilot.pause()
        assert seconds(host) == [560, 560, 560]
        for pane, second in zip(host.panes, seconds(host), strict=True):
            assert str(second) in [row.record.text for row in pane.viewport.rows]
        await pilot.press("g")
        await pilot.pause()
        assert seconds(host) == [0, 0, 0]
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert seconds(host) == [60, 60, 56]


async def test_every_pane_can_lead() -> None:
    async with three() as (host, pilot):
        await pilot.press("ctrl+t")
        host.panes[2].focus()
        await pilot.press("k")
        await pilot.pause()
        assert seconds(host) == [580, 588, 588]
        await pilot.click(host.panes[1], offset=(12, 3))
        await pilot.pause()
        middle = seconds(host)[1]
        assert middle is not None
        assert seconds(host) == [middle // 10 * 10, middle, middle // 7 * 7]


async def test_following_in_one_releases_all() -> None:
    async with three() as (host, pilot):
        await pilot.press("ctrl+t", "g")
        await pilot.pause()
        assert seconds(host) == [0, 0, 0]
        host.panes[1].focus()
        await pilot.press("f")
        await pilot.pause()
        assert seconds(host) == [None, None, None]
        await push(host, pilot, [line("600", stream=stream, after_s=600) for stream in EVERY])
        assert screen_of(host).count(" 600 ") == 3


async def test_without_the_link_everyone_goes_alone() -> None:
    async with three() as (host, pilot):
        await pilot.press("ctrl+t", "g", "ctrl+t", "j")
        await pilot.pause()
        assert seconds(host) == [10, 0, 0]
        assert "linked" not in screen_of(host)
        await pilot.press("G")
        await pilot.pause()
        assert seconds(host) == [None, 0, 0]


async def test_linking_moves_nothing_while_this_one_follows() -> None:
    async with three() as (host, pilot):
        host.panes[1].focus()
        await pilot.press("g")
        host.panes[0].focus()
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert seconds(host) == [None, 0, None]


async def test_new_lines_do_not_move_what_is_linked() -> None:
    async with three() as (host, pilot):
        await pilot.press("ctrl+t", "g")
        await pilot.pause()
        before = [pane.viewport.rows for pane in host.panes]
        await push(host, pilot, [line("600", stream=stream, after_s=600) for stream in EVERY])
        await tick(host, pilot, 5)
        assert [pane.viewport.rows for pane in host.panes] == before


async def test_the_wheel_takes_the_others_along() -> None:
    async with three() as (host, pilot):
        await pilot.press("ctrl+t")
        for _ in range(4):
            await pilot._post_mouse_events([events.MouseScrollUp], host.panes[1])
        await pilot.pause()
        assert seconds(host) == [580, 587, 581]


async def test_a_pane_without_lines_stays_as_it_is() -> None:
    host = LogHost(Stream.COMPARTMENT, Stream.STDOUT, Stream.STDERR)
    async with shown(host, (120, 14)) as pilot:
        await push(host, pilot, [line(f"{second}", after_s=second) for second in range(60)])
        host.panes[1].focus()
        await pilot.press("ctrl+t", "g")
        await pilot.pause()
        assert [pane.viewport.is_following for pane in host.panes] == [True, False, True]
        host.panes[0].focus()
        await pilot.press("f", "j", "k")
        await pilot.pause()
        assert not host.panes[1].viewport.is_following
