from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.compose.pipeline import read

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {"FOO": "first", "BAR": "", "JSON": '{"json":2}', "TAG": "1.27", "N": "3", "PORT": "80"}
HEAD = "services:\n  web:\n    image: i\n"


def value(folder: Path, text: str) -> str:
    """The text as a value of a Compose file, in single quotes."""
    quoted = text.replace("'", "''")
    project = read(folder, f"{HEAD}    hostname: '{quoted}'\n", environ=ENVIRON)
    return str(project.service()["hostname"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$FOO-bar", "first-bar"),
        ("a${BAR-d}b", "ab"),
        ("${FOO:+p}", "p"),
        ("${BAR+p}", "p"),
        ("x${NO:-${BAR-d}}", "x"),
        ("${NO-x?y}", "x?y"),
        ("x${BAR?m}", "x"),
        ('${NO:-{"json":1}}', '{"json":1}'),
        ("$${FOO}", "${FOO}"),
        ("${BAR:-d}", "d"),
        ("${NO-d}", "d"),
        ("x${NO:+p}", "x"),
        ("x${BAR:+p}", "x"),
        ("${BAR+$FOO ${FOO:+second}}", "first second"),
        ("ok ${BAR:-/non:-alpha}", "ok /non:-alpha"),
        ('${JSON-{"json":1}}', '{"json":2}'),
        ("${FOO:+${FOO},}B", "first,B"),
        ("$1 $- x$", "$1 $- x$"),
        ("${A:-${B:-c}}", "c"),
    ],
)
def test_operators(tmp_path: Path, text: str, expected: str) -> None:
    assert value(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${}", '"${" is not followed by the name of a variable', "write $$ for a dollar sign"),
        ("${1}", '"${" is not followed by the name of a variable', "write $$ for a dollar sign"),
        ("${ X}", '"${" is not followed by the name of a variable', "write $$ for a dollar sign"),
        (
            "${X }",
            '"${X" is followed neither by "}" nor by :- - :+ + :? ?',
            "write $$ for a dollar sign",
        ),
        (
            "${X!}",
            '"${X" is followed neither by "}" nor by :- - :+ + :? ?',
            "write $$ for a dollar sign",
        ),
        ("${", '"${" is never closed', "write $$ for a dollar sign"),
        (
            "${NO?a:-b}",
            "required variable NO is missing a value: a:-b",
            "set NO in this shell or in .env",
        ),
        (
            "${BAR:?m}",
            "required variable BAR is missing a value: m",
            "set BAR in this shell or in .env",
        ),
        ("${NO:?}", "required variable NO is missing a value", "set NO in this shell or in .env"),
        (
            "${NO:?use ${FOO}}",
            "required variable NO is missing a value: use first",
            "set NO in this shell or in .env",
        ),
    ],
)
def test_errors_have_a_place(tmp_path: Path, text: str, message: str, hint: str) -> None:
    project = read(tmp_path, f"{HEAD}    hostname: '{text}'\n", environ=ENVIRON)

    assert project.problems == [f"1.yml:4:15: {message} ({hint})"]


def test_all_broken_values_are_told(tmp_path: Path) -> None:
    project = read(tmp_path, HEAD + "    hostname: ${A?}\n    user: ${B?}\n")

    assert [each.partition(": ")[0] for each in project.problems] == ["1.yml:4:15", "1.yml:5:11"]


@pytest.mark.parametrize(
    ("written", "key", "expected"),
    [
        ("image: nginx:$TAG", "image", "nginx:1.27"),
        ("environment: [A=$FOO]", "environment", {"A": "first"}),
        ("environment: {A: $FOO}", "environment", {"A": "first"}),
        ("environment: {$FOO: a}", "environment", {"$FOO": "a"}),
        ("command: [a, $FOO]", "command", ["a", "first"]),
        ("init: ${YES:-true}", "init", True),
        ("labels: {a: '${NO:-b}'}", "labels", {"a": "b"}),
        ("expose: ['${PORT}']", "expose", ["80"]),
        ("deploy: {replicas: $N}", "deploy", {"replicas": 3}),
        ("x-own: {a: $FOO}", "x-own", {"a": "first"}),
    ],
)
def test_where_it_happens(tmp_path: Path, written: str, key: str, expected: object) -> None:
    project = read(tmp_path, f"services:\n  web:\n    {written}\n", environ=ENVIRON)

    assert project.service()[key] == expected


def test_every_file_is_interpolated_before_they_are_merged(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        "services: {web: {image: i, ports: ['$PORT:80']}}",
        "services: {web: {ports: ['80:80', '81:$PORT']}}",
        environ=ENVIRON,
    )

    assert [port["published"] for port in project.service()["ports"]] == ["80", "81"]


def test_a_variable_that_is_not_set_is_noted_once(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        HEAD + "    hostname: a$NO\n    user: b$NO\n",
        "services: {web: {domainname: x$NO}}",
    )

    assert project.notes == [
        "1.yml:4:15: the variable NO is not set: it is replaced by nothing "
        "(set it in this shell or in .env, or write ${NO:-})"
    ]


@pytest.mark.parametrize(
    "text", ["${FOO:-$NO}", "${BAR-$NO}", "${NO:-d}", "${NO:+$NOT}", "${NO-}", "$$NO", "$BAR"]
)
def test_nothing_is_noted_where_nothing_is_missing(tmp_path: Path, text: str) -> None:
    project = read(tmp_path, f"{HEAD}    hostname: 'x{text}'\n", environ=ENVIRON)

    assert (project.notes, project.problems) == ([], [])


@pytest.mark.parametrize(
    ("written", "is_dollar_meant"),
    [
        ("environment: {PASSWORD: a$word}", True),
        ("environment: [DB_PASSWORD=a$word]", True),
        ("environment: {API_TOKEN: x$word}", True),
        ("labels: ['auth=user:$apr1$Cxyz']", True),
        ("environment: {A: $2y$05$Ruwu}", True),
        ("environment: {PASSWORD: $word}", False),
        ("environment: ['PASSWORD=$word']", False),
        ("environment: {PASSWORD: '${word}'}", False),
        ("hostname: a$word", False),
    ],
)
def test_a_dollar_sign_in_a_password_is_explained(
    tmp_path: Path, written: str, is_dollar_meant: bool
) -> None:
    project = read(tmp_path, f"{HEAD}    {written}\n")

    (note, *_) = project.notes
    assert ("if the dollar sign is part of the value, write $$" in note) is is_dollar_meant
    assert note.startswith("1.yml:4:")


def test_a_file_cannot_grow_without_bound(tmp_path: Path) -> None:
    lines = "".join(f"  a{n}: $LONG$LONG\n" for n in range(40))

    project = read(tmp_path, f"x-a:\n{lines}", environ={"LONG": "x" * 500_000})

    assert project.problems == [
        "1.yml:18:8: with its variables the file is longer than 16777216 characters"
    ]
