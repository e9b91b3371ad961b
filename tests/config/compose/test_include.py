from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.compose.pipeline import read, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "include",
    [
        "[sub/compose.yml]",
        "[{path: sub/compose.yml}]",
        "[{path: [sub/compose.yml]}]",
        "['${SUB:-sub}/compose.yml']",
        "[{path: sub/compose.yml, project_directory: sub}]",
    ],
)
def test_forms(tmp_path: Path, include: str) -> None:
    write(tmp_path, {"sub/compose.yml": "services: {db: {build: ./db}}\nvolumes: {v: }"})

    project = read(tmp_path, f"include: {include}\nservices: {{web: {{image: i}}}}")

    assert project.problems == []
    assert project.service("db")["build"]["context"] == str(tmp_path / "sub/db")
    assert project.model["volumes"] == {"v": None}
    assert "include" not in project.model
    assert project.place("services", "db") == "sub/compose.yml:1:12"


def test_all_sections_are_imported_and_nothing_else(tmp_path: Path) -> None:
    sections = "services: {a: {image: i}}\nnetworks: {a: }\nvolumes: {a: }\n"
    files = "secrets: {a: {environment: A}}\nconfigs: {a: {content: A}}\n"
    write(tmp_path, {"sub.yml": f"name: sub\nx-a: 1\n{sections}{files}"})

    project = read(tmp_path, "include: [sub.yml]\nname: main\n")

    assert project.problems == []
    assert sorted(project.model) == [
        "configs", "name", "networks", "secrets", "services", "volumes",
    ]  # fmt: skip
    assert project.model["name"] == "main"


def test_several_files_of_an_include_are_merged(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sub/a.yml": "services: {db: {image: a, build: ., cap_add: [A]}}",
            "sub/over/b.yml": "services: {db: {image: b, cap_add: [B]}}",
        },
    )

    found = read(tmp_path, "include: [{path: [sub/a.yml, sub/over/b.yml]}]").service("db")

    assert (found["image"], found["cap_add"]) == ("b", ["A", "B"])
    assert found["build"]["context"] == str(tmp_path / "sub")


def test_its_folder_can_be_another_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"sub/a.yml": "services: {db: {build: ., hostname: $WHERE}}", "other/.env": "WHERE=other"},
    )

    found = read(tmp_path, "include: [{path: sub/a.yml, project_directory: other}]").service("db")

    assert found["build"]["context"] == str(tmp_path / "other")
    assert found["hostname"] == "other"


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("sub/a.yml", "sub"),
        ("{path: sub/a.yml, env_file: own.env}", "own"),
        ("{path: sub/a.yml, env_file: [sub/.env, own.env]}", "own"),
        ("{path: sub/a.yml, env_file: [own.env, sub/.env]}", "sub"),
        ("{path: sub/a.yml, env_file: /dev/null}", "unset"),
    ],
)
def test_its_variables(tmp_path: Path, include: str, expected: str) -> None:
    write(
        tmp_path,
        {
            "sub/a.yml": "services: {db: {image: i, hostname: '${WHO:-unset}', user: $ALL}}",
            "sub/.env": "WHO=sub\nALL=not me",
            "own.env": "WHO=own",
        },
    )

    found = read(tmp_path, f"include: [{include}]", environ={"ALL": "all"}).service("db")

    assert found["hostname"] == expected
    assert found["user"] == "all"


def test_its_variables_are_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"sub/a.yml": "services: {db: {image: $WHO}}", "sub/.env": "WHO=sub"})
    text = "include: [sub/a.yml]\nservices: {web: {image: '${WHO:-main}'}}"

    assert read(tmp_path, text).service()["image"] == "main"


def test_a_dollar_sign_survives_levels(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.yml": "include: [b.yml]", "b.yml": "services: {db: {image: i, hostname: $$X}}"},
    )

    assert read(tmp_path, "include: [a.yml]").service("db")["hostname"] == "$X"


def test_an_empty_list_includes_nothing(tmp_path: Path) -> None:
    assert "include" not in read(tmp_path, "include: []").model


