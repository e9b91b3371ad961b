"""The demo where there is no screen: the commands that a person would type, and what they say."""

from __future__ import annotations

from contextlib import chdir
from typing import TYPE_CHECKING, Final

from core.cli.exits import Exit
from core.cli.main import main
from core.errors import RunFailed
from tui.demo.example import bump
from tui.demo.traffic import Traffic

if TYPE_CHECKING:
    from pathlib import Path

    from tui.demo.example import Example

SIGNALLED: Final = 128
"""Exit codes from here on tell of a signal."""

_PER_S: Final = 100
"""Enough to meet every moment of a deploy that takes half a second."""


FIRST_DEPLOY: Final = ("deploy", "--engine", "process")
"""A demo has to work on any machine, and quickly: without an image that is fetched first."""


def command(project: Path, *arguments: str) -> None:
    """Carries out a command of `compartment` in a project, as if it had been typed there.

    Not in a process of its own: a signal then ends both in one way.

    Raises:
        RunFailed: it did not succeed; it has said why.
        SystemExit: a signal ended it.
    """
    say(f"\n$ compartment {' '.join(arguments)}")
    with chdir(project):
        code = main(arguments, "compartment")
    if code >= SIGNALLED:
        raise SystemExit(code)
    if code != Exit.DONE:
        raise RunFailed(f"compartment {arguments[0]} failed with exit code {code}")


def say(line: str) -> None:
    """Tells the person something; at once, because commands write to the same place."""
    print(line, flush=True)  # noqa: T201 - there is no screen


def show(example: Example, project: Path, address: str) -> int:
    """A second version and a rollback under traffic; returns the exit code."""
    with Traffic(example, address, _PER_S) as traffic:
        say(f"\n# visitors ask for pages all the time; the next version is {bump(project)}")
        command(project, "deploy")
        command(project, "rollback")
        command(project, "status")
    say(f"\n{traffic.counts}")
    return 1 if traffic.counts.lost else 0
