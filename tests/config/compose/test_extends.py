from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.config.compose.pipeline import read, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("base", "own", "expected"),
    [
        ("image: i, user: b", "user: u", {"image": "i", "user": "u"}),
        ("image: i, cap_add: [A]", "cap_add: [B]", {"image": "i", "cap_add": ["A", "B"]}),
        ("image: i, command: a", "command: b", {"image": "i", "command": ["b"]}),
        (
            "environment: {A: 1, B: 2}",
            "environment: [B=3]",
            {"environment": {"A": "1", "B": "3"}},
        ),
        ("image: i, user: b", "user: !reset null", {"image": "i"}),
        ("image: i, cap_add: [A]", "cap_add: !override [B]", {"image": "i", "cap_add": ["B"]}),
        ("image: i, x-a: {b: 1}", "x-a: {c: 1}", {"image": "i", "x-a": {"c": 1}}),
        ("profiles: [a]", "image: i", {"image": "i", "profiles": ["a"]}),
        (
            "healthcheck: {test: a, retries: 2}",
            "healthcheck: {test: b}",
            {"healthcheck": {"test": ["CMD-SHELL", "b"], "retries": 2}},
        ),
        ("networks: [a]", "networks: [b]", {"networks": {"a": None, "b": None}}),
        (
            "healthcheck: {disable: true}",
            "healthcheck: {disable: true}",
            {"healthcheck": {"disable": True}},
        ),
        ("image: i", "", {"image": "i"}),
    ],
)
@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["same file", "other file"])
def test_a_service_is_laid_over_another_one(
    tmp_path: Path, base: str, own: str, expected: Any, *, is_elsewhere: bool
) -> None:
    extends = "{service: base, file: other/base.yml}" if is_elsewhere else "base"
    here = "" if is_elsewhere else f"  base: {{{base}}}\n"
    write(tmp_path, {"other/base.yml": f"services: {{base: {{{base}}}}}\n"})

    found = read(tmp_path, f"services:\n{here}  web: {{extends: {extends}, {own}}}\n").service()

    assert found == expected


def test_chains_through_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "b/b.yml": "services: {b: {extends: {service: c, file: ../c/c.yml}, user: b}}",
            "c/c.yml": "services: {c: {extends: d, hostname: c}, d: {image: d, hostname: d}}",
        },
    )

    found = read(tmp_path, "services: {web: {extends: {service: b, file: b/b.yml}}}").service()

    assert found == {"image": "d", "hostname": "c", "user": "b"}


def test_paths_of_the_base_belong_to_its_folder(tmp_path: Path) -> None:
    base = "{build: ./app, env_file: .env.base, volumes: ['./data:/data']}"
    write(tmp_path, {"other/base.yml": f"services: {{base: {base}}}"})

    found = read(
        tmp_path,
        "services: {web: {extends: {service: base, file: other/base.yml}, env_file: own.env}}",
    ).service()

    assert found["build"]["context"] == str(tmp_path / "other/app")
    assert found["volumes"][0]["source"] == str(tmp_path / "other/data")
    assert [each["path"] for each in found["env_file"]] == [
        str(tmp_path / "other/.env.base"),
        str(tmp_path / "own.env"),
    ]


def test_the_base_is_read_with_the_same_variables(tmp_path: Path) -> None:
    write(tmp_path, {"base.yml": "services: {base: {image: 'i:$TAG'}}"})
    text = "services: {web: {extends: {service: base, file: base.yml}}}"

    assert read(tmp_path, text, environ={"TAG": "5"}).service()["image"] == "i:5"


def test_the_file_may_be_a_variable(tmp_path: Path) -> None:
    write(tmp_path, {"dev.yml": "services: {base: {image: d}}"})
    text = "services: {web: {extends: {service: base, file: '${MODE:-dev}.yml'}}}"

    assert read(tmp_path, text).service()["image"] == "d"


def test_what_the_base_needs_is_not_imported(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base.yml": "services: {base: {image: i, depends_on: [db], volumes: ['data:/d']}, "
            "db: {image: d}}\nvolumes: {data: }\n",
        },
    )

    project = read(tmp_path, "services: {web: {extends: {service: base, file: base.yml}}}")

    assert list(project.model["services"]) == ["web"]
    assert "volumes" not in project.model
    assert list(project.service()["depends_on"]) == ["db"]


def test_later_files_come_over_what_is_extended(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "services: {base: {image: i, cap_add: [A]}, web: {extends: base, user: u}}",
        "services: {web: {user: v, cap_add: [B]}}",
    ).service()

    assert found == {"image": "i", "cap_add": ["A", "B"], "user": "v"}


