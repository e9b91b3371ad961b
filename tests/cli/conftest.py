"""Commands run in this process: what they print, and what they end with."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from core.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """\
name: shop
services:
  web: .
  backoffice:
    kind: api
    path: .
"""
ROUTES = """\
version: 1
routes:
  - on: web
    path: /api/*
    to: backoffice
    stripPrefix: /api
  - on: web
    path: /health
    to: backoffice
    methods: [GET, HEAD]
"""


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Cli(Protocol):
    """Runs one command."""

    def __call__(self, *arguments: str) -> Done: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in; nothing is in it."""
    root = tmp_path / "My Shop"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def shop(folder: Path) -> Path:
    """The same with a valid project in it."""
    (folder / "compartment.yml").write_text(PROJECT)
    (folder / "compartment.routes.yml").write_text(ROUTES)
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], folder: Path, home: Path) -> Iterator[Cli]:
    """Runs commands in the folder; none of them may make the home, and so start an agent."""

    def run(*arguments: str) -> Done:
        code = main(arguments, "compartment")
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    before = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, before)
    assert not home.exists()
