"""Is a candidate ready? Asked at once, then often, then patiently; the first good one wins.

An exit is noticed when it happens, not at the next try.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.ending import single_error
from core.engines.base import Exit
from core.model import Health
from core.promotion.failure import DeploymentFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from core.engines.base import Instance
    from core.model import ServiceKind
    from core.promotion.probes import Probe, Tried
    from core.promotion.progress import Waiting

_EAGER_FOR_S = 5.0
_PATIENT_PAUSE_S = 0.5
_LOOK_S = 0.3
"""Long enough for an interpreter to find out that it cannot import its program."""

_WORKER_LOOK_S = 1.0
"""Nobody asks a worker anything: long enough to fail at the database or queue that it works for."""

_OWN_CHECK_LIMIT_S = 300.0
"""The longest that a readiness check may be given (spec, 1.6): an image says when it gives up."""


_AWAY_S = 1.0
"""Who has not looked for so much longer than a try and a pause take could not look."""

MayEnd = Callable[[Exit], bool]
"""Whether an end is no failure: of what was started to do something once."""


def _never(_: Exit) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Ready:
    """A candidate that passed."""

    tries: int
    seconds: float


@dataclass(slots=True)
class _Trail:
    """What the tries have shown so far."""

    what: str
    waiting: Waiting
    looked_at: float
    """When the last try ended, or the first one began."""
    gap_s: float = 0.0
    """The longest time between two of those."""
    tries: int = 0
    last: Tried | None = None

    def __str__(self) -> str:
        last = self.last or "no reply yet"
        count = max(self.tries, 1)  # the first one may not have ended
        return f"{self.what} → {last} ({count} {'try' if count == 1 else 'tries'})"

    @property
    def longest_gap_s(self) -> float:
        """For how long nobody has looked, at the most."""
        return max(self.gap_s, time.monotonic() - self.looked_at)

    def add(self, tried: Tried) -> bool:
        """Takes note of a try, for whoever watches; returns whether it ended like the one before.

        A command may print another line each time.
        """
        is_known = self.last is not None and self.last.said == tried.said
        self.tries += 1
        self.last = tried
        self.gap_s, self.looked_at = self.longest_gap_s, time.monotonic()
        self.waiting.tries = self.tries
        self.waiting.detail = f"{self.what} -> {tried}"
        self.waiting.recent.append(tried.status)
        return is_known


async def check(
    instance: Instance,
    probe: Probe,
    limit_s: float,
    say: Callable[[str], None],
    waiting: Waiting,
    may_end: MayEnd = _never,
) -> Ready:
    """Waits until the candidate passes its check, or has ended as it may.

    Raises:
        DeploymentFailed: it ended, or was not ready in time; with the last try and a guess.
    """
    started = time.monotonic()
    trail = _Trail(probe.what, waiting, started)
    waiting.limit_s = limit_s
    try:
        with single_error():
            async with asyncio.timeout(limit_s), asyncio.TaskGroup() as group:
                tries = group.create_task(until_good(probe, _told(probe, trail, say)))
                watch = group.create_task(_fail_on_exit(instance, trail, may_end))
                await asyncio.wait((tries, watch), return_when=asyncio.FIRST_COMPLETED)
                tries.cancel()
                watch.cancel()
    except TimeoutError:
        was_away = trail.longest_gap_s > probe.try_limit_s + _PATIENT_PAUSE_S + _AWAY_S
        if not (was_away and await _passes_now(probe, _told(probe, trail, say))):
            raise DeploymentFailed(
                f"not ready within {limit_s:g} s: {trail}",
                guess=await _guess(instance, probe, trail),
            ) from None
    stranger = await instance.foreign_listener() if probe.is_by_port else None
    if stranger:
        raise DeploymentFailed(f"the reply did not come from the candidate: {stranger}")
    return Ready(trail.tries, time.monotonic() - started)


async def _passes_now(probe: Probe, note: Callable[[Tried], None]) -> bool:
    """One more look: an agent that was stopped, as a machine that slept, could not look in time."""
    tried = await probe.attempt(probe.try_limit_s)
    note(tried)
    return tried.is_good


async def wait_healthy(instance: Instance, say: Callable[[str], None], waiting: Waiting) -> Ready:
    """Waits until the check that the candidate brings along says that it is healthy.

    Raises:
        DeploymentFailed: it ended, or its check gave up on it, or said nothing in time.
    """
    waiting.limit_s = _OWN_CHECK_LIMIT_S
    started = time.monotonic()
    try:
        with single_error():
            async with asyncio.timeout(_OWN_CHECK_LIMIT_S), asyncio.TaskGroup() as group:
                watch = group.create_task(
                    _fail_when_it_ends(instance, "it {} while it was checked")
                )
                await _until_healthy(instance, waiting)
                watch.cancel()
    except TimeoutError:
        last = instance.own_health
        said = f": {last.detail}" if last and last.detail else ""
        raise DeploymentFailed(
            f"its own health check did not pass within {_OWN_CHECK_LIMIT_S:g} s{said}"
        ) from None
    say("its own health check passed")
    return Ready(waiting.tries, time.monotonic() - started)


async def _until_healthy(instance: Instance, waiting: Waiting) -> None:
    found = instance.own_health
    while found is None or found.health is not Health.HEALTHY:
        if found is not None:
            waiting.detail = f"its own health check: {found.detail or found.health}"
            if found.health is Health.UNHEALTHY:
                raise DeploymentFailed(f"its own health check failed: {found.detail or 'no words'}")
        found = await instance.next_health()
        waiting.tries += 1


async def stay_ready(
    instances: Sequence[Instance], until: Awaitable[None], may_end: MayEnd = _never
) -> None:
    """Waits with a candidate that is ready.

    Raises:
        DeploymentFailed: it ended while it waited, other than it may.
    """
    with single_error():
        async with asyncio.TaskGroup() as group:
            told = "it was ready, and {} while it waited for the other services"
            watches = [
                group.create_task(_fail_when_it_ends(each, told, may_end)) for each in instances
            ]
            await until
            for watch in watches:
                watch.cancel()


async def _fail_when_it_ends(instance: Instance, told: str, may_end: MayEnd = _never) -> None:
    ended = await instance.wait_exit()
    if may_end(ended):
        return
    raise DeploymentFailed(told.format(ended))


async def look(instance: Instance, kind: ServiceKind, may_end: MayEnd = _never) -> None:
    """The one look at a candidate without a readiness block: it is up, and has not ended at once.

    Raises:
        DeploymentFailed: it has ended, other than it may.
    """
    look_s = _LOOK_S if kind.is_routable else _WORKER_LOOK_S
    try:
        async with asyncio.timeout(look_s):
            ended = await instance.wait_exit()
    except TimeoutError:
        return
    if may_end(ended):
        return
    raise DeploymentFailed(f"it {ended} as soon as it was started")


def _told(probe: Probe, trail: _Trail, say: Callable[[str], None]) -> Callable[[Tried], None]:
    """Notes each try, and says the first of a kind."""

    def note(tried: Tried) -> None:
        is_known = trail.add(tried)
        if tried.is_good:
            say(f"{probe.what} → {tried}")
        elif not is_known:
            say(f"{probe.what} → {tried}; not ready yet")

    return note


async def until_good(probe: Probe, note: Callable[[Tried], None]) -> None:
    """Tries at once, then often, then patiently; `note` is told of each try."""
    started = time.monotonic()
    while True:
        tried = await probe.attempt(probe.try_limit_s)
        note(tried)
        if tried.is_good:
            return
        is_eager = time.monotonic() - started < _EAGER_FOR_S
        await asyncio.sleep(probe.eager_pause_s if is_eager else _PATIENT_PAUSE_S)


async def _fail_on_exit(instance: Instance, trail: _Trail, may_end: MayEnd) -> None:
    ended = await instance.wait_exit()
    if may_end(ended):
        return
    tried = f"; last check: {trail}" if trail.last else ""
    raise DeploymentFailed(f"it {ended} while it was being checked{tried}")


async def _guess(instance: Instance, probe: Probe, trail: _Trail) -> str | None:
    if trail.last is not None and (trail.last.guess or trail.last.status is not None):
        return trail.last.guess
    return await instance.explain_silence() if probe.is_by_port else None
