"""The user commands against a real agent: what they print, and what they end with."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from core.cli.main import main
from core.promotion.users import digest_of
from core.records import Target
from tests.agent.inside import agent_inside
from tests.cli.conftest import Done

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.platform import Platform
    from tests.cli.conftest import Cli

PATIENCE_S = 30
PRODUCTION = Target("shop", "production")


@pytest.fixture
def platform(home: Path) -> Iterator[Platform]:
    """That of an agent beside the test, on a thread of its own."""
    up: list[Platform] = []
    is_up, is_over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with agent_inside(home) as (found, _):
            up.append(found)
            is_up.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert is_up.wait(PATIENCE_S)
    yield up[0]
    is_over.set()
    thread.join(PATIENCE_S)


@pytest.fixture
def user(platform: Platform, shop: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a user command in the project."""

    def run(*arguments: str) -> Done:
        code = main(["user", *arguments], "compartment")
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def digest(platform: Platform, name: str, target: Target = PRODUCTION) -> str:
    return platform.ledger.users[target, name].digest


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_password_is_made_and_shown_once(user: Cli, platform: Platform) -> None:
    done = user("add", "ann")
    first, password, last = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert (first, last) == ("added ann in shop/production; in force now", "it is not shown again")
    made = password.removeprefix("password: ")
    # 24 of 64 signs: 144 bits.
    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", made)
    assert digest(platform, "ann") == digest_of(made)
    again = json.loads(user("add", "ann", "--output", "json").out)
    assert again.pop("password") != made
    assert again == {
        "project": "shop",
        "environment": "production",
        "name": "ann",
        "isNew": False,
    }
    for form in ("text", "json"):
        assert made not in user("list", "--output", form).out


def test_a_password_is_read(user: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, end in (("ann", b""), ("bob", b"\n"), ("eve", b"\r\n")):
        piped(monkeypatch, "pässwörd mit Leerzeichen ".encode() + end)
        done = user("add", name, "--password-stdin", "--env", "staging")
        assert (done.code, done.out) == (0, f"added {name} in shop/staging; in force now\n")
        kept = digest(platform, name, Target("shop", "staging"))
        assert kept == digest_of("pässwörd mit Leerzeichen ")


NO_PASSWORDS = {
    b"": "the password is too short: it needs 12 characters or more",
    b"elevensigns\n": "the password is too short: it needs 12 characters or more",
    b"\xff\xfe": "the password is not UTF-8",
    b"one password\none more\n": "the password has a character that nobody can type",
}


def test_what_is_read_may_be_no_password(
    user: Cli, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content, error in NO_PASSWORDS.items():
        piped(monkeypatch, content)
        done = user("add", "ann", "--password-stdin")
        assert (done.code, done.out, done.err.startswith(f"error: {error}")) == (2, "", True)
        assert len(done.err.splitlines()) == 2
    assert platform.ledger.users == {}


def test_users_are_listed_and_removed(user: Cli) -> None:
    assert user("list").out == "no user has a login in shop/production\n"
    for name in ("bob", "ann"):
        user("add", name)
    assert user("list").out == "ann\nbob\n"
    assert json.loads(user("list", "--output", "json").out) == {
        "project": "shop",
        "environment": "production",
        "users": [{"name": "ann"}, {"name": "bob"}],
    }
    assert user("remove", "bob").out == "removed bob from shop/production; in force now\n"
    done = user("remove", "bob")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        'error: there is no user "bob" in shop/production',
        "  those there are: ann",
    ]
    done = user("add", "b:b")
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        'error: "b:b" cannot be the name of a user',
    )
