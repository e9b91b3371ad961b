from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from core.model import Stage
from tests.tui import samples
from tui.view.glyphs import ASCII, UNICODE
from tui.view.pieces import length, plain
from tui.view.rows import buckets, by_attention, by_name, columns, heading, row

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene

STATE = samples.deploying()


def keys(width: int, *, has_detail: bool = False) -> list[str]:
    return [
        each.key for each in columns(width, STATE.services.values(), ASCII, has_detail=has_detail)
    ]


ALL = [
    "name", "kind", "strip", "word", "health", "live", "next", "previous",
    "cpu", "memory", "requests", "up", "trend", "p95",
]  # fmt: skip


def test_with_room_enough_everything_is_shown() -> None:
    assert keys(200) == ALL


def test_columns_go_in_their_order_as_the_room_gets_less() -> None:
    gone: list[str] = []
    for width in range(200, 20, -1):
        shown = keys(width)
        gone += [key for key in ALL if key not in shown and key not in gone]
    assert gone == [
        "p95", "previous", "next", "trend", "kind", "requests", "up", "memory", "cpu", "live",
        "word",
    ]  # fmt: skip


def test_the_word_of_the_health_goes_before_that_of_the_stage() -> None:
    narrow = [each for each in columns(42, STATE.services.values(), ASCII) if each.key == "health"]
    assert narrow[0].width == 2
    assert "word" in keys(42)


def test_a_service_that_asks_for_a_login_is_marked() -> None:
    scene = samples.scene(samples.operated())
    assert "⚷ login" in text("admin", scene)
    assert "⚷" not in text("web", scene)
    assert "⚷ nobody" in text("admin", samples.scene(samples.locked_out()))
    narrow = text("admin", scene, 50)
    assert "⚷ " in narrow
    assert "login" not in narrow
    assert "ACCESS" not in plain(heading(columns(200, STATE.services.values(), ASCII), ASCII))


@pytest.mark.parametrize("width", [10, 20, 40, 60, 78, 100, 150, 200])
@pytest.mark.parametrize("sample", samples.ALL)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_rows_and_heading_are_never_wider_than_the_table(
    width: int, sample: str, glyphs: Glyphs
) -> None:
    scene = samples.scene(samples.ALL[sample](), glyphs=glyphs)
    shown = columns(width, scene.state.services.values(), glyphs)
    widths = {
        length(row(each, shown, scene, is_selected=False)) for each in scene.state.services.values()
    }
    widths.add(length(heading(shown, glyphs)))
    # All the same: the columns are aligned whatever stands in them.
    assert len(widths) == 1
    assert widths.pop() <= max(width, 16)


def text(name: str, scene: Scene, width: int = 78) -> str:
    shown = columns(width, scene.state.services.values(), scene.glyphs)
    return plain(row(scene.state.services[name], shown, scene, is_selected=name == scene.selected))


def test_the_table_of_a_deploy_at_80_columns() -> None:
    scene = samples.scene(STATE, "api", ASCII)
    shown = columns(78, STATE.services.values(), ASCII)
    assert [plain(heading(shown, ASCII)).rstrip()] + [
        text(name, scene).rstrip() for name in STATE.services
    ] == [
        "   NAME     STAGE                     HEALTH        LIVE   CPU   MEM      UP",
        "   web      ###=.. ready, waits       ok healthy    3f21    3%  112M   2d 4h",
        " > api      ##>... readiness 21s      ok healthy    9ac0   12%  240M   2d 4h",
        "   worker   ###=.. ready, waits       ok healthy    77b2   55%  310M   2d 4h",
        "   admin    ###### active             ok healthy    1d08    0%   38M   6d 1h",
        "   cron     ###### active             ok healthy    e4f9    0%   21M   6d 1h",
        "   mailer   ##x... failed: readiness  xx unhealthy  -        -     -       -",
    ]


def test_beside_a_detail_pane_how_long_it_is_up_is_left_to_that() -> None:
    assert "up" in keys(120)
    assert "up" not in keys(120, has_detail=True)


def test_a_service_that_was_never_deployed() -> None:
    scene = samples.scene(samples.never_deployed(), "web", ASCII)
    assert text("api", scene).split() == ["api", "......", "not", "deployed", "--", "-"] + ["-"] * 3


def test_figures_that_are_too_old_are_not_believed() -> None:
    scene = samples.scene(samples.idle(), "web", ASCII)
    late = replace(scene, now=scene.now + timedelta(seconds=9))
    too_late = replace(scene, now=scene.now + timedelta(seconds=10))
    assert "112M" in text("web", late)
    assert "112M" not in text("web", too_late)
    assert text("web", too_late).count("?") == 2


def test_more_than_one_replica_is_counted() -> None:
    state = samples.odd_names()
    scene = samples.scene(state, glyphs=ASCII)
    assert "healthy 2/3" in text("[/red]", scene, 100)
    assert "!! healthy 2/3" in text("[/red]", scene, 100)


def test_a_failed_service_is_marked_until_it_is_deployed_again() -> None:
    state = samples.failed_deploy()
    scene = samples.scene(state, "web", UNICODE)
    shown = columns(78, state.services.values(), UNICODE)
    api = row(state.services["api"], shown, scene, is_selected=False)
    assert [style for piece, style in api if piece.startswith("api")] == ["bold $state-failed"]
    again = replace(state.services["api"], candidate=samples.candidate("c", Stage.BUILDING))
    api = row(again, shown, scene, is_selected=False)
    assert [style for piece, style in api if piece.startswith("api")] == ["bold"]


def test_long_and_wide_names_are_cut_by_cells() -> None:
    scene = samples.scene(samples.odd_names(), glyphs=ASCII)
    assert "a-service-whose-name-go~" in text("a-service-whose-name-goes-on-and-on", scene, 120)
    lines = [text(name, scene, 120) for name in scene.state.services]
    assert (
        len({cell_len(line[: line.index("#") if "#" in line else None]) for line in lines[:3]}) == 1
    )


def test_sorting() -> None:
    services = STATE.services.values()
    assert by_name(services) == ["admin", "api", "cron", "mailer", "web", "worker"]
    assert by_attention(services) == ["mailer", "api", "web", "worker", "admin", "cron"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [([], []), ([1, 2], [1, 2]), ([1, 5, 2, 3, 9, 1], [5, 3, 9]), ([None] * 6, [None] * 3)],
)
def test_a_peak_is_never_lost_between_samples(
    values: list[float | None], shown: list[float | None]
) -> None:
    assert buckets(values, 3) == shown
