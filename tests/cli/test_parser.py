from __future__ import annotations

from importlib import import_module

import pytest

from core.cli.commands import COMMANDS, Command
from core.cli.parser import parse
from core.errors import UsageError

NEEDED = {
    "promote": ["--from", "staging", "--to", "production"],
    "cancel": ["--run", "drn_x"],
    "cron run": ["--service", "nightly"],
    "execution cancel": ["exe_x"],
    "job run": ["--service", "migrate"],
    "routes test": ["GET", "/"],
    "shell": ["--service", "web"],
    "domain add": ["shop.example.com"],
    "domain remove": ["shop.example.com"],
    "user add": ["ann"],
    "user remove": ["ann"],
    "variable import": ["--file", ".env"],
    "variable remove": ["KEY"],
    "variable set": ["KEY"],
    "variable show": ["KEY"],
}


def line(command: Command) -> list[str]:
    return [*command.words.split(), *NEEDED.get(command.words, [])]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_command_is_read_and_leads_to_a_function(command: Command) -> None:
    found = parse(line(command), "compartment")
    assert found.handler == command.handler
    module, _, name = command.handler.partition(":")
    assert callable(getattr(import_module(f"core.cli.{module}"), name))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_common_flags_are_taken_before_and_after(command: Command) -> None:
    flags = ["--project", "shop", "--env", "staging", "--output", "json", "--verbose"]
    flags += ["--engine", "process", "--timeout", "3"]
    before = parse([*flags, *line(command)], "compartment")
    after = parse([*line(command), *flags], "compartment")
    assert vars(before) == vars(after)
    assert (after.project, after.env, after.output, after.timeout) == ("shop", "staging", "json", 3)


def test_what_stands_after_wins() -> None:
    found = parse(["--env", "one", "status", "--env", "two"], "compartment")
    assert found.env == "two"


def test_defaults() -> None:
    found = parse(["deploy"], "compartment")
    assert (found.project, found.env, found.output, found.timeout) == (
        None, "production", "text", None,
    )  # fmt: skip
    assert (found.service, found.label, found.detach, found.no_cache) == ([], None, False, False)
    assert parse(["routes", "test", "GET", "/"], "compartment").service == "web"
    assert parse(["logs"], "compartment").tail == 100


def test_services_are_repeatable_and_do_not_leak_into_the_next_command() -> None:
    found = parse(["deploy", "--service", "web", "--service", "api"], "compartment")
    assert found.service == ["web", "api"]
    assert parse(["deploy"], "compartment").service == []


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["statsu"], "there is no command 'statsu'", "did you mean status?"),
        (["agent", "strat"], "there is no command 'agent strat'", "did you mean start?"),
        (["xyz"], "there is no command 'xyz'", "see: compartment --help"),
        (["deploy", "--serivce", "x"], "unrecognized arguments: --serivce x", None),
        (["deploy", "--serv", "x"], "unrecognized arguments: --serv x", None),
        (["status", "--output", "xml"], "invalid choice: 'xml'", "see: compartment status --help"),
        (["deploy", "--timeout", "soon"], "'soon' is no time to wait", None),
        (["status", "--output", "jsonl"], "jsonl is only for deploy", "use --output json"),
        (["deploy", "--label", "\udcff"], "is not UTF-8", None),
        (["cancel"], "required: --run", None),
        ([], "required: COMMAND", None),
        (["agent"], "required: COMMAND", "see: compartment agent --help"),
    ],
)
def test_usage_errors(arguments: list[str], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse(arguments, "compartment")
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert hint is None or caught.value.hint == hint


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_host_names_a_server_where_that_makes_sense(command: Command) -> None:
    words = ["--host", "me@server:2222", *line(command)]
    if command.is_local:
        with pytest.raises(UsageError, match="knows no --host"):
            parse(words, "compartment")
    else:
        assert str(parse(words, "compartment").server) == "me@server:2222"


def test_after_agent_start_host_is_where_the_gateway_listens() -> None:
    for flag in ("--host", "--listen"):
        found = parse(["--host", "server", "agent", "start", flag, "0.0.0.0"], "compartment")
        assert (str(found.server), found.host) == ("server", "0.0.0.0")
