"""Readiness, row by row of sections 7.1 and 7.3 of the specification.

Rows marked `ours` are decided otherwise than there, or where it is silent. The port (7.2) is in
`test_variable_rules.py` and `tests/engines/docker/test_instance.py`; that promotes and rollbacks
are checked again is in `test_lifecycle_rules.py`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from core.engines.base import Exit, OwnHealth, Ran
from core.errors import EngineUnavailable
from core.model import Health, Readiness, ServiceKind
from core.ports import free_port
from core.promotion import readiness
from core.promotion.failure import DeploymentFailed
from core.promotion.probes import CommandProbe, HttpProbe, TcpProbe, Tried
from core.promotion.progress import Progress, WaitKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from core.engines.base import Instance
    from core.promotion.probes import Probe
    from core.promotion.progress import Waiting

LONG_S = 30.0
"""Nothing here takes so long, on any machine."""

HANGS, RESETS, IS_NO_HTTP, NEVER_ENDS = "hangs", "resets", "is no HTTP", "never ends"


class Server:
    """Gives one reply after the other, the last one for ever: a status, or one of these words."""

    def __init__(self, *replies: int | str) -> None:
        self.replies = list(replies)
        self.asked: list[str] = []
        """The heads of the requests."""
        self.port = free_port(set())
        self._server: asyncio.Server | None = None
        self._is_over = asyncio.Event()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    async def close(self) -> None:
        self._is_over.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.asked.append(head)
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if reply == HANGS:
                    await self._is_over.wait()
                if reply in (HANGS, RESETS):
                    return
                writer.write(self._written(reply))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _written(self, reply: int | str) -> bytes:
        if reply == IS_NO_HTTP:
            return b"hello\r\n\r\n"
        if reply == NEVER_ENDS:
            return b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nx"
        location = "location: /elsewhere\r\n" if 300 <= int(reply) < 400 else ""
        return f"HTTP/1.1 {reply} X\r\ncontent-length: 0\r\n{location}\r\n".encode()


@asynccontextmanager
async def serving(*replies: int | str) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    """A server, and the agent's client, which is set up as there."""
    server = Server(*replies)
    await server.listen()
    try:
        async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
            yield server, client
    finally:
        await server.close()


def http(server: Server, client: httpx.AsyncClient, block: Readiness | None = None) -> HttpProbe:
    path = (block or Readiness()).request_path
    return HttpProbe(client, f"http://127.0.0.1:{server.port}{path}")


class Fake:
    """An instance that ends when the test says so."""

    def __init__(self, *, stranger: str | None = None, health: OwnHealth | None = None) -> None:
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.own_health = health
        self.is_asked: list[str] = []
        self._stranger = stranger

    async def wait_exit(self) -> Exit:
        return await asyncio.shield(self.ended)

    async def next_health(self) -> OwnHealth:
        await asyncio.Event().wait()
        raise AssertionError

    async def foreign_listener(self) -> str | None:
        self.is_asked.append("who listens")
        return self._stranger

    async def explain_silence(self) -> str | None:
        return "it listens on no port"


def as_instance(fake: Fake) -> Instance:
    return cast("Instance", fake)


def waiting() -> Waiting:
    with Progress().waits(WaitKind.READINESS, "dep_a") as found:
        return found


