from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.project import find_project, load_project
from core.errors import ConfigError
from core.model import Problem, Project, Readiness, RouteRule, Service, ServiceKind, Transform

DESCRIPTOR = """\
name: multi-service

services:
  web:
    path: ./services/web
    readiness:
      type: http
      path: /healthz
      timeoutMs: 30000

  backoffice:
    kind: api
    path: ./services/backoffice
    readiness:
      type: http
      path: /ready
      timeoutMs: 30000
"""
ROUTES = """\
version: 1

routes:
  - on: web
    path: /api/*
    to: backoffice
    stripPrefix: /api
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("web", "backoffice"):
        (tmp_path / "services" / name).mkdir(parents=True)
    (tmp_path / "compartment.yml").write_text(DESCRIPTOR)
    (tmp_path / "compartment.routes.yml").write_text(ROUTES)
    return tmp_path


def problems(root: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_project(root)
    return [str(problem) for problem in caught.value.problems]


def test_the_documented_example(root: Path) -> None:
    assert load_project(root) == Project(
        name="multi-service",
        root=root,
        services={
            "web": Service("web", "services/web", readiness=Readiness("/healthz", 30_000)),
            "backoffice": Service(
                "backoffice",
                "services/backoffice",
                kind=ServiceKind.API,
                readiness=Readiness("/ready", 30_000),
            ),
        },
        rules=(RouteRule("web", "/api/*", "backoffice", (), Transform.STRIP_PREFIX, "/api"),),
    )


def test_routes_are_optional(root: Path) -> None:
    (root / "compartment.routes.yml").unlink()

    assert load_project(root).rules == ()


def test_problems_of_both_files_come_together_and_in_order(root: Path) -> None:
    (root / "compartment.yml").write_text(
        "nme: x\nservices:\n  web: ../out\n  web: .\n  job: {path: ., kind: job, run: {}}\n"
    )
    (root / "compartment.routes.yml").write_text(
        "version: 1\nroutes:\n  - {on: wbe, path: /x, to: job, rewrite: y}\n"
    )

    found = problems(root)

    assert [problem.partition(" (")[0] for problem in found] == [
        'compartment.routes.yml:3:10: there is no service "wbe"',
        'compartment.routes.yml:3:29: the service "job" is of kind job, which takes no requests',
        'compartment.routes.yml:3:43: "rewrite" cannot be "y"',
        'compartment.yml:1:1: "name" is missing',
        'compartment.yml:1:1: unknown key "nme"',
        'compartment.yml:3:8: the path "../out" leads out of the repository',
        'compartment.yml:4:3: the key "web" is given twice',
        'compartment.yml:5:29: "run" says nothing',
    ]


def test_message_counts_and_names_the_files(root: Path) -> None:
    (root / "compartment.yml").write_text("name: x\n")

    with pytest.raises(ConfigError, match=r"^1 problem in compartment\.yml$"):
        load_project(root)


def test_broken_descriptor_does_not_hide_the_routes(root: Path) -> None:
    (root / "compartment.yml").write_text("a: b: c\n")
    (root / "compartment.routes.yml").write_text("version: 2\n")

    found = problems(root)

    assert [problem.split(" ")[0] for problem in found] == [
        "compartment.routes.yml:1:1:",
        "compartment.routes.yml:1:10:",
        "compartment.yml:1:5:",
    ]


@pytest.mark.parametrize("name", ["compartment.yml", "compartment.routes.yml"])
def test_unreadable_files(root: Path, name: str) -> None:
    file = root / name
    file.unlink()
    file.mkdir()
    assert problems(root) == [f"{name}:1:1: {name} is not a file"]

    file.rmdir()
    file.symlink_to("nowhere")
    assert problems(root) == [f"{name}:1:1: {name} cannot be read: No such file or directory"]

    file.unlink()
    os.mkfifo(file)
    assert problems(root) == [f"{name}:1:1: {name} is not a file"]

    file.unlink()
    file.write_bytes(b"#" * 2_000_000)
    assert problems(root) == [f"{name}:1:1: the file is larger than 1024 KiB"]

    file.write_bytes(b"")
    assert problems(root) == [f"{name}:1:1: the file is empty"]


def test_find_here_and_upwards(root: Path) -> None:
    expected = root.resolve()

    assert find_project(root) == expected
    assert find_project(root / "services" / "web") == expected
    assert find_project(root / "services" / ".." / "services") == expected
    assert find_project(root / "compartment.yml") == expected


def test_find_takes_the_nearest(root: Path) -> None:
    inner = root / "services" / "web"
    (inner / "compartment.yml").write_text("")

    assert find_project(inner) == inner.resolve()


def test_find_relative_to_the_current_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "services")

    assert find_project(Path()) == root.resolve()


def test_find_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_project(tmp_path)

    message = (
        f"no compartment.yml in {tmp_path.resolve()} or in any folder above it, and no Compose file"
    )
    assert caught.value.message == message
    assert caught.value.hint == "go to a project, or make one with: compartment init"


def test_find_from_nowhere(root: Path) -> None:
    (root / "loop").symlink_to("loop")

    for name in ("nothing", "loop"):
        with pytest.raises(ConfigError, match="does not exist"):
            find_project(root / name)


FRAGMENTS = st.sampled_from(
    [
        "[]",
        "{}",
        "~",
        "5",
        "x",
        "- ",
        ": ",
        "\n",
        "  ",
        "&a ",
        "*a",
        "!!str ",
        '"',
        "true",
        "/*",
        "kind: ",
        "kind: cron",
        "dependsOn: ",
        "schedule: ",
    ]
)


@settings(
    max_examples=250,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.booleans(), st.integers(0, 300), st.integers(0, 30), FRAGMENTS)
def test_no_mutation_ends_in_anything_but_problems(
    root: Path, is_routes: bool, start: int, length: int, inserted: str
) -> None:
    original = ROUTES if is_routes else DESCRIPTOR
    mutated = original[:start] + inserted + original[start + length :]
    (root / "compartment.yml").write_text(DESCRIPTOR if is_routes else mutated)
    (root / "compartment.routes.yml").write_text(mutated if is_routes else ROUTES)

    problems: tuple[Problem, ...] = ()
    try:
        load_project(root)
    except ConfigError as error:
        problems = error.problems

    for problem in problems:
        assert problem.file in ("compartment.yml", "compartment.routes.yml")
        assert str(problem).isprintable()
        assert "is not valid:" not in problem.message


def test_loading_needs_no_front_end_and_no_engine() -> None:
    code = (
        "import sys, core.config.project\n"
        "heavy = {'textual', 'rich', 'docker', 'httpx', 'fastapi', 'asyncio'} & set(sys.modules)\n"
        "print(*heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
