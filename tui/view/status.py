"""The status line: where this is, and what the run is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import Health, Status, Trigger
from tui.view import looks, words
from tui.view.bar import bar
from tui.view.pieces import MUTED, PLAIN, TITLE, joined, length, spread
from tui.view.rows import is_stale

if TYPE_CHECKING:
    from tui.view.pieces import Piece, Row
    from tui.view.scene import Scene
    from tui.view.state import Run

_WITH_ENGINE = 100
"""From this width on there is room for what is good to know."""

_WITH_WHOLE_ID = 160

_BAR_CELLS = 10

_PLACE = 2
"""The groups that say where this is; they are cut, but never left out."""

_GAP = ("   ", PLAIN)


def status_line(scene: Scene, width: int) -> Row:
    """One line; what is least needed is left out where it does not fit."""
    place = scene.state.place
    title: list[list[Piece]] = [
        [("compartment", TITLE)],
        [(place.project, PLAIN), (" / ", MUTED), (place.environment, TITLE), *_server(scene)],
    ]
    title += [[(note, looks.RETRYING)] for note in scene.notes]
    engine: list[Piece] = [(f"{place.engine} engine" if place.engine else "", MUTED)]
    ends = _ends(scene, width)
    room = width - len(_GAP[0]) - 2
    while scene.notes and len(title) > _PLACE and _cells([*title, ends[0]]) > room:
        title.pop()
    if width >= _WITH_ENGINE and _cells([*title, engine]) + _cells(ends) <= room:
        title.append(engine)
    while len(ends) > 1 and _cells(title) + _cells(ends) > room:
        ends.pop()
    if scene.server and _cells(title) + _cells(ends) > room:
        del title[0]
    start = ((" ", PLAIN), *joined(title, _GAP))
    return spread(start, (*joined(ends, _GAP), (" ", PLAIN)), width, scene.glyphs.cut)


def _server(scene: Scene) -> list[Piece]:
    """What is done here is done on another machine: that is never left out."""
    return [(" on ", MUTED), (scene.server, looks.WORKING)] if scene.server else []


def _cells(groups: list[list[Piece]]) -> int:
    return length(joined(groups, _GAP))


def _ends(scene: Scene, width: int) -> list[list[Piece]]:
    run = scene.state.run
    ends: list[list[Piece]] = []
    if not scene.state.link.is_up:
        ends.append([(f"{scene.glyphs.failed} no connection", looks.FAILED)])
    elif run is not None and scene.state.is_busy:
        ends += _going_on(run, scene, width)
    else:
        if run is not None and run.status is Status.FAILED and not run.is_cancelled:
            when = words.ago(run.completed_at, scene.now)
            ends.append([(f"{scene.glyphs.failed} {run.trigger} failed {when}", looks.FAILED)])
        elif run is not None and run.because:
            when = words.ago(run.completed_at, scene.now)
            told = f"{scene.glyphs.rolled_back} rolled back by itself {when}"
            ends.append([(told, looks.ROLLBACK)])
        ends.append(_at_rest(scene))
    if width >= _WITH_ENGINE:
        ends.append([(f"{scene.now.astimezone():%H:%M:%S}", MUTED)])
    return ends


def _going_on(run: Run, scene: Scene, width: int) -> list[list[Piece]]:
    count = words.counted(len(run.deployment_ids), "service")
    style = looks.ROLLBACK if run.trigger is Trigger.ROLLBACK else looks.WORKING
    passed = words.seconds(run.created_at, scene.now)
    is_queued = run.status is Status.QUEUED
    doing = f"{run.trigger} queued" if is_queued else f"{words.doing(run.trigger)} {count}"
    run_id = run.id if width >= _WITH_WHOLE_ID else words.short_id(run.id)
    held: list[Piece] = [(", held", looks.RETRYING)] if run.is_held else []
    ends: list[list[Piece]] = [
        [(doing, f"bold {style}"), *held],
        [(words.clock(passed), TITLE)],
        [("run ", MUTED), (run_id, PLAIN)],
    ]
    if scene.state.queue:
        ends.append([(f"+{len(scene.state.queue)} queued", MUTED)])
    if run.usual_s is not None and not is_queued:
        drawn = bar(passed, run.usual_s, _BAR_CELLS, scene.glyphs)
        ends.append([*drawn, (" usual ", MUTED), (words.about(run.usual_s), MUTED)])
    return ends


def _at_rest(scene: Scene) -> list[Piece]:
    services = scene.state.services.values()
    live = [each for each in services if each.live is not None]
    unwell = sum(each.live.health is Health.UNHEALTHY for each in live if each.live)
    if unwell:
        glyph = scene.glyphs.failed
        return [
            (f"{glyph} {unwell} of {words.counted(len(live), 'service')} unhealthy", looks.FAILED)
        ]
    if not live:
        return [(f"{scene.glyphs.stopped} nothing live", looks.IDLE)]
    if is_stale(scene):
        passed = words.counting(words.seconds(scene.state.figures_at, scene.now))
        return [(f"{scene.glyphs.unknown} no data {passed}", looks.UNKNOWN)]
    is_whole = len(live) == len(services)
    count = f"{len(live)} live" if is_whole else f"{len(live)} of {len(services)} live"
    return [(f"{scene.glyphs.healthy} {count}", looks.HEALTHY)]
