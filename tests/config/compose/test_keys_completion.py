"""The merged model made whole: names, defaults, references, contradictions, good practice."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.compose.dialect import read_compose_yaml
from core.config.compose.keys.names import folder_name, own_name
from core.config.compose.keys.practice import written_secret
from tests.config.compose.keys import completed, told

QUIET = "logging: {options: {max-size: 10m}}"


def model_of(text: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
    found = completed(text, variables)
    assert found.problems == ()
    return found.model


@pytest.mark.parametrize(
    ("folder", "compose", "own"),
    [
        ("shop", "shop", "shop"),
        ("My Shop", "myshop", "myshop"),
        ("my_shop", "my_shop", "my-shop"),
        ("_x.y", "xy", "xy"),
        ("2048", "2048", "p2048"),
        ("a" * 70, "a" * 70, "a" * 63),
        ("...", "", "p"),
    ],
)
def test_names_of_projects(folder: str, compose: str, own: str) -> None:
    assert folder_name(folder) == compose
    assert own_name(compose) == own


def test_a_small_project_is_made_whole() -> None:
    text = (
        "services: {a: {image: x:1, volumes: ['d:/d']}}\nvolumes: {d: , unused: }\nnetworks: {n: }"
    )
    assert model_of(text) == {
        "name": "project",
        "services": {
            "a": {
                "image": "x:1",
                "command": None,
                "entrypoint": None,
                "networks": {"default": None},
                "volumes": [{"type": "volume", "source": "d", "target": "/d", "volume": {}}],
            }
        },
        "networks": {"default": {"name": "project_default", "ipam": {}}},
        "volumes": {"d": {"name": "project_d"}},
        "secrets": {},
        "configs": {},
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("volumes: {d: }", "project_d"),
        ("name: my_shop\nvolumes: {d: }", "my_shop_d"),
        ("volumes: {d: {name: mine}}", "mine"),
        ("volumes: {d: {name: ''}}", "project_d"),
        ("volumes: {d: {external: true}}", "d"),
        ("volumes: {d: {external: true, name: theirs}}", "theirs"),
        ("volumes: {d: {external: {name: theirs}}}", "theirs"),
    ],
)
def test_names_of_volumes(text: str, names: str) -> None:
    model = model_of(f"services: {{a: {{image: x:1, volumes: ['d:/d']}}}}\n{text}")
    assert model["volumes"]["d"]["name"] == names


def test_the_default_network_is_there_only_if_it_is_used() -> None:
    text = "services: {a: {image: x:1, networks: [n]}, b: {image: x:1, network_mode: host}}"
    model = model_of(text + "\nnetworks: {n: }")
    assert list(model["networks"]) == ["n"]
    assert "networks" not in model["services"]["b"]


def test_the_default_network_can_be_described() -> None:
    model = model_of("services: {a: {image: x:1}}\nnetworks: {default: {internal: true}}")
    assert model["networks"]["default"] == {
        "internal": True,
        "name": "project_default",
        "ipam": {},
    }


def test_builds_are_made_whole() -> None:
    text = "services: {a: {build: {args: [A, B, C=1]}}, b: {build: {dockerfile_inline: FROM x}}}"
    services = model_of(text, {"A": "here"})["services"]
    assert services["a"]["build"] == {
        "context": "/project",
        "dockerfile": "Dockerfile",
        "args": {"A": "here", "B": None, "C": "1"},
    }
    assert services["b"]["build"] == {"context": "/project", "dockerfile_inline": "FROM x"}


def test_secrets_and_configs_have_a_path() -> None:
    text = (
        "services: {a: {image: x:1, secrets: [s, {source: s, target: t}, {source: s, target: /u}],"
        " configs: [c]}}\nsecrets: {s: {environment: S}}\nconfigs: {c: {content: hi}}"
    )
    service = model_of(text)["services"]["a"]
    assert [each["target"] for each in service["secrets"]] == [
        "/run/secrets/s",
        "/run/secrets/t",
        "/u",
    ]
    assert service["configs"] == [{"source": "c", "target": "/c"}]


def test_all_gpus_are_meant_unless_it_is_said() -> None:
    text = (
        "services: {a: {image: x:1, gpus: [{driver: nvidia}, {device_ids: ['1']}], deploy:"
        " {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}}}"
    )
    service = model_of(text)["services"]["a"]
    assert service["gpus"] == [{"driver": "nvidia", "count": -1}, {"device_ids": ["1"]}]
    reserved = service["deploy"]["resources"]["reservations"]["devices"]
    assert reserved == [{"capabilities": ["gpu"], "count": -1}]


@pytest.mark.parametrize(
    ("keys", "needed"),
    [
        ("links: ['b:c']", {"condition": "service_started", "required": True, "restart": True}),
        (
            "network_mode: service:b",
            {"condition": "service_started", "required": True, "restart": True},
        ),
        ("ipc: service:b", {"condition": "service_started", "required": True, "restart": True}),
        ("volumes_from: ['b:ro']", {"condition": "service_started", "required": True}),
        (
            "links: [b], depends_on: {b: {condition: service_healthy}}",
            {"condition": "service_healthy", "required": True},
        ),
    ],
)
def test_dependencies_that_are_implied(keys: str, needed: dict[str, Any]) -> None:
    model = model_of(f"services: {{a: {{image: x:1, {keys}}}, b: {{image: x:1}}}}")
    assert model["services"]["a"]["depends_on"] == {"b": needed}


def test_a_dependency_that_is_not_required_may_be_missing() -> None:
    text = (
        "services: {a: {image: x:1, depends_on: {b: {condition: service_started, required: no}}}}"
    )
    assert "depends_on" not in completed(text).model["services"]["a"]


def services(*lines: str, rest: str = "") -> str:
    """A file with services `a`, `b`, ... of these keys, one a line from line 2 on."""
    named = "".join(f"  {chr(97 + i)}: {{{line}}}\n" for i, line in enumerate(lines))
    return f"services:\n{named}{rest}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (services("image: x:1, networks: [n]"),
         '2:29: the network "n" is not defined (add it below "networks:")'),
        (services("image: x:1, networks: [fornt]", rest="networks: {front: }"),
         '2:29: the network "fornt" is not defined (did you mean "front"?)'),
        (services("image: x:1, volumes: ['d:/d']"),
         '2:29: the volume "d" is not defined (add it below "volumes:")'),
        (services("image: x:1, secrets: [s]"),
         '2:29: the secret "s" is not defined (add it below "secrets:")'),
        (services("image: x:1, configs: [c]"),
         '2:29: the config "c" is not defined (add it below "configs:")'),
        (services("image: x:1, depends_on: [db]"),
         '2:31: the service "db" is not defined (add it below "services:")'),
        (services("image: x:1, depends_on: {z: {condition: service_started}}"),
         '2:35: the service "z" is not defined (add it below "services:")'),
        (services("image: x:1, depends_on: {b: {restart: true}}", "image: x:1"),
         '2:35: "b" has no condition (such as condition: service_started)'),
        (services("image: x:1, links: ['z:y']"),
         '2:27: the service "z" is not defined (add it below "services:")'),
        (services("image: x:1, volumes_from: [z]"),
         '2:34: the service "z" is not defined (add it below "services:")'),
        (services("image: x:1, network_mode: service:z"),
         '2:33: the service "z" is not defined (add it below "services:")'),
        (services("image: x:1, pid: service:z"),
         '2:24: the service "z" is not defined (add it below "services:")'),
        (services("build: {context: ., secrets: [s]}"),
         '2:37: the secret "s" is not defined (add it below "secrets:")'),
        (services("build: {context: ., additional_contexts: {x: 'service:z'}}"),
         '2:52: the service "z" is not defined (add it below "services:")'),
        (services("image: x:1, depends_on: [a]"),
         "2:31: services wait for each other: a -> a (remove one of these dependencies)"),
        (services("image: x:1, depends_on: [b]", "image: x:1, depends_on: [c]",
                  "image: x:1, depends_on: [a]"),
         "4:31: services wait for each other: a -> b -> c -> a"
         " (remove one of these dependencies)"),
        (services("image: x:1, depends_on: [b]", "image: x:1, network_mode: service:a"),
         "3:6: services wait for each other: a -> b -> a (remove one of these dependencies)"),
        (services("tty: true"), "2:6: the service has neither an image nor a build (add one)"),
        (services("build: {dockerfile: x, dockerfile_inline: y}"),
         "2:27: a build has either a dockerfile or a dockerfile_inline (remove one of them)"),
        (services("image: x:1, network_mode: host, networks: [n]", rest="networks: {n: }"),
         '2:33: "network_mode" and "networks" exclude each other (remove one of them)'),
        (services("image: x:1, network_mode: none, ports: ['80']"),
         "2:46: a service with network_mode none has no ports of its own (remove them)"),
        (services("image: x:1, network_mode: service:b, ports: ['80']", "image: x:1"),
         "2:51: a service with network_mode service:b has no ports of its own"
         " (put them into b)"),
        (services("image: x:1, mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}"),
         '2:30: "mem_limit" and "deploy.resources.limits.memory" say different things'
         " (keep one of them)"),
        (services("image: x:1, cpus: 1, deploy: {resources: {limits: {cpus: 2}}}"),
         '2:25: "cpus" and "deploy.resources.limits.cpus" say different things'
         " (keep one of them)"),
        (services("image: x:1, scale: 2, deploy: {replicas: 3}"),
         '2:26: "scale" and "deploy.replicas" say different things (keep one of them)'),
        (services("image: x:1, container_name: me, deploy: {replicas: 2}"),
         "2:35: 2 containers cannot have one name"
         " (remove container_name, or have one replica)"),
        (services("image: x:1, container_name: me, scale: 2"),
         "2:35: 2 containers cannot have one name"
         " (remove container_name, or have one replica)"),
        (services("image: x:1, healthcheck: {start_interval: 1s}"),
         '2:49: "start_interval" means nothing without a start_period (add start_period)'),
        (services("image: x:1, ports: ['80:80']", "image: x:1, ports: ['80:81']"),
         "3:27: the port 80 of this machine is published twice (a has it)"),
        (services("image: x:1, ports: ['80:80', '80:81']"),
         "2:36: the port 80 of this machine is published twice (remove one of them)"),
        (services("image: x:1, ports: ['127.0.0.1:80:80']", "image: x:1, ports: ['80:80']"),
         "3:27: the port 80 of this machine is published twice (a has it)"),
        (services("image: x:1, depends_on: {b: {condition: service_healthy}}",
                  "image: x:1, healthcheck: {disable: true}"),
         "2:35: waits for b to be healthy, which has no health check"
         " (give it one, or wait for service_started)"),
        (services("image: x:1, networks: [n]",
                  rest="networks: {n: {external: true, driver: bridge}}"),
         '3:40: "driver" cannot be said of something external (remove driver, or external)'),
        (services("image: x:1, secrets: [s]", rest="secrets: {s: {}}"),
         "3:14: where s comes from is not said"
         " (add file: or environment:, or external: true)"),
        ("name: My Shop\n" + services("image: x:1"),
         '1:7: the project cannot be named "My Shop"'
         " (use a-z, 0-9, _ and -, beginning with a letter or digit)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together(text: str, problem: str) -> None:
    assert told(completed(text).problems) == [problem]


@pytest.mark.parametrize(
    "text",
    [
        services("image: x:1, ports: ['80:80']", "image: x:1, ports: ['80:80/udp']"),
        services(
            "image: x:1, ports: ['127.0.0.1:80:80']", "image: x:1, ports: ['127.0.0.2:80:80']"
        ),
        services("image: x:1, ports: ['80', '81']", "image: x:1, ports: ['80']"),
        services("image: x:1, ports: ['8000-8010:80']", "image: x:1, ports: ['8000-8010:80']"),
        services("image: x:1, mem_limit: 1g, deploy: {resources: {limits: {memory: 1024m}}}"),
        services("image: x:1, depends_on: [b, c]", "image: x:1, depends_on: [c]", "image: x:1"),
        services("image: x:1, network_mode: host, ports: ['80:80']"),
        services("image: x:1, networks: [default]"),
        services("image: x:1, container_name: me, deploy: {replicas: 1}"),
    ],
)
def test_what_fits_together(text: str) -> None:
    assert completed(text).problems == ()


def test_each_circle_is_told_once() -> None:
    text = services(
        "image: x:1, depends_on: [b]",
        "image: x:1, depends_on: [a]",
        "image: x:1, depends_on: [d, a]",
        "image: x:1, depends_on: [c]",
    )
    assert [each.partition(": ")[2] for each in told(completed(text).problems)] == [
        "services wait for each other: a -> b -> a (remove one of these dependencies)",
        "services wait for each other: c -> d -> c (remove one of these dependencies)",
    ]


CHECKED = "healthcheck: {test: [CMD, x]}"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (services(f"image: nginx, {QUIET}"),
         '2:14: "nginx" means another image tomorrow (pin a version, such as nginx:1.2)'),
        (services(f"image: 'reg:5000/nginx:latest', {QUIET}"),
         '2:14: "reg:5000/nginx:latest" means another image tomorrow'
         " (pin a version, such as reg:5000/nginx:1.2)"),
        (services(f"image: 'postgres:16', {QUIET}"),
         "2:14: the database a has no health check"
         " (add one, so that what depends on it can wait until it is ready)"),
        (services(f"image: 'postgres:16', {CHECKED}, ports: ['5432:5432'], {QUIET}"),
         "2:68: a looks internal, and its port 5432 is open to others"
         " (use expose, or publish it on 127.0.0.1 only)"),
        (services(f"image: 'memcached:1', ports: ['11211:11211'], {QUIET}"),
         "2:37: a looks internal, and its port 11211 is open to others"
         " (use expose, or publish it on 127.0.0.1 only)"),
        (services(f"image: x:1, depends_on: {{b: {{condition: service_healthy}}}}, {QUIET}",
                  f"image: x:1, {QUIET}"),
         "2:35: waits for b to be healthy, which only its image can have a check for"
         " (add a healthcheck to b)"),
        (services("image: x:1, depends_on: {b: {condition: service_completed_successfully}},"
                  f" {QUIET}", f"image: x:1, restart: always, {QUIET}"),
         "2:35: waits for b to end, which is started again whenever it does"
         ' (write restart: "no" in b)'),
        (services(f"image: x:1, secrets: [{{source: s, mode: 0400}}], {QUIET}",
                  rest="secrets: {s: {file: ./s}}"),
         '2:47: "mode" does nothing for s, which is a file (change those of the file itself)'),
        (services(f"image: x:1, volumes: ['/nowhere/x.conf:/etc/x.conf'], {QUIET}"),
         '2:29: "/nowhere/x.conf" is not there: an empty folder would be made of it'
         " (make the file first)"),
        (services(f"image: x:1, {QUIET}", "image: x:1"),
         "3:6: the log of a container grows without a limit wherever this file is run"
         ' (add logging: {options: {max-size: 10m, max-file: "3"}})'),
    ],
)  # fmt: skip
def test_good_practice(text: str, note: str) -> None:
    found = completed(text)
    assert (found.problems, told(found.notes)) == ((), [note])


@pytest.mark.parametrize(
    "text",
    [
        services(f"image: 'nginx:1.27', {QUIET}"),
        services(f"image: 'nginx@sha256:{'0' * 64}', {QUIET}"),
        services(f"image: mine, build: ., {QUIET}"),
        services(f"image: x:1, volumes: ['/nowhere/data:/data', '{__file__}:/x.py'], {QUIET}"),
        services(f"image: 'redis:7', {CHECKED}, ports: ['127.0.0.1:6379:6379'], {QUIET}"),
        services("image: x:1, logging: {driver: local}"),
        services(
            f"image: x:1, secrets: [{{source: s, mode: 0400}}], {QUIET}",
            rest="secrets: {s: {environment: S}}",
        ),
        services("image: x:1, logging: {driver: journald}"),
    ],
)
def test_what_is_good_practice(text: str) -> None:
    assert completed(text).notes == ()


def test_the_log_is_noted_once() -> None:
    notes = completed(services("image: x:1", "image: x:1", "image: x:1")).notes
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("environment", "note"),
    [
        ("{DB_PASSWORD: hunter2}", "3:32"),
        ("[DB_PASSWORD=hunter2, API_TOKEN=x]", "3:19"),
        ("{MODE: fast, JWT_SECRET: abc}", "3:43"),
        ("{DB_PASSWORD: '${DB_PASSWORD}'}", None),
        ("[DB_PASSWORD]", None),
        ("{DB_PASSWORD: ''}", None),
        ("{DB_PASSWORD_FILE: /run/secrets/db}", None),
        ("{TOKENS_PER_MINUTE: 5}", None),
    ],
)
def test_a_secret_that_is_written_plainly(environment: str, note: str | None) -> None:
    text = f"services:\n  a:\n    environment: {environment}\n"
    notes = told(tuple(written_secret([read_compose_yaml(text.encode(), "c.yaml")])))
    if note is None:
        assert notes == []
    else:
        (found,) = notes
        assert found.startswith(note)
        assert "hunter2" not in found
        assert "looks secret and is written into the file" in found


def test_one_note_on_secrets_is_enough() -> None:
    text = b"services: {a: {environment: {A_TOKEN: x, B_TOKEN: y}}}"
    document = read_compose_yaml(text, "c.yaml")
    assert len(written_secret([document, document])) == 1
