"""The demo, with a screen and without one: it loses nothing, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from core.files import Home
from tests.tui.pty import Terminal, terminal
from tui.demo.folder import DemoFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.figures import FiguresRecorder

CTRL_C = "\x03"
PROGRAM = [sys.executable, "-P", "-m", "tui.main", "--demo"]

pytestmark = pytest.mark.timeout(180)


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def processes_of(home: Path) -> list[list[str]]:
    """What runs for a home folder, or in it: agent, gateway, shims, services, visitors."""
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            traces = [*command, process.cwd(), process.environ().get("COMPARTMENT_HOME", "")]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(home) in each for each in traces):
            found.append(command)
    return found


def assert_nothing_is_left(home: Path) -> None:
    assert not home.exists()
    assert processes_of(home) == []


@pytest.fixture
def left(home: Path) -> Iterator[Path]:
    """The home folder of a demo, of which nothing may be left at the end."""
    yield home
    if DemoFolder(Home(home)).is_there:
        demo("stop")


@pytest.mark.parametrize("name", ["multi-service", "lifecycle-lab", "night-shift"])
def test_a_deploy_and_a_rollback_under_traffic(
    left: Path, name: str, figures: FiguresRecorder
) -> None:
    began = time.monotonic()
    done = demo(name)
    took_s = time.monotonic() - began
    figures(f"the demo of {name} without a terminal", took_s, "s", 20)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.search(r"(\d+) requests sent, (\d+) lost; answered (.*)", done.stdout)
    assert counts is not None, done.stdout
    figures(f"requests lost in the demo of {name}", int(counts[2]), "requests", 0)
    assert int(counts[1]) > 50
    assert int(counts[2]) == 0
    assert re.search(r"\d+ by 1\.0\.0.*\d+ by 1\.1\.0", counts[3])
    for command in ("deploy", "rollback", "status"):
        assert f"$ compartment {command}\n" in done.stdout
    assert_nothing_is_left(left)


def test_one_that_was_open_before_goes_on_until_it_is_stopped(left: Path) -> None:
    folder = DemoFolder(Home(left))
    folder.claim()
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The demo goes on" in done.stdout
    assert processes_of(left) != []
    (left / "multi-service" / "services" / "web" / "VERSION").write_text("mine\n")
    again = demo()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "by mine" not in again.stdout, "the next version is written over what was there"
    stopped = demo("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert "nothing of it is left" in stopped.stdout
    assert_nothing_is_left(left)
    assert demo("stop").stdout == "No demo is open.\n"


def end_in_the_middle() -> None:
    """Begins one without a screen, and ends it while it shows what it can."""
    process = subprocess.Popen(
        PROGRAM, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout as told:
        for line in told:
            if line.startswith("# visitors"):
                break
        process.send_signal(signal.SIGTERM)
        told.read()
    assert process.wait(30) == 128 + signal.SIGTERM


def test_a_signal_in_the_middle_leaves_nothing_behind(left: Path) -> None:
    end_in_the_middle()
    assert_nothing_is_left(left)


def test_the_headless_demo_loads_no_screen(left: Path) -> None:
    program = """
import json, sys
from argparse import Namespace
from tui.demo.open import open_demo
assert open_demo(Namespace(demo="multi-service")) == 0
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "tui" in loaded
    assert not {"textual", "rich"} & set(loaded)


async def press_until(found: Terminal, key: str, text: str) -> None:
    """Presses a key until it has done something: a dialog takes no key that it did not wait for."""
    for _ in range(20):
        found.press(key)
        with suppress(AssertionError):
            await found.until(text, within_s=0.5)
            return
    raise AssertionError(f"{text!r} was not seen; the screen:\n{found.text}")


async def test_on_a_screen_a_newcomer_deploys_keeps_it_and_comes_back(
    left: Path, figures: FiguresRecorder
) -> None:
    began = time.monotonic()
    async with terminal(program=PROGRAM) as found:
        await until_open(found)
        await found.until("GET /orders 200")
        figures("the demo, until services and logs are seen", time.monotonic() - began, "s", 10)
        found.press("D")
        await found.until("the demo has written version 1.1.0")
        await press_until(found, "enter", "deploying")
        await found.until("deploy succeeded")
        await press_until(found, "q", "Stop the demo? [Y/n]")
        assert found.is_restored
        found.press("n", "enter")
        assert await found.end() == 0
        assert ", 0 lost; answered " in found.after
        assert "by 1.1.0" in found.after
    async with terminal(program=PROGRAM) as found:
        await until_open(found)
        await press_until(found, "q", "Stop the demo? [Y/n]")
        found.press("enter")
        assert await found.end() == 0
    assert_nothing_is_left(left)


async def test_a_closed_window_leaves_nothing_behind(left: Path) -> None:
    async with terminal(program=PROGRAM) as found:
        await until_open(found)
        found.hang_up()
        assert await found.end() == 128 + signal.SIGHUP
    assert_nothing_is_left(left)


async def until_open(found: Terminal) -> None:
    """Waits for the dashboard: what is said before it opens tells of health, too."""
    await found.until(lambda it: "palette" in it.text and "healthy" in it.text, within_s=30)


async def press_until_ended(found: Terminal, key: str) -> None:
    """Presses a key again and again, as people do who have waited long enough."""
    while found.process.poll() is None:
        with suppress(OSError):
            found.press(key)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("moment", ["deploy", "Stop the demo? [Y/n]"])
async def test_no_number_of_ctrl_c_leaves_anything_behind(left: Path, moment: str) -> None:
    async with terminal(program=PROGRAM) as found:
        if moment != "deploy":
            await until_open(found)
            await press_until(found, "q", moment)
        await found.until(moment, within_s=30)
        async with asyncio.timeout(30):
            await press_until_ended(found, CTRL_C)
        # The last one may have come when nothing was left to be done.
        assert await found.end() in (128 + signal.SIGINT, -signal.SIGINT)
    assert_nothing_is_left(left)


async def test_one_that_is_killed_leaves_nothing_behind(left: Path) -> None:
    async with terminal(program=PROGRAM) as found:
        await until_open(found)
        found.process.kill()
        await found.end()
    deadline = time.monotonic() + 30
    while DemoFolder(Home(left)).is_there and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    while processes_of(left) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert_nothing_is_left(left)


async def test_one_that_was_stopped_from_elsewhere_has_nothing_to_ask(left: Path) -> None:
    async with terminal(program=PROGRAM) as found:
        await until_open(found)
        stopped = await asyncio.to_thread(demo, "stop")
        assert stopped.returncode == 0, stopped.stderr
        await found.until("it was stopped", within_s=20)
        await found.press_until("q", lambda found: found.process.poll() is not None)
        assert await found.end() == 0
        assert "Stop the demo" not in found.after
        assert "goes on" not in found.after
    assert_nothing_is_left(left)


async def test_one_without_a_screen_leaves_what_was_open_alone(left: Path) -> None:
    async with terminal(program=PROGRAM) as found:
        await until_open(found)
        await asyncio.to_thread(end_in_the_middle)
        assert DemoFolder(Home(left)).is_there
        await press_until(found, "q", "Stop the demo? [Y/n]")
        found.press("enter")
        assert await found.end() == 0
    assert_nothing_is_left(left)