def test_a_tag_works_on_the_base_and_on_the_files_before(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "services: {web: {image: i, user: u}}",
        "services: {base: {user: b, hostname: h}, web: {extends: base, user: !reset null}}",
    ).service()

    assert found == {"image": "i", "hostname": "h"}


def test_several_services_share_a_base(tmp_path: Path) -> None:
    write(tmp_path, {"base.yml": "services: {base: {image: i, cap_add: [A]}}"})
    lines = [
        f"  {name}: {{extends: {{service: base, file: base.yml}}, cap_add: [{name}]}}"
        for name in "bcd"
    ]

    project = read(tmp_path, "services:\n" + "\n".join(lines))

    assert [project.service(name)["cap_add"] for name in "bcd"] == [["A", n] for n in "bcd"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "services:\n  web: {extends: web}",
            "1.yml:2:18: services extend each other in a circle: web -> web",
        ),
        (
            "services:\n  a: {extends: b}\n  b: {extends: c}\n  c: {extends: b}",
            "1.yml:4:16: services extend each other in a circle: b -> c -> b",
        ),
        (
            "services:\n  web: {extends: bass}\n  base: {image: i}",
            '1.yml:2:18: "web" extends "bass", which is not in 1.yml (did you mean "base"?)',
        ),
        (
            "services:\n  web: {extends: {file: no.yml, service: base}}",
            "1.yml:2:25: the file no.yml does not exist (correct its path, or create it)",
        ),
        (
            "services:\n  web: {extends: {file: 'https://r.org/a.git', service: base}}",
            "1.yml:2:25: only services in files of this machine can be extended "
            "(copy the file to this project)",
        ),
        (
            "services:\n  web: {extends: {file: base.yml, service: x}}",
            '1.yml:2:44: "web" extends "x", which is not in base.yml (valid: base)',
        ),
        (
            "services:\n  web: {extends: {file: folder, service: x}}",
            "folder:1:1: folder is not a file",
        ),
        (
            "services:\n  web: {extends: {file: broken.yml, service: x}}",
            'broken.yml:1:4: the alias "*x" has no anchor above it',
        ),
        (
            "services:\n  web: {extends: {file: round.yml, service: round}}",
            "round.yml:1:29: services extend each other in a circle: round -> round",
        ),
        (
            "services:\n  base: {healthcheck: {test: a}}\n"
            "  web: {extends: base, healthcheck: {disable: true}}",
            "1.yml:3:47: a health check that is extended cannot be disabled here "
            "(replace it: healthcheck: !override {disable: true})",
        ),
        (
            "services:\n  a0: {image: i}\n"
            + "".join(f"  a{n}: {{extends: a{n - 1}}}\n" for n in range(60, 0, -1)),
            "1.yml:52:18: services extend each other more than 50 levels deep",
        ),
        (
            "services:\n  a0: {image: i}\n"
            + "".join(f"  a{n}: {{extends: a{n - 1}}}\n" for n in range(1, 60)),
            "1.yml:52:18: services extend each other more than 50 levels deep",
        ),
    ],
    ids=lambda value: value.partition(": ")[2][:40] if ".yml:" in value else "",
)
def test_errors(tmp_path: Path, text: str, expected: str) -> None:
    write(
        tmp_path,
        {
            "base.yml": "services: {base: {image: i}}",
            "broken.yml": "a: *x",
            "round.yml": "services: {round: {extends: round}}",
            "folder/x": "",
        },
    )

    problems = read(tmp_path, text).problems

    assert expected in problems
    assert len(problems) == 1


def test_a_base_may_be_a_link_and_lie_outside(tmp_path: Path) -> None:
    write(tmp_path, {"real.yml": "services: {base: {image: i}}"})
    project = tmp_path / "project"
    project.mkdir()
    (project / "link.yml").symlink_to(tmp_path / "real.yml")

    found = read(
        project,
        "services: {a: {extends: {service: base, file: link.yml}}, "
        "b: {extends: {service: base, file: ../real.yml}}}",
    )

    assert found.service("a") == found.service("b") == {"image": "i"}


@pytest.mark.parametrize("taken_back", ["!reset null", "!reset {}"])
def test_extending_nothing_leaves_the_service_as_it_is(tmp_path: Path, taken_back: str) -> None:
    found = read(
        tmp_path,
        "services: {base: {tty: true}, web: {extends: base, image: i}}",
        f"services: {{web: {{extends: {taken_back}, init: true}}}}",
    )

    assert found.service() == {"tty": True, "image": "i", "init": True}