async def checked(
    probe: Probe,
    *,
    limit_s: float = LONG_S,
    instance: Fake | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> readiness.Ready:
    fake = as_instance(instance or Fake())
    return await readiness.check(fake, probe, limit_s, say, waiting())


@pytest.mark.parametrize(
    ("reply", "said", "is_ready"),
    [
        pytest.param(200, "200 OK", True, id="200"),
        pytest.param(204, "204 No Content", True, id="any 2xx"),
        pytest.param(299, "299", True, id="any 2xx, also one without a name"),
        pytest.param(NEVER_ENDS, "200 OK", True, id="the body is ignored"),
        pytest.param(301, "301 Moved Permanently", False, id="a redirect is not followed"),
        pytest.param(307, "307 Temporary Redirect", False, id="nor a temporary one"),
        pytest.param(304, "304 Not Modified", False, id="3xx is no success"),
        pytest.param(404, "404 Not Found", False, id="4xx is none"),
        pytest.param(500, "500 Internal Server Error", False, id="5xx is none"),
        pytest.param(RESETS, "Server disconnected", False, id="a closed connection is none"),
        pytest.param(IS_NO_HTTP, "illegal status line", False, id="what is no HTTP is none"),
    ],
)
async def test_7_1_what_is_a_success(reply: int | str, said: str, is_ready: bool) -> None:
    async with serving(reply) as (server, client):
        tried = await http(server, client).attempt(LONG_S)
        assert len(server.asked) == 1
    assert tried.is_good == is_ready
    assert said in str(tried)


async def test_7_1_nobody_listens() -> None:
    async with httpx.AsyncClient() as client:
        tried = await http(Server(), client).attempt(LONG_S)
    assert (tried.is_good, str(tried)) == (False, "connection refused")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param("/healthz", "GET /healthz HTTP/1.1", id="GET of the path"),
        pytest.param("up", "GET /up HTTP/1.1", id="a missing slash is added"),
        pytest.param("/up?deep=1", "GET /up?deep=1 HTTP/1.1", id="ours: with a query"),
    ],
)
async def test_7_1_the_request(path: str, line: str) -> None:
    async with serving(200) as (server, client):
        await http(server, client, Readiness(path=path)).attempt(LONG_S)
        (head,) = server.asked
    first, *headers = head.lower().splitlines()
    assert first == line.lower()
    assert f"host: 127.0.0.1:{server.port}" in headers


def test_7_1_the_default_path() -> None:
    assert (Readiness().path, Readiness().timeout_ms) == ("/healthz", 30_000)


async def test_7_1_one_success_is_enough_and_failures_are_tried_again() -> None:
    async with serving(503, RESETS, 404, 200, 500) as (server, client):
        ready = await checked(http(server, client))
    assert ready.tries == len(server.asked) == 4


async def test_7_1_a_refused_connection_is_tried_again() -> None:
    server, said = Server(200), asyncio.Event()
    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as tasks:
        told: list[str] = []

        def say(text: str) -> None:
            told.append(text)
            said.set()

        check = tasks.create_task(checked(http(server, client), say=say))
        await said.wait()
        assert told == [f"GET http://127.0.0.1:{server.port}/healthz → connection refused;"
                        " not ready yet"]  # fmt: skip
        await server.listen()
        assert (await check).tries > 1
    await server.close()


class Patient:
    """A check that passes at the given try; it keeps the time of a clock of its own."""

    what = "a check"
    is_by_port = False
    try_limit_s = 5.0

    def __init__(self, eager_pause_s: float, good_at: int) -> None:
        self.eager_pause_s = eager_pause_s
        self.limits: list[float] = []
        self._good_at = good_at

    async def attempt(self, limit_s: float) -> Tried:
        self.limits.append(limit_s)
        return Tried(len(self.limits) == self._good_at, "tried")


@pytest.mark.parametrize(
    ("pause_s", "eager"),
    [
        pytest.param(HttpProbe.eager_pause_s, 100, id="ours: http 50 ms for 5 s, then 500 ms"),
        pytest.param(TcpProbe.eager_pause_s, 100, id="ours: tcp the same"),
        pytest.param(CommandProbe.eager_pause_s, 20, id="ours: a command 250 ms for 5 s"),
    ],
)
async def test_7_1_the_pace(pause_s: float, eager: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first try at once, a pause after each that failed, and at most 5 s for one."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    # A rounding of the sum must not decide whether 5 s are over.
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: round(sum(pauses), 6)))
    monkeypatch.setattr(asyncio, "sleep", pause)
    probe = Patient(pause_s, eager + 4)
    await readiness.until_good(probe, lambda _: None)
    assert pauses == [pause_s] * eager + [0.5] * 3
    assert set(probe.limits) == {5.0}


