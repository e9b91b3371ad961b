from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from core.config.compose.loading import load_compose
from core.config.compose.options import ComposeOptions
from core.errors import ConfigError
from tests.config.compose.pipeline import shown, write

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.compose.loading import Loaded


def image(name: str) -> str:
    return f"services: {{web: {{image: '{name}:1'}}}}"


def load(root: Path, **options: Any) -> Loaded:
    return load_compose(root, ComposeOptions(**options))


def refused(root: Path, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(root, **options)
    return shown(caught.value.problems) or [f"{caught.value.message} ({caught.value.hint})"]


@pytest.mark.parametrize(
    ("there", "used"),
    [
        ("compose.yaml", "compose.yaml"),
        ("compose.yml", "compose.yml"),
        ("docker-compose.yml", "docker-compose.yml"),
        ("docker-compose.yaml", "docker-compose.yaml"),
        ("docker-compose.yml compose.yml compose.yaml", "compose.yaml"),
        ("compose.yaml compose.override.yaml", "compose.yaml compose.override.yaml"),
        ("compose.yaml compose.override.yml", "compose.yaml compose.override.yml"),
        (
            "docker-compose.yml docker-compose.override.yml",
            "docker-compose.yml docker-compose.override.yml",
        ),
        ("compose.yml docker-compose.override.yaml", "compose.yml docker-compose.override.yaml"),
    ],
)
def test_usual_names(tmp_path: Path, there: str, used: str) -> None:
    write(tmp_path, {name: image(name) for name in there.split()})

    loaded = load(tmp_path)

    assert [path.name for path in loaded.files] == used.split()
    assert loaded.folder == tmp_path
    assert loaded.model["services"]["web"]["image"] == f"{used.split()[-1]}:1"


def test_files_that_are_not_used_are_noted(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": image("a"), "docker-compose.yml": image("b")})

    (note,) = [note for note in load(tmp_path).notes if "not used" in note.message]

    assert str(note) == (
        "docker-compose.yml:1:1: this file is not used: compose.yaml comes before it"
    )


@pytest.mark.parametrize(
    ("options", "used"),
    [
        ({"files": ("a.yml",)}, "a.yml"),
        ({"files": ("a.yml", "b.yml")}, "a.yml b.yml"),
        ({"files": ("b.yml", "a.yml")}, "b.yml a.yml"),
        ({"environ": {"COMPOSE_FILE": "a.yml:b.yml"}}, "a.yml b.yml"),
        (
            {"environ": {"COMPOSE_FILE": "a.yml,b.yml", "COMPOSE_PATH_SEPARATOR": ","}},
            "a.yml b.yml",
        ),
        ({"files": ("b.yml",), "environ": {"COMPOSE_FILE": "a.yml"}}, "b.yml"),
        ({"environ": {"COMPOSE_FILE": ""}}, "compose.yaml compose.override.yaml"),
    ],
)
def test_named_files(tmp_path: Path, options: dict[str, Any], used: str) -> None:
    names = ("a.yml", "b.yml", "compose.yaml", "compose.override.yaml")
    write(tmp_path, {name: image(name) for name in names})

    loaded = load(tmp_path, **options)

    assert [path.name for path in loaded.files] == used.split()
    assert loaded.model["services"]["web"]["image"] == f"{used.split()[-1]}:1"


def test_the_folder_of_the_first_file_is_that_of_the_project(tmp_path: Path) -> None:
    built = "services: {web: {build: .}}"
    write(tmp_path, {"sub/a.yml": built, "other/b.yml": "services: {web: {env_file: own.env}}"})
    write(tmp_path, {"sub/own.env": "A=1"})

    loaded = load(tmp_path, files=("sub/a.yml", str(tmp_path / "other/b.yml")))

    assert loaded.folder == tmp_path / "sub"
    assert loaded.model["services"]["web"]["build"]["context"] == str(tmp_path / "sub")
    assert loaded.model["services"]["web"]["environment"] == {"A": "1"}


VALUE = "services: {web: {image: 'i:${V:-unset}'}}"


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"compose.yaml": VALUE}, {}, "unset"),
        ({"compose.yaml": VALUE, ".env": "V=dotenv"}, {}, "dotenv"),
        ({"compose.yaml": VALUE, ".env": "V=dotenv"}, {"environ": {"V": "shell"}}, "shell"),
        (
            {"compose.yaml": VALUE, ".env": "V=dotenv", "x.env": ""},
            {"env_files": ("x.env",)},
            "unset",
        ),
        ({"compose.yaml": VALUE, "x.env": "V=x"}, {"env_files": ("x.env",)}, "x"),
        (
            {"compose.yaml": VALUE, "x.env": "V=x", "y.env": "V=y"},
            {"env_files": ("x.env", "y.env")},
            "y",
        ),
        (
            {"compose.yaml": VALUE, "x.env": "V=x", "y.env": "V=y"},
            {"environ": {"COMPOSE_ENV_FILES": "y.env, x.env"}},
            "x",
        ),
        (
            {"compose.yaml": VALUE, "x.env": "V=x", "y.env": "V=y"},
            {"env_files": ("x.env",), "environ": {"COMPOSE_ENV_FILES": "y.env"}},
            "x",
        ),
        # With -f the file beside the first one counts, not the one here.
        (
            {"sub/a.yml": VALUE, "sub/.env": "V=sub", ".env": "V=here"},
            {"files": ("sub/a.yml",)},
            "sub",
        ),
        # Where the file here says which files there are, both count, and the one here comes first.
        ({"sub/a.yml": VALUE, "sub/.env": "V=sub", ".env": "COMPOSE_FILE=sub/a.yml"}, {}, "sub"),
        (
            {"sub/a.yml": VALUE, "sub/.env": "V=sub", ".env": "COMPOSE_FILE=sub/a.yml\nV=here"},
            {},
            "here",
        ),
    ],
)
def test_variables(
    tmp_path: Path, files: dict[str, str], options: dict[str, Any], expected: str
) -> None:
    write(tmp_path, files)

    assert load(tmp_path, **options).model["services"]["web"]["image"] == f"i:{expected}"


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        ({"compose.yaml": image("i")}, {}, "shop"),
        ({"compose.yaml": "name: own\n" + image("i")}, {}, "own"),
        (
            {"compose.yaml": "name: own\n" + image("i"), ".env": "COMPOSE_PROJECT_NAME=env"},
            {},
            "env",
        ),
        ({"compose.yaml": "name: own\n" + image("i")}, {"COMPOSE_PROJECT_NAME": "shell"}, "shell"),
        (
            {"compose.yaml": "name: own\n" + image("i"), "compose.override.yml": "name: over"},
            {},
            "over",
        ),
        ({"compose.yaml": "name: own-$V\n" + image("i"), ".env": "V=x"}, {}, "own-x"),
    ],
)
def test_the_name_of_the_project(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], expected: str
) -> None:
    root = tmp_path / "shop"
    labelled = {
        name: text.replace(":1'", ":1', labels: {n: $COMPOSE_PROJECT_NAME}")
        for name, text in files.items()
    }
    write(root, labelled)

    model = load(root, environ=environ).model

    assert model["name"] == expected
    assert model["services"]["web"]["labels"] == {"n": expected}


