"""The dashboard in a real terminal, of a real agent: every way out, and every loss in between."""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from core.errors import AgentUnavailable
from tests.e2e.house import kill
from tests.tui.pty import terminal

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.tui.pty import Terminal

pytestmark = pytest.mark.timeout(120)

CHATTY = {"lab": {"spam_lines_per_s": 200}}
SLOW = {"lab": {"boot_delay_ms": 4000}}
LIVE = "✓ 1 live"
DOWN = "no connection to the agent"


def dashboard(lab: LabProject, *arguments: str) -> AbstractAsyncContextManager[Terminal]:
    return terminal(*arguments, cwd=lab.root)


def log_numbers(found: Terminal) -> list[int]:
    """The numbers of the lab's lines that are on the screen, as they stand."""
    return [int(number) for number in re.findall(r"line (\d+)", found.text)]


async def test_an_agent_that_is_not_there_is_started_first(running: House, lab: LabProject) -> None:
    await running.client.stop_agent()
    async with dashboard(lab) as found:
        await found.until("starting the agent")
        await found.until("nothing is deployed to production")
        found.press("q")
        assert await found.end() == 0
        assert found.is_restored
        assert found.after == ""
    assert (await running.client.agent())["isIdle"]


async def test_a_deploy_from_the_dashboard(running: House, lab: LabProject) -> None:
    async with dashboard(lab) as found:
        await found.until("nothing is deployed to production")
        found.press("D")
        await found.until("barrier")
        await found.press_until("enter", lambda found: "barrier" not in found.text)
        await found.until(LIVE)
        await found.until("deploy succeeded")
        found.press("q")
        assert await found.end() == 0
    (deployment,) = (await running.active(lab))["web"]
    assert deployment["status"] == "succeeded"


async def test_a_compose_file_shows_who_reaches_whom_before_it_is_deployed(
    running: House, tmp_path: Path
) -> None:
    file = tmp_path / "prod.yaml"
    file.write_text(
        "name: shop\n"
        "services:\n"
        "  web: {image: nginx, ports: ['8090:80'], networks: [front]}\n"
        "  db: {image: postgres, networks: [back]}\n"
        "networks: {front: , back: {internal: true}}\n"
    )
    async with terminal("-f", str(file), cwd=tmp_path) as found:
        await found.until("nothing is deployed to production")
        await found.press_until("C", lambda found: "not deployed yet" in found.text)
        await found.until("a  back  internal: no way out")
        await found.until("8090  ⟶  web  port 80")
        await found.press_until("escape", lambda found: "who reaches whom" not in found.text)
        found.press("q")
        assert await found.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_end_the_dashboard_and_not_the_run(
    running: House, lab: LabProject, number: signal.Signals
) -> None:
    lab.write(web=SLOW)
    async with dashboard(lab) as found:
        await found.until("nothing is deployed to production")
        run_id = await running.submit(lab)
        await found.until("deploying 1 service")
        found.signal(number)
        assert await found.end() == 128 + number
        assert found.is_restored
        assert found.after == (
            f"run {run_id} goes on in the agent; watch it: compartment-tui --project lab\n"
        )
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_a_closed_window_ends_the_dashboard_and_not_the_run(
    running: House, lab: LabProject
) -> None:
    lab.write(web=SLOW)
    async with dashboard(lab) as found:
        await found.until("nothing is deployed to production")
        run_id = await running.submit(lab)
        await found.until("deploying 1 service")
        found.hang_up()
        assert await found.end() == 129
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_a_crash_in_a_widget_ends_the_dashboard_and_not_the_run(
    running: House, lab: LabProject
) -> None:
    lab.write(web=SLOW)
    program = (sys.executable, "-m", "tests.e2e.broken_dashboard", lab.root)
    async with terminal(program=program) as found:
        await found.until("nothing is deployed to production")
        run_id = await running.submit(lab)
        await found.until("deploying 1 service")
        found.press("x")
        assert await found.end() == 1
        assert found.is_restored
        assert found.after.splitlines() == [
            "error: the dashboard ended, and this is a bug: LookupError: on purpose",
            f"  its traceback is in {running.home.root}/dashboard.log; what runs goes on",
        ]
    assert "Traceback" in (running.home.root / "dashboard.log").read_text()
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_resizing_while_lines_stream_in(running: House, lab: LabProject) -> None:
    lab.write(web=CHATTY)
    await running.deployed(lab)
    async with dashboard(lab) as found:
        await found.until(LIVE)
        for columns, rows in ((80, 24), (200, 50), (60, 15), (20, 5), (100, 30), (120, 35)):
            found.resize(columns, rows)
            await asyncio.to_thread(found.process.poll)
        newest = max(log_numbers(found), default=0)
        await found.until(lambda found: max(log_numbers(found), default=0) > newest + 100)
        await found.until("1 live")
        found.press("q")
        assert await found.end() == 0
        assert found.is_restored


def is_whole(found: Terminal) -> bool:
    """Whether the frames reach from one edge of the window to the other, on each line."""
    _, *lines, _, _ = found.screen.display
    return all(line[0] in "╭│╰" and line[-1] in "╮│╯" for line in lines)


async def test_the_dashboard_is_as_large_as_a_window_that_was_resized_without_a_pause(
    running: House, lab: LabProject
) -> None:
    chance = random.Random(1)
    async with dashboard(lab) as found:
        await found.until(is_whole)
        for round_ in range(60):
            for _ in range(chance.randint(2, 6)):
                found.resize(chance.randint(20, 220), chance.randint(5, 60))
            found.resize(100 + round_ % 7, 30 + round_ % 9)
            await found.until(is_whole, within_s=10)


