"""The program before its screen: what it refuses, and with which words and codes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core import __version__
from core.errors import UsageError
from tests.tui.pty import DASHBOARD, terminal
from tui.arguments import parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def started(*arguments: str, cwd: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DASHBOARD, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


async def said(
    *arguments: str | Path,
    program: Sequence[str] = DASHBOARD,
    cwd: Path | None = None,
    **variables: str,
) -> tuple[int, list[str]]:
    """The exit code and the words, in a terminal that never became a screen."""
    variables = {"NO_COLOR": "1", **variables}
    async with terminal(
        *arguments, program=program, cwd=cwd, columns=200, variables=variables
    ) as found:
        code = await found.end()
        assert b"\x1b[?1049h" not in found.raw
        assert b"Traceback" not in found.raw
        return code, found.text.strip().split("\n")


def test_help_and_version_need_no_terminal() -> None:
    assert "--run COMMAND" in started("--help").stdout
    assert started("--version").stdout == f"compartment-tui {__version__}\n"


def test_run_is_the_headless_mode() -> None:
    done = started("--run", "routes", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: compartment-tui --run routes")
    cancelled = started("--env", "x", "--run", "cancel", "--run")
    assert "argument --run: expected one argument" in cancelled.stderr


def test_without_a_terminal_it_says_how_to_go_on() -> None:
    done = started()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: the dashboard needs a terminal, and standard input is none",
        "  commands run without one: compartment-tui --run COMMAND",
    ]


@pytest.mark.parametrize("redirection", [">/dev/null", "2>&1 >/dev/null | cat"])
async def test_redirected_output_is_no_terminal(redirection: str) -> None:
    shell = f"exec {sys.executable} -P -m tui.main {redirection}"
    code, lines = await said(program=("sh", "-c", shell))
    assert "the dashboard needs a terminal, and standard" in lines[0]
    assert code == (0 if "cat" in redirection else 2)


@pytest.mark.parametrize(("kind", "shown"), [("dumb", "dumb"), ("", "(not set)")])
async def test_a_terminal_that_only_prints(tmp_path: Path, kind: str, shown: str) -> None:
    code, lines = await said(TERM=kind, cwd=tmp_path)
    assert code == 2
    assert lines[0] == f"error: a terminal with TERM={shown} cannot show the dashboard"


async def test_no_project_here(tmp_path: Path) -> None:
    code, lines = await said(cwd=tmp_path)
    assert code == 2
    assert lines[0].startswith(f"error: no compartment.yml in {tmp_path}")
    assert "compartment init" in lines[-1]


async def test_a_wrong_project_is_told_as_validate_tells_it(tmp_path: Path) -> None:
    (tmp_path / "compartment.yml").write_text("name: shop\nservices:\n  web: .\n  api: {kind: x}\n")
    told = await asyncio.to_thread(started, "--run", "validate", cwd=str(tmp_path))
    code, lines = await said(cwd=tmp_path)
    assert (code, lines) == (2, told.stderr.splitlines())
    assert any(line.startswith("compartment.yml:4:") for line in lines)


async def test_a_folder_a_file_and_what_is_neither(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / "compartment.yml").write_text("name: shop\nservices: 5\n")
    (project / "compose.yaml").write_text("services: {}\n")
    for path in (project, project / "compartment.yml"):
        code, lines = await said(path, cwd=tmp_path)
        assert (code, lines[0]) == (2, "error: 1 problem in compartment.yml")
    code, lines = await said(project / "compose.yaml", cwd=tmp_path)
    assert (code, lines[0][-26:]) == (2, "yaml is no compartment.yml")


async def test_an_agent_that_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "compartment.yml").write_text("name: shop\nservices:\n  web: .\n")
    (tmp_path / "file").write_text("")
    home = str(tmp_path / "file" / "home")
    code, lines = await said(cwd=tmp_path, COMPARTMENT_HOME=home)
    assert code == 1
    assert lines[0] == "starting the agent"
    assert lines[1].startswith(f"error: cannot use the home folder {home}")


async def test_a_damaged_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"name": "shop"}\n')
    code, lines = await said("--replay", path)
    assert (code, lines[0]) == (2, f"error: {path}:1: it is no recording")
    code, lines = await said("--replay", tmp_path / "b")
    assert (code, lines[0]) == (1, f"error: {tmp_path}/b: No such file or directory")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["deploy"], "there is no folder deploy", "compartment-tui --run deploy"),
        (["nowhere"], "there is no folder nowhere", None),
        (["--replay", "x", "--record", "y"], "--replay and --record do not go together", None),
        (["--replay", "x", "--demo"], "--replay and --demo do not go together", None),
        (["--replay", "x", "."], "--replay and PATH do not go together", None),
        (["--demo", "-f", "x"], "--demo and --file do not go together", None),
        ([".", "-f", "x"], "PATH and --file do not go together", "name the files alone"),
        (["--demo", "stop", "."], "--demo and PATH do not go together", None),
        (["--demo", "--project", "x"], "--demo and --project do not go together", None),
        (["--engine", "podman"], "argument --engine: invalid choice", "compartment-tui --help"),
        (["--them", "x"], "unrecognized arguments", "compartment-tui --help"),
        (["--env", ""], "argument --env: '' is no name", "compartment-tui --help"),
        (["\udcff"], "is not UTF-8", None),
    ],
)
def test_a_command_line_that_makes_no_sense(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
    hint: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    assert message in caught.value.message
    assert (caught.value.hint or "").endswith(hint or "")
    assert (caught.value.hint is None) == (hint is None)


def test_what_the_flags_are_without_being_named() -> None:
    found = parse([])
    assert (found.env, found.engine) == ("production", "auto")
    assert found.project is found.path is found.demo is found.replay is None


def test_the_demo_has_a_name_by_itself_and_may_be_recorded() -> None:
    assert parse(["--demo"]).demo == "multi-service"
    assert parse(["--demo", "lifecycle-lab", "--record", "x"]).demo == "lifecycle-lab"


def test_a_demo_that_does_not_exist() -> None:
    done = started("--demo", "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no demo nothing\n")
