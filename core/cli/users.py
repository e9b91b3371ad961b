"""The commands for users. A password is never on a command line, and shown once if at all."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask, target_of
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]

_MADE_BYTES = 18
"""144 random bits, as 24 characters: what nobody finds by trying, however fast the digest is."""


def add_user(arguments: Namespace, output: Output) -> int:
    """Gives somebody a login, or another password."""
    given = _read() if arguments.password_stdin else None
    password = secrets.token_urlsafe(_MADE_BYTES) if given is None else given
    body = {**target_of(arguments), "password": password}
    told = ask(lambda client: client.add_user(arguments.name, body))
    if given is None:
        told["password"] = password
    output.answer(told, lambda: _added(told))
    return Exit.DONE


def _read() -> str:
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError("the password is not UTF-8", hint="use letters and digits") from None


def _added(told: Json) -> list[str]:
    what = "added {}" if told["isNew"] else "changed the password of {}"
    lines = [f"{what.format(told['name'])} in {_target(told)}; in force now"]
    if "password" in told:
        lines += [f"password: {told['password']}", "it is not shown again"]
    return lines


def list_users(arguments: Namespace, output: Output) -> int:
    """The names of those who have a login."""
    told = ask(lambda client: client.users(target_of(arguments)))
    output.answer(told, lambda: _names(told))
    return Exit.DONE


def _names(told: Json) -> list[str]:
    return [each["name"] for each in told["users"]] or [f"no user has a login in {_target(told)}"]


def remove_user(arguments: Namespace, output: Output) -> int:
    """Takes a login away."""
    told = ask(lambda client: client.remove_user(arguments.name, target_of(arguments)))
    output.answer(told, lambda: [f"removed {told['name']} from {_target(told)}; in force now"])
    return Exit.DONE


def _target(told: Json) -> str:
    return f"{told['project']}/{told['environment']}"
