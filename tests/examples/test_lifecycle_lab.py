from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.load import streams
from tests.load.connection import Connection, Head, request_head
from tests.load.lab import APP, lab_environment, running_lab
from tests.load.outcome import StreamEnd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.load.plan import Target


async def ask(target: Target, request: bytes) -> tuple[Head, bytes]:
    with await Connection.open(target) as connection:
        connection.write(request)
        head = await connection.read_head()
        return head, await connection.read_body(head)


async def get(target: Target, path: str) -> tuple[Head, dict[str, Any]]:
    head, body = await ask(target, request_head("GET", path, target))
    return head, json.loads(body)


async def probe(target: Target) -> int:
    return (await get(target, "/up"))[0].status


def start_lab(folder: Path, **variables: str | int) -> subprocess.CompletedProcess[str]:
    """Run a lab that is expected to end by itself."""
    environment = lab_environment(folder, **variables)
    return subprocess.run(
        [sys.executable, "server.py"],
        cwd=APP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


async def test_every_reply_says_who_it_is_and_what_it_saw(tmp_path: Path) -> None:
    async with running_lab(tmp_path, version="9") as lab:
        head, reply = await get(lab.target, "/a/%2e/b?x=1")
        assert head.version == "9"
        assert reply == {
            "service": "lab",
            "version": "9",
            "pid": lab.process.pid,
            "method": "GET",
            "path": "/a/%2e/b?x=1",
        }
        _, reply = await get(lab.target, "/headers")
        assert reply["headers"] == [["host", "lab.test"]]


async def test_the_version_comes_from_its_file(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as lab:
        head, _ = await get(lab.target, "/version")
        assert head.version == (APP / "VERSION").read_text().strip()


async def test_requests_with_an_id_are_in_the_log_before_the_reply(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as lab:
        await get(lab.target, "/id/17")
        await ask(lab.target, request_head("GET", "/slow?ms=30", lab.target, x_lab_id="18"))
        await get(lab.target, "/without")
        first, second = lab.log.named("request")
    assert (first.details["id"], first.details["path"]) == ("17", "/id/17")
    assert second.details["id"] == "18"
    assert second.details["end"] - second.details["start"] >= 0.03


async def test_several_requests_on_one_connection(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as lab:
        with await Connection.open(lab.target) as connection:
            paths = ["/1", "/2", "/3"]
            connection.write(b"".join(request_head("GET", x, lab.target) for x in paths))
            connection.write(request_head("HEAD", "/4", lab.target))
            for path in paths:
                head = await connection.read_head()
                assert json.loads(await connection.read_body(head))["path"] == path
            assert int((await connection.read_head()).headers["content-length"]) > 0
            connection.write(request_head("GET", "/5", lab.target))
            assert (await connection.read_head()).status == 200


@pytest.mark.parametrize("path", ["/upload", "/elsewhere"])
async def test_bodies_of_known_and_unknown_length(tmp_path: Path, path: str) -> None:
    body = bytes(range(256)) * 400
    half = len(body) // 2
    pieces = [b"%x;ext=1\r\n%b\r\n" % (half, x) for x in (body[:half], body[half:])]
    chunks = b"".join([*pieces, b"0\r\nTrailer: 1\r\n\r\n"])
    async with running_lab(tmp_path) as lab, asyncio.timeout(60):
        with await Connection.open(lab.target) as connection:
            for framing, payload in (
                ({"content_length": str(len(body))}, body),
                ({"transfer_encoding": "chunked"}, chunks),
            ):
                head = request_head("POST", path, lab.target, **framing)
                connection.write(head + payload)
                reply = json.loads(await connection.read_body(await connection.read_head()))
                if path == "/upload":
                    assert reply["bytes"] == len(body)
                    assert reply["sha256"] == hashlib.sha256(body).hexdigest()


async def test_a_client_that_waits_for_100_continue(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as lab, asyncio.timeout(60):
        with await Connection.open(lab.target) as connection:
            headers = {"content_length": "2", "expect": "100-continue"}
            connection.write(request_head("PUT", "/upload", lab.target, **headers))
            assert (await connection.read_head()).status == 100
            connection.write(b"ab")
            reply = json.loads(await connection.read_body(await connection.read_head()))
            assert reply["bytes"] == 2


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /slow?ms=soon HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /ws HTTP/1.1\r\n\r\n", 426),
    ],
)
async def test_bad_requests_are_refused(tmp_path: Path, request_text: bytes, status: int) -> None:
    async with running_lab(tmp_path) as lab:
        head, _ = await ask(lab.target, request_text)
        assert head.status == status


async def test_readiness_as_told(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as lab:
        assert await probe(lab.target) == 200
    async with running_lab(tmp_path, never_ready=1) as lab:
        assert [await probe(lab.target) for _ in range(2)] == [503, 503]
    async with running_lab(tmp_path, flap=1) as lab:
        assert [await probe(lab.target) for _ in range(4)] == [503, 200, 503, 200]
    async with running_lab(tmp_path, ready_status=301) as lab:
        head, _ = await get(lab.target, "/up")
        assert (head.status, head.headers["location"]) == (301, "/elsewhere")


async def test_readiness_that_fails_later(tmp_path: Path) -> None:
    async with running_lab(tmp_path, fail_ready_after_ms=1500) as lab, asyncio.timeout(60):
        statuses = [await probe(lab.target)]
        while statuses[-1] == 200:
            statuses.append(await probe(lab.target))
    assert len(statuses) > 1
    assert statuses[-1] == 500


def test_exit_at_start(tmp_path: Path) -> None:
    ended = start_lab(tmp_path, exit_at_start=3)
    assert ended.returncode == 3
    assert "exits at once with 3" in ended.stderr


@pytest.mark.parametrize("boot_delay_ms", [0, 60_000])
def test_crash(tmp_path: Path, boot_delay_ms: int) -> None:
    ended = start_lab(tmp_path, crash_after_ms=200, boot_delay_ms=boot_delay_ms)
    assert ended.returncode == 1
    assert "RuntimeError: the lab was told to crash" in ended.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"never": "1"}, "LAB_NEVER is unknown"),
        ({"flap": "yes"}, "LAB_FLAP must be a whole number, not 'yes'"),
        ({"term_mode": "slow"}, "LAB_TERM_MODE must be one of graceful, instant, ignore"),
    ],
)
def test_wrong_settings_end_the_start(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    ended = start_lab(tmp_path, **variables)
    assert ended.returncode == 1
    assert message in ended.stderr


async def test_boot_delay_and_other_address(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with running_lab(tmp_path, boot_delay_ms=300, bind="127.0.0.2") as lab:
        assert loop.time() - started >= 0.3
        assert lab.target.address == "127.0.0.2"
        assert await probe(lab.target) == 200


async def test_sigterm_finishes_requests_and_ends_streams(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as lab:
        target = lab.target
        with (
            await Connection.open(target) as idle,
            await Connection.open(target) as slow,
            await Connection.open(target) as events,
            await Connection.open(target) as websocket,
        ):
            idle.write(request_head("GET", "/", target))
            await idle.read_body(await idle.read_head())
            events_head = await streams.open_stream(events, streams.events_request(target, 60_000))
            websocket_request = streams.websocket_request(target, 60_000)
            websocket_head = await streams.open_stream(websocket, websocket_request)
            slow.write(request_head("GET", "/slow?ms=1000", target, x_lab_id="slow"))
            await get(target, "/after")  # so the slow one has arrived too
            lab.process.terminate()
            assert (await slow.read_head()).headers["connection"] == "close"
            ends = [
                await streams.follow_events(events, events_head),
                await streams.follow_websocket(websocket, websocket_head),
            ]
            assert [how for how, _ in ends] == [StreamEnd.CLOSED] * 2
            assert ends[1][1] == "code 1001"
            assert await idle.reader.read() == b""
            assert await lab.process.wait() == 0
        (sigterm,), (end,) = lab.log.named("sigterm"), lab.log.named("exit")
        (request,) = lab.log.named("request")
    assert (sigterm.details["open_requests"], sigterm.details["open_streams"]) == (1, 2)
    assert sigterm.details["last_response"] < sigterm.time < request.details["end"]
    assert request.details["end"] <= end.details["last_response"] <= end.time
    assert end.details["open_requests"] == 0


async def test_term_mode_instant_cuts_what_is_under_way(tmp_path: Path) -> None:
    async with running_lab(tmp_path, term_mode="instant") as lab:
        with await Connection.open(lab.target) as slow:
            slow.write(request_head("GET", "/slow?ms=60000", lab.target))
            await get(lab.target, "/after")
            assert await lab.stop() == 0
        assert lab.log.named("sigterm")[0].details["open_requests"] == 1


async def test_term_mode_ignore_carries_on(tmp_path: Path) -> None:
    async with running_lab(tmp_path, term_mode="ignore") as lab, asyncio.timeout(60):
        lab.process.terminate()
        while not lab.log.named("sigterm"):
            assert await probe(lab.target) == 200
        assert await probe(lab.target) == 200
        assert lab.process.returncode is None


async def test_spam_on_both_streams(tmp_path: Path) -> None:
    async with running_lab(tmp_path, spam_lines_per_s=1000) as lab, asyncio.timeout(60):
        assert lab.process.stdout is not None
        lines = [await lab.process.stdout.readline() for _ in range(3)]
    assert lines == [b"line 0\n", b"line 2\n", b"line 4\n"]
