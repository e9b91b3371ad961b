from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.config.compose.environment import with_env_files
from core.config.compose.paths import absolute
from core.config.compose.report import Report
from core.config.compose.tree import plain
from core.config.compose.variables import with_variables
from tests.config.compose.pipeline import Json, read, shown, write

if TYPE_CHECKING:
    from collections.abc import Mapping


def resolved(
    folder: Path, written: str, environ: Mapping[str, str] | None = None
) -> tuple[Json, list[str]]:
    """A service with its variables, and what is wrong."""
    project = read(folder, f"services:\n  web: {{image: i, {written}}}\n", environ=environ)
    assert project.tree is not None
    found = with_variables(project.tree, environ or {}, project.report)
    return plain(found)["services"]["web"], shown(project.report.problems)


FILES = {
    "a.env": "A=1\nB=a\n",
    "b.env": "B=b\nC=3\n",
    "quoted.env": 'Q=\'$A\'\nD="x\\ty"\nE="$A"\n',
    "named.env": "KNOWN\nUNKNOWN\nEMPTY=\n",
    "uses.env": "A=1\nB=$A\n",
    "commented.env": "# comment\n\n  # comment\nA=1 # no comment\n B= '\n",
    "later.env": "D=${A}-${C}\n",
}


@pytest.mark.parametrize(
    ("written", "environ", "expected"),
    [
        # Files.
        ("env_file: a.env", {}, {"A": "1", "B": "a"}),
        ("env_file: ./a.env", {}, {"A": "1", "B": "a"}),
        ("env_file: [a.env, b.env]", {}, {"A": "1", "B": "b", "C": "3"}),
        ("env_file: [b.env, a.env]", {}, {"A": "1", "B": "a", "C": "3"}),
        ("env_file: {path: a.env}", {}, {"A": "1", "B": "a"}),
        ("env_file: [{path: a.env, required: true}]", {}, {"A": "1", "B": "a"}),
        ("env_file: [a.env, {path: no.env, required: false}]", {}, {"A": "1", "B": "a"}),
        ("env_file: /dev/null", {}, None),
        ("env_file: [a.env, b.env, later.env]", {}, {"A": "1", "B": "b", "C": "3", "D": "1-3"}),
        # Quotes and variables in them.
        ("env_file: quoted.env", {"A": "5"}, {"Q": "$A", "D": "x\ty", "E": "5"}),
        (
            "env_file: {path: quoted.env, format: raw}",
            {"A": "5"},
            {"Q": "'$A'", "D": '"x\\ty"', "E": '"$A"'},
        ),
        # The caller's environment is looked at first, but does not replace what a file says.
        ("env_file: uses.env", {"A": "5"}, {"A": "1", "B": "5"}),
        ("env_file: named.env", {"KNOWN": "k"}, {"KNOWN": "k", "EMPTY": ""}),
        (
            "env_file: {path: commented.env, format: raw}",
            {},
            {"A": "1 # no comment", "B": " '"},
        ),
        ("env_file: {path: named.env, format: raw}", {"KNOWN": "k"}, {"KNOWN": "k", "EMPTY": ""}),
        # What is written comes over the files.
        ("env_file: a.env, environment: {B: w}", {}, {"A": "1", "B": "w"}),
        ("env_file: a.env, environment: {B: ''}", {}, {"A": "1", "B": ""}),
        ("env_file: a.env, environment: [B=w, C]", {"C": "c"}, {"A": "1", "B": "w", "C": "c"}),
        ("environment: {A: 1, B: 1.5, C: true}", {}, {"A": "1", "B": "1.5", "C": "true"}),
        # Without a value it is the caller's.
        ("environment: [A]", {"A": "5"}, {"A": "5"}),
        ("environment: {A: }", {"A": "5"}, {"A": "5"}),
        ("environment: [A]", {"A": ""}, {"A": ""}),
        ("environment: [A, B=1]", {}, {"B": "1"}),
        ("environment: [A]", {}, {}),
        ("environment: ['A=']", {"A": "5"}, {"A": ""}),
        ("environment: ['A=b=c']", {}, {"A": "b=c"}),
        ("environment: ['A= b ']", {}, {"A": " b "}),
        ("user: u", {"A": "5"}, None),
    ],
)
def test_variables_of_a_service(
    tmp_path: Path, written: str, environ: Mapping[str, str], expected: Any
) -> None:
    write(tmp_path, FILES)

    service, problems = resolved(tmp_path, written, environ)

    assert problems == []
    assert service.get("environment") == expected
    assert "env_file" not in service


