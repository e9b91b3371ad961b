"""The log pane in an app: what a person sees, presses, drags and copies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from core.model import ServiceKind, Stream
from tests.tui.logs.wire import START, line, lines
from tests.tui.samples import deployment
from tests.tui.widgets.log_host import LogHost, rows_of, screen_of, shown
from tui.view.scene import Scene
from tui.view.state import Link, Place, Service, State
from tui.widgets.log_bar import LogBar

PLACE = Place("shop", "production")

if TYPE_CHECKING:
    from rich.color import Color
    from textual.pilot import Pilot
    from textual.strip import Strip


def scene(*names: str, only: str | None = None, live: str | None = "dep_live") -> Scene:
    found = {
        name: Service(
            name,
            ServiceKind.WEB,
            live=replace(deployment("live"), id=live) if live is not None else None,
        )
        for name in names
    }
    return Scene(State(PLACE, services=found), START, only=only)


async def push(host: LogHost, pilot: Pilot[None], found: list[dict[str, Any]]) -> None:
    host.store.push(found)
    await tick(host, pilot)


async def tick(host: LogHost, pilot: Pilot[None], times: int = 1) -> None:
    for _ in range(times):
        host.flush()
    await pilot.pause()


def texts(host: LogHost) -> list[str]:
    """The end of each row: `line 7`."""
    return [row[23:].strip() for row in rows_of(host.pane) if row]


async def test_it_follows_and_says_so() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await tick(host, pilot, 5)
        assert texts(host) == [f"line {number}" for number in range(20, 30)]
        await push(host, pilot, lines(30, 1))
        assert texts(host)[-1] == "line 30"
        assert "2 stdout  all services" in screen_of(host).splitlines()[0]
        assert "follow" in screen_of(host).splitlines()[-1]


async def test_a_full_ring_is_repainted_at_every_batch() -> None:
    # Textual 8.2.8: Log stops repainting as soon as it is full.
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 25_000))
        for first in range(25_000, 25_020):
            await push(host, pilot, lines(first, 1))
            assert f"line {first}" in screen_of(host)


async def test_the_text_under_the_eye_stays_while_the_ring_trims() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 20_000))
        await pilot.press("pageup", "pageup")
        await pilot.pause()
        before = rows_of(host.pane)
        assert "line 19999" not in before[-1]
        for first in range(20_000, 25_000, 500):
            await push(host, pilot, lines(first, 500))
            assert rows_of(host.pane) == before
        await tick(host, pilot, 5)
        assert "paused  5,000 new" in screen_of(host)
        await pilot.press("G")
        await pilot.pause()
        assert texts(host)[-1] == "line 24999"
        assert "new" not in screen_of(host)


async def test_it_stands_still_even_when_what_it_shows_is_pushed_out() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 20_000))
        await pilot.press("g")
        await pilot.pause()
        before = rows_of(host.pane)
        await push(host, pilot, lines(20_000, 3_000))
        assert rows_of(host.pane) == before
        await pilot.press("pagedown")
        await tick(host, pilot, 5)
        assert texts(host)[0] == "line 3009"
        assert "skipped 3,000 lines" in screen_of(host)


async def test_the_wheel_and_the_scroll_bar_move_it() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 100))
        await pilot._post_mouse_events([events.MouseScrollUp], host.pane)
        await pilot.pause()
        assert texts(host)[-1] == "line 96"
        host.pane.scroll_to(y=10, animate=False)  # as the scroll bar asks for it
        await pilot.pause()
        assert texts(host)[0] == "line 10"
        await pilot._post_mouse_events([events.MouseScrollDown], host.pane)
        await pilot.pause()
        assert texts(host)[0] == "line 13"
        host.pane.scroll_to(y=host.pane.max_scroll_y, animate=False)
        await pilot.pause()
        assert host.pane.viewport.is_following


async def test_a_search_marks_counts_and_goes_round() -> None:
    host = LogHost()
    async with shown(host, (70, 12)) as pilot:
        await push(host, pilot, lines(0, 50))
        await pilot.press("slash", *"line 4")
        await pilot.pause()
        assert "11 lines" in screen_of(host)
        await pilot.press("enter")
        await pilot.pause()
        assert host.pane.viewport.cursor == 49
        assert "/line 4 11 of 11" in screen_of(host)
        await pilot.press("N", "N")
        await pilot.pause()
        assert host.pane.viewport.cursor == 47
        assert "9 of 11" in screen_of(host)
        await pilot.press("n", "n", "n")
        assert host.pane.viewport.cursor == 4
        await pilot.pause()
        assert "line 4" in texts(host)
        match = host.pane.get_component_rich_style("log-pane--match", partial=True)
        marked = [
            segment.text
            for strip in host.pane.render_lines(host.pane.size.region)
            for segment in strip
            if segment.style is not None and segment.style.reverse and match.reverse
        ]
        assert "line 4" in marked
        await pilot.press("escape")
        await pilot.pause()
        assert host.pane.search is None
        assert "of 11" not in screen_of(host)


async def test_a_search_that_finds_nothing_says_so() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 5))
        await pilot.press("slash", "z", "enter")
        await tick(host, pilot)
        assert "not found" in screen_of(host)
        await pilot.press("n")
        assert host.pane.viewport.is_following


async def test_escape_in_the_bar_first_clears_then_closes() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 5))
        await pilot.press("ampersand", "3")
        await pilot.pause()
        assert texts(host) == ["line 3"]
        await pilot.press("escape")
        await pilot.pause()
        assert len(texts(host)) == 5
        assert host.pane.query(LogBar)
        await pilot.press("escape")
        await pilot.pause()
        assert not host.pane.query(LogBar)
        assert host.pane.has_focus


async def test_a_filter_hides_and_is_cleared() -> None:
    host = LogHost()
    async with shown(host, (70, 12)) as pilot:
        await push(host, pilot, lines(0, 30))
        await pilot.press("ampersand", *"!1", "enter")
        await pilot.pause()
        assert all("1" not in text for text in texts(host))
        assert "filter !1" in screen_of(host)
        await push(host, pilot, lines(30, 2))
        assert texts(host)[-1] == "line 30"
        await pilot.press("escape")
        await pilot.pause()
        assert texts(host)[-1] == "line 31"


async def test_a_bad_expression_is_told_and_changes_nothing() -> None:
    host = LogHost()
    async with shown(host, (80, 12)) as pilot:
        await push(host, pilot, lines(0, 9))
        await pilot.press("ampersand", *"7", "enter", "ampersand", *"/[/")
        await pilot.pause()
        assert "not an expression" in screen_of(host)
        assert texts(host) == ["line 7"]


async def test_a_path_is_text_once_it_is_entered() -> None:
    host = LogHost()
    async with shown(host, (80, 12)) as pilot:
        await push(host, pilot, [line("GET /v1/items"), line("GET /v2")])
        await pilot.press("ampersand", *"/v1/i")
        await pilot.pause()
        assert "/ ends the expression" in screen_of(host)
        await pilot.press("enter")
        await pilot.pause()
        assert texts(host) == ["GET /v1/items"]


async def test_a_filter_that_hides_all_says_how_many_and_the_way_out() -> None:
    host = LogHost()
    async with shown(host, (70, 12)) as pilot:
        await push(host, pilot, lines(0, 1234))
        await pilot.press("ampersand", *"nowhere", "enter")
        await tick(host, pilot, 5)
        assert "1,234 lines hidden by filter nowhere. Esc clears the filter." in screen_of(host)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (scene(), "No service is live. D deploys."),
        (scene("web", live=None), "No service is live."),
        (scene("web"), "Waiting for the first line of stdout."),
        (scene("web", only="web"), "Waiting for the first line"),
    ],
)
async def test_an_empty_pane_says_why(found: Scene, words: str) -> None:
    host = LogHost()
    async with shown(host) as pilot:
        host.pane.show(found)
        await tick(host, pilot, 5)
        assert words in screen_of(host)


async def test_a_lost_connection_is_the_reason() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        found = scene("web")
        link = Link(is_up=False, reason="[/] refused")
        host.pane.show(replace(found, state=replace(found.state, link=link)))
        await tick(host, pilot, 5)
        assert "No connection to the agent: [/] refused" in screen_of(host)


async def test_levels_hide_and_are_told() -> None:
    host = LogHost()
    async with shown(host, (80, 12)) as pilot:
        await push(host, pilot, [line("DEBUG a"), line("b"), line("WARN c"), line("ERROR d")])
        expected = [["b", "WARN c", "ERROR d"], ["WARN c", "ERROR d"], ["ERROR d"]]
        for wanted in expected:
            await pilot.press("L")
            await pilot.pause()
            assert texts(host) == wanted
        assert "level >= error" in screen_of(host)
        assert "1 error" in screen_of(host)
        await pilot.press("L")
        await pilot.pause()
        assert len(texts(host)) == 4


async def test_one_service_only() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, [line("from web"), line("from api", service="api")])
        host.pane.show(scene("web", "api", only="api"))
        await pilot.pause()
        assert [row[9:] for row in rows_of(host.pane) if row] == ["  from api"]
        assert "2 stdout  api" in screen_of(host)
        host.pane.show(scene("web", "api"))
        await pilot.pause()
        assert [row[9:] for row in rows_of(host.pane) if row] == [
            "web  from web",
            "api  from api",
        ]


async def test_lines_of_another_deployment_are_marked() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, [line("old"), line("new", deployment="dep_next")])
        host.pane.show(scene("web"))
        await pilot.pause()
        assert [row[9:] for row in rows_of(host.pane) if row] == ["web  old", "web~ new"]
        host.pane.show(scene("web", live="dep_next"))
        await pilot.pause()
        assert [row[9:] for row in rows_of(host.pane) if row] == ["web~ old", "web  new"]
        host.pane.show(scene("web", only="web", live="dep_next"))
        await pilot.pause()
        assert [row[9:] for row in rows_of(host.pane) if row] == ["~ old", "  new"]


async def test_the_compartment_log_marks_nothing() -> None:
    host = LogHost(Stream.COMPARTMENT)
    async with shown(host) as pilot:
        await push(host, pilot, [line("building", stream="compartment", deployment="dep_next")])
        host.pane.show(scene("web"))
        await pilot.pause()
        assert rows_of(host.pane)[0][9:] == "web  building"


async def test_long_names_are_cut_to_their_column() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(
            host, pilot, [line("x", service="a-very-long-name"), line("y", service="日本語")]
        )
        host.pane.show(scene("a-very-long-name", "日本語", live=None))
        await pilot.pause()
        assert [row[9:] for row in rows_of(host.pane) if row] == [
            "a-very-long⋯~ x",
            "日本語~       y",
        ]


async def test_times_can_be_the_clock_left_out_or_how_long_ago() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, lines(0, 1))
        clock = START.astimezone().strftime("%H:%M:%S")
        assert rows_of(host.pane)[0] == f"{clock} web  line 0"
        await pilot.press("t")
        await pilot.pause()
        assert rows_of(host.pane)[0] == "web  line 0"
        await pilot.press("t")
        host.now = START + timedelta(seconds=42)
        await tick(host, pilot)
        assert rows_of(host.pane)[0] == " 42s web  line 0"
        host.now = START + timedelta(minutes=5)
        await tick(host, pilot)
        assert rows_of(host.pane)[0] == "  5m web  line 0"


async def test_wrapping_shows_all_of_a_line() -> None:
    host = LogHost()
    async with shown(host, (40, 12)) as pilot:
        host.pane.show(scene("web"))
        text = "a sentence of several words that does not fit into the pane at all"
        await push(host, pilot, [line(text)])
        assert rows_of(host.pane)[0].endswith("⋯")
        await pilot.press("w")
        await pilot.pause()
        found = [row for row in rows_of(host.pane) if row]
        assert len(found) > 2
        assert " ".join(row[14:].strip() for row in found) == text
        assert all(row.startswith(" " * 14) for row in found[1:])
        await pilot.press("w")
        await pilot.pause()
        assert len([row for row in rows_of(host.pane) if row]) == 1


async def test_sideways_leaves_time_and_service() -> None:
    host = LogHost()
    async with shown(host, (40, 12)) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, [line("".join(chr(65 + n % 26) for n in range(60)))])
        first = rows_of(host.pane)[0]
        await pilot.press("right")
        await pilot.pause()
        second = rows_of(host.pane)[0]
        assert second[:14] == first[:14]
        width = host.pane.look.text_width
        assert second[14:16] == "⋯" + chr(65 + width // 2 + 1)
        assert f"from column {width // 2 + 1}" in screen_of(host)
        await pilot.press(*["right"] * 9)
        await pilot.pause()
        assert rows_of(host.pane)[0][14:].strip()  # never beyond the end
        await pilot.press(*["left"] * 9)
        await pilot.pause()
        assert rows_of(host.pane)[0] == first


async def test_a_minute_back_and_forward() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 300))  # one a second
        await pilot.press("left_square_bracket")
        assert host.pane.viewport.cursor == 239
        await pilot.press("left_square_bracket", "right_square_bracket")
        assert host.pane.viewport.cursor == 239
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert host.pane.viewport.is_following


async def test_clear_keeps_what_comes_after() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await pilot.press("k", "ctrl+k")
        await tick(host, pilot, 5)
        assert "Cleared." in screen_of(host)
        await push(host, pilot, lines(30, 2))
        assert texts(host) == ["line 30", "line 31"]


HOSTILE = [
    "[/",
    "[red]x",
    "x [/] y",
    "a\x1b]0;title\x07b\x1b[2J",
    "left\x1b",
    "x" * 90_000,
    "日本語" * 30,
    "e\u0301" * 50,
    "👨\u200d👩\u200d👧 family",
    "",
    "\u202egnp",
    "\ud800",
    "\t\ttabs",
    "\x1b[38;5;196mred\x1b[48;2;1;2;3m on\x1b[0m",
]


@pytest.mark.parametrize("size", [(80, 24), (30, 10), (12, 6), (200, 50)])
async def test_hostile_text_is_shown_harmlessly(size: tuple[int, int]) -> None:
    host = LogHost()
    async with shown(host, size) as pilot:
        await push(host, pilot, [line(text) for text in HOSTILE])
        host.pane.show(scene("[/", "web"))
        for key in ("w", "w", "right", "left", "slash", "x", "enter", "t", "w"):
            await pilot.press(key)
            await tick(host, pilot)
            for strip in host.pane.render_lines(host.pane.outer_size.region):
                assert strip.cell_length == host.pane.outer_size.width
                assert not any(char < " " or "\x7f" <= char < "\xa0" for char in strip.text)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("escape")


async def test_colours_of_programs_survive() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, [line("\x1b[1;38;2;10;200;30mgreen\x1b[0m plain")])
        strip = host.pane.render_lines(host.pane.outer_size.region)[1]
        styles = {segment.text.strip(): segment.style for segment in strip if segment.style}
        assert styles["green"].bold
        green, plain = styles["green"].color, styles["plain"].color
        assert green is not None
        assert plain is not None
        assert green.triplet == (10, 200, 30) != plain.triplet


async def test_ascii_mode_has_nothing_else() -> None:
    host = LogHost(is_ascii=True)
    async with shown(host, (40, 10)) as pilot:
        host.pane.show(scene("web", "a-very-long-name"))
        await push(host, pilot, [line("x" * 100, service="a-very-long-name"), *lines(0, 50)])
        await pilot.press("g")
        await pilot.press("slash", "x")
        await tick(host, pilot, 5)
        assert screen_of(host).isascii()


async def test_a_resize_keeps_the_place() -> None:
    host = LogHost()
    async with shown(host, (200, 50)) as pilot:
        await push(host, pilot, lines(0, 500))
        await pilot.press("g", *["pagedown"] * 3)
        await pilot.pause()
        first = texts(host)[0]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert texts(host)[0] == first
        await pilot.resize_terminal(200, 50)
        await pilot.pause()
        assert texts(host)[0] == first


async def test_a_resize_while_following_goes_on_following() -> None:
    host = LogHost()
    async with shown(host, (80, 24)) as pilot:
        await push(host, pilot, lines(0, 500))
        for size in ((200, 50), (60, 15), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert host.pane.viewport.is_following
            assert texts(host)[-1] == "line 499"


async def test_what_a_hidden_pane_missed_is_counted() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 3))
        host.store.push([line("ERROR a"), line("b")])
        assert (host.pane.unseen, host.pane.errors_unseen) == (2, 1)
        await tick(host, pilot)
        assert (host.pane.unseen, host.pane.errors_unseen) == (0, 0)


async def test_nothing_is_drawn_when_nothing_came(monkeypatch: pytest.MonkeyPatch) -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await tick(host, pilot, 10)
        drawn: list[int] = []
        original = host.pane.render_line

        def render_line(y: int) -> Strip:
            drawn.append(y)
            return original(y)

        monkeypatch.setattr(host.pane, "render_line", render_line)
        host.pane.show(scene("web"))
        await tick(host, pilot)
        drawn.clear()
        for _ in range(20):
            host.pane.show(scene("web"))
            await tick(host, pilot)
        assert drawn == []


async def test_the_theme_changes_the_colours_of_lines_that_were_drawn() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 3))

        def time_colour() -> Color | None:
            style = list(host.pane.render_lines(host.pane.outer_size.region)[1])[1].style
            return style.color if style is not None else None

        dark = time_colour()
        host.theme = "compartment-light"
        await pilot.pause()
        assert time_colour() != dark
