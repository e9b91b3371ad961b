from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.config.compose import merging
from core.config.compose.tree import Place, leaf, plain
from core.config.document import Position
from core.model import Problem
from tests.config.compose.pipeline import read

if TYPE_CHECKING:
    from pathlib import Path


def web(text: str, image: str = "image: i, ") -> str:
    return f"services: {{web: {{{image}{text}}}}}\n"


def merged(folder: Path, base: str, over: str, key: str) -> Any:
    """A key of a service that two files describe."""
    return read(folder, web(base), web(over, "")).service().get(key)


@pytest.mark.parametrize(
    ("base", "over", "key", "expected"),
    [
        # Scalars are replaced, and a null says nothing.
        ("user: a", "user: b", "user", "b"),
        ("user: a", "hostname: b", "user", "a"),
        ("user: a", "user: ", "user", "a"),
        ("privileged: true", "privileged: false", "privileged", False),
        # Lists append.
        ("security_opt: [a]", "security_opt: [b]", "security_opt", ["a", "b"]),
        ("group_add: [a]", "group_add: [a]", "group_add", ["a", "a"]),
        # Lists whose items are told apart: the first place, the last value.
        ("cap_add: [A, B]", "cap_add: [C, A]", "cap_add", ["A", "B", "C"]),
        ("cap_drop: [A]", "cap_drop: [A]", "cap_drop", ["A"]),
        ("expose: [80, 81]", "expose: ['80']", "expose", ["80", "81"]),
        ("dns: 1.1.1.1", "dns: [8.8.8.8, 1.1.1.1]", "dns", ["1.1.1.1", "8.8.8.8"]),
        ("dns_search: a.org", "dns_search: [b.org]", "dns_search", ["a.org", "b.org"]),
        ("tmpfs: /run", "tmpfs: [/tmp, /run]", "tmpfs", ["/run", "/tmp"]),
        ("profiles: [a]", "profiles: [a, b]", "profiles", ["a", "b"]),
        ("links: [db]", "links: [db, redis]", "links", ["db", "redis"]),
        ("extra_hosts: ['a:1.1.1.1']", "extra_hosts: ['a:1.1.1.1']", "extra_hosts", ["a=1.1.1.1"]),
        # Replaced whole.
        ("command: a b", "command: [c]", "command", ["c"]),
        ("command: a b", "command: ", "command", None),
        ("entrypoint: [a, b]", "entrypoint: c", "entrypoint", ["c"]),
        ("entrypoint: [a]", "hostname: b", "entrypoint", ["a"]),
        ("ulimits: {nofile: {soft: 1, hard: 2}}", "ulimits: {nofile: 5}", "ulimits", {"nofile": 5}),
        ("ulimits: {nofile: 5}", "ulimits: {nproc: 6}", "ulimits", {"nofile": 5, "nproc": 6}),
        # Lists or mappings are mappings.
        ("environment: [A=1, B=2]", "environment: {B: 3}", "environment", {"A": "1", "B": "3"}),
        ("environment: {A: 1}", "environment: [A=2, C]", "environment", {"A": "2", "C": None}),
        ("environment: {A: 1}", "environment: {A: }", "environment", {"A": None}),
        ("environment: {A: }", "environment: {A: 1}", "environment", {"A": "1"}),
        ("labels: [a=1]", "labels: {b: 2}", "labels", {"a": "1", "b": "2"}),
        ("annotations: [a=1]", "annotations: {a: 2}", "annotations", {"a": "2"}),
        ("sysctls: [a=1]", "sysctls: {a: 2}", "sysctls", {"a": "2"}),
        # Logging belongs to its driver.
        (
            "logging: {driver: a, options: {x: '1'}}",
            "logging: {driver: a, options: {y: '2'}}",
            "logging",
            {"driver": "a", "options": {"x": "1", "y": "2"}},
        ),
        (
            "logging: {driver: a, options: {x: '1'}}",
            "logging: {options: {y: '2'}}",
            "logging",
            {"driver": "a", "options": {"x": "1", "y": "2"}},
        ),
        (
            "logging: {options: {x: '1'}}",
            "logging: {driver: a}",
            "logging",
            {"driver": "a", "options": {"x": "1"}},
        ),
        (
            "logging: {driver: a, options: {x: '1'}}",
            "logging: {driver: b}",
            "logging",
            {"driver": "b"},
        ),
        # Extensions are nobody's business but their owner's.
        ("x-a: {b: 1}", "x-a: {c: 2}", "x-a", {"c": 2}),
        # Tags.
        ("user: a", "user: !reset null", "user", None),
        ("cap_add: [A]", "cap_add: !reset []", "cap_add", None),
        ("cap_add: [A]", "cap_add: !override [B]", "cap_add", ["B"]),
        ("environment: {A: 1, B: 2}", "environment: {A: !reset x}", "environment", {"B": "2"}),
        ("environment: {A: 1}", "environment: !override {B: 2}", "environment", {"B": "2"}),
        ("logging: {driver: a}", "logging: !override {options: {}}", "logging", {"options": {}}),
        ("user: !reset a", "hostname: b", "user", None),
        ("user: !reset a", "user: b", "user", "b"),
        ("cap_add: !override [A]", "cap_add: [B]", "cap_add", ["A", "B"]),
    ],
)
def test_keys_of_a_service(tmp_path: Path, base: str, over: str, key: str, expected: Any) -> None:
    assert merged(tmp_path, base, over, key) == expected


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        (["80"], ["80"], [":80"]),
        (["8080:80"], ["8443:443"], ["8080:80", "8443:443"]),
        (["8080:80"], ["8081:80"], ["8080:80", "8081:80"]),
        (["8080:80"], ["8080:80"], ["8080:80"]),
        (["8080:80"], ["8080:80/udp"], ["8080:80", "8080:80"]),
        (["8080:80"], ["127.0.0.1:8080:80"], ["8080:80", "8080:80"]),
        (["8080:80"], ["0.0.0.0:8080:80"], ["8080:80"]),
        (["80-81:80-81"], ["81:81"], ["80:80", "81:81"]),
    ],
)
def test_ports(tmp_path: Path, base: list[str], over: list[str], expected: list[str]) -> None:
    found = merged(tmp_path, f"ports: {base}", f"ports: {over}", "ports")

    assert [f"{port.get('published', '')}:{port['target']}" for port in found] == expected


