"""One try of a readiness check: by a request, by a connection, or by a command.

Candidates are tried until they pass, and what is live where the gateway cannot look.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from core.errors import CompartmentError
from core.lines import clean, shorten
from core.model import ReadinessType
from core.promotion.specs import spec_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engines.base import Engine, Instance, InstanceSpec, Ran
    from core.model import Readiness
    from core.promotion.parts import Parts

DETAIL_CHARACTERS: Final = 200
TRY_LIMIT_S: Final = 5.0
"""The longest single try (spec, 7.1)."""

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""Exit codes of a shell (POSIX)."""

_GUESSES_BY_STATUS: Final = {
    301: "it redirects: point readiness.path at a path that answers 2xx itself",
    302: "it redirects: point readiness.path at a path that answers 2xx itself",
    307: "it redirects: point readiness.path at a path that answers 2xx itself",
    308: "it redirects: point readiness.path at a path that answers 2xx itself",
    400: "it may check the Host header: allow 127.0.0.1",
    401: "readiness.path asks for a login: use a path that does not",
    403: "it forbids the request: let readiness.path pass without a login and for host 127.0.0.1",
    404: "it does not know this path: check readiness.path",
}
_GUESSES_BY_CODE: Final = {
    NOT_EXECUTABLE: "what readiness.command names cannot be executed",
    NOT_FOUND: "what readiness.command names is not installed where the service runs",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try ended, in words; `detail` is what a command printed last."""

    is_good: bool
    said: str
    detail: str = ""
    status: int | None = None
    """That of a reply."""
    guess: str | None = None
    is_late: bool = False
    """Whether nothing came within the limit of the try."""

    def __str__(self) -> str:
        return f"{self.said}: {self.detail}" if self.detail else self.said


class Probe(Protocol):
    """The check of one instance."""

    what: str
    """What it does, such as `GET http://127.0.0.1:3000/healthz`."""
    eager_pause_s: float
    """Between the first tries of one that is to become ready."""
    is_by_port: bool
    """Whether somebody else could answer in its place."""
    try_limit_s: float
    """The longest single try."""

    async def attempt(self, limit_s: float) -> Tried:
        """Tries once. Nothing of it is left after the limit, or when it is cancelled."""


def probe_of(parts: Parts, block: Readiness, instance: Instance) -> Probe:
    """The check of an instance that a readiness block asks for."""
    if block.type is ReadinessType.COMMAND:
        spec = spec_of(parts, instance.name)
        deployment = parts.ledger.deployments[spec.owner.deployment_id]
        return CommandProbe(parts.engine_of(deployment), spec, block.command or "")
    host, port = instance.address
    if block.type is ReadinessType.TCP:
        return TcpProbe(host, port)
    return HttpProbe(parts.probes, f"http://{host}:{port}{block.request_path}")


class HttpProbe:
    """A GET that has to be answered 2xx."""

    eager_pause_s = 0.05
    is_by_port = True
    try_limit_s = TRY_LIMIT_S

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self.what = f"GET {url}"
        self._client = client
        self._url = url

    async def attempt(self, limit_s: float) -> Tried:
        """Asks once; the body of the reply is not waited for."""
        try:
            async with asyncio.timeout(limit_s):
                async with self._client.stream("GET", self._url) as reply:
                    return replied(reply.status_code)
        except TimeoutError:
            return Tried(is_good=False, said=f"no reply within {limit_s:g} s", is_late=True)
        except httpx.ConnectError:
            return Tried(is_good=False, said="connection refused")
        except httpx.HTTPError as error:
            return Tried(is_good=False, said=str(error) or type(error).__name__)


def replied(status: int) -> Tried:
    """What a reply with this status means."""
    is_good = 200 <= status < 300
    guess = _GUESSES_BY_STATUS.get(status)
    return Tried(is_good, f"{status} {_phrase(status)}".strip(), status=status, guess=guess)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class TcpProbe:
    """A connection that has to be taken; nothing is sent on it."""

    eager_pause_s = 0.05
    is_by_port = True
    try_limit_s = TRY_LIMIT_S

    def __init__(self, host: str, port: int) -> None:
        self.what = f"connect to {host}:{port}"
        self._address = (host, port)

    async def attempt(self, limit_s: float) -> Tried:
        """Connects once."""
        try:
            async with asyncio.timeout(limit_s):
                _, writer = await asyncio.open_connection(*self._address)
        except TimeoutError:
            return Tried(is_good=False, said=f"not connected within {limit_s:g} s")
        except ConnectionRefusedError:
            return Tried(is_good=False, said="connection refused")
        except OSError as error:
            return Tried(is_good=False, said=error.strerror or str(error))
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return Tried(is_good=True, said="connected")


class CommandProbe:
    """A command that has to end with exit code 0, run as a part of the instance."""

    eager_pause_s = 0.25
    """It costs a process each time."""
    is_by_port = False
    try_limit_s = TRY_LIMIT_S

    def __init__(self, engine: Engine, spec: InstanceSpec, command: str) -> None:
        self.what = f"`{command}`"
        self._engine = engine
        self._spec = spec
        self._command = command

    async def attempt(self, limit_s: float) -> Tried:
        """Runs it once; one that takes longer is killed."""
        try:
            ran = await self._engine.run_beside(self._spec, self._command, limit_s)
        except TimeoutError:
            return Tried(is_good=False, said=f"did not end within {limit_s:g} s: killed")
        except CompartmentError as error:
            return Tried(is_good=False, said=error.message)
        return ended(ran, _GUESSES_BY_CODE)


def ended(ran: Ran, guesses: Mapping[int, str]) -> Tried:
    """What the end of a command means; the guesses are by exit code."""
    return Tried(
        is_good=ran.exit.code == 0,
        said=str(ran.exit),
        detail=shorten(clean(ran.said))[:DETAIL_CHARACTERS],
        guess=guesses.get(ran.exit.code or 0),
    )
