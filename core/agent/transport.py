"""How front ends speak with the agent: JSON over HTTP, on a unix socket.

By httpcore, httpx's own transport, because importing httpx takes longer than most commands run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpcore

from core.agent.protocol import error_from_json
from core.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

Json = dict[str, Any]

ANSWER_TIMEOUT_S = 10.0
"""For what an agent answers at once, unless it hangs; the others take as long as they take."""

HANGS = "agent_hangs"
"""The code of the error that tells of an agent that is there, and says nothing."""

_CONNECT_TIMEOUT_S = 5.0
_LOST = (
    httpcore.NetworkError,
    httpcore.RemoteProtocolError,
    httpcore.TimeoutException,
    OSError,
)


class Transport:
    """Connections to the agent that listens on a socket."""

    def __init__(self, socket: Path) -> None:
        self._pool = httpcore.AsyncConnectionPool(uds=str(socket), max_connections=20)

    async def close(self) -> None:
        """Ends the connections."""
        await self._pool.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
        parts: AsyncIterator[bytes] | None = None,
        answer_timeout_s: float | None = None,
    ) -> Json:
        """What the agent answers to a request, whose body may be JSON or come in parts.

        Raises:
            AgentUnavailable: it does not answer, or not so that it can be understood.
            CompartmentError: what it refuses.
        """
        content = json.dumps(body).encode() if body is not None else parts or b""
        kind = "application/x-tar" if parts is not None else "application/json"
        try:
            reply = await self._pool.request(
                method,
                _url(path, query or {}),
                headers={"content-type": kind},
                content=content,
                extensions={"timeout": {"connect": _CONNECT_TIMEOUT_S, "read": answer_timeout_s}},
            )
        except _LOST as error:
            raise _unavailable(error) from error
        return _answer(reply.status, reply.content)

    async def stream(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[Json]:
        """What comes, one by one. Raises as `call`."""
        async for found in self.batches(path, query):
            for each in found:
                yield each

    async def batches(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[list[Json]]:
        """What comes, as much together as has come at once. Raises as `call`."""
        timeout = {"timeout": {"connect": _CONNECT_TIMEOUT_S}}
        try:
            async with self._pool.stream("GET", _url(path, query), extensions=timeout) as reply:
                if reply.status != 200:
                    _answer(reply.status, await reply.aread())
                rest = b""
                async for chunk in reply.aiter_stream():
                    whole, newline, rest = (rest + chunk).rpartition(b"\n")
                    if newline:
                        yield _parsed(whole)
        except _LOST as error:
            raise _unavailable(error) from error


def _url(path: str, query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"http://agent{path}?{urlencode(given, doseq=True)}"


def _parsed(lines: bytes) -> list[Json]:
    try:
        # One parse of all is twice as fast as one of each.
        found: list[Json] = json.loads(b"[%s]" % lines.replace(b"\n", b","))
    except (ValueError, RecursionError) as error:
        raise not_understood("it is no JSON") from error
    return found


def _answer(status: int, content: bytes) -> Json:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AgentUnavailable(
            "the agent was stopped before it answered",
            hint="what was asked for may be done nevertheless: see `compartment status`",
        ) from error
    if not isinstance(answer, dict):
        raise not_understood("it is no JSON object")
    if status == 200:
        return answer
    if "error" in answer:
        raise error_from_json(answer["error"])
    raise not_understood(f"{status}, {answer}")


def not_understood(answer: str) -> AgentUnavailable:
    """What is said of an answer that no agent of this version gives."""
    return AgentUnavailable(
        f"what the agent answered is not understood: {answer}",
        hint="is it of the same version? compartment agent stop, then try again",
        code="agent_version",
    )


def _unavailable(error: Exception) -> AgentUnavailable:
    if isinstance(error, httpcore.ReadTimeout):
        return AgentUnavailable(
            f"the agent hangs: it does not answer within {ANSWER_TIMEOUT_S:g} s",
            hint="compartment doctor says how to end it; what is live goes on serving",
            code=HANGS,
        )
    return AgentUnavailable(
        f"the agent does not answer: {str(error) or type(error).__name__}",
        hint="`compartment agent start` starts it; `compartment doctor` checks the machine",
    )
