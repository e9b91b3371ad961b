"""Bytes on the sockets of a running agent, and what a client makes of an agent that is none.

Shown: whatever comes in on the agent's socket or on that of its pages (no HTTP, half a request, a
header without end, requests that say one thing and send another), the agent answers or hangs up,
and goes on; its log has no traceback, and it has no more memory for long. Bodies that come a byte
at a time, and a thousand streams side by side, hold up nobody else. The other way round a client
(the door of all front ends) that is answered with garbage says in words that this is no agent.

How: a real agent in a process of its own. Valid requests are mutated by hypothesis and sent as
bytes; the same is done to the replies of a server that stands in for an agent. Requests made from
the agent's description by schemathesis are sent over the real socket, with values that there are,
after a real deploy; some of them deploy.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from hypothesis import strategies as st

from core.agent.client import Client
from core.errors import CompartmentError
from core.files import Home
from tests.proof.fuzz.asking import cases
from tests.proof.fuzz.mutating import mutated
from tests.proof.fuzz.refusals import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.proof.fuzz.asking import Asked
    from tests.proof.fuzz.trying import Fuzz

PATIENCE_S = 60.0
MOST_GROWTH_BYTES = 150 * 1024 * 1024
REQUESTS = (
    b"GET /v1/agent HTTP/1.1\r\nHost: agent\r\n\r\n",
    b"POST /v1/plan HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n"
    b"Content-Length: 38\r\n\r\n" + b'{"project": "a", "trigger": "deploy"}\n',
    b"POST /v1/down HTTP/1.1\r\nHost: agent\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'10\r\n{"project": "a"}\r\n0\r\n\r\n',
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n",
    b"GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: shop.example.com\r\n\r\n",
)
WORDS = (
    b"\r\n", b"\n\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n",
    b"Connection: upgrade\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"HTTP/9.9", b"HTTP/1.0", b"PRI * ",
    b"GET http://elsewhere/ HTTP/1.1\r\n", b"X: " + b"a" * 70_000 + b"\r\n", b"\x16\x03\x01",
    b"/%00", b"/../..", b"?" + b"a=b&" * 3000,
)  # fmt: skip


def said_to(path: Path, content: bytes) -> bytes:
    """What a server says to some bytes, after which nothing more comes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        try:
            client.sendall(content)
            client.shutdown(socket.SHUT_WR)
            return client.recv(65_536)
        except (BrokenPipeError, ConnectionResetError):
            return b""


# anyio 4.16: on a busy loop a unix socket that the agent asks Envoy on is ready twice before its
# reader is taken away. The second time changes nothing, and is told by asyncio.
READY_TWICE = re.compile(
    r"Exception in callback Future\.set_result\(None\)\n.*?InvalidStateError: invalid state\n",
    re.DOTALL,
)


def first_traceback(house: House) -> str:
    """The first one in the agent's log."""
    told = READY_TWICE.sub("", house.home.agent_output.read_text())
    return told.partition("Traceback")[2][:20_000]


def memory_of(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


async def test_any_bytes(running: House, fuzz: Fuzz, counts: FiguresRecorder) -> None:
    pid = await running.agent_pid()
    before = memory_of(pid)
    paths = [running.home.agent_socket, running.home.pages_socket]

    def say(content: bytes, path: Path) -> None:
        with fuzz.meter.measured(len(content)):
            said = said_to(path, content)
        assert not said or said.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), said[:200]
        assert not said.startswith(b"HTTP/1.1 5"), said[:500]

    contents = mutated(REQUESTS, WORDS) | st.binary(max_size=300) | st.sampled_from(REQUESTS)
    drawn = contents, st.sampled_from(paths)
    await asyncio.to_thread(fuzz, "bytes on sockets", say, *drawn, short=60, whole_s=60)
    assert await running.agent_pid() == pid
    assert first_traceback(running) == ""
    grown = memory_of(pid) - before
    assert grown < MOST_GROWTH_BYTES
    counts("agent, memory after all of them", round(grown / 2**20, 1), "MB more")


