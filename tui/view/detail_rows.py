"""The detail of one service: the important first, as much as there is room for."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from core.model import Health
from tui.view import execution_words, looks, words
from tui.view.bar import bar
from tui.view.facts import URL, access, addresses, aftercare
from tui.view.pieces import MUTED, PLAIN, fit, left
from tui.view.rows import buckets, is_stale
from tui.view.sparkline import sparkline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from tui.view.facts import Fact
    from tui.view.pieces import Piece, Row
    from tui.view.scene import Scene
    from tui.view.state import Deployment, Figures, Service, Waiting

LABEL_CELLS = 10
_REASON_LINES = 3
_BAR_CELLS = 14
_SPARK_MOST = 20

Group = list["Row"]


def detail_rows(scene: Scene, width: int, height: int) -> list[Row]:
    """Rows about the selected service; groups stand apart where the height allows it."""
    service = scene.service
    if service is None:
        return [((" no service is selected", MUTED),)]
    groups = [group for group in _groups(service, scene, width) if group]
    gaps = len(groups) - 1
    has_gaps = sum(map(len, groups)) + gaps <= height
    rows: list[Row] = []
    for group in groups:
        rows += [(), *group] if rows and has_gaps else group
    return [fit(row, width - 1, scene.glyphs.cut) for row in rows[:height]]


def _groups(service: Service, scene: Scene, width: int) -> Iterator[Group]:
    yield _failure(service, scene, width)
    yield [
        *_deployments(service, scene),
        *_waiting(service, scene),
        *_health(service, scene, width),
        *_executions(service, scene, width),
        *_facts(aftercare(service, scene), scene, width),
    ]
    reached = (*addresses(service, scene), *access(service, scene))
    yield _facts(reached, scene, width)
    yield _figures(service, scene, width)
    yield [*_previous(service, scene), *_labels(service)]
    yield _routes(service)


def _row(label: str, *pieces: Piece) -> Row:
    return ((f" {left(label, LABEL_CELLS, '')}", MUTED), *pieces)


def _failure(service: Service, scene: Scene, width: int) -> Group:
    failed = service.failed
    if failed is None or looks.newest(service, scene.state.run) is not failed:
        return []
    look = looks.stage_look(service, scene.state.run, scene.now, scene.glyphs)
    when = words.ago(failed.completed_at, scene.now)
    rows = [
        _row(
            "last try",
            (f"{look.glyph} {look.word}", look.style),
            (f"  {when}", MUTED),
        )
    ]
    return [*rows, *_because(words.cause(failed.failure_message), scene, width)]


def _because(why: str, scene: Scene, width: int) -> Group:
    return _wrapped("because", why, scene, width)


def _wrapped(label: str, text: str, scene: Scene, width: int, style: str = PLAIN) -> Group:
    room = max(width - LABEL_CELLS - 2, 10)
    told = scene.glyphs.said(text)
    lines = wrap(told, room, max_lines=_REASON_LINES, placeholder=f" {scene.glyphs.cut}")
    return [_row("" if at else label, (line, style)) for at, line in enumerate(lines)]


def _deployments(service: Service, scene: Scene) -> Group:
    rows = []
    if service.live is not None:
        rows.append(_deployment("live", service.live, scene))
    elif service.candidate is None:
        word = "stopped" if service.previous else "not deployed"
        rows.append(_row("live", (word, looks.IDLE)))
    if service.candidate is not None:
        rows.append(_deployment("candidate", service.candidate, scene, style=looks.WORKING))
    return rows


def _deployment(label: str, found: Deployment, scene: Scene, *, style: str = PLAIN) -> Row:
    pieces: list[Piece] = [(found.id, style)]
    since = found.started_at or found.created_at
    run = scene.state.run
    if since is not None and run is not None and run.created_at is not None:
        # What a rollback starts again was made long ago.
        since = since if found.is_active else max(since, run.created_at)
    if since is not None:
        pieces.append((f"  {words.age(words.seconds(since, scene.now))}", PLAIN))
    if found.replicas_desired > 1:
        pieces.append((f"  {found.replicas_ready} of {found.replicas_desired} ready", PLAIN))
    elif found.address:
        pieces.append((f"  {words.port(found.address)}", MUTED))
    return _row(label, *pieces)


def _waiting(service: Service, scene: Scene) -> Group:
    waiting = service.waiting
    if waiting is None:
        return []
    passed = words.counting(words.seconds(waiting.since, scene.now))
    if waiting.kind == "readiness":
        return _readiness(service, waiting, scene)
    if waiting.kind == "drain":
        return [_row("draining", (_in_flight(waiting), PLAIN)), *_left(waiting, scene)]
    told = _WAITS.get(waiting.kind) or words.reason(waiting.detail) or waiting.kind
    rows = [_row("waits", (f"{told}, {passed}", PLAIN)), *_left(waiting, scene)]
    return [*rows, *(_said(waiting) if waiting.kind in ("build", "release") else [])]


def _said(waiting: Waiting) -> Group:
    """What was seen last, such as the newest line of a build."""
    told = words.reason(waiting.detail)
    return [_row("last", (told, MUTED))] if told else []


_WAITS = {
    "turn": "for its turn",
    "buildSlot": "for a build slot",
    "build": "for its build",
    "release": "for its release command",
    "job": "for its end",
    "barrier": "for the other services",
    "hold": "held before the switch",
}


def _in_flight(waiting: Waiting) -> str:
    requests = words.counted(waiting.requests, "request")
    streams = f" and {words.counted(waiting.streams, 'stream')}" if waiting.streams else ""
    return f"{requests}{streams} left"


def _readiness(service: Service, waiting: Waiting, scene: Scene) -> Group:
    asks = words.asks(service.candidate).removeprefix("readiness ")
    rows = [_row("readiness", (asks, PLAIN))]
    if waiting.tries:
        gap = "  " if waiting.recent else ""
        rows.append(_row("tries", *_tries(waiting), (f"{gap}{waiting.tries} in all", MUTED)))
    # A status says it all; why there was none, only the words tell.
    has_reply = bool(waiting.recent) and waiting.recent[-1] is not None
    return [*rows, *_left(waiting, scene), *([] if has_reply else _said(waiting))]


def _tries(waiting: Waiting) -> Iterator[Piece]:
    """The last replies, the newest at the right; a dot where nobody replied."""
    for index, status in enumerate(waiting.recent[-6:]):
        is_good = status is not None and 200 <= status < 300
        style = looks.HEALTHY if is_good else looks.IDLE if status is None else looks.RETRYING
        yield (f"{' ' if index else ''}{status or '.'}", style)


def _left(waiting: Waiting, scene: Scene) -> Group:
    if waiting.limit_s is None:
        return []
    passed = min(words.seconds(waiting.since, scene.now), waiting.limit_s)
    of = f"{words.counting(waiting.limit_s - passed)} of {words.counting(waiting.limit_s)}  "
    drawn = bar(passed, waiting.limit_s, _BAR_CELLS, scene.glyphs)
    return [_row("left", (of, PLAIN), *drawn)]


def _health(service: Service, scene: Scene, width: int) -> Group:
    live = service.live
    is_told = service.executions is not None and service.executions.last is not None
    if live is None or is_told or (live.health is Health.HEALTHY and not live.restarts):
        return []
    look = looks.health_look(service, scene.glyphs)
    restarts = f"  {words.counted(live.restarts, 'restart')}" if live.restarts else ""
    row = _row("health", (f"{look.glyph} {look.word}", look.style), (restarts, PLAIN))
    return [row, *(_because(live.health_reason, scene, width) if live.health_reason else [])]


def _executions(service: Service, scene: Scene, width: int) -> Group:
    """How a job or cron ran last, and when it runs next."""
    found = service.executions
    if found is None:
        return []
    rows = []
    if found.last is not None:
        look = looks.execution_look(found.last, scene.glyphs)
        told = execution_words.outcome(found.last, scene.now)
        rows.append(_row("last", (f"{look.glyph} {told}", look.style)))
        if reason := execution_words.trouble(found.last):
            rows += _because(reason, scene, width)
    if found.running > 1:
        rows.append(_row("running", (f"{found.running} at this moment", PLAIN)))
    if found.next_at is not None:
        due = execution_words.next_due(found.next_at, scene.now).removeprefix("next ")
        rows.append(_row("next", (due, PLAIN)))
    return rows


def _facts(found: Iterable[Fact], scene: Scene, width: int) -> Group:
    return [
        row
        for each in found
        for row in (
            [_url(each.text, width)]
            if each.label == URL
            else _wrapped(each.label, each.text, scene, width, each.style)
        )
    ]


def _url(url: str, width: int) -> Row:
    room = width - LABEL_CELLS - 2
    for shown in (url, url.removeprefix("http://")):
        if cell_len(shown) <= room:
            return _row("url", (shown, PLAIN))
    # The port is at its end: better without a label than without it.
    return ((f" {shown}", PLAIN),)


def _figures(service: Service, scene: Scene, width: int) -> Group:
    found = scene.state.figures.get(service.name)
    if found is None or service.live is None:
        return []
    trend = list(scene.trends.get(service.name, ()))
    rows = []
    for label, value, tell in _FIGURES:
        if value(found) is None:
            continue
        text = "?" if is_stale(scene) else tell(value(found))
        cells = max(min(width - LABEL_CELLS - 10, _SPARK_MOST), 0)
        values = buckets([value(each) for each in trend], cells)
        # Where every value is nothing, a line would only be dirt.
        drawn = sparkline(values, cells, scene.glyphs.spark) if any(values) else ""
        rows.append(_row(label, (f"{text:<7}", PLAIN), (drawn, MUTED)))
    return rows


_FIGURES: Sequence[tuple[str, Callable[[Figures], float | None], Callable[[float | None], str]]] = (
    ("requests", lambda each: each.requests_per_s, lambda value: f"{words.rate(value)}/s"),
    ("errors", lambda each: each.errors_per_s, lambda value: f"{words.rate(value)}/s"),
    ("p95", lambda each: each.p95_ms, words.milliseconds),
    ("cpu", lambda each: each.cpu_percent, words.percent),
    ("memory", lambda each: each.memory_bytes, words.size),
)


def _previous(service: Service, scene: Scene) -> Group:
    found = service.previous
    if found is None:
        return []
    when = words.ago(found.created_at, scene.now)
    label = f"  {words.reason(found.label)}" if found.label else ""
    return [_row("previous", (found.id, PLAIN), (f"  {when}", MUTED), (label, MUTED))]


def _labels(service: Service) -> Group:
    found = service.candidate or service.live
    return [_row("label", (words.reason(found.label), PLAIN))] if found and found.label else []


def _routes(service: Service) -> Group:
    return [
        _row("" if index else "routes", (_rule(each), PLAIN))
        for index, each in enumerate(service.routes)
    ]


def _rule(rule: Mapping[str, Any]) -> str:
    methods = f"{' '.join(rule.get('methods') or ())} ".lstrip()
    return f"{methods}{rule.get('path', '')} to {rule.get('to', '')}"
