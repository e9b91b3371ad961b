"""Compose projects that nobody would write, with all the files that belong to one.

Shown: whatever Compose files, what they include and extend, their `.env` and their files of
variables hold, there is a model, or an error in words that names the file, the line and the column.
Never a traceback, a hang, or memory without bound: neither from mutations nor from bombs, small
files that mean very much (aliases of aliases, variables of variables, files that include or extend
each other). Reading changes nothing anywhere, and twice the same files give twice the same.

How: the files of the examples in the tests are mutated by hypothesis (their bytes, their lines, and
parts of them in each other's places) and put together at random as base, override, included,
extended and variables; the bombs are written out below. Audit events, the kernel's count of memory
and a clock watch each of them.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from core.config.compose.options import ComposeOptions
from core.config.compose.project import load_compose_project
from tests.proof.fuzz.bombs import BOMBS
from tests.proof.fuzz.mutating import everywhere, mutated
from tests.proof.fuzz.refusals import tried
from tests.proof.fuzz.samples import COMPOSE, VARIABLES
from tests.proof.fuzz.trees import grafted
from tests.proof.fuzz.untouched import untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.proof.fuzz.trying import Fuzz

    Load = Callable[[Mapping[str, bytes], ComposeOptions], Any]

ENVIRON = {"FROM_ENV": "x", "DB_USER": "u", "DB_PASSWORD": "p", "A": "1"}
WORDS = (
    b"include: [b.yml]\n", b"extends: {file: c.yml, service: web}\n", b"env_file: [.env, e.env]\n",
    b"<<: [*a, *b]\n", b"!reset null", b"!override ", b"profiles: [x]\n", b"${A:-${B:?no}}",
    b"services:\n", b"  web:\n", b"    image: a\n", b"x-compartment: ",
)  # fmt: skip
OPTIONS = st.builds(
    ComposeOptions,
    files=st.sampled_from([("compose.yml",), ("compose.yml", "b.yml"), ("b.yml", "c.yml")]),
    env_files=st.sampled_from([(), ("e.env",), (".env", "e.env", "/dev/null")]),
    profiles=st.sampled_from([(), ("x",), ("*", "debug")]),
    environ=st.sampled_from([ENVIRON, {}, {**ENVIRON, "COMPOSE_PROFILES": "debug,,x"}]),
    services=st.sampled_from([(), ("web",), ("nothing", "\x1b")]),
)


@pytest.fixture
def load(tmp_path: Path, fuzz: Fuzz) -> Load:
    def loaded(files: Mapping[str, bytes], options: ComposeOptions) -> Any:
        shutil.rmtree(tmp_path / "shop", ignore_errors=True)
        (tmp_path / "shop").mkdir()
        for name, content in files.items():
            (tmp_path / "shop" / name).write_bytes(content)

        def read() -> Any:
            return load_compose_project(tmp_path / "shop", options)

        with untouched():
            with fuzz.meter.measured(sum(map(len, files.values()))):
                first = tried(read)
            assert tried(read) == first
        return first

    return loaded


def test_projects(load: Load, fuzz: Fuzz) -> None:
    compose = mutated(COMPOSE, WORDS) | grafted(COMPOSE) | st.sampled_from(COMPOSE)
    variables = mutated(VARIABLES) | st.sampled_from(VARIABLES)
    files = st.fixed_dictionaries(
        {"compose.yml": compose, "b.yml": compose, "c.yml": compose},
        optional={".env": variables, "e.env": variables},
    )
    fuzz("Compose projects", load, files, OPTIONS, short=60, whole_s=150)


def test_each_byte_of_a_file(load: Load, fuzz: Fuzz, extent: Callable[[int, int], int]) -> None:
    stride = extent(1801, 11)
    found = [one for number, text in enumerate(COMPOSE) for one in everywhere(text, stride, number)]
    for each in found:
        load({"compose.yml": each}, ComposeOptions(environ=ENVIRON))
    fuzz.report("Compose files, each byte", len(found))


QUICK = {
    *("aliases", "merges, two", "variables in each other", "a long variable in many places"),
    *("a file that includes itself", "includes that double", "a long chain of extends"),
}
"""Those that `make test` has the time for."""


@pytest.mark.parametrize(
    "bomb",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.whole) for each in BOMBS],
)
def test_bombs(load: Load, fuzz: Fuzz, bomb: str) -> None:
    load(BOMBS[bomb], ComposeOptions(environ=ENVIRON))
    fuzz.report(f"bomb: {bomb}", 1)
