"""A log pane that has the whole screen, also where three share one place otherwise."""

from __future__ import annotations

import pytest

from tests.tui.apps import dashboard, opened

CORNERS = {False: ("╭─ ", "─╮", "╰─", "─╯"), True: ("+- ", "-+", "+-", "-+")}


@pytest.mark.parametrize("is_ascii", [False, True])
@pytest.mark.parametrize("size", [(80, 24), (120, 25), (120, 35), (200, 50)])
async def test_it_has_a_border_with_its_title(size: tuple[int, int], is_ascii: bool) -> None:
    async with opened(dashboard(is_ascii=is_ascii), size=size) as hand:
        await hand.press("3", "k")
        before = hand.text
        await hand.press("z")
        await hand.settle()
        pane = hand.app.main.log_panes[1]
        top, bottom = pane.region.y, pane.region.bottom - 1
        rows = hand.text.splitlines()
        left_top, right_top, left_bottom, right_bottom = CORNERS[is_ascii]
        assert rows[top].startswith(f"{left_top}3 stdout  all services ")
        assert rows[top].endswith(right_top)
        assert rows[bottom].startswith(left_bottom)
        assert rows[bottom].endswith(right_bottom)
        assert " follow " in rows[bottom] or " paused " in rows[bottom]
        assert pane.outer_size.width == size[0]
        assert pane.outer_size.height > size[1] - 6
        assert "job 8841 started" in rows[top + 2]
        await hand.press("z")
        await hand.settle()
        assert hand.text == before
