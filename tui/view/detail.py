"""Everything about one service, as lines: its present, its figures, its past, its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.model import Health
from tui.view import contained, execution_words, words
from tui.view.bar import bar
from tui.view.columns import Row, aligned, hanging
from tui.view.diff import rule_text, settings, variable_names
from tui.view.facts import access, addresses, aftercare
from tui.view.looks import FAILED, HEALTHY, IDLE, WORKING, Look, health_look, stage_look
from tui.view.moments import moment
from tui.view.pieces import plain
from tui.view.sparkline import sparkline
from tui.view.strip import draw, service_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from tui.view.facts import Fact
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene
    from tui.view.state import Deployment, Figures, Service, Waiting

Json = dict[str, Any]
_MUTED = "$foreground-muted"
_BAR_CELLS = 20
_NAME = 11
"""Cells for the names of values."""
_SETTING_MOST = 36
"""The same for settings, of which some are named after a path."""


def present(service: Service, scene: Scene, width: int) -> list[Content]:
    """How it is doing now."""
    glyphs, now = scene.glyphs, scene.now
    found = service_cells(service, scene.state.run)
    cells = Content.assemble(*draw(found, glyphs, is_moving=service.is_moving))
    stage = stage_look(service, scene.state.run, now, glyphs)
    lines = [
        _named("stage", cells + "  " + _looks(stage)),
        _named("health", _looks(health_look(service, glyphs))),
        *_ailment(service, scene, width),
    ]
    if service.waiting is not None:
        lines += _waiting(service.waiting, scene)
    lines += _facts(aftercare(service, scene), scene, width)
    for name, deployment in (
        ("live", service.live),
        ("candidate", service.candidate),
        ("failed", service.failed),
        ("previous", service.previous),
    ):
        if deployment is not None:
            lines += _deployment(name, deployment, scene, width)
    reached = (*addresses(service, scene), *access(service, scene))
    lines += _facts(reached, scene, width)
    rules = [rule_text(each) for each in service.routes]
    lines += [_named("routes" if not at else "", rule) for at, rule in enumerate(rules)]
    trend = scene.trends.get(service.name, ())
    if not service.kind.is_long_running and not trend:
        return lines
    return [*lines, Content(""), *_figures(trend, glyphs, width)]


def _ailment(service: Service, scene: Scene, width: int) -> list[Content]:
    """Why it is not well; of a job or cron how it ran last, and what its stage does not say."""
    if service.executions is not None:
        found = service.executions
        told = [execution_words.whole(found.last, scene.now)] if found.last else []
        if found.next_at is not None and found.running_one is not None:
            told.append(execution_words.next_due(found.next_at, scene.now))
    else:
        reason = service.live.health_reason if service.live else None
        told = [words.reason(reason)] if reason else []
    return [line for each in told for line in hanging(scene.glyphs.said(each), width, _NAME)]


def _facts(found: Iterable[Fact], scene: Scene, width: int) -> list[Content]:
    lines: list[Content] = []
    for each in found:
        told = Content.styled(scene.glyphs.said(each.text), each.style)
        first, *more = hanging(told, width, _NAME)
        lines += [_named(each.label, first[_NAME:]), *more]
    return lines


def _named(name: str, value: Content | str) -> Content:
    return Content.styled(name.ljust(_NAME), _MUTED) + value


def _looks(look: Look) -> Content:
    return Content.styled(f"{look.glyph} {look.word}", look.style)


def _waiting(waiting: Waiting, scene: Scene) -> list[Content]:
    passed = words.seconds(waiting.since, scene.now)
    told = _WAITS_FOR.get(waiting.kind) or words.reason(waiting.detail) or waiting.kind
    text = f"{told}, {words.counting(passed)}"
    lines = [_named("waits", Content.styled(text, WORKING))]
    if waiting.detail and waiting.detail not in text:
        lines.append(_named("", waiting.detail))
    if waiting.tries:
        replies = " ".join(str(each) if each else words.NONE for each in waiting.recent)
        lines.append(_named("tries", f"{waiting.tries}, the last replies: {replies or words.NONE}"))
    if waiting.limit_s is not None:
        lines.append(_named("left", _left(passed, waiting.limit_s, scene.glyphs)))
    if waiting.kind == "drain":
        carried = words.counted(waiting.requests, "request")
        lines.append(_named("open", f"{carried}, {words.counted(waiting.streams, 'stream')}"))
    return lines


_WAITS_FOR = {
    "turn": "for its turn: another run is ahead",
    "buildSlot": "for a build slot",
    "build": "for its build",
    "release": "for its release command",
    "job": "for its end: it runs before the switch",
    "readiness": "until it is ready",
    "barrier": "ready; for the other services, then all switch together",
    "hold": "held until somebody lets the run go on",
    "drain": "for the last requests of the previous one",
}


def _left(passed: float, limit: float, glyphs: Glyphs) -> str:
    left = max(limit - passed, 0)
    drawn = plain(bar(passed, limit, _BAR_CELLS, glyphs))
    return f"{words.counting(left)} of {words.counting(limit)}  {drawn}"


def _deployment(name: str, found: Deployment, scene: Scene, width: int) -> list[Content]:
    glyphs, now = scene.glyphs, scene.now
    facts = [found.id]
    if found.started_at:
        facts.append(f"up {words.age(words.seconds(found.started_at, now))}")
    elif found.completed_at:
        facts.append(words.ago(found.completed_at, now))
    if found.address:
        facts.append(found.address)
    if found.is_active and found.replicas_desired > 1:
        facts.append(f"{found.replicas_ready} of {found.replicas_desired} replicas")
    if found.restarts:
        facts.append(words.counted(found.restarts, "restart"))
    if found.label:
        facts.append(f'"{found.label}"')
    lines = [_named(name, "  ".join(facts))]
    if found.failure_message:
        told = Content.styled(glyphs.said(words.reason(found.failure_message)), FAILED)
        lines += hanging(told, width, _NAME)
    return lines


def _figures(trend: Sequence[Figures], glyphs: Glyphs, width: int) -> list[Content]:
    if not trend:
        return [Content.styled("no figures yet: they come every 2 s while it runs", _MUTED)]
    room = max(min(width - _NAME - 10, 60), 10)
    return [
        _named(name, Content.assemble(f"{show(of(trend[-1])):>7}  ", (drawn, HEALTHY)))
        for name, of, show in _KINDS
        for drawn in [sparkline([of(each) for each in trend], room, glyphs.spark)]
    ]


_KINDS: tuple[tuple[str, Callable[[Figures], float | None], Callable[[float | None], str]], ...] = (
    ("cpu", lambda each: each.cpu_percent, words.percent),
    ("memory", lambda each: each.memory_bytes, words.size),
    ("requests/s", lambda each: each.requests_per_s, words.rate),
    ("p95", lambda each: each.p95_ms, words.milliseconds),
    ("errors/s", lambda each: each.errors_per_s, words.rate),
)


def past(deployments: Sequence[Json], now: datetime, width: int, glyphs: Glyphs) -> list[Content]:
    """The last deployments of the service, newest first."""
    if not deployments:
        return [Content.styled("never deployed", _MUTED)]
    rows = [_past_row(each, now, glyphs) for each in deployments]
    return aligned(rows, width, glyphs.cut, (5, 4))


def _past_row(each: Mapping[str, Any], now: datetime, glyphs: Glyphs) -> Row:
    is_live = bool(each.get("isActive"))
    return (
        glyphs.live if is_live else "",
        str(each["id"]),
        outcome(each, glyphs),
        words.ago(moment(each.get("createdAt")), now),
        f'"{each["label"]}"' if each.get("label") else "",
        glyphs.said(words.reason(each.get("failureMessage"))),
    )


def outcome(deployment: Mapping[str, Any], glyphs: Glyphs) -> Content:
    """What has become of a deployment, as history tells of it."""
    status, stage = str(deployment.get("status")), str(deployment.get("promotionStage"))
    if deployment.get("isActive"):
        sick = deployment.get("health") == Health.UNHEALTHY
        sign, style = (glyphs.failed, FAILED) if sick else (glyphs.healthy, HEALTHY)
        return Content.styled(f"{sign} live{', unhealthy' if sick else ''}", style)
    if str(deployment.get("failureMessage") or "").startswith(words.NOT_SWITCHED):
        return Content.styled(f"{glyphs.stopped} not switched", IDLE)
    if stage == "rolled_back":
        return Content.styled(f"{glyphs.rolled_back} rolled back", IDLE)
    return Content.styled(*_OUTCOMES.get(status, _plain)(glyphs, status))


def _plain(glyphs: Glyphs, status: str) -> tuple[str, str]:
    return f"{glyphs.unknown} {status}", IDLE


_OUTCOMES: dict[str, Callable[[Glyphs, str], tuple[str, str]]] = {
    "succeeded": lambda glyphs, _: (f"{glyphs.healthy} succeeded", IDLE),
    "failed": lambda glyphs, _: (f"{glyphs.failed} failed", FAILED),
    "stopped": lambda glyphs, _: (f"{glyphs.stopped} stopped", IDLE),
    "queued": lambda glyphs, _: (f"{glyphs.queued} queued", IDLE),
    "running": lambda glyphs, _: (f"{glyphs.working} running", WORKING),
}


def configuration(inspected: Mapping[str, Any], width: int) -> list[Content]:
    """What it was deployed with, and why; variables by name, never by value."""
    found = settings(inspected)
    container = inspected.get("container")
    why = contained.reasons(container) if container is not None else {}
    state = inspected.get("artifactState", "unknown")
    found["artifact"] = f"{inspected.get('artifactId', '')}  ({state})"
    found["variables"] = ", ".join(variable_names(inspected)) or "none"
    room = min(max(map(len, found)), _SETTING_MOST) + 2
    return [
        line
        for name, value in found.items()
        for line in _setting(name, value, why.get(name, ""), room, width)
    ]


def _setting(name: str, value: str, why: str, room: int, width: int) -> list[Content]:
    told = Content(value) + (Content.styled(f"  {why}", _MUTED) if why else "")
    lines = hanging(told, width, room)
    if len(name) >= room:
        return [Content.styled(name, _MUTED), *lines]
    return [Content.styled(name.ljust(room), _MUTED) + lines[0][room:], *lines[1:]]