async def test_what_a_window_has_cut_off_for_a_moment_is_drawn_again(
    running: House, lab: LabProject
) -> None:
    async with dashboard(lab) as found:
        await found.until(is_whole)
        for _ in range(20):
            found.resize(20, 5)
            found.resize(120, 35)
            await found.until(is_whole, within_s=10)


async def test_an_agent_that_dies_is_told_of_and_started_again(
    running: House, lab: LabProject, tmp_path: Path
) -> None:
    lab.write(web=CHATTY)
    await running.deployed(lab)
    recording = tmp_path / "recording.ndjson"
    async with dashboard(lab, "--record", str(recording)) as found:
        await found.until(LIVE)
        await found.until(lambda found: bool(log_numbers(found)))
        kill(await running.agent_pid())
        await found.until(DOWN)
        await found.until(LIVE, within_s=20)
        newest = max(log_numbers(found))
        await found.until(lambda found: max(log_numbers(found)) > newest + 100)
        found.press("q")
        assert await found.end() == 0
    recorded = [json.loads(line) for line in recording.read_text().splitlines()]
    links = [each["link"]["isUp"] for each in recorded if "link" in each]
    assert (links[0], links[-1], False in links) == (True, True, True)
    lines = [line for each in recorded for line in each.get("lines", ())]
    for stream in ("stdout", "stderr"):
        told = [each["message"] for each in lines if each["stream"] == stream]
        numbers = [int(text.split()[1]) for text in told if text.startswith("line ")]
        assert numbers == list(range(numbers[0], numbers[-1] + 1, 2))


async def test_an_agent_that_was_stopped_stays_stopped(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    async with dashboard(lab) as found:
        await found.until(LIVE)
        await running.client.stop_agent()
        await found.until("it was stopped")
        with pytest.raises(AgentUnavailable):
            await running.client.agent()
        await running.client.attach()
        await found.until(LIVE)
        found.press("q")
        assert await found.end() == 0


async def test_a_recording_is_played_without_an_agent(
    running: House, lab: LabProject, tmp_path: Path
) -> None:
    recording = tmp_path / "recording.ndjson"
    async with dashboard(lab, "--record", str(recording)) as found:
        await found.until("nothing is deployed to production")
        await running.deployed(lab)
        await found.until("deploy succeeded")
        found.press("q")
        assert await found.end() == 0
    await running.client.stop_agent()
    async with terminal("--replay", recording, cwd=tmp_path) as found:
        await found.until("the recording has ended", within_s=20)
        await found.until("deploy succeeded")
        await found.until("replay")
        found.press("q")
        assert await found.end() == 0
        assert found.is_restored
    with pytest.raises(AgentUnavailable):
        await running.client.agent()


async def test_a_window_that_opens_without_files_finds_them_by_name(
    running: House, lab: LabProject, tmp_path: Path
) -> None:
    await running.deployed(lab)
    async with terminal("--project", "lab", cwd=tmp_path) as found:
        await found.until(LIVE)
        lab.bump()
        found.press("D")
        await found.until("the source changed")
        await found.press_until("escape", lambda found: "source changed" not in found.text)
        found.press("q")
        assert await found.end() == 0


async def test_going_to_another_environment_and_back(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    await running.deployed(lab, environment="staging")
    async with dashboard(lab) as found:
        await found.until(LIVE)
        for key, environment in (("down", "staging"), ("up", "production")):
            found.press("0")
            await found.until("Environments: now")
            await found.press_until(key, partial(is_chosen, environment))
            # Once: the next one would open the service.
            found.press("enter")
            await found.until(partial(is_shown, environment))
        # It may still be on its way there, and takes no key at that moment.
        await found.press_until("q", lambda it: it.process.poll() is not None)
        assert await found.end() == 0
        assert found.is_restored


def is_chosen(environment: str, found: Terminal) -> bool:
    """Whether the cursor is on the row of an environment: it has a colour of its own."""
    lines, cells = found.screen.display, found.screen.buffer
    titles = [y for y, line in enumerate(lines) if "ENVIRONMENT" in line]
    rows = [y for y, line in enumerate(lines) if re.search(f"lab / {environment} +process", line)]
    if not (titles and rows):
        return False
    x = lines[rows[-1]].index(environment)
    return bool(cells[rows[-1]][x].bg != cells[titles[0]][x].bg)


def is_shown(environment: str, found: Terminal) -> bool:
    """Whether an environment is on the screen, with nothing in front of it."""
    title = f"compartment   lab / {environment} "
    return title in found.text and LIVE in found.text and "ENVIRONMENT" not in found.text


async def test_a_theme_that_does_not_exist(running: House, lab: LabProject) -> None:
    async with dashboard(lab, "--theme", "compartment-drak") as found:
        assert await found.end() == 2
        assert b"\x1b[?1049h" not in found.raw
        assert "there is no theme compartment-drak" in found.text
        assert "compartment-dark" in found.text


async def test_ascii_draws_nothing_else(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    async with dashboard(lab, "--ascii") as found:
        await found.until("ok 1 live")
        # What somebody wrote to a log is theirs.
        chrome = [line for line in found.text.splitlines() if not re.search(r"\d\d:\d\d", line)]
        assert "".join(chrome).isascii()
        found.press("q")
        assert await found.end() == 0
