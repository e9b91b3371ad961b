"""Is a candidate ready? Asked at once, then often, then patiently; the first 2xx wins.

An exit is noticed when it happens, not at the next try.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from core.ending import single_error
from core.model import Health
from core.promotion.failure import DeploymentFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.engines.base import Instance
    from core.model import Readiness
    from core.promotion.progress import Waiting

_EAGER_PAUSE_S = 0.05
_EAGER_FOR_S = 5.0
_PATIENT_PAUSE_S = 0.5
_LOOK_S = 0.3
"""Long enough for an interpreter to find out that it cannot import its program."""

_OWN_CHECK_LIMIT_S = 300.0
"""The longest that a readiness check may be given (spec, 1.6): an image says when it gives up."""

_NO_REPLY = "no reply yet"

_TRY_TIMEOUT_S = 5.0
"""The longest single try (spec, 7.1)."""

_GUESSES = {
    301: "it redirects: point readiness.path at a path that answers 2xx itself",
    302: "it redirects: point readiness.path at a path that answers 2xx itself",
    307: "it redirects: point readiness.path at a path that answers 2xx itself",
    308: "it redirects: point readiness.path at a path that answers 2xx itself",
    400: "it may check the Host header: allow 127.0.0.1",
    401: "readiness.path asks for a login: use a path that does not",
    403: "it forbids the request: let readiness.path pass without a login and for host 127.0.0.1",
    404: "it does not know this path: check readiness.path",
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A candidate that passed."""

    url: str
    status: int
    tries: int
    seconds: float


@dataclass(slots=True)
class _Trail:
    """What the tries have shown so far."""

    url: str
    waiting: Waiting
    tries: int = 0
    last: str = _NO_REPLY
    status: int | None = None

    def __str__(self) -> str:
        return (
            f"GET {self.url} → {self.last} ({self.tries} {'try' if self.tries == 1 else 'tries'})"
        )

    def show(self) -> None:
        """Lets whoever watches see the last try."""
        self.waiting.tries = self.tries
        self.waiting.detail = f"GET {self.url} -> {self.last}"
        self.waiting.recent.append(self.status)


async def check(
    instance: Instance,
    readiness: Readiness,
    client: httpx.AsyncClient,
    say: Callable[[str], None],
    waiting: Waiting,
) -> Ready:
    """Waits until the candidate answers 2xx.

    Raises:
        DeploymentFailed: it ended, or was not ready in time; with the last try and a guess.
    """
    host, port = instance.address
    path = readiness.path if readiness.path.startswith("/") else f"/{readiness.path}"
    trail = _Trail(f"http://{host}:{port}{path}", waiting)
    waiting.limit_s = readiness.timeout_ms / 1000
    started = time.monotonic()
    try:
        with single_error():
            async with asyncio.timeout(readiness.timeout_ms / 1000), asyncio.TaskGroup() as group:
                watch = group.create_task(_fail_on_exit(instance, trail))
                await _ask_until_ready(client, trail, say)
                watch.cancel()
    except TimeoutError:
        raise DeploymentFailed(
            f"not ready within {readiness.timeout_ms / 1000:g} s: {trail}",
            guess=await _guess(instance, trail),
        ) from None
    stranger = await instance.foreign_listener()
    if stranger:
        raise DeploymentFailed(f"the reply did not come from the candidate: {stranger}")
    return Ready(trail.url, trail.status or 0, trail.tries, time.monotonic() - started)


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
    return Ready("", 0, waiting.tries, time.monotonic() - started)


async def _until_healthy(instance: Instance, waiting: Waiting) -> None:
    found = instance.own_health
    while found is None or found.health is not Health.HEALTHY:
        if found is not None:
            waiting.detail = f"its own health check: {found.detail or found.health}"
            if found.health is Health.UNHEALTHY:
                raise DeploymentFailed(f"its own health check failed: {found.detail or 'no words'}")
        found = await instance.next_health()
        waiting.tries += 1


async def stay_ready(instances: Sequence[Instance], until: Awaitable[None]) -> None:
    """Waits with a candidate that is ready.

    Raises:
        DeploymentFailed: it ended while it waited.
    """
    with single_error():
        async with asyncio.TaskGroup() as group:
            told = "it was ready, and {} while it waited for the other services"
            watches = [group.create_task(_fail_when_it_ends(each, told)) for each in instances]
            await until
            for watch in watches:
                watch.cancel()


async def _fail_when_it_ends(instance: Instance, told: str) -> None:
    ended = await instance.wait_exit()
    raise DeploymentFailed(told.format(ended))


async def look(instance: Instance) -> None:
    """The one look at a candidate without a readiness block: it is up, and has not ended at once.

    Raises:
        DeploymentFailed: it has ended.
    """
    try:
        async with asyncio.timeout(_LOOK_S):
            ended = await instance.wait_exit()
    except TimeoutError:
        return
    raise DeploymentFailed(f"it {ended} as soon as it was started")


async def _ask_until_ready(
    client: httpx.AsyncClient, trail: _Trail, say: Callable[[str], None]
) -> None:
    started = time.monotonic()
    while True:
        before = trail.last
        is_ready = await _ask(client, trail)
        trail.show()
        if is_ready:
            say(f"GET {trail.url} → {trail.last}")
            return
        if trail.last != before:
            say(f"GET {trail.url} → {trail.last}; not ready yet")
        is_eager = time.monotonic() - started < _EAGER_FOR_S
        await asyncio.sleep(_EAGER_PAUSE_S if is_eager else _PATIENT_PAUSE_S)


async def _ask(client: httpx.AsyncClient, trail: _Trail) -> bool:
    trail.tries += 1
    try:
        async with client.stream("GET", trail.url, timeout=_TRY_TIMEOUT_S) as reply:
            trail.status = reply.status_code
            trail.last = f"{reply.status_code} {_phrase(reply.status_code)}".strip()
            return reply.is_success
    except httpx.TimeoutException:
        trail.last = f"no reply within {_TRY_TIMEOUT_S:g} s"
    except httpx.ConnectError:
        trail.last = "connection refused"
    except httpx.HTTPError as error:
        trail.last = str(error) or type(error).__name__
    trail.status = None
    return False


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


async def _fail_on_exit(instance: Instance, trail: _Trail) -> None:
    ended = await instance.wait_exit()
    tried = f"; last check: {trail}" if trail.last != _NO_REPLY else ""
    raise DeploymentFailed(f"it {ended} while it was being checked{tried}")


async def _guess(instance: Instance, trail: _Trail) -> str | None:
    if trail.status is not None:
        return _GUESSES.get(trail.status)
    return await instance.explain_silence()
