"""What a run would do, service by service, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.model import AccessMode, Condition, Problem, ServiceKind, Strategy, Trigger
from tui.view import contained, words
from tui.view.columns import Row, aligned, hanging
from tui.view.looks import HEALTHY, IDLE, RETRYING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.view.glyphs import Glyphs

Json = Mapping[str, Any]
_MUTED = "$foreground-muted"
_LEAVE = "leave"


def changing(plan: Json) -> list[Json]:
    """The services that something happens to."""
    return [each for each in plan["services"] if each["action"] != _LEAVE]


def title(trigger: Trigger, plan: Json | None, environment: str, source: str | None = None) -> str:
    """The heading: what would be done, to how much, and where; a promotion also says from where."""
    verb = _VERBS[trigger]
    start = f" from {source}" if source else ""
    if plan is None:
        return f"{verb}{start}: the plan for {environment}"
    count = len(changing(plan))
    if not count:
        return f"{verb}{start}: nothing to do in {environment}"
    where = "to" if trigger is not Trigger.ROLLBACK else "in"
    return f"{verb} {words.counted(count, 'service')}{start} {where} {environment}"


_VERBS = {
    Trigger.DEPLOY: "Deploy",
    Trigger.REDEPLOY: "Redeploy",
    Trigger.ROLLBACK: "Roll back",
    Trigger.PROMOTE: "Promote",
}


def lines(plan: Json, width: int, glyphs: Glyphs) -> list[Content]:
    """The plan in its order: what happens, the barrier, what stays, what to know."""
    moving = changing(plan)
    shown = _moving(moving, width, glyphs) if moving else [Content(_NOTHING)]
    left = [str(each["serviceName"]) for each in plan["services"] if each["action"] == _LEAVE]
    if left:
        names = words.listed(left, most=8)
        shown += [Content(""), *_told(f"left alone, unchanged: {names}", IDLE, width)]
    warnings = plan.get("warnings") or ()
    if warnings:
        shown.append(Content(""))
    for text in warnings:
        shown += _told(f"{glyphs.retrying} {text}", RETRYING, width)
    if notes := plan.get("notes"):
        shown += [Content(""), *(line for each in notes for line in _noted(each, width))]
    ends = [*_engine(plan, width), *_usual(plan)] if moving else []
    return [*shown, Content(""), *ends] if ends else shown


def _noted(note: Json, width: int) -> list[Content]:
    """What is worth knowing of the files, with its place in them."""
    return _told(f"note: {words.reason(str(Problem(**note)))}", _MUTED, width)


def _engine(plan: Json, width: int) -> list[Content]:
    because = plan.get("engineBecause")
    if not because:
        return []
    return hanging(Content(f"on the {plan['engine']} engine: {because}"), width, 0)


def _usual(plan: Json) -> list[Content]:
    seconds = plan.get("usualSeconds")
    return [Content(f"usually takes about {words.about(seconds)}")] if seconds else []


_NOTHING = "every service is up to date: nothing would be built or replaced"


def _moving(moving: Sequence[Json], width: int, glyphs: Glyphs) -> list[Content]:
    rows: list[Row] = [
        (
            f"{number}.",
            Content.styled(str(each["serviceName"]), "bold"),
            _what(each),
            Content.styled(_because(each), _MUTED),
        )
        for number, each in enumerate(moving, start=1)
    ]
    shown: list[Content] = []
    for each, line in zip(moving, aligned(rows, width, glyphs.cut, (3, 1, 2)), strict=True):
        shown += [line, *_notes(each, width, glyphs)]
    return [*shown, Content(""), *_order(moving, width, glyphs)]


def _because(service: Json) -> str:
    why = str(service.get("because") or "")
    # Their names have a line of their own, where there is room for all of them.
    return _VARIABLES if service.get("variablesChanged") and why.startswith(_VARIABLES) else why


_VARIABLES = "variables changed"


def _what(service: Json) -> str:
    if service["action"] == Trigger.PROMOTE:
        return "promote, no build"
    if service["action"] == Trigger.ROLLBACK:
        return "roll back, no build"
    return "build, then start" if service["build"] else "start, built already"


def _notes(service: Json, width: int, glyphs: Glyphs) -> list[Content]:
    reason = service.get("zeroDowntimeReason")
    notes = _told(_instead_of(service), _MUTED, width)
    for text in _contained(service, glyphs) if "kindReason" in service else ():
        notes += _told(text, _MUTED, width)
    if waits := service.get("waitsFor"):
        notes += _told(f"waits for {words.listed([_wait(each) for each in waits], 8)}", "", width)
    if changed := service.get("variablesChanged"):
        names = words.listed([str(each) for each in changed], 8)
        notes += _told(f"variables set otherwise: {names}", "", width)
    if service["zeroDowntime"]:
        notes += _told(f"{glyphs.healthy} zero downtime: {reason}", HEALTHY, width)
    elif _stops_first(service):
        notes += _told(f"{glyphs.retrying} stops first: {reason}", RETRYING, width)
    elif service.get("replaces"):
        notes += _told(f"{glyphs.retrying} not without downtime: {reason}", RETRYING, width)
    for text in (*_access(service, glyphs), *_way_back(service, glyphs)):
        notes += _told(text, "", width)
    for text in service.get("warnings") or ():
        notes += _told(f"{glyphs.retrying} {text}", RETRYING, width)
    return notes


def _access(service: Json, glyphs: Glyphs) -> Iterator[str]:
    if service.get("accessMode") == AccessMode.AUTHENTICATED:
        yield f"{glyphs.login} needs a login"


def _way_back(service: Json, glyphs: Glyphs) -> Iterator[str]:
    """When it is rolled back by itself afterwards, or why it is not although it says when."""
    rule = service.get("autoRollback")
    if rule and rule["isWatched"]:
        yield f"{glyphs.rolled_back} rolled back by itself {rule['words']}"
    elif rule:
        yield f"{glyphs.stopped} not rolled back by itself: {rule['because']}"


def _contained(service: Json, glyphs: Glyphs) -> Iterator[str]:
    """What was decided about a service of a Compose file, and why."""
    yield f"kind {service['kind']}: {service['kindReason']}"
    why = service["strategyReason"]
    # A reason to stop first is that for its downtime, which has a line of its own.
    if why not in service["zeroDowntimeReason"] and service["kind"] != ServiceKind.JOB:
        yield f"strategy {service['strategy']}: {why}"
    ports = [f"{each['port']} {contained.spoken(each)}" for each in service["ports"]]
    if len(ports) > 1:
        yield f"listens on {words.listed(ports, 8)}"
    for each in service["published"]:
        outside, inside = contained.outside(each), f"{each['target']}/{each['protocol']}"
        yield f"published {outside} {glyphs.then} {inside}"
    if networks := service["networks"]:
        noun = "network" if len(networks) == 1 else "networks"
        yield f"{noun} {words.listed(list(networks), 8)}"


def _wait(found: Json) -> str:
    return f"{found['serviceName']} {words.CONDITIONS[Condition(found['condition'])]}"


def _stops_first(service: Json) -> bool:
    """Whether the live one ends before the new one starts."""
    strategy = Strategy(service.get("strategy") or Strategy.OVERLAP)
    return bool(service.get("replaces")) and not service["zeroDowntime"] and strategy.stops_first


def _instead_of(service: Json) -> str:
    replaces, other = service.get("replaces"), service.get("deploymentId")
    if other and service["action"] == Trigger.PROMOTE:
        where = f"in place of {replaces}" if replaces else "for the first time"
        return f"what {other} runs, {where}"
    if other:
        return f"from {replaces} back to {other}" if replaces else f"back to {other}"
    return f"in place of {replaces}" if replaces else "for the first time"


def _told(text: str, style: str, width: int) -> list[Content]:
    return hanging(Content.styled(text, style), width, _INDENT)


_INDENT = 4
"""Under the name of the service."""


def _order(moving: Sequence[Json], width: int, glyphs: Glyphs) -> list[Content]:
    """What is replaced by itself, and what switches together after it."""
    alone = [str(each["serviceName"]) for each in moving if _stops_first(each)]
    together = len(moving) - len(alone)
    told: list[Content] = []
    if alone:
        names = words.listed(alone, most=8)
        text = f"no zero downtime: {names}; stopped first, and started again if the new one fails"
        told += hanging(Content.styled(text, RETRYING), width, 0)
    return [*told, *(_barrier(together, width, glyphs) if together else [])]


def _barrier(count: int, width: int, glyphs: Glyphs) -> list[Content]:
    line = "=" if glyphs.is_ascii else "─"
    if count == 1:
        told = "it switches once it is ready; if it fails, what is live stays"
    else:
        together = "both" if count == 2 else f"all {count}"
        told = f"{together} switch together; if one fails, none does and what is live stays"
    return [
        Content.styled(f"{line * 3} barrier ".ljust(width, line), "$primary"),
        *hanging(told, width, _INDENT),
    ]
