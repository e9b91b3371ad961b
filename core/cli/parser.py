"""The command line, read by argparse from the table of commands."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from core import __version__
from core.cli.commands import COMMANDS, COMMON, DEFAULTS, GROUPS, Command
from core.cli.output import Form, Output
from core.cli.text import is_utf8
from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_ABOUT = "Zero-downtime deploys for multi-service projects, from the terminal."


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours: one line that says what, one that says how to go on."""

    def __init__(self, *, group: str | None = None, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self._group = group

    def error(self, message: str) -> NoReturn:
        """Refuses the command line."""
        raise UsageError(message, hint=f"see: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse has no other place where an unknown command can be told of.
        if not isinstance(action.choices, dict) or value in action.choices:
            super()._check_value(action, value)
            return
        words = f"{self._group} {value}".strip()
        near = get_close_matches(value, action.choices, n=1)
        hint = f"did you mean {near[0]}?" if near else f"see: {self.prog} --help"
        raise UsageError(f"there is no command {words!r}", hint=hint)


def parse(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """The command with its flags; `handler` says who carries it out.

    Raises:
        UsageError: it makes no sense.
    """
    for each in arguments:
        if not is_utf8(each):
            raise UsageError(f"the argument {each!r} is not UTF-8")
    found = _parser(program).parse_args(arguments)
    for name, value in DEFAULTS.items():
        if not hasattr(found, name):
            setattr(found, name, value)
    if found.output == Form.JSONL and not found.has_events:
        able = ", ".join(command.words for command in COMMANDS if command.has_events)
        raise UsageError(f"--output jsonl is only for {able}", hint="use --output json")
    if found.server is not None and found.is_local:
        raise UsageError(
            "this command is about this machine and its files, and knows no --host",
            hint=f"leave it out; or run the command there: {found.server.ssh} compartment ...",
        )
    return found


def _parser(program: str) -> Parser:
    parser = Parser(prog=program, description=_ABOUT, group="")
    parser.add_argument("--version", action="version", version=f"compartment {__version__}")
    _add_common(parser)
    top = parser.add_subparsers(metavar="COMMAND", required=True)
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        group, _, word = command.words.rpartition(" ")
        if group and group not in groups:
            made = top.add_parser(group, help=GROUPS[group], description=GROUPS[group], group=group)
            _add_common(made)
            groups[group] = made.add_subparsers(metavar="COMMAND", required=True)
        _add_command(groups[group] if group else top, word, command)
    return parser


def _add_command(parent: Any, word: str, command: Command) -> None:
    parser: Parser = parent.add_parser(word, help=command.help, description=command.help)
    for flag in command.flags:
        parser.add_argument(*flag.names, **flag.options)
    _add_common(parser, besides={name for flag in command.flags for name in flag.names})
    parser.set_defaults(
        handler=command.handler, has_events=command.has_events, is_local=command.is_local
    )


def _add_common(parser: Parser, besides: Collection[str] = ()) -> None:
    """Without defaults: one of an inner parser would undo what was said before the command.

    A flag of the command's own means something else there.
    """
    common = parser.add_argument_group("common flags")
    for flag in COMMON:
        if not set(flag.names) & set(besides):
            common.add_argument(*flag.names, **flag.options, default=argparse.SUPPRESS)


def guess_output(arguments: Sequence[str]) -> Output:
    """How to tell of a command line that cannot be parsed."""
    words = [word for each in arguments for word in each.split("=", 1)]
    forms = [word for flag, word in pairwise(words) if flag == "--output" and word in set(Form)]
    return Output(Form(forms[-1] if forms else Form.TEXT), verbose="--verbose" in words)
