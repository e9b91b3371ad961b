"""Kind and strategy of a service: every rule of docs/compose.md, with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from core.model import ServiceKind, Strategy
from tests.config.compose.given import bind, port, problems, service, services, volume

Json = dict[str, Any]

HTTP_CHECK = {"test": ["CMD", "curl", "-f", "http://localhost:9999/health"]}
DEFAULT = {"default": {"name": "shop_default"}}


@pytest.mark.parametrize(
    ("described", "kind", "because"),
    [
        ({"image": "nginx:alpine", "ports": [port(80, "80")]}, "web",
         "it publishes 80: nginx:alpine speaks HTTP there"),
        ({"build": {"context": "/srv/shop"}, "ports": [port(3000, "8080")]}, "web",
         "it publishes 3000: 3000 is usually HTTP"),
        ({"image": "a", "ports": [port(9999)], "healthcheck": HTTP_CHECK}, "web",
         "it publishes 9999: its health check is an HTTP request"),
        ({"image": "a", "ports": [port(7777, app_protocol="http")]}, "web",
         "it publishes 7777: its app_protocol is http"),
        ({"image": "a", "expose": ["3000"]}, "api", "it listens on 3000: 3000 is usually HTTP"),
        ({"image": "a", "healthcheck": HTTP_CHECK}, "api",
         "it listens on 9999: its health check is an HTTP request"),
        ({"image": "a", "ports": [port(443, "443")], "expose": ["80"]}, "api",
         "it listens on 80: 80 is usually HTTP"),
        ({"image": "postgres:16-alpine"}, "tcp",
         "it listens on 5432: postgres:16-alpine speaks plain TCP there"),
        ({"image": "a", "ports": [port(5432, "5432")]}, "tcp",
         "it listens on 5432: 5432 is usually plain TCP"),
        ({"image": "a", "ports": [port(7777, "7777")]}, "tcp",
         "it listens on 7777: nobody says what it speaks: it is asked once it is ready"),
        ({"image": "a", "ports": [port(53, "53", protocol="udp")]}, "tcp",
         "it listens on 53: the file says so"),
        ({"build": {"context": "/srv/shop"}}, "worker", "no port of it is known"),
        ({"image": "a", "x-compartment": {"kind": "api", "port": 9000}}, "api",
         "x-compartment says so"),
        ({"image": "nginx", "x-compartment": {"kind": "worker"}}, "worker",
         "x-compartment says so"),
    ],
)  # fmt: skip
def test_kind(described: Json, kind: str, because: str) -> None:
    found = service(described)
    assert found.container is not None
    assert (found.kind, found.container.kind_because) == (kind, because)


def test_what_another_one_waits_for_to_end_is_a_job() -> None:
    waits = {"migrate": {"condition": "service_completed_successfully", "required": True}}
    described = {"image": "a", "ports": [port(80, "80")], "volumes": [volume("own", "/data")]}
    found = services({"migrate": described, "app": {"image": "b", "depends_on": waits}})
    migrate = found["migrate"]
    assert migrate.kind is ServiceKind.JOB
    assert migrate.container is not None
    assert migrate.container.kind_because == "app waits for its end"
    assert migrate.container.may_finish
    assert (migrate.strategy, migrate.container.published) == (Strategy.OVERLAP, ())
    assert not [each for each in migrate.container.notes if "it is down" in each]
    assert found["app"].depends_on[0].condition == "completed"


@pytest.mark.parametrize(
    ("described", "strategy", "because"),
    [
        ({"image": "a"}, "overlap", "nothing keeps two of it from running side by side"),
        ({"image": "postgres"}, "stop-first", "postgres is a database"),
        ({"image": "bitnami/postgresql:16"}, "stop-first", "bitnami/postgresql:16 is a database"),
        ({"image": "ghcr.io/x/redis@sha256:00"}, "stop-first",
         "ghcr.io/x/redis@sha256:00 is a database"),
        ({"image": "a", "volumes": [volume("data", "/data")]}, "stop-first",
         "nobody else has the volume data"),
        ({"image": "a", "volumes": [volume("data", "/data", read_only=True)]}, "overlap",
         "nothing keeps two of it from running side by side"),
        ({"image": "a", "volumes": [volume("", "/data")]}, "stop-first",
         "nobody else has its volume at /data"),
        ({"image": "a", "volumes": [bind("/srv/shop", "/app"), volume("", "/app/node_modules")]},
         "overlap", "nothing keeps two of it from running side by side"),
        ({"image": "a", "volumes": [bind("/srv/shop", "/app"), volume("", "/application")]},
         "stop-first", "nobody else has its volume at /application"),
        ({"image": "a", "ports": [port(53, "5353", protocol="udp")]}, "stop-first",
         "it publishes 5353/udp, which only one container can have"),
        ({"image": "a", "network_mode": "host", "expose": ["80"]}, "stop-first",
         "it listens on 80 of this machine (network_mode host)"),
        ({"image": "a", "network_mode": "host"}, "stop-first",
         "whatever it listens on is of this machine (network_mode host)"),
        ({"image": "a", "network_mode": "none"}, "overlap",
         "nothing keeps two of it from running side by side"),
        ({"image": "a", "network_mode": "host",
          "deploy": {"update_config": {"order": "start-first"}}}, "overlap",
         "its update_config.order is start-first"),
        ({"image": "a", "networks": {"default": {"ipv4_address": "10.0.0.9"}}}, "stop-first",
         "the file gives it an address of its own"),
        ({"image": "a", "deploy": {"update_config": {"order": "stop-first"}}}, "stop-first",
         "its update_config.order is stop-first"),
        ({"image": "redis", "deploy": {"update_config": {"order": "start-first"}}}, "overlap",
         "its update_config.order is start-first"),
        ({"image": "redis", "x-compartment": {"strategy": "overlap"}}, "overlap",
         "x-compartment says so"),
        ({"image": "a", "x-compartment": {"strategy": "singleton"}}, "singleton",
         "x-compartment says so"),
    ],
)  # fmt: skip
def test_strategy(described: Json, strategy: str, because: str) -> None:
    found = service(described, networks=DEFAULT, volumes={"data": {"name": "shop_data"}})
    assert found.container is not None
    assert (found.strategy, found.container.strategy_because) == (strategy, because)


def test_a_volume_of_two_is_no_reason_to_stop_first() -> None:
    both = {"image": "a", "volumes": [volume("uploads", "/uploads")]}
    found = services({"api": both, "worker": both}, volumes={"uploads": {"name": "shop_uploads"}})
    assert {each.strategy for each in found.values()} == {Strategy.OVERLAP}
    assert found["api"].container is not None
    assert "shares the volume uploads with worker" in found["api"].container.notes


def test_in_the_network_of_another_one_a_port_is_taken() -> None:
    beside = {"image": "a", "expose": ["9000"], "network_mode": "service:app"}
    found = services({"app": {"image": "b"}, "beside": beside})["beside"]
    assert found.strategy is Strategy.STOP_FIRST
    assert found.container is not None
    assert found.container.strategy_because == "it listens on 9000 in the network of app"
    assert found.container.restarts_with == ("app",)
    assert [(each.service, each.condition) for each in found.depends_on] == [("app", "started")]


def test_in_the_network_of_another_one_ports_need_not_be_declared() -> None:
    beside = {"image": "a", "network_mode": "service:app"}
    found = services({"app": {"image": "b"}, "beside": beside})["beside"]
    assert found.container is not None
    assert (found.strategy, found.container.strategy_because) == (
        Strategy.STOP_FIRST, "whatever it listens on is in the network of app",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        ({"x-compartment": {"kind": "web"}},
         "x-compartment.kind: kind web needs a port that speaks HTTP"),
        ({"x-compartment": {"kind": "api", "port": 5432, "protocol": "tcp"}},
         "x-compartment.kind: kind api needs a port that speaks HTTP"),
        ({"x-compartment": {"kind": "tcp"}}, "x-compartment.kind: kind tcp needs a port"),
        ({"x-compartment": {"kind": "worker"}, "ports": [port(80, "80")]},
         "x-compartment.kind: kind worker takes no connections, but its port 80 is published"),
        ({"x-compartment": {"kind": "job", "port": 80}},
         'x-compartment.port: "port" cannot be used with a job, which runs and ends'),
        ({"x-compartment": {"strategy": "overlap"}, "ports": [port(53, "53", protocol="udp")]},
         "x-compartment.strategy: strategy overlap cannot be:"
         " it publishes 53/udp, which only one container can have"),
        ({"x-compartment": {"strategy": "singleton"}, "scale": 2},
         "x-compartment.strategy: strategy singleton is one container, not 2"),
    ],
)  # fmt: skip
def test_roles_that_cannot_be(described: Json, problem: str) -> None:
    assert problems({"app": {"image": "a", **described}}) == [f"services.app.{problem}"]


def test_replicas_that_cannot_run_side_by_side() -> None:
    described = {"image": "a", "scale": 3, "ports": [port(53, "53", protocol="udp")]}
    assert problems({"app": described}) == [
        "services.app: 3 replicas cannot run side by side:"
        " it publishes 53/udp, which only one container can have"
    ]


def test_what_is_waited_for_to_end_cannot_be_of_another_kind() -> None:
    waits = {"db": {"condition": "service_completed_successfully"}}
    found = problems(
        {"db": {"image": "a", "x-compartment": {"kind": "worker"}},
         "app": {"image": "b", "depends_on": waits}}
    )  # fmt: skip
    assert found == [
        "services.db.x-compartment.kind: kind worker never ends, but app waits for its end"
    ]