@pytest.mark.whole
async def test_slow_bodies_and_many_streams(running: House, counts: FiguresRecorder) -> None:
    pid = await running.agent_pid()
    before = memory_of(pid)
    count = 1000
    path = str(running.home.agent_socket)
    head = b"POST /v1/plan HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"
    stream = b"GET /v1/watch?project=shop HTTP/1.1\r\nHost: a\r\n\r\n"
    opened: list[asyncio.StreamWriter] = []
    try:
        async with asyncio.timeout(PATIENCE_S * 2):
            for number in range(count):
                reader, writer = await asyncio.open_unix_connection(path)
                opened.append(writer)
                writer.write(stream if number % 4 else head)
                if number % 4:
                    assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
            for writer in opened[::4]:
                writer.write(b" ")
            assert await running.agent_pid() == pid
    finally:
        for writer in opened:
            writer.close()
    grown = (memory_of(pid) - before) / count
    assert grown < 1024 * 1024
    counts("streams and slow bodies side by side", count, "streams")
    counts("memory of one", round(grown / 1024, 1), "kB")
    assert await running.agent_pid() == pid
    assert first_traceback(running) == ""


@pytest.mark.whole
@pytest.mark.timeout(480)
async def test_every_operation_over_the_socket(running: House, lab: LabProject, fuzz: Fuzz) -> None:
    result = await running.deployed(lab)
    deployment = result["deployments"][0]["id"]
    known = {
        "project": [lab.name], "environment": ["production", "staging"],
        "service": ["web"], "services": [["web"], []], "root": [str(lab.root)],
        "deployment": [deployment], "to": [deployment], "run_id": [result["run"]["id"]],
        "trigger": ["deploy", "redeploy", "rollback", "promote"], "environ": [{}],
        "sourceEnvironment": ["production", "staging"], "files": [[]], "envFiles": [[]],
        "sourceDigest": [None], "engine": ["process", "auto"], "following": ["true", "false"],
        "key": ["A", "B"], "host": ["shop.example.com"], "name": ["ann"],
    }  # fmt: skip
    transport = httpx.HTTPTransport(uds=str(running.home.agent_socket))

    def ask_all() -> None:
        with httpx.Client(transport=transport, base_url="http://agent", timeout=PATIENCE_S) as web:
            description = web.get("/openapi.json").json()

            def ask(asked: Asked) -> None:
                with (
                    fuzz.meter.measured(len(asked.body)),
                    web.stream(
                        asked.method, asked.target, headers=asked.headers, content=asked.body
                    ) as reply,
                ):
                    is_endless = "ndjson" in reply.headers["content-type"]
                    content = b"" if is_endless and reply.status_code == 200 else reply.read()
                asked.check(reply.status_code, dict(reply.headers), content)

            fuzz("requests over the socket", ask, cases(description, known), short=0, whole_s=180)

    await asyncio.to_thread(ask_all)
    assert first_traceback(running) == ""
    counted = await running.active(lab)
    assert all(len(each) == 1 for each in counted.values()), counted


ANSWER = json.dumps({"version": "1", "protocol": 1, "pid": 1, "isIdle": False}).encode()
REFUSAL = json.dumps({
    "error": {"kind": "ConfigError", "code": "c", "message": "m", "hint": None, "problems": [
        {"file": "f", "line": 1, "column": 1, "message": "m", "hint": None, "service": None}]}
}).encode()  # fmt: skip
REPLIES = tuple(
    b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    % (status, len(body), body)
    for status, body in ((b"200 OK", ANSWER), (b"400 Bad", REFUSAL), (b"200 OK", b'{"a":1}\n{}\n'))
)


def test_an_agent_that_is_none(home: Path, fuzz: Fuzz) -> None:
    where = Home(home)
    where.create()
    words = (b"null", b"[]", b"{}", b'"error"', b"200", b"500", b"\r\n", b"[" * 5000, b"1e999")

    def answer(reply: bytes) -> None:
        with fuzz.meter.measured(len(reply)):
            asyncio.run(_asked(where, reply))

    fuzz("replies", answer, mutated(REPLIES, words), short=40, whole_s=40)


async def _asked(where: Home, reply: bytes) -> None:
    """Every kind of question, to a server that says the same to all of them, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(reply)
        writer.close()

    where.agent_socket.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, where.agent_socket)
    async with server, asyncio.timeout(PATIENCE_S), Client.opened(where) as client:
        try:
            await client.agent()
        except CompartmentError as error:
            check(error)
        try:
            await client.plan({"project": "shop"})
        except CompartmentError as error:
            check(error)
        try:
            async for line in client.events():
                json.dumps(line)
        except CompartmentError as error:
            check(error)
