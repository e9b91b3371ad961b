from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.document import Position
from core.config.nodes import MAX_DEPTH
from core.config.yaml import MAX_NODES, read_yaml
from tests.config.checks import shown

VALID = b"""\
name: multi-service
services:
  web: &web
    path: "./services/web"
    readiness: {type: http, timeoutMs: 30000}
  api: *web
list:
- [1, 2.5, 'x', ~]
- !!str 5
"""


def problems(content: bytes) -> list[str]:
    return shown(list(read_yaml(content, "f.yml").problems))


def test_data_and_positions() -> None:
    document = read_yaml(VALID, "f.yml")

    web = {"path": "./services/web", "readiness": {"type": "http", "timeoutMs": 30000}}
    assert document.problems == ()
    assert document.data == {
        "name": "multi-service",
        "services": {"web": web, "api": web},
        "list": [[1, 2.5, "x", None], "5"],
    }
    assert document.values[()] == (1, 1)
    assert document.values["name",] == (1, 7)
    assert document.keys["services", "web"] == (3, 3)
    assert document.values["services", "web", "readiness", "timeoutMs"] == (5, 40)
    assert document.keys["services", "web", "readiness", "timeoutMs"] == (5, 29)
    assert document.values["list", 0, 2] == (8, 12)
    assert document.keys["services", "api"] == (6, 3)
    assert document.values["services", "api"] == (6, 8)
    # Inside an alias, the text that would have to be edited is at the anchor.
    assert document.values["services", "api", "path"] == (4, 11)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("on: no", {"on": "no"}),
        ("a: 22:22", {"a": "22:22"}),
        ("a: 0755", {"a": "0755"}),
        ("a: '1'", {"a": "1"}),
        ("a: |\n  true\n", {"a": "true\n"}),
        ("a: !!int 0o17", {"a": 15}),
        ("a: !!float 1", {"a": 1.0}),
        ("a: !!bool true", {"a": True}),
        ("a: !!null ~", {"a": None}),
        ('a: ! "1"', {"a": "1"}),
        ("a: !!map {b: !!seq [1]}", {"a": {"b": [1]}}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
        ("<<: 1", {"<<": 1}),
        ("&k key: 1\nb: {*k : 2}", {"key": 1, "b": {"key": 2}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("\ufeffa: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("false", False),
        ("[]", []),
    ],
)
def test_accepted(text: str, data: Any) -> None:
    document = read_yaml(text.encode(), "f.yml")

    assert document.problems == ()
    assert document.data == data


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1:1: the file is empty"),
        (b"# only a comment\n", "1:1: the file is empty"),
        (b"---\n", "1:1: the file is empty"),
        (b"null\n", "1:1: the file is empty"),
        (b"a: 1\n\xff", "2:1: the file is not UTF-8: byte 0xff (save it with the encoding UTF-8)"),
        (b"a:\n\tb: c", "2:1: a tab cannot indent YAML (use spaces)"),
        (b"a:\n  b: 1\n  \tc: 2", "3:3: a tab cannot indent YAML (use spaces)"),
        (b"a: b: c", "1:5: not valid YAML: mapping values are not allowed in this context"),
        (b"a: [1", "2:1: not valid YAML: did not find expected ',' or ']' (while parsing a flow"),
        (b"a: 'x", "1:6: not valid YAML: found unexpected end of stream (while scanning a quoted"),
        (b"a: 1\n b: 2", "2:3: not valid YAML: mapping values are not allowed in this context"),
        (b"a: !foo x", '1:4: the tag "!foo" is not supported here (remove the tag)'),
        (b"a: !foo [x]", '1:4: the tag "!foo" is not supported here (remove the tag)'),
        (b"a: !!set {x}", '1:4: the tag "!!set" is not supported here (remove the tag)'),
        (b"a: !!map [x]", '1:4: the tag "!!map" is not supported here (remove the tag)'),
        (b"a: !!int x", '1:4: the tag "!!int" is not supported here (remove the tag)'),
        (b"a: !!python/name:os.x x", '1:4: the tag "!!python/name:os.x" is not supported here'),
        (b"!%ED%A0%80 x", "1:1: not valid YAML: it cannot be decoded"),
        (b'a: "\\0"', "1:4: a text cannot hold a NUL character"),
        (b"a: *x", '1:4: the alias "*x" has no anchor above it'),
        (b"a: &x [1, *x]", '1:11: the alias "*x" stands inside its own anchor'),
        (b"a: &x {b: {c: *x}}", '1:15: the alias "*x" stands inside its own anchor'),
        (b"a: 1\n---\nb: 2", "2:1: the file holds more than one document (keep what is above"),
        (b"a:\n" + b"- " * 60 + b"x", f"nested more than {MAX_DEPTH} levels deep"),
    ],
)
def test_nothing_can_be_read(content: bytes, expected: str) -> None:
    document = read_yaml(content, "f.yml")

    (problem,) = problems(content)
    assert document.data is None
    assert expected in problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"[" * 100_000, f"nested more than {MAX_DEPTH} levels deep", id="nesting"),
        pytest.param(b"- x\n" * MAX_NODES, f"more than {MAX_NODES} values", id="values"),
        pytest.param(b"a: " + b"9" * 1_100_000, "larger than 1024 KiB", id="size"),
    ],
)
def test_too_much(content: bytes, expected: str) -> None:
    (problem,) = problems(content)

    assert expected in problem


