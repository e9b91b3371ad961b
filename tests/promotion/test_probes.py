"""Single tries of readiness checks, against real sockets and real commands."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from core.engines.base import Exit, OwnCheck, Ran
from core.errors import NotFound
from core.ports import free_port
from core.promotion import container_probes
from core.promotion.container_probes import OwnCheckProbe, PortsProbe
from core.promotion.probes import CommandProbe, HttpProbe, TcpProbe, Tried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = "127.0.0.1"


@asynccontextmanager
async def server(reply: bytes) -> AsyncIterator[int]:
    """Sends this to whoever asks; nothing at all, and it keeps the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if not reply:
                await reader.read()
            writer.write(reply)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, HERE, 0) as listening:
        yield listening.sockets[0].getsockname()[1]


async def http(port: int, limit_s: float = 5.0) -> Tried:
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        return await HttpProbe(client, f"http://{HERE}:{port}/up").attempt(limit_s)


@pytest.mark.parametrize(
    ("status", "is_good"), [("200 OK", True), ("204 Fine", True), ("301 Away", False)]
)
async def test_the_status_decides(status: str, is_good: bool) -> None:
    async with server(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()) as port:
        tried = await http(port)
    assert tried.is_good is is_good
    assert tried.status == int(status[:3])
    assert (tried.guess is None) is is_good


async def test_no_reply_is_a_failure_within_the_limit() -> None:
    async with server(b"") as port:
        assert str(await http(port, 0.1)) == "no reply within 0.1 s"


async def test_nobody_listens() -> None:
    port = free_port(set())
    assert str(await http(port)) == "connection refused"
    assert str(await TcpProbe(HERE, port).attempt(5)) == "connection refused"


async def test_a_port_that_takes_a_connection_is_enough() -> None:
    async with server(b"") as port:
        assert await TcpProbe(HERE, port).attempt(5) == Tried(is_good=True, said="connected")


class FakeEngine:
    """Runs nothing, and says how that ended."""

    def __init__(self, ended: Ran | Exception) -> None:
        self._ended = ended

    async def run_beside(self, *_: object) -> Ran:
        if isinstance(self._ended, Exception):
            raise self._ended
        return self._ended


@pytest.mark.parametrize(
    ("ended", "is_good", "told", "guess"),
    [
        (Ran(Exit(0), "fine"), True, "exited with code 0: fine", None),
        (Ran(Exit(2), "no\x1b[31m reply"), False, "exited with code 2: no", None),
        (Ran(Exit(127), ""), False, "exited with code 127", "not installed"),
        (Ran(Exit(126), ""), False, "exited with code 126", "cannot be executed"),
        (Ran(Exit(signal=9), ""), False, "ended by signal 9 (SIGKILL)", None),
        (TimeoutError(), False, "did not end within 5 s: killed", None),
        (NotFound("there is no instance x"), False, "there is no instance x", None),
    ],
)
async def test_a_command(
    ended: Ran | Exception, is_good: bool, told: str, guess: str | None
) -> None:
    engine = cast("Any", FakeEngine(ended))
    tried = await CommandProbe(engine, cast("Any", None), "check").attempt(5)
    assert tried.is_good is is_good
    assert str(tried).startswith(told)
    assert (guess or "") in (tried.guess or "")
    assert (tried.guess is None) is (guess is None)


async def test_any_port_is_enough_and_the_main_one_is_told_of() -> None:
    closed = free_port(set())
    async with server(b"") as port:
        assert (await PortsProbe([(HERE, closed), (HERE, port)]).attempt(5)).is_good
    probe = PortsProbe([(HERE, closed), (HERE, port)])
    assert probe.what == f"connect to {HERE}:{closed} or {port}"
    assert str(await probe.attempt(5)) == "connection refused"


class FakeInstance:
    """Its check ends as it is told to."""

    def __init__(self, ended: Ran | Exception) -> None:
        self._ended = ended

    async def try_own_check(self, limit_s: float) -> Ran:
        assert limit_s == 7
        if isinstance(self._ended, Exception):
            raise self._ended
        return self._ended


def own_check(ended: Ran | Exception, ports: PortsProbe | None = None) -> OwnCheckProbe:
    own = OwnCheck("pg_isready -U app", 30, 7, 3, 0)
    return OwnCheckProbe(cast("Any", FakeInstance(ended)), own, ports)


@pytest.mark.parametrize(
    ("ended", "is_good", "told"),
    [
        (Ran(Exit(0), "fine"), True, "exited with code 0: fine"),
        (Ran(Exit(1), "no response"), False, "exited with code 1: no response"),
        (TimeoutError(), False, "did not end within 7 s"),
        (NotFound("no such container"), False, "no such container"),
    ],
)
async def test_the_check_that_an_instance_brings_along(
    ended: Ran | Exception, is_good: bool, told: str
) -> None:
    probe = own_check(ended)
    assert probe.what == "health check `pg_isready -U app`"
    tried = await probe.attempt(probe.try_limit_s)
    assert (tried.is_good, str(tried)) == (is_good, told)


async def test_a_check_that_passes_before_a_port_is_open_is_not_believed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port(set())
    probe = own_check(Ran(Exit(0), "accepting connections"), PortsProbe([(HERE, port)]))
    tried = await probe.attempt(probe.try_limit_s)
    assert str(tried) == f"it passed, but nobody could connect to {HERE}:{port} yet"
    async with await asyncio.start_server(lambda _, writer: writer.close(), HERE, port):
        assert (await probe.attempt(probe.try_limit_s)).is_good
    # Who says what it does not listen on is not kept from working for ever.
    monkeypatch.setattr(container_probes, "_UNHEARD_S", 0)
    assert (await probe.attempt(probe.try_limit_s)).is_good
