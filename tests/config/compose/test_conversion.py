"""`compartment.yml` out of Compose files: what is in it is valid, and what is not is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config.compose.conversion.conversion import convert_files, parted
from core.config.compose.conversion.service_block import block_of
from core.config.compose.conversion.variables import variable_commands
from core.config.compose.conversion.yaml_text import yaml_text
from core.config.compose.mapping.project import services_of
from core.config.compose.options import ComposeOptions
from core.config.project import load_project
from core.config.yaml import read_yaml
from core.model import Condition, Dependency, Limits, Readiness, Restart, RestartPolicy, ServiceKind
from tests.config.compose.given import given, port, volume

Json = dict[str, Any]

BUILD: Json = {
    "build": {"context": "/srv/shop/app", "dockerfile": "Dockerfile"},
    "restart": "on-failure",
}
ROOT = Path("/srv/shop")


def block(described: Json, **others: Json) -> Json:
    model = given({"app": {**BUILD, **described}, **others})
    kept, _ = parted(model, services_of(model, ROOT)[0])
    container = kept["app"].container
    assert container is not None
    return block_of(kept["app"], container, kept)


CHECK = {"test": ["CMD-SHELL", "curl -f http://localhost:3000/up || exit 1"]}


@pytest.mark.parametrize(
    ("described", "found"),
    [
        ({}, {"kind": "worker"}),
        ({"ports": [port(3000, "80")]}, {"port": 3000}),
        ({"ports": [port(7000, "80")]}, {"port": 7000}),
        ({"expose": ["3000"]}, {"kind": "api", "port": 3000}),
        ({"expose": ["3000"], "healthcheck": CHECK},
         {"kind": "api", "port": 3000, "readiness": {"type": "http", "path": "/up"}}),
        ({"expose": ["8000"], "healthcheck": {"test": ["CMD", "ask", "a b"]}},
         {"kind": "api", "port": 8000,
          "readiness": {"type": "command", "command": "ask 'a b'"}}),
        ({"expose": ["8000"], "x-compartment": {"readiness": {"type": "tcp"}}},
         {"kind": "api", "port": 8000, "readiness": {"type": "tcp", "timeoutMs": 30_000}}),
        ({"deploy": {"replicas": 3}}, {"kind": "worker", "replicas": 3}),
        ({"restart": "always"},
         {"kind": "worker", "run": {"restart": {"policy": "unless-stopped"}}}),
        ({"restart": "on-failure:3"},
         {"kind": "worker", "run": {"restart": {"policy": "on-failure", "maxRetries": 3}}}),
        ({"cpus": 0.5, "mem_limit": str(256 * 1024**2)},
         {"kind": "worker", "limits": {"cpus": 0.5, "memory": "256M"}}),
        ({"mem_limit": "1536"}, {"kind": "worker", "limits": {"memory": "1K"}}),
        ({"x-compartment": {"strategy": "singleton"}},
         {"kind": "worker", "strategy": "singleton"}),
        ({"x-compartment": {"kind": "job"}}, {"kind": "job"}),
        ({"expose": ["3000"], "x-compartment": {"accessMode": "authenticated"}},
         {"kind": "api", "port": 3000, "accessMode": "authenticated"}),
    ],
)  # fmt: skip
def test_blocks(described: Json, found: Json) -> None:
    assert block(described) == {"path": "app", **found}


def test_waits() -> None:
    waits = {
        "api": {"condition": "service_healthy"},
        "checked": {"condition": "service_healthy"},
        "seed": {"condition": "service_completed_successfully"},
        "db": {"condition": "service_healthy"},
    }
    others = {
        "api": {**BUILD, "expose": ["3000"]},
        "checked": {**BUILD, "expose": ["3000"], "healthcheck": CHECK},
        "seed": BUILD,
        "db": {"image": "postgres"},
    }
    assert block({"depends_on": waits}, **others)["dependsOn"] == {
        "api": "started",
        "checked": "healthy",
        "seed": "completed",
    }


@pytest.mark.parametrize(
    ("described", "lost"),
    [
        ({"image": "nginx", "build": None},
         "services.app.image: app is an image: only what is built from source can be there"),
        ({"build": {"context": "/srv/lib"}},
         "services.app.build: app is built outside of the project: ../lib"),
        ({"expose": ["5432"]}, "services.app: app takes connections that are not HTTP"),
        ({"volumes": [volume("data", "/data")]},
         'services.app.volumes: app: "volumes" has no equivalent'),
        ({"command": ["x"]}, 'services.app.command: app: "command" goes into its Dockerfile'),
        ({"build": {**BUILD["build"], "target": "x"}},
         'services.app.build.target: app: "build.target" has no equivalent'),
        ({"build": {"context": "/srv/shop/app", "dockerfile": "Dockerfile.prod"}},
         "services.app.build.dockerfile: app: its Dockerfile has to be app/Dockerfile"),
        ({"networks": {"back": None}}, 'services.app.networks: app: "networks" has no equivalent'),
        ({"depends_on": {"db": {"condition": "service_started"}}},
         "services.app.depends_on.db: app cannot wait for db, which is left out"),
    ],
)  # fmt: skip
def test_losses(described: Json, lost: str) -> None:
    model = given({"app": {**BUILD, **described}, "db": {"image": "postgres"}})
    _, losses = parted(model, services_of(model, ROOT)[0])
    found = [f"{each.file}: {each.message}" for each in losses]
    assert [each for each in found if not each.startswith("services.db.")] == [lost]


def test_what_is_equal_is_no_loss() -> None:
    described = {**BUILD, "networks": {"default": None}, "ports": [port(80, "80")], "x-a": 1}
    model = given({"app": described})
    assert parted(model, services_of(model, ROOT)[0])[1] == []


def test_values_of_secrets_are_not_printed() -> None:
    environment = {
        "PLAIN": "a b", "DB_PASSWORD": "s1", "API_KEY": "s2", "URL": "postgres://u:s3@db/x",
        "COMPARTMENT_X": "1", "not-ours": "1",
    }  # fmt: skip
    model = given({"app": {**BUILD, "environment": environment}})
    assert list(variable_commands(services_of(model, ROOT)[0]["app"])) == [
        "compartment variable set PLAIN 'a b' --service app",
        "compartment variable set DB_PASSWORD --sensitive --service app",
        "compartment variable set API_KEY --sensitive --service app",
        "compartment variable set URL --sensitive --service app",
    ]


@pytest.mark.parametrize(
    "data",
    [
        {
            "a": "plain words",
            "b": "no: yes",
            "c": "",
            "d": "true",
            "e": "0755",
            "f": "1e3",
            "g": "~",
        },
        {"a": 1, "b": 0.5, "c": True, "d": "- x", "e": "#", "f": "a\nb", "g": 'q"', "h": "*x"},
        {"1": {"x": {"y": "."}}, "list": [{"on": "web", "path": "/api/*"}, {"on": "api"}]},
    ],
)
def test_text_reads_as_what_was_written(data: Json) -> None:
    assert read_yaml(yaml_text(data).encode(), "x").data == data


def test_a_whole_project_is_valid(tmp_path: Path) -> None:
    for name in ("web", "api", "seed"):
        (tmp_path / name).mkdir()
    (tmp_path / "compose.yaml").write_text("""\
