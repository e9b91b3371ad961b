"""Lines that a person marks to come back to."""

from __future__ import annotations

import pytest

from tests.tui.logs.wire import line, lines
from tests.tui.widgets.log_host import LogHost, rows_of, screen_of, shown
from tests.tui.widgets.test_log_pane import push, scene, tick
from tests.tui.widgets.test_log_taking import drag


@pytest.mark.parametrize(("is_ascii", "sign"), [(False, "✦"), (True, "*")])
async def test_a_mark_stands_to_the_left_of_its_line(is_ascii: bool, sign: str) -> None:
    host = LogHost(is_ascii=is_ascii)
    async with shown(host) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, lines(0, 30))
        before = rows_of(host.pane)
        await pilot.press("k", "k", "m")
        await pilot.pause()
        assert rows_of(host.pane) == [
            (f"{sign} " if row.endswith("line 27") else "  ") + row for row in before
        ]
        assert "1 mark" in screen_of(host).splitlines()[-1]
        assert screen_of(host).isascii() or not is_ascii
        await pilot.press("m")
        await pilot.pause()
        assert rows_of(host.pane) == before
        assert "mark" not in screen_of(host)


async def test_the_newest_line_can_be_marked_while_following() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await pilot.press("m")
        await push(host, pilot, lines(30, 2))
        assert host.pane.viewport.is_following
        assert [row for row in rows_of(host.pane) if row.startswith("✦")] == [
            row for row in rows_of(host.pane) if row.endswith("line 29")
        ]


async def test_going_from_mark_to_mark() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 100))
        await pilot.press("g", "m", "j", "j", "m", "G", "k", "m")
        seen = []
        for _ in range(4):
            await pilot.press("apostrophe")
            seen.append(host.pane.viewport.cursor)
        assert seen == [0, 2, 98, 0]
        await pilot.pause()
        assert "3 marks" in screen_of(host)
        await pilot.press("ampersand", *"line 9", "enter", "apostrophe", "apostrophe")
        assert host.pane.viewport.cursor == 98


async def test_without_a_mark_to_go_to_it_says_why() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await pilot.press("m", "apostrophe")
        await push(host, pilot, lines(0, 30))
        await pilot.press("m", "ampersand", *"line 1", "enter", "apostrophe")
        told = [each.message for each in host._notifications]
        assert told == ["no line is marked: m does", "the filter hides the marked lines"]


async def test_marks_stay_as_long_as_their_lines() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 20_000))
        await pilot.press("g", "m", "apostrophe")
        await push(host, pilot, lines(20_000, 500))
        # What is under the eye does not move, not even by the column of the marks.
        assert rows_of(host.pane)[0].startswith("✦ ")
        await pilot.press("m")
        assert [each.message for each in host._notifications] == ["this line is not kept any more"]
        await pilot.press("G", "m")
        await push(host, pilot, lines(20_500, 19_999))
        await pilot.press("apostrophe")
        assert host.pane.viewport.cursor == 20_499
        await pilot.press("G")
        await push(host, pilot, lines(40_499, 1))
        await tick(host, pilot, 5)
        assert "mark" not in screen_of(host)
        assert not rows_of(host.pane)[0].startswith(" ")


async def test_the_column_of_the_marks_is_never_copied() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, lines(0, 30))
        await pilot.press("m")
        await pilot.pause()
        rows = rows_of(host.pane)
        await drag(pilot, (1, 9), (30, 10))
        text = host.screen.get_selected_text()
        assert text == "\n".join([rows[8][2:], rows[9][2:]])
        await pilot.press("escape")
        await drag(pilot, (12, 10), (15, 10))
        assert host.screen.get_selected_text() == rows[9][11:15]


async def test_wrapped_lines_have_one_sign() -> None:
    host = LogHost()
    async with shown(host, (30, 10)) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, [line("several words that take more than one row of the pane")])
        await pilot.press("w", "m")
        await pilot.pause()
        rows = [row for row in rows_of(host.pane) if row]
        assert len(rows) > 3
        assert [row[0] for row in rows] == ["✦", *" " * (len(rows) - 1)]
        assert max(map(len, rows)) <= host.pane.scrollable_size.width


async def test_clearing_takes_the_marks_along() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await pilot.press("m", "ctrl+k")
        await push(host, pilot, lines(30, 3))
        await tick(host, pilot, 5)
        assert "mark" not in screen_of(host)
        assert rows_of(host.pane)[0].endswith("line 30")
        assert not rows_of(host.pane)[0].startswith(" ")
