"""What the services of the example projects are taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.compose.options import ComposeOptions
from core.config.project import load_project
from core.errors import ConfigError

PROJECTS = Path(__file__).parents[2] / "compose_projects"
DATABASE = "tcp stop-first 5432/tcp"
CACHE = "tcp stop-first 6379/tcp"


@pytest.mark.parametrize(
    ("project", "services"),
    [
        ("complete", {
            "nginx": "web overlap 80/http", "app": "api overlap 3000/http",
            "worker": "worker overlap", "db": DATABASE, "redis": CACHE,
        }),
        ("first", {
            "gateway": "web overlap 80/http", "frontend": "worker overlap",
            "auth": "worker overlap", "worker": "worker overlap", "db": DATABASE, "redis": CACHE,
        }),
        ("shared-volume", {"api": "web overlap 8000/http", "worker": "worker overlap"}),
        ("bind-mount", {"app": "web overlap 8000/http"}),
        ("replicas", {"worker": "worker overlap"}),
        ("health-order", {"app": "worker overlap", "db": DATABASE, "redis": CACHE}),
    ],
)  # fmt: skip
def test_roles(project: str, services: dict[str, str]) -> None:
    found = load_project(PROJECTS / project, ComposeOptions(environ={})).services
    told = {}
    for name, service in found.items():
        assert service.container is not None
        ports = [f"{each.number}/{each.protocol}" for each in service.container.ports]
        told[name] = " ".join((service.kind, service.strategy, *ports))
    assert told == services


def test_services_that_are_not_defined_have_their_place() -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(PROJECTS / "first-as-it-stands", ComposeOptions(environ={}))
    assert len(caught.value.problems) == 4
    assert all(each.line > 1 and "not defined" in each.message for each in caught.value.problems)
