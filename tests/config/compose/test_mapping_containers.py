"""What a Compose file says of containers, in our words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.config.compose.mapping.project import services_of
from core.container import ImageBuild
from core.model import Condition, Dependency, Limits, Restart, RestartPolicy
from tests.config.compose.given import given, port, problems, service, services

if TYPE_CHECKING:
    from core.container import Container

Json = dict[str, Any]


def container(described: Json) -> Container:
    found = service({"image": "a", **described}).container
    assert found is not None
    return found


def test_an_image_alone() -> None:
    found = container({"image": "nginx:1.27"})
    assert (found.image, found.build, found.pull_policy) == ("nginx:1.27", None, "missing")
    assert (found.command, found.entrypoint, found.environment) == (None, None, {})
    assert (found.settings, found.stop_grace_s) == ({}, 10.0)


def test_a_build() -> None:
    found = service({
        "image": "shop/web",
        "build": {
            "context": "/srv/shop/web",
            "dockerfile": "Dockerfile.prod",
            "args": {"A": "1", "B": None},
            "target": "final",
            "labels": {"x": "y"},
        },
    })  # fmt: skip
    assert found.path == "web"
    assert found.container is not None
    assert found.container.build == ImageBuild(
        "/srv/shop/web", "Dockerfile.prod", None, {"A": "1"}, "final", {"labels": {"x": "y"}}
    )
    assert found.container.image == "shop/web"


def test_a_build_outside_of_the_project() -> None:
    assert service({"build": {"context": "/srv/lib"}}).path == "../lib"


@pytest.mark.parametrize(
    ("described", "field", "value"),
    [
        ({"command": ["a", "b"]}, "command", ("a", "b")),
        ({"command": []}, "command", ()),
        ({"command": None}, "command", None),
        ({"entrypoint": ["x"]}, "entrypoint", ("x",)),
        ({"environment": {"A": "1", "B": None}}, "environment", {"A": "1"}),
        ({"pull_policy": "always"}, "pull_policy", "always"),
        ({"container_name": "shop-app"}, "container_name", "shop-app"),
        ({"stop_grace_period": "1m30s"}, "stop_grace_s", 90.0),
        ({"network_mode": "none"}, "network_mode", "none"),
        ({"network_mode": "none"}, "networks", ()),
        ({"restart": "no"}, "may_finish", True),
        ({}, "may_finish", True),
        ({"restart": "on-failure"}, "may_finish", True),
        ({"restart": "always"}, "may_finish", False),
        ({"expose": ["80"]}, "may_finish", False),
        ({"user": "1000:1000", "cap_drop": ["ALL"]}, "settings",
         {"user": "1000:1000", "cap_drop": ["ALL"]}),
        ({"x-mine": 1, "profiles": ["a"], "tty": None}, "settings", {}),
        ({"deploy": {"resources": {"limits": {"pids": 50}}}}, "settings", {"pids_limit": 50}),
        ({"deploy": {"resources": {"reservations": {"devices": [{"count": 1}]}}}}, "settings",
         {"deploy": {"resources": {"reservations": {"devices": [{"count": 1}]}}}}),
    ],
)  # fmt: skip
def test_fields(described: Json, field: str, value: Any) -> None:
    assert getattr(container(described), field) == value


@pytest.mark.parametrize(
    ("described", "limits"),
    [
        ({}, Limits()),
        ({"deploy": {"resources": {"limits": {"cpus": "0.5", "memory": "268435456"}}}},
         Limits(0.5, 268_435_456)),
        ({"deploy": {"resources": {"limits": {"cpus": 2}}}}, Limits(2.0)),
        ({"cpus": 1.5, "mem_limit": "1024"}, Limits(1.5, 1024)),
        ({"mem_limit": "0"}, Limits()),
    ],
)  # fmt: skip
def test_limits(described: Json, limits: Limits) -> None:
    assert service({"image": "a", **described}).limits == limits


@pytest.mark.parametrize(
    ("described", "restart"),
    [
        ({}, Restart(RestartPolicy.NO)),
        ({"restart": "no"}, Restart(RestartPolicy.NO)),
        ({"restart": "always"}, Restart(RestartPolicy.UNLESS_STOPPED)),
        ({"restart": "unless-stopped"}, Restart(RestartPolicy.UNLESS_STOPPED)),
        ({"restart": "on-failure:3"}, Restart(RestartPolicy.ON_FAILURE, 3)),
        ({"deploy": {"restart_policy": {}}}, Restart(RestartPolicy.UNLESS_STOPPED)),
        ({"deploy": {"restart_policy": {"condition": "none"}}}, Restart(RestartPolicy.NO)),
        ({"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 2}}},
         Restart(RestartPolicy.ON_FAILURE, 2)),
        ({"restart": "no", "deploy": {"restart_policy": {}}}, Restart(RestartPolicy.NO)),
    ],
)  # fmt: skip
def test_restart(described: Json, restart: Restart) -> None:
    assert service({"image": "a", **described}).restart == restart


@pytest.mark.parametrize(
    ("described", "replicas"),
    [({}, 1), ({"scale": 2}, 2), ({"deploy": {"replicas": 5}}, 5), ({"deploy": {}}, 1)],
)
def test_replicas(described: Json, replicas: int) -> None:
    assert service({"image": "a", **described}).replicas == replicas


def test_without_replicas_a_service_is_left_out_and_nobody_waits_for_it() -> None:
    none = {"image": "a", "deploy": {"replicas": 0}}
    model = given({"none": none, "app": {"image": "b", "depends_on": _on("none", "started")}})
    found, wrong, notes = services_of(model, Path("/srv/shop"))
    assert wrong == []
    assert list(found) == ["app"]
    assert found["app"].depends_on == ()
    assert [str(each) for each in notes] == [
        "services.none:1:1: no replicas: it is left out (say 1 or more to have it)"
    ]


def _on(name: str, condition: str, **more: Any) -> Json:
    return {name: {"condition": f"service_{condition}", **more}}


def test_waits() -> None:
    waits = {
        **_on("db", "healthy", restart=True, required=True),
        **_on("seed", "completed_successfully"),
        **_on("cache", "started"),
        **_on("gone", "healthy", required=False),
    }
    others = {name: {"image": "b"} for name in ("db", "seed", "cache")}
    app = services({**others, "app": {"image": "a", "depends_on": waits}})["app"]
    assert app.depends_on == (
        Dependency("db", Condition.HEALTHY),
        Dependency("seed", Condition.COMPLETED),
        Dependency("cache", Condition.STARTED),
    )
    assert app.container is not None
    assert app.container.restarts_with == ("db",)


def test_what_ends_is_not_waited_for_to_be_healthy() -> None:
    found = services({
        "seed": {"image": "a"},
        "one": {"image": "b", "depends_on": _on("seed", "completed_successfully")},
        "two": {"image": "b", "depends_on": _on("seed", "healthy")},
    })  # fmt: skip
    assert found["two"].depends_on == (Dependency("seed", Condition.STARTED),)
    found = services({
        "seed": {"image": "a", "x-compartment": {"kind": "job"}},
        "two": {"image": "b", "depends_on": _on("seed", "healthy")},
    })  # fmt: skip
    assert found["two"].depends_on == (Dependency("seed", Condition.STARTED),)


@pytest.mark.parametrize("name", ["web", "My.Service", "a_b-c", "0"])
def test_names(name: str) -> None:
    assert list(services({name: {"image": "a"}})) == [name]


@pytest.mark.parametrize("name", ["..", ".x", "-x", "_x", "a/b", "a b", "x" * 64, "é", "a\n"])
def test_names_that_are_refused(name: str) -> None:
    (found,) = problems({name: {"image": "a"}})
    assert "is not valid" in found


@pytest.mark.parametrize(
    ("described", "note"),
    [
        ({"image": "postgres"},
         "it is down while it is replaced: postgres is a database"),
        ({"ports": [port(53, "5353", protocol="udp")]},
         "5353/udp: what comes while it is replaced is lost"),
        ({"expose": ["80"]}, "no health check in the file: without one in its image it is ready"
         " once it listens on 80"),
        ({}, "no health check in the file: without one in its image it is ready as soon as it is"
         " up"),
        ({"labels": {"traefik.http.routers.shop.rule": "Host(`shop.example.com`)"}},
         "Traefik goes by its labels, past the gateway: requests may be lost while it is replaced;"
         " lead Traefik to http://app:PORT by a file instead"),
    ],
)  # fmt: skip
def test_notes(described: Json, note: str) -> None:
    assert note in container(described).notes


def test_nothing_to_note() -> None:
    check = {"test": ["CMD", "curl", "http://localhost:3000/"]}
    assert container({"expose": ["3000"], "healthcheck": check}).notes == ()


def test_other_words_are_no_other_configuration() -> None:
    found = container({"expose": ["80"]})
    ports = tuple(replace(each, because="otherwise") for each in found.ports)
    assert found == replace(found, ports=ports, notes=("n",), kind_because="k")
    assert found != replace(found, image="b")
