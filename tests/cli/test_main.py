"""The program as a process: streams, pipes, terminals, the top of its errors."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core import __version__
from core.cli import projects
from core.errors import UsageError

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PROGRAM = "import sys; from core.cli.main import run; sys.exit(run())"


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments]


def started(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program(*arguments), capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **variables},
    )  # fmt: skip


def on_a_terminal(*arguments: str, **variables: str) -> str:
    """What a command writes to standard error when that is a terminal."""
    main, other = pty.openpty()
    try:
        subprocess.run(
            program(*arguments), stderr=other, stdout=other, timeout=60, check=False,
            env={**os.environ, "TERM": "xterm", **variables},
        )  # fmt: skip
        return os.read(main, 65_536).decode()
    finally:
        os.close(main)
        os.close(other)


def test_version_and_help_end_well() -> None:
    assert started("--version").stdout == f"compartment {__version__}\n"
    assert started("deploy", "--help").returncode == 0


def test_an_unknown_command_is_one_error_with_a_hint(cli: Cli) -> None:
    done = cli("depoly")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: there is no command 'depoly'\n  did you mean deploy?\n"


@pytest.mark.parametrize("arguments", [["--output", "json", "depoly"], ["x", "--output=json"]])
def test_a_usage_error_is_a_document_too(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments)
    document = json.loads(done.out)
    assert document["error"]["code"] == "usage"
    assert document["failureMessage"] == document["error"]["message"]
    assert done.err.startswith("error: ")


def test_colour_is_for_terminals_only() -> None:
    assert "\x1b[31merror:\x1b[0m" in on_a_terminal("depoly")
    assert "\x1b" not in on_a_terminal("depoly", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("depoly", TERM="dumb")
    assert "\x1b" in on_a_terminal("depoly", NO_COLOR="")
    assert "\x1b" not in started("depoly").stderr


def test_a_closed_pipe_ends_it_quietly() -> None:
    process = subprocess.Popen(program("schema"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (141, b"")
    process.stderr.close()


def test_standard_output_that_is_full_or_closed() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            program("schema"), stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"error: No space left on device\n"
    shell = f"exec {sys.executable} -c '{PROGRAM}' schema >&-"
    assert subprocess.run(["sh", "-c", shell], timeout=60, check=False).returncode == 0


def test_text_that_the_terminal_cannot_show_is_escaped() -> None:
    done = started("stätus", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert r"'st\xe4tus'" in done.stderr


def test_a_bug_is_one_line_and_says_where_to_look(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise KeyError("x")

    monkeypatch.setattr(projects, "schema", broken)
    done = cli("schema")
    assert done.code == 1
    assert done.err == (
        "error: internal error: KeyError: 'x'\n  this is a bug; --verbose shows where it is\n"
    )
    loud = cli("schema", "--verbose")
    assert "Traceback" in loud.err
    assert 'raise KeyError("x")' in loud.err


def test_expected_errors_have_no_traceback_unless_asked(cli: Cli) -> None:
    assert "Traceback" not in cli("validate").err
    loud = cli("validate", "--verbose")
    assert "Traceback" in loud.err
    assert "error: no compartment.yml in" in loud.err


def test_errors_cannot_steer_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise UsageError("a\x1b[2Jb\nc\x07", hint="d\x1b]0;x\x07")

    monkeypatch.setattr(projects, "schema", broken)
    assert cli("schema").err == "error: ab\n  c\n  d\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_have_codes(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    def interrupted(*_: object) -> int:
        signal.raise_signal(number)
        return 0

    monkeypatch.setattr(projects, "schema", interrupted)
    assert cli("schema").code == code
