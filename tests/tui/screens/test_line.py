"""One line as a whole, with what the other streams said at that second."""

from __future__ import annotations

from tests.tui.logs.wire import line
from tests.tui.widgets.log_host import LogHost, screen_of, shown
from tests.tui.widgets.test_log_pane import push
from tui.screens.line import LineScreen


async def test_enter_shows_the_whole_line_and_what_happened_beside_it() -> None:
    host = LogHost()
    async with shown(host, (100, 30)) as pilot:
        await push(
            host,
            pilot,
            [
                line("x" * 9000 + " the end [/"),
                line("at that second [red]", stream="stderr", after_s=0.9),
                line("a second later", stream="stderr", after_s=1.0),
            ],
        )
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(host.screen, LineScreen)
        await pilot.press("end")
        await pilot.pause()
        seen = screen_of(host)
        assert "the end [/" in seen
        assert "at that second [red]" in seen
        assert "a second later" not in seen
        await pilot.press("y")
        assert host.clipboard.endswith("the end [/")
        assert len(host.clipboard) == 9011
        await pilot.press("escape")
        await pilot.pause()
        assert host.pane.has_focus


async def test_its_colours_are_those_of_the_program() -> None:
    host = LogHost()
    async with shown(host, (80, 20)) as pilot:
        await push(host, pilot, [line("\x1b[38;2;10;200;30mgreen\x1b[0m plain")])
        await pilot.press("enter")
        await pilot.pause()
        strips = host.screen._compositor.render_strips()
        found = [each for strip in strips for each in strip if each.text.startswith("green")]
        colours = [each.style.color for each in found if each.style is not None]
        # The pane below the dialog shows the line as well, dimmed.
        assert (10, 200, 30) in [each.triplet for each in colours if each is not None]


async def test_a_busy_second_is_cut_and_counted() -> None:
    host = LogHost()
    async with shown(host, (80, 20)) as pilot:
        await push(host, pilot, [line("a"), *(line("b", stream="stderr") for _ in range(250))])
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert "50 more" in screen_of(host)
        assert isinstance(host.screen, LineScreen)
