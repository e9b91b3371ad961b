"""Any command line, and any standard input.

Shown: whatever stands on the command line of `compartment`, in its standard input and in the files
that it names, it ends with one of its exit codes, and says what is wrong in words. Never a
traceback, never a code that steers the terminal.

How: hypothesis makes command lines of the real commands and flags, with values that are wrong,
endless, of another kind, or no text. They run in this process, in a folder with project files,
without an agent: none can be started, and no program is found.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from core.agent import launcher
from core.cli.commands import COMMANDS, COMMON
from core.cli.main import main
from core.errors import AgentUnavailable
from tests.proof.fuzz.mutating import NASTY, mutated
from tests.proof.fuzz.samples import COMPOSE, DESCRIPTORS, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.proof.fuzz.trying import Fuzz

EXITS = {0, 1, 2, 3, 4, 5, 6, 129, 130, 141, 143}
STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NOT_HERE = {"agent run", "agent install", "shell"}
"""What would go on for ever, change the machine, or take the terminal."""

WORDS = [each.words for each in COMMANDS if each.words not in NOT_HERE]
FLAGS = sorted({
    name for flag in [*COMMON, *(f for each in COMMANDS for f in each.flags)] for name in flag.names
    if name.startswith("-") and name != "--verbose"  # which is there to show tracebacks
})  # fmt: skip
VALUES = st.sampled_from([
    *("", "-", "--", "web", "production", "0", "-1", "9" * 30, "1e999", "nan", "10m", "5x"),
    *("x" * 999, "a b", "'", '"'),
    *("2026-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "99999999999999d"),
    *("json", "jsonl", "text", "compose.yml", "vars.env", ".", "/", "/dev/null", "nowhere", "a=b"),
    *("(", "(a+)+$", "[", "é", "\u202e", "\x1b[31m", "\ud800", "*.example.com", "xn--"),
    *("GET", "/%2e", "/api/*"),
    *("ssh://[", "user@host:0", "host:99999", "-oProxyCommand=x", "dep_1", "drn_1", "stdout"),
]) | st.sampled_from(NASTY).map(lambda raw: raw.decode(errors="surrogateescape"))  # fmt: skip
LINES = st.tuples(
    st.sampled_from(WORDS).map(str.split) | st.lists(VALUES, max_size=2),
    st.lists(st.sampled_from(FLAGS) | VALUES, max_size=6),
).map(lambda parts: [*parts[0], *parts[1]])


@pytest.fixture
def folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))

    async def refused(*_: object) -> None:
        raise AgentUnavailable("no agent can be started here")

    for name in ("launch", "launch_again"):
        monkeypatch.setattr(launcher, name, refused)
    return root


def test_command_lines(folder: Path, fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(line: Sequence[str], descriptor: bytes, variables: bytes, given: bytes) -> None:
        for each in folder.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        (folder / "compartment.yml").write_bytes(descriptor)
        (folder / "compose.yml").write_bytes(COMPOSE[0])
        (folder / "vars.env").write_bytes(variables)
        with monkeypatch.context() as patch:
            streams = [io.TextIOWrapper(io.BytesIO(content)) for content in (given, b"", b"")]
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            with fuzz.meter.measured(len(given)):
                code = main(line, "compartment")
            said = [stream.buffer.getvalue().decode() for stream in streams[1:]]
        assert code in EXITS, (line, code)
        for text in said:
            assert "Traceback" not in text, text
            assert "internal error" not in text, (line, text)
            assert not STEERS.search(text), (line, ascii(text[:500]))

    inputs = mutated(VARIABLES) | st.binary(max_size=200) | st.just(b"")
    descriptors = st.sampled_from(DESCRIPTORS) | mutated(DESCRIPTORS)
    fuzz("command lines", run, LINES, descriptors, inputs, inputs, short=60, whole_s=90)
