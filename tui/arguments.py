"""The command line of the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__
from core.cli import arguments
from core.cli.commands import COMMANDS, ENGINES
from core.cli.parser import Parser
from core.cli.text import is_utf8
from core.errors import UsageError
from core.model import DEFAULT_ENVIRONMENT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

PROGRAM = "compartment-tui"


def parse(given: Sequence[str]) -> Namespace:
    """What is to be opened, and how.

    Raises:
        UsageError: it makes no sense.
    """
    for each in given:
        if not is_utf8(each):
            raise UsageError(f"the argument {each!r} is not UTF-8")
    found = _parser().parse_args(given)
    _check_together(found)
    _check_path(found.path)
    return found


def _check_together(found: Namespace) -> None:
    """Refuses what could only be obeyed in part."""
    kind = "replay" if found.replay is not None else "demo" if found.demo is not None else None
    others = {
        "PATH": found.path,
        "--file": found.file,
        "--project": found.project,
        "--host": found.server,
        "--demo": found.demo if kind != "demo" else None,
        "--record": found.record if kind != "demo" else None,
    }
    for name, value in others.items():
        if kind is not None and value is not None:
            raise UsageError(f"--{kind} and {name} do not go together")
    if found.path is not None and found.file is not None:
        raise UsageError("PATH and --file do not go together", hint="name the files alone")


def _check_path(path: Path | None) -> None:
    if path is None or path.exists():
        return
    commands = {command.words.partition(" ")[0] for command in COMMANDS}
    is_command = str(path) in commands
    raise UsageError(
        f"there is no folder {path}",
        hint=f"the command of that name is: {PROGRAM} --run {path}" if is_command else None,
    )


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="The dashboard of a project: its services, their deploys and their logs.",
        epilog=f"{PROGRAM} --run COMMAND ... runs a command without a screen;"
        f" see {PROGRAM} --run --help",
    )
    add = parser.add_argument
    add(
        "path",
        nargs="?",
        type=Path,
        metavar="PATH",
        help="the folder of the project (default: this one, or the nearest above)",
    )
    add(
        "--env",
        type=arguments.name,
        metavar="NAME",
        default=DEFAULT_ENVIRONMENT,
        help="the environment (default: %(default)s)",
    )
    add(
        "--project",
        type=arguments.name,
        metavar="NAME",
        help="the project (default: the one in the folder)",
    )
    add(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what runs the instances (default: %(default)s)",
    )
    add(
        "-f",
        "--file",
        action="append",
        metavar="FILE",
        help="a Compose file; repeatable: later ones win (default: those that are here)",
    )
    add("--env-file", action="append", metavar="FILE", help="variables for Compose files")
    add("--profile", action="append", metavar="NAME", help="turn a profile of Compose files on")
    add(
        "--demo",
        nargs="?",
        const="multi-service",
        metavar="NAME",
        help="show an example: multi-service, night-shift or lifecycle-lab; stop ends it",
    )
    add(
        "--host",
        dest="server",
        type=arguments.server,
        metavar="SERVER",
        help="look at a server, by ssh: [user@]name[:port], or an alias of ~/.ssh/config",
    )
    add("--ascii", action="store_true", help="draw with ASCII only")
    add("--read-only", action="store_true", help="look, and change nothing")
    add("--slow-link", action="store_true", help="draw less often, as over a slow connection")
    add("--theme", metavar="NAME", help="the colours (default: those chosen last)")
    add("--record", type=Path, metavar="FILE", help="write down everything that is shown")
    add("--replay", type=Path, metavar="FILE", help="show what was written down")
    add("--run", metavar="COMMAND", help="run a command without a screen")
    add("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser  # fmt: skip
