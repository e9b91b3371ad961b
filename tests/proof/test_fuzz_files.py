"""Project files that nobody would write, and what is made of them.

Shown: whatever stands in `compartment.yml`, `compartment.routes.yml`, `config.toml`, a `.env` file
or the template of a notification, there is a result, or an error in words that names the file, the
line and the column. Never a traceback, a hang, or memory without bound. Reading changes nothing
anywhere, and twice the same files give twice the same.

How: valid files (those of the examples, and one with every key there is) are mutated by hypothesis:
their bytes, their lines, their words, and parts of them in each other's places; and each byte of
them is left out, changed and doubled in turn. Python's own audit events tell whether anything was
written, started or connected to meanwhile; the kernel tells the memory that each input took.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from core.config.dotenv import read_dotenv, read_variables
from core.config.project import load_project
from core.config.settings import FILE_VARIABLE, read_settings
from core.config.templates import FIELDS, check, is_json, render
from tests.proof.fuzz.mutating import everywhere, mutated
from tests.proof.fuzz.refusals import tried
from tests.proof.fuzz.samples import DESCRIPTORS, ROUTES, SETTINGS, TEMPLATES, VARIABLES
from tests.proof.fuzz.trees import grafted
from tests.proof.fuzz.untouched import untouched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.proof.fuzz.trying import Fuzz

NAMES = ("compartment.yml", "compartment.routes.yml")
WORDS = (b"kind: cron\n", b"services:\n", b"readiness: ", b"path: ", b"- {on: web, path: /*}\n")
ENVIRON = {"A": "one", "B": "", "LONG": "x" * 1000}


def both(read: Callable[[], Any], size_bytes: int, fuzz: Fuzz) -> Any:
    """What is read, or what is wrong with it: the same both times, and nothing is touched."""
    with untouched():
        with fuzz.meter.measured(size_bytes):
            first = tried(read)
        assert tried(read) == first
    return first


@pytest.fixture
def loaded(tmp_path: Path, fuzz: Fuzz) -> Callable[[bytes, bytes], None]:
    def load(descriptor: bytes, routes: bytes) -> None:
        for name, content in zip(NAMES, (descriptor, routes), strict=True):
            (tmp_path / name).write_bytes(content)
        both(lambda: load_project(tmp_path), len(descriptor) + len(routes), fuzz)

    return load


def test_project_files(loaded: Callable[[bytes, bytes], None], fuzz: Fuzz) -> None:
    descriptors = mutated(DESCRIPTORS, WORDS) | grafted(DESCRIPTORS)
    routes = mutated(ROUTES, WORDS) | grafted(ROUTES)
    whole = st.sampled_from(DESCRIPTORS), st.sampled_from(ROUTES)
    pairs = st.tuples(descriptors, whole[1]) | st.tuples(whole[0], routes)
    fuzz("project files", lambda pair: loaded(*pair), pairs, short=60, whole_s=45)


def test_each_byte_of_project_files(
    loaded: Callable[[bytes, bytes], None], fuzz: Fuzz, extent: Callable[[int, int], int]
) -> None:
    stride = extent(97, 1)
    descriptors, routes = (everywhere(each[-1], stride) for each in (DESCRIPTORS, ROUTES))
    for each in descriptors:
        loaded(each, ROUTES[-1])
    for each in routes:
        loaded(DESCRIPTORS[-1], each)
    fuzz.report("project files, each byte", len(descriptors) + len(routes))


def test_settings(tmp_path: Path, fuzz: Fuzz) -> None:
    file = tmp_path / "config.toml"
    environ = {FILE_VARIABLE: str(file)}

    def read(content: bytes, variable: str) -> None:
        file.write_bytes(content)
        both(lambda: read_settings({**environ, **said(variable)}), len(content), fuzz)

    def said(text: str) -> dict[str, str]:
        name, _, value = text.partition("=")
        return {f"COMPARTMENT_{name}": value} if name else {}

    variables = st.sampled_from(["", "PORT=x", "PORT=-1", "HOST=\x1b[31m", "KEEP_RELEASES=9e9"])
    words = (b"[[notifications]]\n", b"on = []\n", b"port = ", b'"""', b"'''", b"1979-05-27")
    fuzz("settings", read, mutated(SETTINGS, words), variables, short=50, whole_s=25)


def test_env_files(fuzz: Fuzz) -> None:
    def read(content: bytes) -> None:
        text = content.decode(errors="replace")
        both(lambda: read_dotenv(text, ".env", ENVIRON), len(content), fuzz)
        both(lambda: read_variables(text, ".env", ENVIRON), len(content), fuzz)

    words = (b"export ", b"${A", b"${B:-", b":?", b"}", b"\\n", b"X=", b"='", b'="', b"$LONG")
    fuzz("env files", read, mutated(VARIABLES, words), short=80, whole_s=25)


def test_templates(fuzz: Fuzz) -> None:
    values = {name: 7 if name == "id" else f'"\\{{{name}}}\n\x1b\u2028é' for name in FIELDS}

    def read(content: bytes) -> None:
        text = content.decode(errors="replace")
        try:
            check(text)
        except PydanticCustomError:
            return
        with fuzz.meter.measured(len(content)):
            made = render(text, values)
        if is_json(text):
            json.loads(made, strict=False)

    words = (b"{", b"}", b"{id}", b"{message}", b"{nothing}", b'"', b"[", b",", b'{"')
    fuzz("templates", read, mutated(TEMPLATES, words), short=80, whole_s=15)


CHAIN = b",".join(b"s%d: {path: ., dependsOn: {s%d: {}}}" % (n, n + 1) for n in range(5000))
KEYS = b",".join(b"k%d: {x: {y: {z: 1}}}" % n for n in range(9000))
RULES = b"".join(b"- {on: web, path: /%d/*, to: web, stripPrefix: /x}\n" % n for n in range(5000))
STARS = b"- {on: web, to: web, path: /" + b"a/*" * 300_000 + b"}"

TOO_MUCH = {
    "dots": (NAMES[0], b"name: a\nservices: {web: {path: " + b"../" * 100_000 + b"}}"),
    "a long name": (NAMES[0], b"name: " + b"a" * 1_000_000),
    "a chain": (NAMES[0], b"name: a\nservices: {" + CHAIN + b"}"),
    "unknown keys": (NAMES[0], b"name: a\nservices: {" + KEYS + b"}"),
    "rules": (NAMES[1], b"version: 1\nroutes:\n" + RULES),
    "stars": (NAMES[1], b"version: 1\nroutes:\n" + STARS),
}


@pytest.mark.whole
@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_of_it(loaded: Callable[[bytes, bytes], None], fuzz: Fuzz, what: str) -> None:
    name, content = TOO_MUCH[what]
    is_routes = name == NAMES[1]
    loaded(DESCRIPTORS[0] if is_routes else content, content if is_routes else ROUTES[0])
    fuzz.report(f"too much: {what}", 1)