@pytest.mark.parametrize(
    ("key", "base", "over", "expected"),
    [
        ("volumes", ["one:/x", "two:/y"], ["new:/x"], ["new", "two"]),
        ("volumes", ["one:/x"], ["one:/z"], ["one", "one"]),
        ("volumes", ["one:/x/"], ["new:/x"], ["new"]),
        ("volumes", ["one:/x", "two:/x"], [], ["two"]),
        ("secrets", ["a"], ["a", "b"], ["a", "b"]),
        ("secrets", ["a"], [{"source": "b", "target": "/run/secrets/a"}], ["b"]),
        ("configs", ["a"], [{"source": "b", "target": "/a"}], ["b"]),
        ("devices", ["/dev/a:/dev/x"], ["/dev/b:/dev/x"], ["/dev/b"]),
    ],
)
def test_mounts_are_told_apart_by_their_target(
    tmp_path: Path, key: str, base: Any, over: Any, expected: list[str]
) -> None:
    found = merged(tmp_path, f"{key}: {base}", f"{key}: {over}", key)

    assert [mount["source"] for mount in found] == expected


@pytest.mark.parametrize(
    ("base", "over", "path", "expected"),
    [
        ("healthcheck: {test: [CMD, a]}", "healthcheck: {test: b}", ("test",), ["CMD-SHELL", "b"]),
        ("healthcheck: {test: a}", "healthcheck: {retries: 3}", ("test",), ["CMD-SHELL", "a"]),
        ("build: .", "build: {target: a}", ("target",), "a"),
        ("build: {args: [A=1]}", "build: {args: {B: 2}}", ("args",), {"A": "1", "B": "2"}),
        ("build: {tags: [a]}", "build: {tags: [a, b]}", ("tags",), ["a", "b"]),
        ("networks: [a]", "networks: [b]", (), {"a": None, "b": None}),
        ("networks: [a]", "networks: {a: {aliases: [x]}}", ("a", "aliases"), ["x"]),
        (
            "networks: {a: {aliases: [x]}}",
            "networks: {a: {aliases: [y, x]}}",
            ("a", "aliases"),
            ["x", "y"],
        ),
        ("networks: {a: {aliases: [x]}}", "networks: [a]", ("a", "aliases"), ["x"]),
        (
            "depends_on: [a]",
            "depends_on: {a: {condition: service_healthy}}",
            ("a", "condition"),
            "service_healthy",
        ),
        (
            "depends_on: {a: {condition: service_healthy}}",
            "depends_on: [b]",
            ("a", "condition"),
            "service_healthy",
        ),
        (
            "deploy: {replicas: 2, labels: [a=1]}",
            "deploy: {replicas: 3, labels: {b: 2}}",
            ("labels",),
            {"a": "1", "b": "2"},
        ),
        (
            "deploy: {resources: {limits: {cpus: '1'}}}",
            "deploy: {resources: {limits: {pids: 5}}}",
            ("resources", "limits"),
            {"cpus": 1.0, "pids": 5},
        ),
    ],
)
def test_inner_keys(
    tmp_path: Path, base: str, over: str, path: tuple[str, ...], expected: Any
) -> None:
    found = merged(tmp_path, base, over, base.partition(":")[0])
    for key in path:
        found = found[key]

    assert found == expected


