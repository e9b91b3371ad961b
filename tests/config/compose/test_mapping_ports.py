"""Ports: which, what is spoken there, and who publishes them."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.compose.mapping.healthchecks import healthcheck_of, probed
from core.config.compose.mapping.well_known import known_image
from core.container import Healthcheck, Published
from core.model import ServiceKind
from tests.config.compose.given import port, service

Json = dict[str, Any]
CHECK = {"test": ["CMD", "curl", "http://localhost:9999/"]}


def ports(described: Json) -> list[tuple[int, str]]:
    found = service(described).container
    assert found is not None
    return [(each.number, str(each.protocol)) for each in found.ports]


@pytest.mark.parametrize(
    ("described", "found"),
    [
        ({}, []),
        ({"expose": ["3000"]}, [(3000, "http")]),
        ({"expose": ["3000/tcp", "9000-9002"]},
         [(3000, "http"), (9000, "look"), (9001, "look"), (9002, "look")]),
        ({"expose": ["53/udp"]}, [(53, "udp")]),
        ({"expose": ["5432", "8080"]}, [(8080, "http"), (5432, "tcp")]),
        ({"expose": ["8000"], "ports": [port(3000, "80")]}, [(3000, "http"), (8000, "http")]),
        ({"expose": ["8000"], "ports": [port(5432)]}, [(8000, "http"), (5432, "tcp")]),
        ({"ports": [port(7000), port(8443), port(443)]},
         [(7000, "look"), (8443, "tcp"), (443, "tcp")]),
        ({"ports": [port(53, "53"), port(53, "53", protocol="udp")]}, [(53, "tcp"), (53, "udp")]),
        ({"ports": [port(80, "80"), port(80, "8080")]}, [(80, "http")]),
        ({"ports": [port(50051)]}, [(50051, "tcp")]),
        ({"ports": [port(9999)], "healthcheck": CHECK}, [(9999, "http")]),
        ({"ports": [port(80, app_protocol="grpc")]}, [(80, "tcp")]),
        ({"image": "nginx", "expose": ["8080"]}, [(8080, "http")]),
        ({"image": "minio/minio", "ports": [port(9000), port(9001)]},
         [(9000, "http"), (9001, "look")]),
        ({"x-compartment": {"port": 9000, "kind": "api"}, "ports": [port(80)]},
         [(9000, "http"), (80, "http")]),
        ({"x-compartment": {"protocol": {"80": "tcp"}}, "ports": [port(80)]}, [(80, "tcp")]),
        ({"x-compartment": {"kind": "tcp"}, "ports": [port(80)]}, [(80, "tcp")]),
        ({"x-compartment": {"kind": "web"}, "ports": [port(7000)]}, [(7000, "http")]),
        ({"x-compartment": {"kind": "worker"}, "expose": ["80"]}, []),
    ],
)  # fmt: skip
def test_ports(described: Json, found: list[tuple[int, str]]) -> None:
    assert ports({"image": "a", **described}) == found


@pytest.mark.parametrize(
    ("said", "published"),
    [
        (port(80), Published(80)),
        (port(80, "8080"), Published(80, 8080)),
        (port(80, "8080-8090"), Published(80, 8080, 8090)),
        (port(80, "0"), Published(80)),
        (port(80, "80", host_ip="127.0.0.1"), Published(80, 80, host="127.0.0.1")),
        (port(80, "80", host_ip="::1"), Published(80, 80, host="::1")),
        (port(53, "53", protocol="udp"), Published(53, 53, is_udp=True)),
    ],
)
def test_published(said: Json, published: Published) -> None:
    container = service({"image": "a", "ports": [said]}).container
    assert container is not None
    assert container.published == (published,)


@pytest.mark.parametrize(
    ("test", "found"),
    [
        (["CMD", "curl", "-f", "http://localhost:3000/health"], (3000, "http", "/health")),
        (["CMD-SHELL", "curl -f http://localhost/ || exit 1"], (80, "http", "/")),
        (["CMD-SHELL", "wget -qO- http://127.0.0.1:8080/up?x=1 >/dev/null"],
         (8080, "http", "/up?x=1")),
        (["CMD-SHELL", "wget --spider -q localhost:9000/ping"], (9000, "http", "/ping")),
        (["CMD-SHELL", "curl -fk https://localhost:8443/"], (8443, "tcp", "/")),
        (["CMD-SHELL", "curl https://localhost"], (443, "tcp", None)),
        (["CMD", "node", "-e", "fetch('http://[::1]:3000/x').then()"], (3000, "http", "/x")),
        (["CMD-SHELL", "curl http://localhost:${PORT}/"], (4000, "http", "/")),
        (["CMD-SHELL", "curl http://localhost:$UNSET/"], None),
        (["CMD", "grpc_health_probe", "-addr=:8080"], (8080, "tcp", None)),
        (["CMD-SHELL", "nc -z localhost 6000"], (6000, "look", None)),
        (["CMD-SHELL", "echo > /dev/tcp/localhost/7000"], (7000, "look", None)),
        (["CMD-SHELL", "curl http://db:3000/"], None),
        (["CMD-SHELL", "pg_isready -U x"], None),
        (["CMD", "redis-cli", "ping"], None),
        (["NONE"], None),
    ],
)  # fmt: skip
def test_what_a_health_check_asks(test: list[str], found: tuple[int, str, str | None]) -> None:
    asked = probed(healthcheck_of({"healthcheck": {"test": test}}), {"PORT": "4000"})
    assert (asked and (asked.port, asked.protocol, asked.path)) == found


@pytest.mark.parametrize(
    ("said", "check"),
    [
        (None, None),
        ({"disable": True}, Healthcheck(("NONE",))),
        ({"test": ["NONE"]}, Healthcheck(("NONE",))),
        ({"interval": "1m30s"}, Healthcheck((), 90.0)),
        (
            {"test": ["CMD", "x"], "interval": "5s", "timeout": "500ms", "retries": 10,
             "start_period": "30s", "start_interval": "1s"},
            Healthcheck(("CMD", "x"), 5.0, 0.5, 10, 30.0, 1.0),
        ),
    ],
)  # fmt: skip
def test_healthcheck(said: Json | None, check: Healthcheck | None) -> None:
    assert healthcheck_of({"healthcheck": said}) == check


@pytest.mark.parametrize(
    ("reference", "ports", "is_database"),
    [
        ("postgres", (5432,), True),
        ("docker.io/library/postgres:16-alpine", (5432,), True),
        ("localhost:5000/mysql", (3306,), True),
        ("mcr.microsoft.com/mssql/server:2022-latest", (1433,), True),
        ("redis@sha256:0", (6379,), True),
        ("nginx:1.27", (80,), False),
    ],
)
def test_known_images(reference: str, ports: tuple[int, ...], *, is_database: bool) -> None:
    known = known_image(reference)
    assert known is not None
    assert (known.ports, known.is_database) == (ports, is_database)


@pytest.mark.parametrize("reference", [None, "", "ghcr.io/acme/postgres-backup", "server"])
def test_others_are_not_known(reference: str | None) -> None:
    assert known_image(reference) is None


def test_the_main_port_is_that_of_the_service() -> None:
    found = service({"image": "a", "expose": ["5432", "8080"]})
    assert (found.port, found.kind) == (8080, ServiceKind.API)
    assert service({"image": "a"}).port is None
