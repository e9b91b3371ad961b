"""Short words for what is shown: stages, health, and figures as a person reads them at a glance."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from core.cli.text import duration, first_line
from core.model import Condition, Health, ReadinessType, Stage, Trigger

if TYPE_CHECKING:
    from datetime import datetime

    from tui.view.state import Deployment, Run

NONE = "-"
"""What stands where there is nothing."""

NOT_SWITCHED = "not switched: "
"""How the failure of a deployment begins whose run went back for a reason that was not its own."""

STAGES = {
    Stage.BUILDING: "building",
    Stage.STARTING_CANDIDATE: "candidate",
    Stage.CHECKING_READINESS: "readiness",
    Stage.SWITCHING_ROUTE: "switching",
    Stage.DRAINING_PREVIOUS: "draining",
    Stage.ACTIVE: "active",
    Stage.ROLLED_BACK: "rolled back",
}

HEALTH = {
    Health.HEALTHY: "healthy",
    Health.PENDING: "pending",
    Health.UNHEALTHY: "unhealthy",
}

_DOING = {
    Trigger.DEPLOY: "deploying",
    Trigger.REDEPLOY: "redeploying",
    Trigger.ROLLBACK: "rolling back",
    Trigger.PROMOTE: "promoting",
}

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def doing(trigger: Trigger) -> str:
    """What a run of this trigger is at: `deploying`."""
    return _DOING[trigger]


def outcome(run: Run) -> str:
    """How a run ended: `succeeded`, `failed`, `cancelled`."""
    return "cancelled" if run.is_cancelled else str(run.status)


def seconds(start: datetime | None, now: datetime) -> float:
    """The time since a moment; nothing when there is none, or when it lies ahead."""
    return max((now - start) / timedelta(seconds=1), 0) if start else 0


def clock(passed_s: float) -> str:
    """A time that runs, such as `00:37` or `1:02:03`."""
    minutes, rest = divmod(int(max(passed_s, 0)), _MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def age(passed_s: float) -> str:
    """How long something has been: `42s`, `5m`, `3h 12m`, `2d 4h`, `12d`; at most six cells.

    Coarse on purpose: what is live for minutes need not change on the screen every second.
    """
    whole = int(max(passed_s, 0))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "m")
    days = whole // _DAY
    return _two(days, "d", whole % _DAY // _HOUR, "h") if days < 10 else f"{days}d"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit} {small}{smaller}" if small else f"{large}{unit}"


def ago(moment: datetime | None, now: datetime) -> str:
    """`2d 4h ago`; nothing when there is no moment."""
    return f"{age(seconds(moment, now))} ago" if moment else ""


def counting(passed_s: float) -> str:
    """A time that is being counted, in whole seconds: tenths that run are unrest."""
    whole = int(max(passed_s, 0))
    return f"{whole}s" if whole < _MINUTE else f"{whole // _MINUTE}m {whole % _MINUTE:02}s"


def about(seconds: float) -> str:
    """How long something usually takes: `262ms`, `3.2s`, `52s`, `2m 05s`."""
    return duration(seconds) if seconds < 10 else counting(seconds)


def percent(value: float | None) -> str:
    """Of one core: `3%`, `120%`."""
    return NONE if value is None else f"{value:.0f}%"


def size(value: float | None) -> str:
    """Bytes in powers of 1024: `112M`, `1.2G`; at most four cells."""
    if value is None:
        return NONE
    for unit in ("B", "K", "M", "G"):
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 9.95 and unit in "MG" else f"{value:.0f}{unit}"
        value /= 1024
    return f"{value:.1f}T" if value < 9.95 else f"{value:.0f}T"


def rate(value: float | None) -> str:
    """A number for each second: `0`, `0.4`, `12`, `1.2k`; at most four cells."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    if value < 9.95:
        return f"{value:.1f}"
    for unit in ("", "k", "M"):
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
        value /= 1000
    return f"{value:.0f}G"


def milliseconds(value: float | None) -> str:
    """`8ms`, `1.2s`; at most five cells."""
    if value is None:
        return NONE
    if value < 999.5:
        return f"{value:.0f}ms"
    return f"{value / 1000:.1f}s" if value < 99_950 else f"{value / 1000:.0f}s"


def listed(names: list[str], most: int = 3) -> str:
    """`web`, `web and api`, `web, api and 4 more`."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def counted(count: int, noun: str) -> str:
    """`1 request`, `3 requests`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short_id(found: str) -> str:
    """An id as far as it is needed to tell it from its neighbours: `drn_k3v9`."""
    return found[:8]


def reason(message: str | None, limit: int = 400) -> str:
    """The first line of a failure, harmless to show."""
    return first_line(message, limit)


def cause(message: str | None) -> str:
    """Why a deployment failed, without what its stage says already, and with ports for addresses.

    The important part is the end of the sentence, which is what a narrow line cuts.
    """
    told = _SAID_TWICE.sub("", reason(message))
    return _LOCAL_URL.sub(r"\1", told)


CONDITIONS = {
    Condition.STARTED: "to be started",
    Condition.HEALTHY: "to be healthy",
    Condition.COMPLETED: "to be completed",
}
"""What is waited for in another service, after its name."""


def stands_aside(found: Deployment) -> bool:
    """Whether what is live has been stopped for its successor, until that serves or has failed."""
    return found.is_active and (found.health_reason or "").startswith(_ASIDE)


_ASIDE = "stands aside"
"""How the agent says it."""


def asks(found: Deployment | None) -> str:
    """How it is asked whether a deployment is ready: `readiness GET /healthz`."""
    if found is not None and found.readiness_type is ReadinessType.TCP:
        return "a connection to its port"
    if found is not None and found.readiness_type is ReadinessType.COMMAND:
        return f"readiness command {reason(found.readiness_command)}"
    if found is not None and found.readiness_path:
        return f"readiness GET {found.readiness_path}"
    return OWN_CHECK


OWN_CHECK = "its own health check"
"""What the image of a service brings along, where no readiness check is set."""

_SAID_TWICE = re.compile("the candidate did not get ready: |build failed: (?=the build )")
_LOCAL_URL = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(:\d+)")


def port(address: str) -> str:
    """The port of an address, such as `:3000`; the whole address is for wider places."""
    return f":{address.rpartition(':')[2]}"