def test_a_service_may_say_nothing(tmp_path: Path) -> None:
    project = read(tmp_path, "services: {web: }")
    assert project.tree is not None

    assert plain(with_variables(project.tree, {}, project.report))["services"] == {"web": None}


def test_labels_of_files(tmp_path: Path) -> None:
    write(tmp_path, {"one.labels": "a=1\nb=1", "two.labels": "b=2\nc=2"})

    service, problems = resolved(
        tmp_path, "label_file: [one.labels, two.labels], labels: {c: 3}", {"a": "not me"}
    )

    assert problems == []
    assert service["labels"] == {"a": "1", "b": "2", "c": "3"}
    assert "label_file" not in service


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "env_file: no.env",
            "1.yml:2:29: the file no.env does not exist "
            "(create it, or write it as: {path: ..., required: false})",
        ),
        ("label_file: no.env", "1.yml:2:31: the file no.env does not exist (create it)"),
        ("env_file: folder", "folder:1:1: folder is not a file"),
        ("env_file: pipe", "pipe:1:1: pipe is not a file"),
        ("env_file: {path: pipe, format: raw}", "pipe:1:1: pipe is not a file"),
        ("env_file: broken.env", "broken.env:2:3: the quote that opens here is never closed"),
        ("env_file: latin.env", "latin.env:1:3: the file is not UTF-8: byte 0xe9"),
        ("env_file: {path: latin.env, format: raw}", "latin.env:1:3: the file is not UTF-8"),
        ("env_file: {path: spaced.env, format: raw}", 'spaced.env:1:1: "A " is no name'),
        (
            "env_file: [{path: folder, required: false}]",
            "folder:1:1: folder is not a file",
        ),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, written: str, expected: str) -> None:
    write(tmp_path, {"folder/x": "", "broken.env": "A=1\nB='x\n", "spaced.env": "A =1\n"})
    (tmp_path / "latin.env").write_bytes(b"A=\xe9\n")
    os.mkfifo(tmp_path / "pipe")

    _, problems = resolved(tmp_path, written)

    (problem,) = problems
    assert problem.startswith(expected)


def test_variables_know_which_file_they_are_from(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    project = read(tmp_path, "services:\n  web:\n    env_file:\n      - a.env\n")
    assert project.tree is not None

    found = with_variables(project.tree, {}, project.report)

    environment = found.value["services"].value["web"].value["environment"].value
    assert environment["A"].place == ("1.yml", (4, 9))


def test_a_dollar_sign_in_a_file_is_explained(tmp_path: Path) -> None:
    write(tmp_path, {"a.env": "A=1\nPASSWORD=x$y\n"})
    project = read(tmp_path, "services: {web: {image: i, env_file: a.env}}")
    assert project.tree is not None

    with_variables(project.tree, {}, project.report)

    assert shown(project.report.notes) == [
        "a.env:2:10: the variable y is not set: it is replaced by nothing "
        "(if the dollar sign is part of the value, put it into single quotes)"
    ]


@pytest.mark.parametrize(
    ("environ", "files", "expected"),
    [
        ({}, [], {}),
        ({"A": "shell"}, ["A=file"], {"A": "shell"}),
        ({}, ["A=1", "A=2"], {"A": "2"}),
        ({"X": "x"}, ["A=$X"], {"X": "x", "A": "x"}),
        ({}, ["A=1", "B=$A"], {"A": "1", "B": "1"}),
        ({}, ["A=1\nB=$A", "A=2"], {"A": "2", "B": "1"}),
        ({"A": "5"}, ["A=1\nB=$A"], {"A": "5", "B": "5"}),
        ({"A": ""}, ["A=1"], {"A": ""}),
    ],
)
def test_files_of_a_project(
    tmp_path: Path, environ: Mapping[str, str], files: list[str], expected: Mapping[str, str]
) -> None:
    paths = [tmp_path / f"{number}.env" for number in range(len(files))]
    write(tmp_path, {path.name: text for path, text in zip(paths, files, strict=True)})
    report = Report(tmp_path)

    assert with_env_files(environ, paths, report) == expected
    assert not report.problems


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", "{0}/p/a"),
        ("./a/../b", "{0}/p/b"),
        ("../a", "{0}/a"),
        ("/a", "/a"),
        ("~/a", "/home/me/a"),
        ("a~", "{0}/p/a~"),
    ],
)
def test_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert absolute(path, tmp_path / "p") == Path(expected.format(tmp_path))