@pytest.mark.parametrize(
    ("limit_s", "reply", "last"),
    [
        pytest.param(1.0, 503, "→ 503 Service Unavailable (", id="with the last reply"),
        pytest.param(0.2, HANGS, "→ no reply yet (1 try)", id="also in the middle of a try"),
    ],
)
async def test_7_1_the_limit(limit_s: float, reply: int | str, last: str) -> None:
    """Of all tries together, from the first one on."""
    async with serving(reply) as (server, client):
        began = time.monotonic()
        with pytest.raises(
            DeploymentFailed, match=f"not ready within {limit_s:g} s: GET"
        ) as failed:
            await checked(http(server, client), limit_s=limit_s)
    assert limit_s <= time.monotonic() - began < LONG_S
    assert last in failed.value.detail


async def test_7_1_a_try_that_hangs_is_given_up() -> None:
    async with serving(HANGS, 200) as (server, client):
        assert str(await http(server, client).attempt(0.05)) == "no reply within 0.05 s"
        assert (await http(server, client).attempt(LONG_S)).is_good


async def test_7_1_an_exit_is_noticed_at_once() -> None:
    """Ours: not at the next try, nor at the limit."""
    instance = Fake()
    async with serving(HANGS) as (server, client), asyncio.TaskGroup() as tasks:
        check = tasks.create_task(failure(checked(http(server, client), instance=instance)))
        async with asyncio.timeout(LONG_S):
            while not server.asked:
                await asyncio.sleep(0)
        instance.ended.set_result(Exit(code=3))
        assert (await check).startswith("it exited with code 3 while it was being checked")


async def failure(checking: Any) -> str:
    with pytest.raises(DeploymentFailed) as failed:
        await checking
    return failed.value.detail


async def test_7_1_somebody_else_answers() -> None:
    """Ours: it has to be the candidate itself."""
    instance = Fake(stranger="nginx (pid 7) listens there")
    async with serving(200) as (server, client):
        told = await failure(checked(http(server, client), instance=instance))
    assert told == "the reply did not come from the candidate: nginx (pid 7) listens there"


@pytest.mark.parametrize(
    ("status", "guess"),
    [
        pytest.param(302, "it redirects", id="ours: a redirect"),
        pytest.param(401, "asks for a login", id="ours: a login"),
        pytest.param(403, "forbids", id="ours: forbidden"),
        pytest.param(404, "does not know this path", id="ours: another path"),
        pytest.param(400, "Host header", id="ours: another host"),
    ],
)
async def test_7_1_a_guess_at_the_cause(status: int, guess: str) -> None:
    async with serving(status) as (server, client):
        tried = await http(server, client).attempt(LONG_S)
    assert guess in (tried.guess or "")


async def test_7_1_a_guess_at_silence() -> None:
    """Ours: the candidate is looked at where nobody answers."""
    async with httpx.AsyncClient() as client:
        with pytest.raises(DeploymentFailed) as failed:
            await checked(http(Server(), client), limit_s=0.1)
    assert failed.value.guess == "it listens on no port"


async def test_ours_tcp_the_port_takes_a_connection() -> None:
    """Nothing is sent on it; what answers has to be the candidate's own."""
    instance = Fake()
    async with serving(HANGS) as (server, _):
        await checked(TcpProbe("127.0.0.1", server.port), instance=instance)
        assert server.asked == []
    assert instance.is_asked == ["who listens"]
    refused = await TcpProbe("127.0.0.1", server.port).attempt(LONG_S)
    assert (refused.is_good, refused.said) == (False, "connection refused")


