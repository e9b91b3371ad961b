"""What `dependsOn` may wait for."""

from __future__ import annotations

import pytest

from core.config import descriptor_rules
from core.config.yaml import read_yaml
from tests.config.checks import descriptor_problems

PROJECT = """\
name: shop
services:
  db: {path: ., kind: worker}
  api: {path: ., kind: api}
  checked: {path: ., readiness: {type: tcp}}
  seed: {path: ., kind: job}
  tidy: {path: ., kind: cron, schedule: "0 3 * * *"}
  web:
    path: .
"""


def problems_of(line: str) -> list[str]:
    return descriptor_problems(f"{PROJECT}    {line}\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dependsOn: [dbb]", '10:17: there is no service "dbb" (did you mean "db"?)'),
        ("dependsOn: {dbb: healthy}", '10:17: there is no service "dbb" (did you mean "db"?)'),
        ("dependsOn: [db, queue]", '10:21: there is no service "queue" (valid: api, checked, db'),
        ("dependsOn: [web]", '10:17: "web" cannot wait for itself (remove it)'),
        ("dependsOn: {web: started}", '10:17: "web" cannot wait for itself (remove it)'),
        ("dependsOn: [db, api, db]", '10:26: "db" is waited for already (remove one of them)'),
        ("dependsOn: [db, 5]", '10:21: "dependsOn[1]" must be the name of a service'),
        ("dependsOn: [[]]", '10:17: "dependsOn[0]" must be the name of a service'),
        ("dependsOn: {db: }", '10:21: the condition of "db" is empty (use one of started, heal'),
        (
            "dependsOn: {db: ready}",
            '10:21: "db" must be one of started, healthy, completed, not "ready"',
        ),
        ("dependsOn: {db: {condition: x}}", '10:21: "db" must be one of started, healthy, comp'),
        (
            "dependsOn: [tidy]",
            '10:17: "tidy" is a cron, which runs by its schedule: nothing can wait for it (rem',
        ),
        ("dependsOn: {tidy: started}", '10:23: "tidy" is a cron, which runs by its schedule'),
        (
            "dependsOn: {api: completed}",
            '10:22: "api" is of kind api, which never completes (use healthy or started, or make',
        ),
        ("dependsOn: {db: completed}", '10:21: "db" is of kind worker, which never completes'),
        (
            "dependsOn: {api: healthy}",
            '10:22: "api" has no readiness block: nobody would know when it is healthy'
            " (give it one, or use started)",
        ),
        (
            "dependsOn: {seed: healthy}",
            '10:23: "seed" is a job, which is never healthy (use completed or started)',
        ),
    ],
)
def test_broken(line: str, expected: str) -> None:
    (problem,) = problems_of(line)

    assert problem.startswith(expected)


@pytest.mark.parametrize(
    "line",
    [
        "dependsOn: []",
        "dependsOn: {}",
        "dependsOn: [db, api, checked, seed]",
        "dependsOn: {db: healthy, api: started, checked: healthy, seed: completed}",
        "dependsOn: {db: started, checked: started, seed: started}",
    ],
)
def test_kept(line: str) -> None:
    assert problems_of(line) == []


@pytest.mark.parametrize("form", ["[{}]", "{{{}: started}}"])
def test_a_cycle_is_named_in_its_order(form: str) -> None:
    waits = {"a": "b", "b": "c", "c": "a"}
    text = "name: shop\nservices:\n" + "".join(
        f"  {name}: {{path: ., dependsOn: {form.format(other)}}}\n" for name, other in waits.items()
    )
    (problem,) = descriptor_problems(text)

    message = problem.partition("other: ")[2]
    assert message in ("a > b > c > a", "b > c > a > b", "c > a > b > c")


def test_problems_name_the_service_that_waits() -> None:
    document = read_yaml(f"{PROJECT}    dependsOn: [tidy]\n".encode(), "compartment.yml")

    assert [each.service for each in descriptor_rules.broken_rules(document)] == ["web"]