@pytest.mark.parametrize(
    ("profiles", "environ", "services", "expected"),
    [
        ((), {}, (), "web"),
        (("a",), {}, (), "one web"),
        ((), {"COMPOSE_PROFILES": "a,b"}, (), "one two web"),
        (("a",), {"COMPOSE_PROFILES": "b"}, (), "one two web"),
        ((), {}, ("two",), "two web"),
    ],
)
def test_profiles(
    tmp_path: Path, profiles: Any, environ: Any, services: Any, expected: str
) -> None:
    others = "one: {image: 'i:1', profiles: [a]}, two: {image: 'i:1', profiles: [b]}"
    write(tmp_path, {"compose.yaml": f"services: {{web: {{image: 'i:1'}}, {others}}}"})

    loaded = load(tmp_path, profiles=profiles, environ=environ, services=services)

    assert sorted(loaded.model["services"]) == expected.split()


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        (
            {},
            {},
            "no Compose file in {root} (name it with -f, or call it compose.yaml)",
        ),
        (
            {"compose.yaml": image("i")},
            {"files": ("-",)},
            "a Compose file cannot be read from the standard input "
            "(save it as a file: a rollback and the next deploy read it again)",
        ),
        (
            {},
            {"files": ("no.yml",)},
            "no.yml:1:1: no.yml cannot be read: No such file or directory",
        ),
        ({"folder/x": ""}, {"files": ("folder",)}, "folder:1:1: folder is not a file"),
        (
            {"compose.yaml": image("i")},
            {"env_files": ("no.env",)},
            "no.env:1:1: no.env cannot be read: No such file or directory",
        ),
        (
            {"compose.yaml": image("i"), ".env": "A='"},
            {},
            ".env:1:3: the quote that opens here is never closed (close it)",
        ),
        (
            {"compose.yaml": "name: '${NO?}'\n" + image("i")},
            {},
            "compose.yaml:1:7: required variable NO is missing a value "
            "(set NO in this shell or in .env)",
        ),
        (
            {"a/a.yml": image("i"), "a/b.yml": "a: *x"},
            {"files": ("a/a.yml", "a/b.yml")},
            'a/b.yml:1:4: the alias "*x" has no anchor above it',
        ),
    ],
)
def test_errors(
    tmp_path: Path, files: dict[str, str], options: dict[str, Any], expected: str
) -> None:
    write(tmp_path, files)

    assert refused(tmp_path, **options) == [expected.format(root=tmp_path)]


