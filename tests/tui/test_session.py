"""Every way out of the screen: the terminal as it was, the right code, the right words."""

from __future__ import annotations

import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.tui.pty import terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.tui.pty import Terminal

GUEST = (sys.executable, "-m", "tests.tui.guest")


@asynccontextmanager
async def guest(*arguments: str) -> AsyncIterator[Terminal]:
    async with terminal(*arguments, program=GUEST) as found:
        await found.until("messages")
        assert not found.is_restored
        yield found


async def test_it_starts_without_an_answer_to_any_question() -> None:
    async with guest() as found:
        # What Textual 8.2.8 asks; this terminal answers nothing.
        assert b"\x1b[?2026$p" in found.raw
        assert b"\x1b[?2048$p" in found.raw


async def test_quitting() -> None:
    async with guest() as found:
        found.press("q")
        assert await found.end() == 0
        assert found.is_restored
        assert found.after == ""


async def test_what_the_app_returns_is_handed_on() -> None:
    async with guest() as found:
        found.press("n")
        assert await found.end() == 0
        assert found.after == "chosen: ('shop', 'production')\n"


async def test_quitting_says_which_run_goes_on() -> None:
    async with guest("busy") as found:
        found.press("q")
        assert await found.end() == 0
        assert found.after.splitlines()[0] == (
            "run drn_a goes on in the agent; watch it: compartment-tui --project shop --env staging"
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
async def test_signals_give_the_terminal_back(number: signal.Signals) -> None:
    async with guest() as found:
        found.signal(number)
        assert await found.end() == 128 + number
        assert found.is_restored
        assert "Traceback" not in found.after


async def test_a_hangup_of_a_terminal_that_is_still_there() -> None:
    async with guest("busy") as found:
        found.signal(signal.SIGHUP)
        assert await found.end() == 129
        assert found.is_restored


async def test_a_window_that_is_closed() -> None:
    async with guest("flood") as found:
        found.hang_up()
        assert await found.end() == 129


async def test_a_terminal_that_takes_no_more_output() -> None:
    async with guest("flood") as found:
        await found.stall()
        found.signal(signal.SIGTERM)
        assert await found.end() == 143


async def test_a_second_signal_does_not_wait() -> None:
    async with guest("flood", "patient") as found:
        await found.stall()
        found.signal(signal.SIGTERM)
        found.signal(signal.SIGINT)
        assert await found.end() in (130, 143)


async def test_a_crash_in_a_widget(home: Path) -> None:
    async with guest("busy") as found:
        found.press("c")
        assert await found.end() == 1
        assert found.is_restored
        assert found.after.splitlines() == [
            "error: the dashboard ended, and this is a bug: RuntimeError: a broken",
            f"  its traceback is in {home}/dashboard.log; what runs goes on",
        ]
    log = home / "dashboard.log"
    assert 'raise RuntimeError("a broken\\nwidget")' in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


async def test_a_crash_in_the_feed(home: Path) -> None:
    async with guest("feed") as found:
        assert await found.end() == 1
        assert found.is_restored
        assert found.after.splitlines()[0].endswith("this is a bug: KeyError: 'a broken feed'")
    assert 'raise KeyError("a broken feed")' in (home / "dashboard.log").read_text()


@pytest.fixture
def spoilt_home(home: Path) -> None:
    home.write_text("a file")


@pytest.mark.usefixtures("spoilt_home")
async def test_a_home_that_cannot_be_written_to() -> None:
    async with guest("feed") as found:
        assert await found.end() == 1
        assert "could not be written" in found.after


async def test_ctrl_c_is_for_the_program_that_has_the_terminal() -> None:
    async with guest() as found:
        found.press("s")
        await found.until("a shell?")
        found.signal(signal.SIGINT)
        found.press("enter")
        await found.until(lambda found: found.raw.count(b"\x1b[?1049h") == 2)
        found.press("q")
        assert await found.end() == 0


async def test_resizing_while_it_is_told_much() -> None:
    async with guest("flood") as found:
        for columns, rows in ((80, 24), (200, 50), (40, 10), (120, 35)):
            found.resize(columns, rows)
        await found.until("messages")
        found.press("q")
        assert await found.end() == 0
        assert found.is_restored
