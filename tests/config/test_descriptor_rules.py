from __future__ import annotations

import pytest

from core.config.descriptor_rules import service_kinds
from core.config.yaml import read_yaml
from core.model import ServiceKind
from tests.config.checks import descriptor_problems

WEB = "name: shop\nservices:\n  db: .\n  web:\n    path: .\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["kind: worker", "accessMode: authenticated"],
            "7:17: accessMode authenticated cannot be used with kind worker: nobody reaches it"
            " anyway (remove it)",
        ),
        (
            ["build: {strategy: dockerfile, command: make}"],
            '6:35: "command" cannot be used with strategy dockerfile (put it into the Dockerfile)',
        ),
        (
            ["build: {strategy: dockerfile, packages: {build: [gcc]}}"],
            '6:35: "packages" cannot be used with strategy dockerfile (put it into the Dockerfile)',
        ),
        (["build: {packages: {}}"], '6:13: "packages" names no package'),
        (["build: {packages: {build: [], runtime: []}}"], '6:13: "packages" names no package'),
        (
            ["build: {env: [A, COMPARTMENT_X]}"],
            '6:22: "COMPARTMENT_X" is a reserved variable name',
        ),
        (["run: {}"], '6:5: "run" says nothing (give it a command or restart)'),
        (
            ["build: {strategy: dockerfile}", "run: {command: x}"],
            '7:11: "command" cannot be used with strategy dockerfile (put it into the Docker',
        ),
        (
            ["run: {restart: {policy: no, maxRetries: 3}}"],
            '6:33: "maxRetries" cannot be used with policy no (use policy on-failure',
        ),
        (
            ["run: {restart: {policy: unless-stopped, maxRetries: 3}}"],
            '6:45: "maxRetries" cannot be used with policy unless-stopped',
        ),
    ],
)
def test_broken(lines: list[str], expected: str) -> None:
    (problem,) = descriptor_problems(WEB + "".join(f"    {line}\n" for line in lines))

    assert problem.startswith(expected)


@pytest.mark.parametrize(
    "lines",
    [
        ["build: {strategy: dockerfile}", "run: {restart: {policy: no}}"],
        ["build: {strategy: auto, command: make, packages: {runtime: [curl]}}"],
        ["build: {strategy: railpack}", "run: {command: x}"],
        ["build: {env: [compartment_x, XCOMPARTMENT_]}"],
        ["run: {restart: {policy: on-failure, maxRetries: 1}}"],
        ["accessMode: public"],
        ["accessMode: authenticated"],
        ["kind: api", "accessMode: authenticated"],
        ["kind: worker", "accessMode: public"],
    ],
)
def test_kept(lines: list[str]) -> None:
    assert descriptor_problems(WEB + "".join(f"    {line}\n" for line in lines)) == []


def test_reserved_project_name() -> None:
    (problem,) = descriptor_problems("name: create\nservices: {web: .}")

    assert problem == '1:7: "create" is a reserved project name'


def test_kinds_are_known_even_if_other_things_are_wrong() -> None:
    text = (
        b"name: 5\nservices:\n  web: .\n  a: {kind: api}\n  b: {kind: x}\n  c:\n  d: {kind: [1]}\n"
    )

    assert service_kinds(read_yaml(text, "f")) == {
        "web": ServiceKind.WEB,
        "a": ServiceKind.API,
        "b": None,
        "c": ServiceKind.WEB,
        "d": None,
    }


@pytest.mark.parametrize("text", [b"", b"name: x", b"services: 5", b"[]", b"services: [web]"])
def test_no_kinds_without_services(text: bytes) -> None:
    assert service_kinds(read_yaml(text, "f")) is None