def test_special_files_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "compose.yaml")
    os.mkfifo(tmp_path / ".env")

    assert refused(tmp_path) == ["compose.yaml:1:1: compose.yaml is not a file"]


def test_the_problems_of_all_files_are_told_together_and_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "compose.yaml": "services:\n  web: {image: '${A?}', ports: [x]}\n  db: {user: u}\n",
            "compose.override.yaml": "services:\n  web: {imag: i}\n",
        },
    )

    found = refused(tmp_path)

    assert [each.partition(": ")[0] for each in found] == [
        "compose.override.yaml:2:9",
        "compose.yaml:2:16",
        "compose.yaml:2:33",
        "compose.yaml:3:3",
    ]


def test_what_is_known_of_a_loaded_project(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": "services:\n  web:\n    image: i:1\n", ".env": "A=1"})

    loaded = load(tmp_path, environ={"B": "2"})

    assert loaded.files == (tmp_path / "compose.yaml",)
    assert {**loaded.environ}.items() >= {("A", "1"), ("B", "2")}
    assert loaded.place(("services", "web", "image")) == ("compose.yaml", (3, 12))
    problem = loaded.problem(("services", "web", "image"), "says no", "say yes")
    assert str(problem) == "compose.yaml:3:12: says no (say yes)"
    assert problem.service == "web"


def test_what_an_anchor_says_is_told_once(tmp_path: Path) -> None:
    shared = "services:\n  a: {<<: *shared}\n  b: {<<: *shared}\n"
    anchor = "x-shared: &shared {image: nginx, restart: %s}\n"
    write(tmp_path, {"compose.yaml": anchor % "allways" + shared})
    [problem] = refused(tmp_path)
    assert problem.startswith('compose.yaml:1:43: "restart" must be one of')

    write(tmp_path, {"compose.yaml": anchor % "always" + shared})
    tags = [each for each in load(tmp_path).notes if "another image tomorrow" in each.message]
    assert len(tags) == 1
