"""A stand-in for the agent that answers what a test tells it to, when it tells it to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core import __version__
from core.agent.protocol import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.files import Home

Json = dict[str, Any]
RUN = "drn_a"


def event(seq: int, type_: str, **data: Any) -> Json:
    """One event of the run."""
    at = f"2026-04-24T10:01:0{seq}.000000Z"
    named = {"serviceName": None, "deploymentId": None, "deploymentRunId": RUN}
    return {"seq": seq, "type": type_, "timestamp": at, "message": type_, **named, **data}


def run(**fields: Any) -> Json:
    """The run as the agent tells of it."""
    return {
        "id": RUN,
        "project": "shop",
        "environment": "production",
        "trigger": "deploy",
        "status": "succeeded",
        "failureCode": None,
        "cutRequests": 0,
        "notServing": [],
        **fields,
    }


def result(**fields: Any) -> Json:
    """A run with its deployments, of which there are none."""
    told = run(**fields)
    return {"run": told, "failureMessage": told.get("failureMessage"), "deployments": []}


class ScriptedAgent:
    """Answers by path; a path that a test has not told it of is an error of the test."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        about = {"version": __version__, "protocol": PROTOCOL, "isIdle": True}
        self.answers: dict[str, Callable[[], Awaitable[Any]]] = {"/v1/agent": constant(about)}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = [line for line in head.lower().split("\r\n") if line.startswith("content-length")]
        await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
        path = head.split(" ")[1]
        self.asked.append(path)
        answer = await self.answers[path.partition("?")[0]]()
        # A list is a stream of lines; it ends with the connection, as a lost agent's does. That of
        # a tuple ends in good order.
        lines = answer if isinstance(answer, list | tuple) else [answer]
        size = "transfer-encoding: chunked"
        writer.write(f"HTTP/1.1 200 OK\r\nconnection: close\r\n{size}\r\n\r\n".encode())
        for line in lines:
            chunk = json.dumps(line).encode() + b"\n"
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if not isinstance(answer, list):
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()


def constant(answer: Any) -> Callable[[], Awaitable[Any]]:
    """Always the same answer."""

    async def give() -> Any:
        return answer

    return give


@asynccontextmanager
async def scripted_agent(home: Home) -> AsyncIterator[ScriptedAgent]:
    """An agent at the socket of a home."""
    home.create()
    agent = ScriptedAgent()
    server = await asyncio.start_unix_server(agent._serve, home.agent_socket)
    try:
        yield agent
    finally:
        server.close()
        await server.wait_closed()
