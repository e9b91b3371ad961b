from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.compose.files import active_profiles
from core.config.compose.options import ComposeOptions
from core.config.compose.profiles import with_profiles
from core.config.compose.tree import plain
from tests.config.compose.pipeline import Json, read, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# The example of the specification.
SPECIFIED = """\
services:
  foo: {image: foo}
  bar: {image: bar, profiles: [test]}
  baz: {image: baz, depends_on: [bar], profiles: [test]}
  zot: {image: zot, depends_on: [bar], profiles: [debug]}
"""


def chosen(
    folder: Path, text: str, active: Iterable[str] = (), named: Iterable[str] = ()
) -> tuple[Json, list[str]]:
    project = read(folder, text)
    assert project.problems == []
    assert project.tree is not None
    kept = with_profiles(project.tree, active, named, project.report)
    return plain(kept)["services"], shown(project.report.problems)


@pytest.mark.parametrize(
    ("active", "named", "services"),
    [
        ([], [], "foo"),
        (["test"], [], "foo bar baz"),
        (["debug", "test"], [], "foo bar baz zot"),
        (["*"], [], "foo bar baz zot"),
        (["other"], [], "foo"),
        ([], ["bar"], "foo bar baz"),
        ([], ["baz"], "foo bar baz"),
        (["test"], ["zot"], "foo bar baz zot"),
        ([], ["foo"], "foo"),
        ([], ["nobody"], "foo"),
    ],
)
def test_which_services_are_on(
    tmp_path: Path, active: list[str], named: list[str], services: str
) -> None:
    found, problems = chosen(tmp_path, SPECIFIED, active, named)

    assert problems == []
    assert list(found) == services.split()


@pytest.mark.parametrize(("active", "named"), [(["debug"], []), ([], ["zot"])])
def test_what_is_needed_has_to_be_on(tmp_path: Path, active: list[str], named: list[str]) -> None:
    found, problems = chosen(tmp_path, SPECIFIED, active, named)

    assert list(found) == ["foo", "zot"]
    assert problems == [
        '1.yml:5:34: "zot" needs "bar", which is off: its profile "test" '
        "(turn it on with --profile test, or give both the same profiles)"
    ]


@pytest.mark.parametrize(
    "need",
    [
        "depends_on: [db]",
        "depends_on: {db: {condition: service_healthy}}",
        "links: [db]",
        "links: ['db:database']",
        "volumes_from: [db]",
        "volumes_from: ['db:ro']",
        "network_mode: service:db",
        "ipc: service:db",
        "pid: service:db",
    ],
)
def test_every_way_to_need_another_service(tmp_path: Path, need: str) -> None:
    text = f"services:\n  web: {{image: i, {need}}}\n  db: {{image: d, profiles: [b, a]}}\n"

    found, problems = chosen(tmp_path, text)

    assert list(found) == ["web"]
    assert "db" not in str(found)
    (problem,) = problems
    assert problem.startswith("1.yml:2:")
    assert '"web" needs "db", which is off: its profiles "a" and "b"' in problem

    assert chosen(tmp_path, text, ["a"])[1] == []


def test_what_is_not_required_may_be_off(tmp_path: Path) -> None:
    text = (
        "services: {web: {image: i, depends_on: {db: {condition: service_started, "
        "required: false}, redis: {condition: service_started}}}, redis: {image: r}, "
        "db: {image: d, profiles: [a]}}"
    )

    found, problems = chosen(tmp_path, text)

    assert problems == []
    assert list(found["web"]["depends_on"]) == ["redis"]


def test_a_service_may_say_nothing(tmp_path: Path) -> None:
    found, problems = chosen(tmp_path, "services: {web: , db: {image: d, profiles: [a]}}")

    assert (found, problems) == ({"web": None}, [])


@pytest.mark.parametrize(
    ("options", "variable", "expected"),
    [
        ((), None, set()),
        (("a",), None, {"a"}),
        ((), "a,b", {"a", "b"}),
        (("c",), " a , b,", {"a", "b", "c"}),
        ((), "", set()),
        ((), "*", {"*"}),
    ],
)
def test_where_profiles_come_from(
    options: tuple[str, ...], variable: str | None, expected: set[str]
) -> None:
    environ = {} if variable is None else {"COMPOSE_PROFILES": variable}

    assert active_profiles(ComposeOptions(profiles=options), environ) == expected
