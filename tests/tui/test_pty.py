"""The terminal that other tests rely on: what it shows, and that it cannot be fooled."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.tui.pty import terminal


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


async def test_text_keys_and_the_exit_code() -> None:
    program = python("name = input('name? '); print(f'hello {name}'); raise SystemExit(7)")
    async with terminal(program=program) as found:
        await found.until("name?")
        found.press("you", "enter")
        await found.until("hello you")
        assert await found.end() == 7


async def test_what_pyte_does_not_know_is_not_text() -> None:
    program = python(r"print('\x1b[>25ua\x1b[<ub\x1b[?2026$pc', end='\x1b['); print('31md')")
    async with terminal(program=program) as found:
        await found.until("abcd")
        assert await found.end() == 0


async def test_resizes_and_signals_arrive() -> None:
    program = python(
        "import os, signal, time\n"
        "signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size(0)))\n"
        "print('ready')\n"
        "while True: time.sleep(1)"
    )
    async with terminal(program=program, columns=80, rows=24) as found:
        await found.until("ready")
        found.resize(100, 30)
        await found.until("columns=100, lines=30")
        found.signal(signal.SIGTERM)
        assert await found.end() == -signal.SIGTERM


async def test_what_is_never_shown_is_an_error_with_the_screen_in_it() -> None:
    async with terminal(program=python("print('something'); input()")) as found:
        await found.until("something")
        with pytest.raises(AssertionError, match="something"):
            await found.until("else", within_s=0.05)
        found.hang_up()
        assert await found.end() != 0
