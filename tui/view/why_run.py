"""What a run that goes on is waiting for, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.model import Stage, Status, Trigger
from tui.view import looks, words
from tui.view.strip import PROMOTION, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.scene import Scene
    from tui.view.state import Deployment, Run, Service, Waiting

    Member = tuple[Service, Deployment]

_NOTHING_SWITCHED = "; then the run fails and nothing is switched"


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """Glyph, colour and clauses of the sentence."""

    glyph: str
    style: str
    clauses: tuple[str, ...]
    is_held: bool = False
    """Whether a person is waited for."""


def waits_for(scene: Scene, run: Run) -> WaitsFor:
    """What everybody waits for is what has come least far."""
    found = _waits_for(scene, run)
    if not run.is_held or found.is_held:
        return found
    press = "" if scene.is_read_only else ": p lets it go on"
    return replace(found, clauses=(*found.clauses, f"; held before the switch{press}"))


def _waits_for(scene: Scene, run: Run) -> WaitsFor:
    glyphs = scene.glyphs
    is_back = run.trigger is Trigger.ROLLBACK
    glyph = glyphs.rolled_back if is_back else glyphs.working
    style = looks.ROLLBACK if is_back else looks.WORKING
    if run.status is Status.QUEUED:
        return WaitsFor(glyphs.queued, looks.IDLE, _queued(scene, run))
    moving = [each for each in members(scene.state, run) if not each[1].status.is_final]
    if not moving:
        return WaitsFor(glyph, style, (f"{run.trigger} {run.id} is coming to its end",))
    if run.is_held and _is_idle(moving):
        return WaitsFor(glyphs.queued, looks.RETRYING, _held(moving, scene), is_held=True)
    last = [each for each in moving if _has_come(each) == min(map(_has_come, moving))]
    # What waits for another service says less than that one.
    last = [each for each in last if _kind(each[0]) != "dependency"] or last
    last.sort(key=lambda each: _left_s(each, scene))
    service, deployment = last[0]
    kind = _kind(service)
    if kind == "barrier":
        return WaitsFor(glyph, style, _all_ready(last))
    if kind in _TELL:
        others = _others_ready(moving, "it")
        return WaitsFor(glyph, style, (*_TELL[kind](service, scene), *others))
    if deployment.stage is Stage.CHECKING_READINESS and service.waiting is not None:
        if service.waiting.tries > 1:
            glyph, style = glyphs.retrying, looks.RETRYING
        others = _others_ready(moving, "it")
        return WaitsFor(glyph, style, (*_readiness(service, deployment, scene), *others))
    say = _SAYS.get(deployment.stage, _others)
    return WaitsFor(glyph, style, (*say(last, scene), *_others_ready(moving, _it(last))))


def _kind(service: Service) -> str:
    return service.waiting.kind if service.waiting else ""


def _has_come(member: Member) -> int:
    service, deployment = member
    if service.is_at_barrier:
        return PROMOTION.index(Stage.SWITCHING_ROUTE)
    if deployment.status is Status.QUEUED:
        return -1
    return PROMOTION.index(deployment.stage)


def _left_s(member: Member, scene: Scene) -> float:
    waiting = member[0].waiting
    if waiting is None or waiting.limit_s is None:
        return float("inf")
    return waiting.limit_s - words.seconds(waiting.since, scene.now)


def _queued(scene: Scene, run: Run) -> tuple[str, ...]:
    since = words.counting(words.seconds(run.created_at, scene.now))
    detail = next(
        (each.waiting.detail for each, _ in members(scene.state, run) if each.waiting), ""
    )
    told = words.reason(detail) or "waits for its turn"
    return (f"{run.trigger} {run.id} is queued, {since} so far: {told}",)


def _names(row: Sequence[Member]) -> str:
    return words.listed([service.name for service, _ in row])


def _is(row: Sequence[Member]) -> str:
    return "is" if len(row) == 1 else "are"


def _wait(row: Sequence[Member]) -> str:
    return "waits" if len(row) == 1 else "wait"


def _it(row: Sequence[Member]) -> str:
    return "it" if len(row) == 1 else "them"


def _others_ready(moving: Sequence[Member], it: str) -> tuple[str, ...]:
    ready = [each for each in moving if each[0].is_at_barrier]
    if not ready:
        return ()
    return (f"; {_names(ready)} {_is(ready)} ready and {_wait(ready)} for {it}",)


def _all_ready(row: Sequence[Member]) -> tuple[str, ...]:
    who = f"{row[0][0].name} is ready" if len(row) == 1 else f"all {len(row)} are ready"
    together = "routes switch next" if len(row) == 1 else "their routes switch together next"
    return (f"{who}: {together}",)


def _is_idle(moving: Sequence[Member]) -> bool:
    """Whether a held run has come as far as it may."""
    kinds = {_kind(service) for service, _ in moving}
    return bool(kinds & _READY) and kinds <= _READY | {"dependency"}


def _held(moving: Sequence[Member], scene: Scene) -> tuple[str, ...]:
    ready = [each for each in moving if each[0].is_at_barrier]
    stopping = [each for each in moving if _kind(each[0]) == "hold" and each not in ready]
    behind = [each for each in moving if _kind(each[0]) == "dependency"]
    told = [f"{_names(ready)} {_is(ready)} ready"] if ready else []
    if stopping:
        told.append(f"{_names(stopping)} {_wait(stopping)} to replace what is live")
    if behind:
        told.append(f"{_names(behind)} {_wait(behind)} for {_it(stopping or ready)}")
    if scene.is_read_only:
        return (f"held before the switch: {told[0]}", *(f"; {each}" for each in told[1:]))
    return ("held: press p to switch", *(f"; {each}" for each in told), "; x cancels the run")


def _depending(service: Service, scene: Scene) -> tuple[str, ...]:
    detail = words.reason(service.waiting.detail) if service.waiting else ""
    what = detail or "for another service"
    return (f"{service.name} waits {what}, {_since(service, scene)} so far",)


def _running(service: Service, scene: Scene) -> tuple[str, ...]:
    left = _left(service.waiting, scene) if service.waiting else None
    most = f", at most {left} more" if left is not None else ""
    return (
        f"{service.name} runs to its end, {_since(service, scene)} so far{most}",
        "; if it fails, so does the run",
    )


_READY = frozenset({"barrier", "hold"})
_TELL = {"dependency": _depending, "job": _running}
"""Waits that say more than the stage does."""


def _since(service: Service, scene: Scene) -> str:
    since = service.waiting.since if service.waiting else None
    return words.counting(words.seconds(since, scene.now))


def _since_s(row: Sequence[Member], scene: Scene) -> str:
    starts = [
        each.waiting.since if each.waiting and each.waiting.since else deployment.stage_since
        for each, deployment in row
    ]
    longest = max(words.seconds(start, scene.now) for start in starts)
    return words.counting(longest)


def _left(waiting: Waiting, scene: Scene) -> str | None:
    if waiting.limit_s is None:
        return None
    return words.counting(waiting.limit_s - words.seconds(waiting.since, scene.now))


def _readiness(service: Service, deployment: Deployment, scene: Scene) -> tuple[str, ...]:
    waiting = service.waiting
    if waiting is None:
        return (f"{service.name}: its readiness is checked",)
    parts = [f"{service.name}: waits for {words.asks(deployment)}"]
    if waiting.recent:
        last = waiting.recent[-1]
        parts.append(f"last {last}" if last is not None else "no reply")
    if waiting.tries:
        parts.append("1 try" if waiting.tries == 1 else f"{waiting.tries} tries")
    left = _left(waiting, scene)
    if left is not None:
        parts.append(f"{left} left")
    return (", ".join(parts), *([_NOTHING_SWITCHED] if left is not None else []))


def _first(row: Sequence[Member], scene: Scene) -> tuple[str, ...]:
    if aside := [each for each in row if _stands_aside(each)]:
        return _making_way(aside, scene)
    queued = [each for each in row if each[1].status is Status.QUEUED]
    slots = [each for each in row if _kind(each[0]) == "buildSlot"]
    releasing = [each for each in row if _kind(each[0]) == "release"]
    building = [each for each in row if each not in (*queued, *slots, *releasing)]
    if releasing and not building:
        return _releasing(releasing, scene)
    if not building:
        what = "a build slot" if slots else "their turn" if len(row) > 1 else "its turn"
        return (f"{_names(row)} {_wait(row)} for {what}, {_since_s(row, scene)} so far",)
    waits = (f"; {_names(slots)} {_wait(slots)} for a build slot",)
    return (
        f"{_names(building)} {_is(building)} building, {_since_s(building, scene)} so far",
        *(waits if slots else ()),
        "; the candidates start beside what is live",
    )


def _releasing(row: Sequence[Member], scene: Scene) -> tuple[str, ...]:
    service, _ = row[0]
    command = words.reason(service.waiting.detail) if service.waiting else ""
    runs = f"runs its release command {command}" if len(row) == 1 else "run release commands"
    return (
        f"{_names(row)} {runs}".rstrip() + f", {_since_s(row, scene)} so far",
        "; the candidates start after it",
    )


def _stands_aside(member: Member) -> bool:
    live = member[0].live
    return live is not None and words.stands_aside(live)


def _making_way(row: Sequence[Member], scene: Scene) -> tuple[str, ...]:
    service, _ = row[0]
    waiting = service.waiting
    if waiting is not None and waiting.kind == "drain":
        told = f"the live one stands aside and {finishes(waiting, scene)}"
        return (f"{service.name}: {told}", "; then its successor starts")
    return (f"{_names(row)}: the live one stands aside", "; its successor starts")


def _starting(row: Sequence[Member], scene: Scene) -> tuple[str, ...]:
    candidates = "its candidate starts" if len(row) == 1 else "their candidates start"
    is_served = not any(map(_stands_aside, row))
    meanwhile = (
        "what is live serves meanwhile" if is_served else "the one before comes back if that fails"
    )
    return (f"{_names(row)}: {candidates}, {_since_s(row, scene)} so far", f"; {meanwhile}")


def _switching(row: Sequence[Member], _: Scene) -> tuple[str, ...]:
    return (
        f"the routes of {_names(row)} switch in one step",
        "; then the previous ones finish what they have",
    )


def _draining(row: Sequence[Member], scene: Scene) -> tuple[str, ...]:
    service, _ = max(row, key=lambda each: each[0].waiting.requests if each[0].waiting else 0)
    waiting = service.waiting
    if waiting is None:
        return (f"{_names(row)}: new requests go to the new one, the previous one finishes",)
    return (
        f"{service.name}: the previous one {finishes(waiting, scene)}",
        "; then it is stopped",
    )


def finishes(waiting: Waiting, scene: Scene) -> str:
    """What an instance that gets no new requests is at: `finishes 2 requests, at most 8s more`."""
    counts = [(waiting.requests, "request"), (waiting.streams, "stream")]
    told = " and ".join(words.counted(count, noun) for count, noun in counts if count)
    left = _left(waiting, scene)
    most = f", at most {left} more" if left is not None else ""
    return f"finishes {told}{most}" if told else f"has no request left and comes to its end{most}"


def _others(row: Sequence[Member], _: Scene) -> tuple[str, ...]:
    return (f"{_names(row)}: {words.STAGES[row[0][1].stage]}",)


_SAYS = {
    Stage.BUILDING: _first,
    Stage.STARTING_CANDIDATE: _starting,
    Stage.SWITCHING_ROUTE: _switching,
    Stage.DRAINING_PREVIOUS: _draining,
}