def test_what_only_one_file_has_is_in_the_model(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        "name: one\nservices: {a: {image: i}}\nvolumes: {v: }\nx-a: {b: 1}",
        "name: two\nservices: {b: {image: i}}\nnetworks: {n: {internal: true}}\nx-a: {c: 1}",
    )

    assert project.problems == []
    assert project.model["name"] == "two"
    assert list(project.model["services"]) == ["a", "b"]
    assert project.model["volumes"] == {"v": None}
    assert project.model["networks"] == {"n": {"internal": True}}
    assert project.model["x-a"] == {"c": 1}


def test_a_service_may_be_called_like_an_extension(tmp_path: Path) -> None:
    over = "services: {x-web: {user: u}}"

    found = read(tmp_path, "services: {x-web: {image: i}}", over).service("x-web")

    assert (found["image"], found["user"]) == ("i", "u")


def test_subnets_are_merged_by_their_address(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}]}}}",
        "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1}, "
        "{subnet: 10.2.0.0/16}]}}}",
    )

    assert project.problems == []
    assert project.model["networks"]["n"]["ipam"]["config"] == [
        {"subnet": "10.1.0.0/16", "gateway": "10.1.0.1"},
        {"subnet": "10.2.0.0/16"},
    ]


def test_services_are_replaced_and_removed_by_tags(tmp_path: Path) -> None:
    base = "services: {web: {image: i, user: u}, db: {image: d}}\n"

    project = read(tmp_path, base, "services: {web: !override {image: j}, db: !reset null}")

    assert project.problems == []
    assert project.model["services"] == {"web": {"image": "j"}}


@pytest.mark.parametrize(
    ("base", "over", "message"),
    [
        ({"k": {"a": 1}}, {"k": [1]}, '"services.web.k" is a list here, but a mapping in 1.yml:2'),
        ({"k": [1]}, {"k": "a"}, '"services.web.k" is a single value here, but a list in 1.yml:2'),
        ({"k": [1]}, {"k": {}}, '"services.web.k" is a mapping here, but a list in 1.yml:2'),
    ],
)
def test_what_cannot_be_merged_is_told_and_left_as_it_was(
    base: Any, over: Any, message: str
) -> None:
    problems: list[Problem] = []

    found = merging.merged(
        leaf(base, Place("1.yml", Position(2, 1))),
        leaf(over, Place("2.yml", Position(3, 4))),
        ("services", "web"),
        problems,
    )

    hint = "write both alike, or replace the first with the tag !override"
    assert problems == [Problem("2.yml", 3, 4, message, hint, "web")]
    assert plain(found) == base


def test_three_files_are_merged_in_their_order(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        web("ports: ['1:1'], user: a, cap_add: [A]"),
        web("ports: !override ['2:2'], user: !reset , cap_add: [B]", ""),
        web("ports: ['3:3'], user: c, cap_add: [A]", ""),
    ).service()

    assert [port["published"] for port in found["ports"]] == ["2", "3"]
    assert (found["user"], found["cap_add"]) == ("c", ["A", "B"])


def test_every_value_is_where_it_was_written(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        "services:\n  web:\n    image: i\n    ports:\n      - 80:80\n    environment: [A=1]\n",
        "services:\n  web:\n    ports:\n      - 81:81\n    user: u\n    environment:\n      B: 2\n",
    )

    assert project.place("services", "web") == "1.yml:2:3"
    assert project.place("services", "web", "image") == "1.yml:3:12"
    assert project.place("services", "web", "ports", 0, "target") == "1.yml:5:9"
    assert project.place("services", "web", "ports", 1) == "2.yml:4:9"
    assert project.place("services", "web", "user") == "2.yml:5:11"
    assert project.place("services", "web", "environment", "A") == "1.yml:6:19"
    assert project.place("services", "web", "environment", "B") == "2.yml:7:10"
    assert project.place("services", "web", "nothing", "there") == "1.yml:2:3"
