"""The why-line: one sentence about what is awaited, and what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.cli.text import duration
from core.model import ExecutionStatus, Health, Status
from tui.view import execution_words, looks, words
from tui.view.rows import is_stale
from tui.view.sentence import Why
from tui.view.strip import members
from tui.view.why_rest import broken, certificates, locked_out, still_watched, watching
from tui.view.why_run import finishes, waits_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.view.scene import Scene
    from tui.view.state import Run, Service

JUST_NOW_S = 30
"""How long a success is news."""


def why(scene: Scene) -> Why:
    """The sentence for this moment: the most pressing thing that is true."""
    return next(_reasons(scene))


def _reasons(scene: Scene) -> Iterator[Why]:
    state, glyphs = scene.state, scene.glyphs
    if not state.link.is_up:
        yield _link_down(scene)
    run = state.run
    if run is not None and state.is_busy:
        found = waits_for(scene, run)
        yield Why(found.glyph, found.style, (*found.clauses, *_queued_behind(scene)))
    yield from _not_serving(run, scene)
    yield from _silent(scene)
    yield from broken(scene)
    yield from _unwell(scene)
    ended = list(_ended(run, scene))
    is_news = run is not None and words.seconds(run.completed_at, scene.now) < JUST_NOW_S
    is_failure = run is not None and run.status is Status.FAILED
    if is_news and is_failure:
        yield from ended
    yield from _restarting(scene)
    yield from _not_run(scene)
    if is_news or is_failure:
        yield from ended
    yield from certificates(scene)
    yield from locked_out(scene)
    yield from _taken_down(scene)
    yield from _not_live(scene)
    if run is not None and run.because:
        yield from ended
    yield from watching(scene)
    pressable = () if scene.is_read_only else ("; D deploys what changed",)
    yield Why(
        glyphs.healthy,
        looks.HEALTHY,
        ("everything is live and healthy", *pressable, "; enter shows all about a service"),
    )


def _ended(run: Run | None, scene: Scene) -> Iterator[Why]:
    if run is not None and run.status is Status.SUCCEEDED:
        yield _returned(run, scene) if run.because else _succeeded(run, scene)
    if run is not None and run.status is Status.FAILED:
        yield _cancelled(run, scene) if run.is_cancelled else _failed(run, scene)


def _link_down(scene: Scene) -> Why:
    link = scene.state.link
    since = f" for {words.counting(words.seconds(link.since, scene.now))}" if link.since else ""
    told = f"; {words.reason(link.reason)}" if link.reason else ""
    there = f" on {scene.server}" if scene.server else ""
    return Why(
        scene.glyphs.failed,
        looks.FAILED,
        (
            f"no connection to the agent{there}{since}",
            "; connecting again",
            "; what runs goes on without it",
            told,
        ),
    )


def _queued_behind(scene: Scene) -> Iterator[str]:
    if scene.state.queue:
        yield f"; {words.counted(len(scene.state.queue), 'run')} queued behind it"


def _took(run: Run) -> str:
    if run.created_at is None or run.completed_at is None:
        return "at once"
    return f"in {duration(words.seconds(run.created_at, run.completed_at))}"


def _succeeded(run: Run, scene: Scene) -> Why:
    glyphs, cut = scene.glyphs, run.cut_requests
    return Why(
        glyphs.retrying if cut else glyphs.healthy,
        looks.RETRYING if cut else looks.HEALTHY,
        (f"{run.trigger} succeeded {_took(run)}", _was_cut(run), *still_watched(scene)),
    )


def _was_cut(run: Run) -> str:
    cut = run.cut_requests
    return f"; {words.counted(cut, 'request')} cut" if cut else "; no request was cut"


def _returned(run: Run, scene: Scene) -> Why:
    """A rollback that nobody asked for stays in sight until the next run."""
    told = f"rolled back by itself: {words.cause(run.because)}"
    return Why(scene.glyphs.rolled_back, looks.ROLLBACK, (told, _was_cut(run)))


def _failed(run: Run, scene: Scene) -> Why:
    told = words.cause(run.failure_message) or "no reason is known"
    row = members(scene.state, run)
    serves = any(each.live for each, _ in row)
    is_switched = any(each.live is deployment for each, deployment in row)
    return Why(
        scene.glyphs.failed,
        looks.FAILED,
        (
            f"{run.trigger} failed{'' if is_switched else ', nothing was switched'}: {told}",
            *(["; what was live still serves"] if serves and not is_switched else []),
        ),
    )


def _cancelled(run: Run, scene: Scene) -> Why:
    return Why(
        scene.glyphs.stopped,
        looks.IDLE,
        (
            f"{run.trigger} was cancelled {words.ago(run.completed_at, scene.now)}".rstrip(),
            "; nothing was switched",
        ),
    )


def _not_serving(run: Run | None, scene: Scene) -> Iterator[Why]:
    """What stopped for a successor that failed, and could not be started again."""
    if run is None or not run.not_serving:
        return
    names = words.listed(list(run.not_serving))
    does = "does" if len(run.not_serving) == 1 else "do"
    press = () if scene.is_read_only else ("; D deploys again",)
    told = f"{names} {does} not serve: {run.trigger} and the way back failed"
    yield Why(scene.glyphs.failed, looks.FAILED, (told, *press, "; the log says why"))


def _unwell(scene: Scene) -> Iterator[Why]:
    services = scene.state.services.values()
    found = [each for each in services if each.live and each.live.health is Health.UNHEALTHY]
    if not found:
        return
    first, *others = found
    also = f"; also unhealthy: {words.listed([each.name for each in others])}" if others else ""
    yield Why(
        scene.glyphs.failed,
        looks.FAILED,
        (f"{first.name} is unhealthy: {_ailment(first, scene)}", *([also] if also else [])),
    )


def _ailment(service: Service, scene: Scene) -> str:
    if service.executions is not None and service.executions.last is not None:
        return execution_words.whole(service.executions.last, scene.now)
    if service.live is not None and service.live.health_reason:
        return words.reason(service.live.health_reason)
    for event in reversed(scene.events):
        if event.get("type") == "HealthChanged" and event.get("serviceName") == service.name:
            return words.reason(event.get("message")).removeprefix("unhealthy: ")
    live = service.live
    if live is None:
        return "nothing is live"
    ready = f"{live.replicas_ready} of {live.replicas_desired} ready"
    restarts = f", {words.counted(live.restarts, 'restart')}" if live.restarts else ""
    return ready + restarts


def _silent(scene: Scene) -> Iterator[Why]:
    """Figures come every 2 s where anything is live: without them, nothing here is certain."""
    at = scene.state.figures_at
    if is_stale(scene) and any(each.live for each in scene.state.services.values()):
        passed = words.counting(words.seconds(at, scene.now))
        told = f"no figures for {passed}: the agent may hang, and what is shown may be old"
        yield Why(scene.glyphs.unknown, looks.UNKNOWN, (told,))


def _restarting(scene: Scene) -> Iterator[Why]:
    """What ends again and again is healthy in between, which must not look like well."""
    found = [each for each in scene.state.services.values() if each.live and each.live.restarts]
    if not found:
        return
    found.sort(key=lambda each: each.live.restarts if each.live else 0, reverse=True)
    first, *others = found
    times = words.counted(first.live.restarts if first.live else 0, "time")
    also = f"; also restarted: {words.listed([each.name for each in others])}" if others else ""
    yield Why(
        scene.glyphs.retrying,
        looks.RETRYING,
        (
            f"{first.name} ended by itself and was restarted {times} since its deploy",
            *([also] if also else []),
            "; its stderr may say why",
        ),
    )


def _not_run(scene: Scene) -> Iterator[Why]:
    """A cron that did not run when it should have."""
    for each in scene.state.services.values():
        last = each.executions.last if each.executions else None
        if last is None or last.status not in (ExecutionStatus.SKIPPED, ExecutionStatus.MISSED):
            continue
        told = execution_words.whole(last, scene.now)
        press = () if scene.is_read_only else ("; X runs it now",)
        yield Why(scene.glyphs.retrying, looks.RETRYING, (f"{each.name} {told}", *press))


def _taken_down(scene: Scene) -> Iterator[Why]:
    for each in scene.state.services.values():
        if each.live is None and each.waiting is not None and each.waiting.kind == "drain":
            told = finishes(each.waiting, scene)
            yield Why(
                scene.glyphs.working,
                looks.WORKING,
                (f"{each.name} is taken down: it {told}", "; then it is stopped"),
            )


def _not_live(scene: Scene) -> Iterator[Why]:
    services = scene.state.services
    missing = [each.name for each in services.values() if each.live is None]
    if not missing:
        if not services:
            yield Why(scene.glyphs.stopped, looks.IDLE, ("there are no services here",))
        return
    environment = scene.state.place.environment
    is_nothing = len(missing) == len(services)
    is_first = is_nothing and not any(each.previous for each in services.values())
    verb = "deployed to" if is_first else "live in"
    what = "nothing is" if is_nothing else f"{words.listed(missing)} {_is(missing)} not"
    press = () if scene.is_read_only else (": press D to deploy",)
    yield Why(scene.glyphs.stopped, looks.IDLE, (f"{what} {verb} {environment}", *press))


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
