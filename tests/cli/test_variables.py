"""The variable commands against a real agent: what they print, and what they end with."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from core.cli.main import main
from core.model import Service
from tests.agent.inside import agent_inside
from tests.cli.conftest import Done
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Cli

HOSTILE = "$HOME `id` \"w'\\ #=;&|<>*? \n\ttab é日🙂 \n"
PATIENCE_S = 60
IN_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Makes its standard input the controlling terminal, then becomes the program."""


@pytest.fixture
def agent(home: Path) -> Iterator[None]:
    """An agent beside the test, on a thread of its own; service old was deployed to it once."""
    is_up, is_over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with agent_inside(home) as (platform, _):
            await platform.ledger.write(deployment(service=Service("old", ".")))
            is_up.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert is_up.wait(PATIENCE_S)
    yield
    is_over.set()
    thread.join(PATIENCE_S)


@pytest.fixture
def variable(agent: None, shop: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a variable command in the project."""

    def run(*arguments: str) -> Done:
        code = main(["variable", *arguments], "compartment")
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def value_of(variable: Cli, *arguments: str) -> str | None:
    done = variable("show", *arguments, "--output", "json")
    assert done.code == 0, done.err
    found: str | None = json.loads(done.out)["variable"]["value"]
    return found


def test_a_value_is_kept_byte_for_byte(variable: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert variable("set", "A", HOSTILE).out == (
        "set A for shop/production; in force from the next deploy\n"
    )
    assert value_of(variable, "A") == HOSTILE
    for content, expected in ((b"a\n\n", "a\n"), (b"a\r\n", "a\r"), (b"", ""), (b"a", "a")):
        piped(monkeypatch, content)
        assert variable("set", "A", "--stdin").code == 0
        assert value_of(variable, "A") == expected
    assert variable("set", "A", "").code == 0
    assert value_of(variable, "A") == ""
    assert variable("set", "A", "--", "-x").code == 0
    assert value_of(variable, "A") == "-x"


def test_what_is_sensitive_is_never_shown(variable: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"hunter22")
    told = [variable("set", "A", "--stdin", "--sensitive", "--output", "json")]
    told += [
        variable(verb, *more, "--output", form)
        for verb, more in (("list", ()), ("show", ("A",)))
        for form in ("text", "json")
    ]
    assert [each.code for each in told] == [0] * 5
    assert not any("hunter22" in each.out + each.err for each in told)
    assert "Value:       (hidden)\n" in told[3].out
    assert json.loads(told[4].out)["variable"]["valueHidden"] is True


def test_the_list_says_where_each_comes_from_and_no_value(variable: Cli) -> None:
    assert variable("list").out == "no variables are set for shop/production\n"
    variable("set", "A", "value-of-a")
    variable("set", "B", "value-of-b", "--service", "web")
    assert variable("list").out.splitlines() == [
        "KEY  CLASS  SOURCE  SCOPE",
        "A    plain  direct  environment",
        "services with their own: web (--service NAME)",
    ]
    assert variable("list", "--service", "web").out.splitlines() == [
        "KEY  CLASS  SOURCE     SCOPE",
        "A    plain  inherited  environment",
        "B    plain  direct     web",
    ]
    assert "value-of" not in variable("list", "--output", "json").out
    assert variable("list", "--env", "staging").out == ("no variables are set for shop/staging\n")


def test_a_service_that_is_not_there_may_be_a_slip(variable: Cli, shop: Path) -> None:
    done = variable("set", "A", "1", "--service", "wbe")
    assert (done.code, done.out[:6]) == (0, "set A ")
    assert done.err == 'warning: there is no service wbe in shop (did you mean "web"?)\n'
    assert value_of(variable, "A", "--service", "wbe") == "1"
    (shop / "a.env").write_text("A=1\n")
    done = variable("import", "--file", "a.env", "--service", "zzz")
    assert (done.code, done.err) == (
        0, "warning: there is no service zzz in shop (valid: backoffice, web)\n"
    )  # fmt: skip
    for known in (
        ["--service", "web"],
        ["--service", "wbe", "--project", "other"],
        ["--service", "old"],
        [],
    ):
        assert variable("set", "A", "1", *known).err == ""


def test_a_port_is_a_port(variable: Cli, shop: Path) -> None:
    for text in ("1", "8080", "65535"):
        assert variable("set", "PORT", text).code == 0
        assert value_of(variable, "PORT") == text
    (shop / "a.env").write_text("A=1\nPORT=abc\n")
    done = variable("import", "--file", "a.env", "--service", "web")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: PORT must be a port: 1 to 65535")
    assert variable("show", "A").code == 1


def test_show_and_remove(variable: Cli) -> None:
    variable("set", "A", "one\n\x1b[2Jtwo")
    done = variable("show", "A")
    assert done.out.splitlines()[-3:] == ["Value:", "  one", "  two"]
    assert variable("remove", "A").out == (
        "removed A from shop/production; in force from the next deploy\n"
    )
    again = variable("remove", "A")
    assert (again.code, again.out) == (1, "")
    assert again.err.splitlines() == [
        'error: variable "A" is not set for shop/production',
        "  see: compartment variable list --env production",
    ]
    assert variable("show", "A", "--output", "json").code == 1


def test_import(variable: Cli, shop: Path) -> None:
    (shop / "a.env").write_text('ONE=1\nTWO=\'$literal "x"\'\nexport THREE="a\\nb"\n')
    variable("set", "OLD", "1")
    done = variable("import", "--file", "a.env", "--sensitive")
    assert (done.code, done.out) == (
        0, "set 3 variables for shop/production; in force from the next deploy\n",
    )  # fmt: skip
    done = variable(
        "import", "--file", "a.env", "--replace", "--service", "web", "--output", "json"
    )
    assert json.loads(done.out)["importedKeyNames"] == ["ONE", "THREE", "TWO"]
    assert value_of(variable, "TWO", "--service", "web") == '$literal "x"'
    assert value_of(variable, "THREE", "--service", "web") == "a\nb"
    assert value_of(variable, "OLD") == "1"
    variable("import", "--file", "a.env", "--replace")
    assert variable("show", "OLD").code == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.env:1:1"),
        (b"A=1\nA=2\n", "a.env:2:1"),
        (b"A='open\n", "a.env:1"),
        (b"COMPARTMENT_X=1\n", "a.env:1:1"),
        (b"A=\xff\n", "a.env is not UTF-8 (byte 3)"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(
    variable: Cli, shop: Path, content: bytes, message: str
) -> None:
    (shop / "a.env").write_bytes(content)
    done = variable("import", "--file", "a.env", "--replace")
    assert done.code == 2
    assert message in done.err
    assert variable("import", "--file", "missing.env").code == 1
    assert variable("list").out == "no variables are set for shop/production\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["A", "x", "--sensitive"], ["on the command line", "--stdin"]),
        (["A", "x", "--stdin"], ["a value and --stdin", "leave one of them out"]),
        (["A"], ["there is no value for A", "--stdin"]),
        (["A=x"], ["two arguments", "variable set A VALUE"]),
        (["A", "--stdin"], ["standard input is not UTF-8 (byte 2)", "base64"]),
        (["1A", "x"], ['"1A" cannot be the name', "letters, digits and _"]),
        (["A", "x" * 131_072], ["128 KiB", "path of the file"]),
        *(
            (["PORT", text], ["PORT must be a port: 1 to 65535", "the service listens on"])
            for text in ("abc", "0", "65536", "", "-1", "8080 ", "٣", "9" * 5000)
        ),
    ],
)
def test_what_is_refused_says_how_to_do_it(
    variable: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    piped(monkeypatch, b"a\xff")
    done = variable("set", *arguments)
    assert done.code == 2
    first, second = done.err.splitlines()
    assert words[0] in first
    assert words[1] in second
    assert variable("list").out == "no variables are set for shop/production\n"


@pytest.mark.parametrize("is_hidden", [True, False])
def test_a_value_is_asked_for_on_a_terminal(variable: Cli, *, is_hidden: bool) -> None:
    ours, theirs = pty.openpty()
    flags = ["--sensitive"] if is_hidden else []
    command = [sys.executable, "-P", "-m", "core.cli.main", "variable", "set", "A", *flags]
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, *command],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"A: " not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, b"typed value\n")
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out[:6]) == (0, b"set A ")
    with suppress(OSError):  # the end of a terminal that nobody has open any more
        while more := os.read(ours, 1000):
            shown += more
    os.close(ours)
    assert (b"typed" in shown) is not is_hidden
    assert value_of(variable, "A") == (None if is_hidden else "typed value")