def test_duplicate_and_odd_keys_do_not_hide_other_problems() -> None:
    content = b"a: 1\nb: 2\na: 3\n1: x\nno: 4\ntrue: 5\n~: 6\n[c]: 7\n? {d: 8}\n: 9\nb: 2\n"

    document = read_yaml(content, "f.yml")

    assert document.data == {"a": 1, "b": 2, "no": 4}
    assert problems(content) == [
        '3:1: the key "a" is given twice (first at line 1, column 1)',
        '4:1: the key "1" is not text (put it in quotes)',
        '6:1: the key "true" is not text (put it in quotes)',
        '7:1: the key "~" is not text (put it in quotes)',
        "8:1: a key cannot be a list or a mapping",
        "9:3: a key cannot be a list or a mapping",
        '11:1: the key "b" is given twice (first at line 2, column 1)',
    ]


def test_aliases_cannot_multiply_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]

    (problem,) = problems("\n".join(lines).encode())

    assert f"more than {MAX_NODES} values, counting aliases" in problem


def test_aliases_cannot_nest_without_bound() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 1)]

    (problem,) = problems("\n".join(lines).encode())

    assert f"nested more than {MAX_DEPTH} levels deep" in problem


def test_position_of_what_is_not_there() -> None:
    document = read_yaml(b"a:\n  b:\n    c: 1\n", "f.yml")

    assert document.position(("a", "b", "c")) == Position(3, 8)
    assert document.position(("a", "b", "d")) == Position(3, 5)
    assert document.position(("a", "b", "d"), at_key=True) == Position(2, 3)
    assert document.position(("x",), at_key=True) == Position(1, 1)


def check_never_raises(content: bytes) -> None:
    document = read_yaml(content, "f.yml")

    assert (document.data is None) <= bool(document.problems)
    lines = content.count(b"\n") + content.count(b"\r") + 1
    for problem in document.problems:
        assert 1 <= problem.line <= lines + 1
        assert problem.column >= 1
        assert str(problem).isprintable()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(content: bytes) -> None:
    check_never_raises(content)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text("ab:- \n\t\"'[]{}&*!|>%#?,~0123.xeo<=@`\\\u2028é", max_size=40))
def test_no_text_raises(text: str) -> None:
    check_never_raises(text.encode())


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.integers(0, len(VALID)),
    st.integers(0, 12),
    st.one_of(st.binary(max_size=4), st.sampled_from([b"&a ", b"*web", b"!!int ", b"\t", b"- "])),
)
def test_no_mutation_of_a_valid_file_raises(start: int, length: int, inserted: bytes) -> None:
    check_never_raises(VALID[:start] + inserted + VALID[start + length :])