name: shop
services:
  web: {build: ./web, ports: ["80:3000"], depends_on: [api, db]}
  api:
    build: ./api
    expose: [8000]
    restart: always
    healthcheck: {test: [CMD, curl, "http://localhost:8000/up"]}
    depends_on: {seed: {condition: service_completed_successfully}}
    deploy: {replicas: 2, resources: {limits: {memory: 256M, cpus: "0.5"}}}
  seed: {build: ./seed}
  db: {image: "postgres:16"}
""")
    found = convert_files(tmp_path, ComposeOptions())
    assert found.folder == tmp_path
    assert found.descriptor is not None
    (tmp_path / "compartment.yml").write_text(found.descriptor)
    project = load_project(tmp_path)
    assert (project.name, project.is_compose) == ("shop", False)
    assert {name: each.kind for name, each in project.services.items()} == {
        "web": ServiceKind.WEB, "api": ServiceKind.API, "seed": ServiceKind.JOB,
    }  # fmt: skip
    api = project.services["api"]
    assert api.readiness == Readiness("/up")
    assert api.depends_on == (Dependency("seed", Condition.COMPLETED),)
    assert (api.replicas, api.limits) == (2, Limits(0.5, 256 * 1024**2))
    assert api.restart == Restart(RestartPolicy.UNLESS_STOPPED)


def test_nothing_is_built(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {db: {image: postgres}}\n")
    assert convert_files(tmp_path, ComposeOptions()).descriptor is None


def traefik(tmp_path: Path, **labels: str) -> str:
    """A project behind Traefik; the labels are those of its api."""
    described = "".join(
        f"      {name.replace('_', '.')}: {rule}\n" for name, rule in labels.items()
    )
    (tmp_path / "compose.yaml").write_text(f"""\
services:
  traefik: {{image: "traefik:v3", ports: ["80:80"]}}
  shop:
    build: ./shop
    expose: [3000]
    labels: ["traefik.http.routers.shop.rule=Host(`shop.example.com`)"]
  api:
    build: ./api
    expose: [8000]
    labels:
{described}""")
    for name in ("shop", "api"):
        (tmp_path / name).mkdir()
    found = convert_files(tmp_path, ComposeOptions())
    assert found.descriptor is not None
    (tmp_path / "compartment.yml").write_text(found.descriptor)
    if found.routes is not None:
        (tmp_path / "compartment.routes.yml").write_text(found.routes)
    project = load_project(tmp_path)
    assert project.services["shop"].kind is ServiceKind.WEB
    assert project.services["api"].kind is ServiceKind.API
    losses = " ".join(each.message for each in found.losses if "Traefik" in each.message)
    rules = (f"{rule.on} {rule.path} {rule.to} {rule.value}" for rule in project.rules)
    return losses or ", ".join(rules)


RULE = "traefik_http_routers_api_rule"


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({RULE: "PathPrefix(`/api`)"}, "shop /api/* api None"),
        ({RULE: "Host(`x.com`) && PathPrefix(`/api/`)"}, "shop /api/* api None"),
        ({RULE: "Path(`/a`) || PathPrefix(`/long/b`)"},
         "shop /long/b/* api None, shop /a api None"),
        ({RULE: "PathPrefix(`/api`)",
          "traefik_http_routers_api_middlewares": "cut@docker",
          "traefik_http_middlewares_cut_stripprefix_prefixes": "/api,/x"},
         "shop /api/* api /api"),
        ({RULE: "Method(`GET`)"}, "api: the rule of Traefik has no equivalent: Method(`GET`)"),
        ({RULE: "Host(`a`) && !Path(`/b`)"},
         "api: the rule of Traefik has no equivalent: Host(`a`) && !Path(`/b`)"),
    ],
)  # fmt: skip
def test_what_traefik_does_becomes_rules(
    tmp_path: Path, labels: dict[str, str], found: str
) -> None:
    quoted = {name: f'"{rule}"' for name, rule in labels.items()}
    assert traefik(tmp_path, **quoted) == found