@pytest.mark.parametrize(
    ("outcome", "is_ready", "said"),
    [
        pytest.param(Ran(Exit(0), "well"), True, "exited with code 0: well", id="exit code 0"),
        pytest.param(Ran(Exit(1), "no"), False, "exited with code 1: no", id="any other"),
        pytest.param(Ran(Exit(signal=9), ""), False, "ended by signal 9 (SIGKILL)", id="a signal"),
        pytest.param(TimeoutError(), False, "did not end within 5 s: killed", id="over its limit"),
        pytest.param(EngineUnavailable("no engine"), False, "no engine", id="the engine is away"),
    ],
)
async def test_ours_command(outcome: Ran | Exception, is_ready: bool, said: str) -> None:
    class Engine:
        async def run_beside(self, spec: object, command: str, limit_s: float) -> Ran:
            assert (spec, command, limit_s) == ("spec", "make check", 5.0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    probe = CommandProbe(cast("Any", Engine()), cast("Any", "spec"), "make check")
    tried = await probe.attempt(5.0)
    assert (tried.is_good, str(tried)) == (is_ready, said)
    # It runs in the candidate: nobody else can answer in its place.
    assert not probe.is_by_port


@pytest.mark.parametrize("kind", [ServiceKind.WEB, ServiceKind.API, ServiceKind.WORKER])
async def test_7_3_without_readiness_it_has_to_stay_up_for_a_moment(
    kind: ServiceKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_LOOK_S", 0.01)
    monkeypatch.setattr(readiness, "_WORKER_LOOK_S", 0.01)
    await readiness.look(as_instance(Fake()), kind)
    ended = Fake()
    ended.ended.set_result(Exit(code=2))
    told = await failure(readiness.look(as_instance(ended), kind))
    assert told == "it exited with code 2 as soon as it was started"


def ended_with(code: int) -> Instance:
    fake = Fake()
    fake.ended.set_result(Exit(code=code))
    return as_instance(fake)


def is_good(ended: Exit) -> bool:
    return ended.code == 0


async def soon() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_ours_what_may_end_is_no_failure_when_it_has() -> None:
    probe = TcpProbe("127.0.0.1", free_port(set()))

    async def check(instance: Instance) -> None:
        await readiness.check(instance, probe, LONG_S, lambda _: None, waiting(), is_good)

    await readiness.look(ended_with(0), ServiceKind.WORKER, is_good)
    await check(ended_with(0))
    await readiness.stay_ready([ended_with(0)], soon(), is_good)
    never = asyncio.get_running_loop().create_future()
    for failing in (
        readiness.look(ended_with(2), ServiceKind.WORKER, is_good),
        check(ended_with(2)),
        readiness.stay_ready([ended_with(2)], never, is_good),
    ):
        assert "exited with code 2" in await failure(failing)


@pytest.mark.parametrize(
    ("health", "told"),
    [
        pytest.param(Health.HEALTHY, None, id="ours: the image's own check passes"),
        pytest.param(Health.UNHEALTHY, "its own health check failed: no disk", id="ours: or fails"),
    ],
)
async def test_7_3_without_readiness_an_image_may_bring_a_check(
    health: Health, told: str | None
) -> None:
    instance = as_instance(Fake(health=OwnHealth(health, "no disk")))
    checking = readiness.wait_healthy(instance, lambda _: None, waiting())
    if told is None:
        await checking
    else:
        assert await failure(checking) == told


async def test_ours_one_that_was_ready_may_not_end_before_the_switch() -> None:
    instance = Fake()
    instance.ended.set_result(Exit(code=1))
    never = asyncio.get_running_loop().create_future()
    told = await failure(readiness.stay_ready([as_instance(instance)], never))
    assert told == "it was ready, and exited with code 1 while it waited for the other services"


async def test_an_agent_that_could_not_look_in_time_looks_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was stopped, or its machine slept: the limit is over before a second try."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: clock.now))

    class Slept:
        what, eager_pause_s, try_limit_s, is_by_port = "GET /up", 0.01, 1.0, False
        tries = 0

        async def attempt(self, _: float) -> Tried:
            self.tries += 1
            if self.tries == 1:
                clock.now = 60.0
                await asyncio.Event().wait()
            return Tried(is_good=True, said="200 OK")

    ready = await checked(cast("Probe", Slept()), limit_s=0.05)
    assert ready.tries == 1
