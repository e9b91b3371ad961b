"""The commands for variables. None of them ever shows what is sensitive."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask, compose_options, service_query, services_in_file
from core.cli.text import columns, counted, moment, pairs, plain_lines
from core.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]

_FROM_NOW_ON = "in force from the next deploy"
_ENCODE = "encode it, for example as base64"


def set_variable(arguments: Namespace, output: Output) -> int:
    """Sets one variable."""
    _refuse_unclear(arguments)
    scope = service_query(arguments)
    value = _value(arguments)
    body = {**scope, "value": value, "sensitive": arguments.sensitive}
    told = ask(lambda client: client.set_variable(arguments.key, body))
    _warn_of_unknown_service(scope, arguments, output)
    output.answer(told, lambda: [f"set {arguments.key} for {_scope(told)}; {_FROM_NOW_ON}"])
    return Exit.DONE


def _refuse_unclear(arguments: Namespace) -> None:
    name, equals, _ = arguments.key.partition("=")
    if equals:
        raise UsageError(
            "the name and the value are two arguments, without = between them",
            hint=f"write: compartment variable set {name} VALUE",
        )
    if arguments.value is not None and arguments.sensitive:
        raise UsageError(
            "a sensitive value cannot be given on the command line, where others can read it",
            hint="pipe it in with --stdin, or leave it out to be asked for it",
        )
    if arguments.value is not None and arguments.stdin:
        raise UsageError(
            "a value and --stdin cannot be used together", hint="leave one of them out"
        )


def _value(arguments: Namespace) -> str:
    if arguments.value is not None:
        return str(arguments.value)
    if arguments.stdin:
        return _text(sys.stdin.buffer.read(), "standard input").removesuffix("\n")
    if not sys.stdin.isatty():
        raise UsageError(
            f"there is no value for {arguments.key}",
            hint=f"pipe it in: compartment variable set {arguments.key} --stdin",
        )
    return _asked(f"{arguments.key}: ", is_hidden=arguments.sensitive)


def _asked(prompt: str, *, is_hidden: bool) -> str:
    """A value that is typed; the prompt keeps off standard output."""
    try:
        if is_hidden:
            return getpass(prompt)
        print(prompt, end="", file=sys.stderr, flush=True)
        return input()
    except EOFError:
        raise UsageError("no value was given", hint="type it, and end it with Enter") from None


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = f"{where} is not UTF-8 (byte {error.start + 1})"
        raise UsageError(message, hint=_ENCODE) from None


def import_variables(arguments: Namespace, output: Output) -> int:
    """Sets all variables of a .env file, or none of them."""
    from core.config.dotenv import read_variables

    scope = service_query(arguments)
    path = Path(arguments.variables_file)
    text = _text(path.read_bytes(), str(path))
    variables, warnings = read_variables(text, str(path), os.environ)
    for warning in warnings:
        output.progress(f"warning: {warning}")
    body = {
        **scope,
        "variables": variables,
        "sensitive": arguments.sensitive,
        "replace": arguments.replace,
    }
    told = ask(lambda client: client.import_variables(body))
    _warn_of_unknown_service(scope, arguments, output)
    output.answer(told, lambda: [_imported(told)])
    return Exit.DONE


def _imported(told: Json) -> str:
    names = told["importedKeyNames"]
    return f"set {counted(len(names), 'variable')} for {_scope(told)}; {_FROM_NOW_ON}"


def _warn_of_unknown_service(scope: Json, arguments: Namespace, output: Output) -> None:
    """A service may be given its variables before there is one, but its name may be a slip."""
    from core.config.document import did_you_mean

    service = scope["service"]
    known = services_in_file(scope["project"], compose_options(arguments))
    if service is None or not known or service in known or _was_deployed(scope):
        return
    hint = did_you_mean(service, known)
    output.progress(f"warning: there is no service {service} in {scope['project']} ({hint})")


def _was_deployed(scope: Json) -> bool:
    try:
        ask(lambda client: client.history({**scope, "limit": 1}))
    except NotFound:
        return False
    return True


def remove_variable(arguments: Namespace, output: Output) -> int:
    """Removes one variable."""
    scope = service_query(arguments)
    told = ask(lambda client: client.remove_variable(arguments.key, scope))
    named = {**scope, "serviceName": scope["service"]}
    output.answer(told, lambda: [f"removed {arguments.key} from {_scope(named)}; {_FROM_NOW_ON}"])
    return Exit.DONE


def list_variables(arguments: Namespace, output: Output) -> int:
    """Names and scopes; values are never listed."""
    scope = service_query(arguments)
    told = ask(lambda client: client.variables(scope))
    output.answer(told, lambda: _list_lines(told))
    return Exit.DONE


def _list_lines(told: Json) -> list[str]:
    rows = [
        (
            each["keyName"],
            each["sensitivity"],
            each["sourceType"],
            each["scopeServiceName"] or each["scopeType"],
        )
        for each in told["variables"]
    ]
    also = told["servicesWithVariables"]
    return [
        *(columns([("KEY", "CLASS", "SOURCE", "SCOPE"), *rows], colour=False) if rows else ()),
        *(() if rows else (f"no variables are set for {_scope(told)}",)),
        *((f"services with their own: {', '.join(also)} (--service NAME)",) if also else ()),
    ]


def show_variable(arguments: Namespace, output: Output) -> int:
    """One variable, with its value unless that is sensitive."""
    scope = service_query(arguments)
    told = ask(lambda client: client.variable(arguments.key, scope))
    output.answer(told, lambda: _show_lines(told["variable"]))
    return Exit.DONE


def _show_lines(variable: Json) -> list[str]:
    value = ["(hidden)"] if variable["valueHidden"] else plain_lines(variable["value"])
    first, more = (value[0], []) if len(value) == 1 else ("", value)
    return [
        *pairs(
            [
                ("Key", variable["keyName"]),
                ("Class", variable["sensitivity"]),
                ("Source", variable["sourceType"]),
                ("Scope", variable["scopeServiceName"] or variable["scopeType"]),
                ("Updated At", moment(variable["updatedAt"])),
                ("Value", first),
            ]
        ),
        *(f"  {line}" for line in more),
    ]


def _scope(told: Json) -> str:
    target = f"{told['project']}/{told['environment']}"
    return f"{target}, service {told['serviceName']}" if told["serviceName"] else target
