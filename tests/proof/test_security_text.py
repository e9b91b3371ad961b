"""Nothing that somebody else wrote steers a terminal.

Every command is run against an agent that puts control codes into each text of its answers: titles,
cleared screens, the clipboard, hidden and reversed text, line breaks of all kinds; and again with
an agent that answers everything with such an error. Then against project files, folders and
variables of the environment that are named so. What is printed may hold printable characters and
line feeds, and nothing else. The dashboard is shown the same, screen after screen.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from core.files import Home
from tests.proof.security.liar import HOSTILE, liar
from tests.tui.pty import terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.tui.pty import Terminal

pytestmark = pytest.mark.timeout(300)

_PATIENCE_S = 120
_AT_ONCE = 2

_COMMANDS = (
    *("status", "inspect", "deployment list", "logs --tail 50", "plan"),
    *("variable list", "variable list --service web", "variable show WORD", "user list"),
    *("domain list", "notification list", "execution list", "cron list", "routes list"),
    *("agent status", "doctor", "cancel --run drn_none", "variable set A=b", "user remove ann"),
    *("job run --service none", "promote --from staging --to production", "rollback", "down"),
    *("deploy --detach", "redeploy --service web", "status --output json"),
)


_NAMES = ("name", "service", "serviceName", "services", "keyName")
"""What the dashboard finds other things by: the agent takes no name that is not one."""
_SCREENS = (
    ("enter", "last deployments"),
    ("H", "routes switched"),
    ("C", "who reaches whom"),
    ("v", "Variables  lab"),
    ("P", "Promote lab"),
    ("!", "Events"),
    ("D", "barrier"),
)
"""Keys of the dashboard, and what is seen then."""
_POINTER = "\x1b]22;default\x07"
"""Textual's own."""
_STEERING = ("\x1b]", "\x1bP", "\x1b[8m", "b\x1b[2J")
"""Titles and clipboards, device controls, hidden text, a cleared screen."""


async def _said(words: list[str], cwd: Path, turns: asyncio.Semaphore, **environ: str) -> str:
    async with turns, asyncio.timeout(_PATIENCE_S):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "core.cli.main", *words),
            cwd=cwd,
            env={**os.environ, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    return said.decode()


def _codes(said: str) -> str:
    """What of it is more than text."""
    return "".join(each for each in said if not each.isprintable() and each != "\n")


async def test_commands_show_what_others_wrote_as_text(
    running: House,
    lab: LabProject,
    home: Path,
    extent: Callable[[int, int], int],
    counts: FiguresRecorder,
) -> None:
    await running.deployed(lab)
    await running.client.set_variable("WORD", {"project": "lab", "value": "plain"})
    turns = asyncio.Semaphore(_AT_ONCE)
    fake = Home(home.with_name("fake"))
    bad = {}
    async with liar(running.home, fake) as agent:
        for agent.refuses in (False, True):
            tasks = {}
            async with asyncio.TaskGroup() as group:
                for command in _COMMANDS[: extent(6, len(_COMMANDS))]:
                    said = _said(command.split(), lab.root, turns, COMPARTMENT_HOME=str(fake.root))
                    tasks[command] = group.create_task(said)
            for command, task in tasks.items():
                assert "Traceback" not in task.result(), (command, task.result())
                if found := _codes(task.result()):
                    bad[command, agent.refuses] = found
        assert agent.spoiled > 20
        counts("security: hostile texts that commands were told", agent.spoiled, "texts")
    counts("security: commands that passed a control code on", len(bad), "commands", 0)
    assert bad == {}


def _without(text: str) -> Callable[[Terminal], bool]:
    return lambda found: text not in found.text


async def test_the_dashboard_shows_what_others_wrote_as_text(
    running: House, lab: LabProject, home: Path, counts: FiguresRecorder
) -> None:
    lab.write(web={"lab": {"spam_lines_per_s": 20}})
    await running.deployed(lab)
    await running.client.set_variable("WORD", {"project": "lab", "value": "plain"})
    fake = Home(home.with_name("fake"))
    variables = {"COMPARTMENT_HOME": str(fake.root)}
    async with (
        liar(running.home, fake, _NAMES) as agent,
        terminal(cwd=lab.root, variables=variables) as found,
    ):
        await found.until("owned")
        for key, seen in _SCREENS:
            await found.press_until(key, seen)
            await found.press_until("escape", _without(seen))
        agent.refuses = True
        await found.press_until("D", "noa]0;owned")
        await found.press_until("q", lambda found: found.process.poll() is not None)
        assert await found.end() == 0, found.after
        counts("security: hostile texts that the dashboard was told", agent.spoiled, "texts")
    shown = found.raw.decode(errors="replace").replace(_POINTER, "")
    codes = {each for each in HOSTILE if not each.isprintable()} - set("\x1b\r\n")
    assert codes & set(shown) == set()
    assert [each for each in _STEERING if each in shown] == []


async def test_files_folders_and_variables_with_hostile_names(
    home: Path, tmp_path: Path, extent: Callable[[int, int], int]
) -> None:
    name = HOSTILE.replace("\0", "").replace("/", "")[:60]
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"{name}.sh").write_text("exit 1")
    (folder / "compartment.yml").write_text("name: lab\nservices:\n  web: " + ascii(name) + "\n")
    (folder / "compose.yaml").write_text('services:\n  "a\\e]0;x\\a": {image: "b\\e[2J"}\n')
    turns = asyncio.Semaphore(_AT_ONCE)
    environs: tuple[dict[str, str], ...] = (
        {},
        {"COMPARTMENT_HOME": str(home.with_name("x") / name)},
        {"COMPARTMENT_CONFIG": str(folder / "none.toml")},
        {"DOCKER_HOST": f"unix://{name}"},
        {"COMPARTMENT_PORT": name},
        {"TERM": name, "LANG": name},
    )
    commands = (
        ["validate"], ["doctor"], ["compose", "config", "-f", "compose.yaml"], ["status"],
        ["agent", "install", "--print"], ["status", "--project", name], [name], [f"--{name}"],
        ["logs", "--service", name], ["deploy", "--file", f"{name}.yml"],
    )  # fmt: skip
    told = {}
    async with asyncio.TaskGroup() as group:
        for environ in environs[: extent(3, len(environs))]:
            for command in commands[: extent(2, len(commands))]:
                said = _said(command, folder, turns, **environ)
                told[str(environ), str(command)] = group.create_task(said)
    assert {case: codes for case, task in told.items() if (codes := _codes(task.result()))} == {}
    assert not [case for case, task in told.items() if "Traceback" in task.result()]
