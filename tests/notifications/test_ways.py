"""Telling once: by real requests to a real server, and by real commands."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from core.config.templates import FIELDS
from core.notifications import command
from core.notifications.failure import NotTold
from core.notifications.message import Body, body, sample
from core.notifications.webhook import Webhook
from tests.notifications.receiver import hangs, hangs_up, receiver, status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.notifications.receiver import Answer

TEXT = Body(b"hello", "text/plain")
SOON_S = 0.2
LONG_S = 45.0


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        yield client


async def posted(client: httpx.AsyncClient, answer: Answer) -> NotTold | None:
    async with receiver(answer) as found:
        try:
            await Webhook(client, f"{found.url}/T0?k=v", {"A": "b"}).post(TEXT, 7, LONG_S)
        except NotTold as error:
            return error
        finally:
            (asked,) = found.asked
            assert (asked.path, asked.body, asked.headers["a"]) == ("/T0?k=v", b"hello", "b")
    return None


@pytest.mark.parametrize("code", [200, 201, 204])
async def test_a_success_is_one(client: httpx.AsyncClient, code: int) -> None:
    assert await posted(client, status(code)) is None


@pytest.mark.parametrize(
    ("answer", "reason", "is_final"),
    [
        (status(404, "no_service\nmore"), 'answers 404: "no_service"', True),
        (status(401), "answers 401", True),
        (status(500, "\x1b[31m"), 'answers 500: "\\x1b[31m"', False),
        (status(503), "answers 503", False),
        (status(429), "answers 429", False),
        (status(408), "answers 408", False),
        (
            status(302, location="http://127.0.0.1:1/"),
            "answers 302, a redirect; name the add",
            True,
        ),
        (hangs_up, "the connection failed (RemoteProtocolError)", False),
    ],
)
async def test_what_is_none(
    client: httpx.AsyncClient, answer: Answer, reason: str, *, is_final: bool
) -> None:
    found = await posted(client, answer)

    assert found is not None
    assert found.reason.startswith(reason)
    assert found.is_final is is_final
    assert found.wait_s is None


async def test_who_hangs_is_left(client: httpx.AsyncClient) -> None:
    async with receiver(hangs) as found:
        with pytest.raises(NotTold, match=r"^no answer within 0\.2 s$"):
            await Webhook(client, found.url, {}).post(TEXT, 7, SOON_S)


async def test_a_reply_without_end_is_left(client: httpx.AsyncClient) -> None:
    async def pours(writer: asyncio.StreamWriter, _: str) -> None:
        writer.write(b"HTTP/1.1 500 x\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 1024)
            await writer.drain()

    found = await posted(client, pours)

    assert found is not None
    assert len(found.reason) < 200


async def test_half_a_secret_is_not_shown(client: httpx.AsyncClient) -> None:
    path = f"/{'s' * 40}0123456789/{'t' * 100}"
    async with receiver(status(404, "Cannot find the page {path}")) as found:
        with pytest.raises(NotTold) as caught:
            await Webhook(client, found.url + path, {}).post(TEXT, 7, LONG_S)
    assert caught.value.reason == 'answers 404: "Cannot find the page ***"'


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@hooks.example.com/T0/B0?a=b#c", "https://hooks.example.com"),
        ("http://[::1]:8080/T0", "http://[::1]:8080"),
    ],
)
async def test_what_is_shown_of_an_address(client: httpx.AsyncClient, url: str, shown: str) -> None:
    assert Webhook(client, url, {}).shown == shown


async def test_nobody_there(client: httpx.AsyncClient) -> None:
    async with receiver() as gone:
        pass
    with pytest.raises(NotTold, match=r"^cannot be reached: "):
        await Webhook(client, gone.url, {}).post(TEXT, 7, LONG_S)


async def test_how_long_to_wait_until_a_time(client: httpx.AsyncClient) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(minutes=60))
    found = await posted(client, status(429, retry_after=in_an_hour))
    assert found is not None
    assert found.wait_s is not None
    assert 3000 <= found.wait_s <= 3600


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [("7", 7, 7), ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0)],
)
async def test_how_long_to_wait(
    client: httpx.AsyncClient, given: str, least: float, most: float
) -> None:
    found = await posted(client, status(429, retry_after=given))

    assert found is not None
    assert found.wait_s is not None
    assert least <= found.wait_s <= most


async def test_a_wait_that_is_none(client: httpx.AsyncClient) -> None:
    found = await posted(client, status(429, retry_after="soon"))

    assert found is not None
    assert found.wait_s is None


async def shell(script: str, timeout_s: float = LONG_S) -> None:
    facts = sample("2026-01-01T00:00:00Z")
    await command.run(["/bin/sh", "-c", script], facts, body(None, facts), timeout_s)


async def test_what_a_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "secret")
    monkeypatch.setenv("COMPARTMENT_HOME", "/some/where")
    await shell(f"cat >{tmp_path}/input; env -0 >{tmp_path}/variables; pwd >{tmp_path}/folder")

    facts = sample("2026-01-01T00:00:00Z")
    assert json.loads((tmp_path / "input").read_text()) == facts
    found = dict(
        each.split("=", 1) for each in (tmp_path / "variables").read_text().split("\0") if each
    )
    for name in FIELDS:
        value = facts[name]
        assert found[f"COMPARTMENT_{name.upper()}"] == ("" if value is None else str(value))
    assert found["COMPARTMENT_HOME"] == "/some/where"
    assert "KEY" not in found
    assert (tmp_path / "folder").read_text() == "/\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "ended with exit code 3"),
        ("echo said >&2; echo why >&2; exit 1", "ended with exit code 1: why"),
        ("kill -TERM $$", "was ended by signal 15"),
        ("head -c 3000000 /dev/zero >&2; exit 4", "ended with exit code 4"),
    ],
)
async def test_a_command_that_fails(script: str, reason: str) -> None:
    with pytest.raises(NotTold) as caught:
        await shell(script)
    assert caught.value.reason.startswith(reason)
    assert not caught.value.is_final


async def test_a_command_that_is_not_there() -> None:
    facts = sample("")
    with pytest.raises(NotTold, match="cannot be started: No such file") as caught:
        await command.run(["/no/such/command"], facts, TEXT, LONG_S)
    assert caught.value.is_final


async def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(NotTold, match=r"^has not ended within 0\.2 s$"):
        await shell("trap '' TERM; sleep 600", SOON_S)


async def test_with_a_command_all_that_it_started_is_ended(tmp_path: Path) -> None:
    children = tmp_path / "children"
    script = (
        f"trap '' TERM; sleep 600 & echo $$ $! >{children}.new; mv {children}.new {children}; wait"
    )
    task = asyncio.create_task(shell(script))
    async with asyncio.timeout(LONG_S):
        while not children.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for pid in map(int, children.read_text().split()):
            while psutil.pid_exists(pid) and _is_alive(pid):
                await asyncio.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_command_may_leave_something_running(tmp_path: Path) -> None:
    """Although that holds its output, and never reads."""
    await shell(f"sleep 600 & echo $! >{tmp_path}/child")

    pid = int((tmp_path / "child").read_text())
    assert psutil.Process(pid).is_running()
    os.kill(pid, 9)
