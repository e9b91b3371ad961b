from __future__ import annotations

import time
from typing import Any

import pytest

from core.config.compose.dialect import read_compose_yaml
from core.config.compose.markers import Override, Reset


def problems(text: str) -> list[str]:
    return [str(each).partition(":")[2] for each in read_compose_yaml(text.encode(), "f").problems]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        # YAML 1.2, so nothing of these is a truth value, a time or a date.
        ("a: no", {"a": "no"}),
        ("a: on", {"a": "on"}),
        ("a: 22:22", {"a": "22:22"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: =", {"a": "="}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: true", {"a": True}),
        ("a: 0x1F", {"a": 31}),
        ("a: 0o17", {"a": 15}),
        # Octal numbers as everybody writes the mode of a file.
        ("a: 0440", {"a": 0o440}),
        ("a: 0755", {"a": 0o755}),
        ("a: 089", {"a": "089"}),
        ('a: "0440"', {"a": "0440"}),
        # Keys are text.
        ("80: a", {"80": "a"}),
        ("true: a", {"true": "a"}),
        ("True: a", {"true": "a"}),
        ("1.5: a", {"1.5": "a"}),
        ("'on': a", {"on": "a"}),
        # Merge keys.
        ("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", {"x": {"a": 1, "b": 2}, "y": {"b": 3, "a": 1}}),
        ("y: {b: 3, <<: {a: 1, b: 2}}", {"y": {"b": 3, "a": 1}}),
        ("y: {<<: [{a: 1}, {a: 2, b: 2}]}", {"y": {"a": 1, "b": 2}}),
        ("y: {<<: []}", {"y": {}}),
        ("!!merge <<: {a: 1}", {"a": 1}),
        ("y: {<<: {a: {b: 1}}, a: {c: 2}}", {"y": {"a": {"c": 2}}}),
        ("y: {<<: [{<<: {a: 1}}, {a: 2}]}", {"y": {"a": 1}}),
        ("a: '<<'", {"a": "<<"}),
        # Tags.
        ("a: !reset null", {"a": Reset()}),
        ("a: !reset", {"a": Reset()}),
        ("a: !reset {b: [1]}", {"a": Reset()}),
        ("a: !override [1]", {"a": Override([1])}),
        ("a: !override {b: !reset 1}", {"a": Override({"b": Reset()})}),
        ("a: !override", {"a": Override(None)}),
        ("a: &x !reset 1\nb: *x", {"a": Reset(), "b": Reset()}),
        ("x: &x {a: !reset 1}\nb: {<<: *x}", {"x": {"a": Reset()}, "b": {"a": Reset()}}),
        ("a: !!str 5", {"a": "5"}),
    ],
)
def test_accepted(text: str, data: Any) -> None:
    document = read_compose_yaml(text.encode(), "f")

    assert document.problems == ()
    assert document.data == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", '3:1: the key "a" is given twice (first at line 1, column 1)'),
        ("80: 1\n'80': 2", '2:1: the key "80" is given twice (first at line 1, column 1)'),
        (
            "<<: {a: 1}\n<<: {b: 1}",
            '2:1: the key "<<" is given twice (merge a list: <<: [*first, *second])',
        ),
        (
            "a: 1\n<<: text",
            '2:5: only mappings can be merged with "<<" (write <<: *anchor, or '
            "<<: [*first, *second])",
        ),
        (
            "<<: [{a: 1}, 5]",
            '1:14: only mappings can be merged with "<<" (write <<: *anchor, or '
            "<<: [*first, *second])",
        ),
        ("~: 1", '1:1: the key "~" is not text (put it in quotes)'),
        ("[a]: 1", "1:1: a key cannot be a list or a mapping"),
        ("a: *b", '1:4: the alias "*b" has no anchor above it'),
        ("a: &b [*b]", '1:8: the alias "*b" stands inside its own anchor'),
        ("a: !Ref b", '1:4: the tag "!Ref" is not supported here (remove the tag)'),
        (
            "a: [!reset 1]",
            "1:5: the tag !reset works on the value of a key only (tag the key around it: "
            "key: !reset ...)",
        ),
        (
            "!override {a: 1}",
            "1:1: the tag !override works on the value of a key only (tag the key around it: "
            "key: !override ...)",
        ),
        (
            "a: 1\n---\nb: 2",
            '2:1: the file holds more than one document (keep what is above "---")',
        ),
        ("a:\n\tb: 1", "2:1: a tab cannot indent YAML (use spaces)"),
        ("", "1:1: the file is empty"),
        ("# nothing", "1:1: the file is empty"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_a_merged_value_is_where_it_is_written() -> None:
    document = read_compose_yaml(b"x: &x\n  a: 1\ny:\n  <<: *x\n  b: 2\n", "f")

    assert document.values["y", "a"] == (2, 6)
    assert document.keys["y", "a"] == (2, 3)
    assert document.values["y", "b"] == (5, 6)


def bomb(line: str, *, levels: int = 30) -> str:
    return "\n".join(["a0: &a0 {k: 1}", *(line.format(n, n - 1) for n in range(1, levels))])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bomb("a{0}: &a{0} [*a{1}, *a{1}, *a{1}]"), "more than 50000 values, counting aliases"),
        (bomb("a{0}: &a{0} {{<<: [*a{1}, *a{1}, *a{1}]}}"), "more than 50000 values are merged"),
        ("a: " + "[" * 60 + "]" * 60, "nested more than 50 levels deep"),
        (bomb("a{0}: &a{0} {{b: *a{1}}}", levels=60), "nested more than 50 levels deep"),
        ("a: " + "x" * 1024 * 1024, "the file is larger than 1024 KiB"),
    ],
    ids=["aliases", "merges", "depth", "depth of aliases", "size"],
)
def test_files_that_grow_are_stopped(text: str, expected: str) -> None:
    start = time.monotonic()

    (found,) = problems(text)

    assert expected in found
    assert time.monotonic() - start < 30
