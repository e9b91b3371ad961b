"""`x-compartment`: strict, in the words of `compartment.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config.compose.mapping.project import services_of
from core.model import AccessMode, AutoRollback, Drain, Readiness, ReadinessType
from tests.config.compose.given import given, port, problems, service


def test_all_of_it() -> None:
    found = service({
        "image": "a",
        "x-compartment": {
            "kind": "web",
            "strategy": "stop-first",
            "port": "4000",
            "protocol": {"4000": "http", "9000": "tcp"},
            "readiness": {"type": "http", "path": "ready", "timeoutMs": 500},
            "drain": {"timeoutMs": 1000},
            "accessMode": "authenticated",
            "autoRollback": {"windowMs": "60000", "onUnhealthy": "false", "errorRate": "0.05"},
        },
    })  # fmt: skip
    assert found.access_mode is AccessMode.AUTHENTICATED
    assert (found.kind, found.strategy, found.port) == ("web", "stop-first", 4000)
    assert found.readiness == Readiness("/ready", 500, ReadinessType.HTTP)
    assert found.drain == Drain(1000)
    assert found.auto_rollback == AutoRollback(60_000, on_unhealthy=False, error_rate=0.05)
    assert found.container is not None
    assert [(port.number, port.protocol) for port in found.container.ports] == [
        (4000, "http"), (9000, "tcp"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"knd": "web"}, '.knd: unknown key "knd"'),
        ({"kind": "cron"}, '.kind: "kind" must be one of web, api, tcp, worker, job, not "cron"'),
        ({"strategy": "overlaps"},
         '.strategy: "strategy" must be one of overlap, stop-first, singleton, not "overlaps"'),
        ({"port": 0}, '.port: "port" must be at least 1, not 0'),
        ({"protocol": "http"}, ".protocol: it is not said of which port"),
        ({"readiness": {"type": "http", "pth": "/"}}, '.readiness.pth: unknown key "pth"'),
        ("web", ': the file must be a mapping, not "web"'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(block: Any, problem: str) -> None:
    _, found, _ = services_of(
        given({"app": {"image": "a", "x-compartment": block}}), Path("/srv/shop")
    )
    (one,) = found
    assert one.file == "services.app.x-compartment"
    assert one.service == "app"
    place, _, message = problem.partition(": ")
    assert one.message == message
    assert one.line == 3 + place.count(".")


@pytest.mark.parametrize(
    ("described", "kind", "problem"),
    [
        ({}, "worker", "cannot be used with kind worker: x-compartment says so"),
        ({"image": "postgres:16"}, None, "cannot be used with kind tcp: it listens on 5432"),
        ({"network_mode": "host"}, "web", "cannot be used with network_mode host"),
        ({"ports": [port(9000, "9000", app_protocol="postgres")]}, "web",
         "no login can be asked for on its published port 9000/tcp"),
        ({"ports": [port(53, "53", protocol="udp")]}, "web",
         "no login can be asked for on its published port 53/udp"),
        ({"ports": [port(9000, "9000")]}, "web", None),
        ({"ports": [port(9000, "9000", app_protocol="http")]}, "web", None),
    ],
)  # fmt: skip
def test_nobody_gets_past_a_login(described: Any, kind: str | None, problem: str | None) -> None:
    block: dict[str, Any] = {"accessMode": "authenticated"}
    block |= {"kind": kind} if kind else {}
    block |= {"port": 3000} if kind == "web" else {}
    found = {"app": {"image": "a", **described, "x-compartment": block}}
    _, problems, _ = services_of(given(found), Path("/srv/shop"))
    told = [each.message for each in problems]
    assert len(told) == (problem is not None)
    assert all(problem and problem in each for each in told)


def test_a_near_key_is_named() -> None:
    block = {"readines": {"type": "http"}}
    _, (one,), _ = services_of(
        given({"app": {"image": "a", "x-compartment": block}}), Path("/srv/shop")
    )
    assert one.hint == 'did you mean "readiness"?'


def test_at_the_top_of_a_file_it_is_in_the_wrong_place() -> None:
    found = problems({"app": {"image": "a"}}, **{"x-compartment": {"kind": "web"}})
    assert found == ["x-compartment: x-compartment does not belong here"]