def test_includes_include(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/a.yml": "include: [../b/b.yml]\nservices: {a: {image: a}}",
            "b/b.yml": "services: {b: {build: .}}",
        },
    )

    project = read(tmp_path, "include: [a/a.yml]")

    assert project.service("a") == {"image": "a"}
    assert project.service("b")["build"]["context"] == str(tmp_path / "b")


def test_the_same_thing_twice_is_no_conflict(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.yml": "include: [common.yml]\nservices: {a: {image: a}}",
            "b.yml": "include: [common.yml]\nservices: {b: {image: b}}",
            "common.yml": "networks: {n: {internal: true}}\nservices: {c: {image: c}}",
        },
    )

    project = read(tmp_path, "include: [a.yml, b.yml]\nnetworks: {n: {internal: true}}")

    assert project.problems == []
    assert sorted(project.model["services"]) == ["a", "b", "c"]


def test_a_later_file_overrides_what_is_included(tmp_path: Path) -> None:
    write(tmp_path, {"sub.yml": "services: {db: {image: a, user: u}}"})

    found = read(tmp_path, "include: [sub.yml]", "services: {db: {image: b}}").service("db")

    assert found == {"image": "b", "user": "u"}


def test_the_including_file_cannot_override(tmp_path: Path) -> None:
    write(tmp_path, {"sub.yml": "services:\n  db: {image: a}\nvolumes: {v: {name: x}}"})

    text = "include: [sub.yml]\nvolumes: {v: {name: y}}\nservices:\n  db: {image: b}"
    project = read(tmp_path, text)

    hint = "(to override it, put this into a file of its own after this one (-f, or its name))"
    assert project.problems == [
        f'1.yml:2:11: volumes."v" is also in what is included: sub.yml:3 {hint}',
        f'1.yml:4:3: services."db" is also in what is included: sub.yml:2 {hint}',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("include: [1.yml]", "1.yml:1:11: 1.yml includes itself, here or on the way here"),
        ("include: [a.yml]", "b.yml:1:11: a.yml includes itself, here or on the way here"),
        ("include: [no.yml]", "1.yml:1:11: the file no.yml does not exist"),
        ("include: [ok.yml, {path: no.yml}]", "1.yml:1:26: the file no.yml does not exist"),
        ("include: [{path: ok.yml, env_file: no.env}]", "no.env:1:1: no.env cannot be read"),
        ("include: ['oci://r.org/a:1']", "1.yml:1:11: only files of this machine can be included"),
        (
            "include: ['git@r.org:a/b.git']",
            "1.yml:1:11: only files of this machine can be included",
        ),
        ("include: ['https://r.org/a.git#b']", "1.yml:1:11: only files of this machine can be"),
        ("include: [{path: []}]", "1.yml:1:11: this include names no file (give it a path)"),
        ("include: [bad.yml]", 'bad.yml:1:30: "no" extends "x", which is not in bad.yml'),
    ],
)
def test_errors(tmp_path: Path, text: str, expected: str) -> None:
    write(
        tmp_path,
        {
            "a.yml": "include: [b.yml]",
            "b.yml": "include: [a.yml]",
            "ok.yml": "services: {ok: {image: i}}",
            "bad.yml": "services: { no: { extends:   x } }",
        },
    )

    (problem,) = read(tmp_path, text).problems

    assert problem.startswith(expected)


def test_levels_are_limited(tmp_path: Path) -> None:
    write(tmp_path, {f"i{n}.yml": f"include: [i{n + 1}.yml]" for n in range(40)})

    (problem,) = read(tmp_path, "include: [i0.yml]").problems

    assert problem == "i18.yml:1:11: includes nested more than 20 files deep"


def test_files_are_limited(tmp_path: Path) -> None:
    write(tmp_path, {f"i{n}.yml": f"include: [i{n + 1}.yml, i{n + 1}.yml]" for n in range(15)})
    write(tmp_path, {"i15.yml": "services: {db: {image: i}}"})

    (problem,) = read(tmp_path, "include: [i0.yml]").problems

    assert problem.endswith("more than 200 files are included")
