"""The keys of a service but for ports and mounts: forms, values, and words about wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.compose.keys import quantities
from core.config.compose.keys.services import SERVICE
from core.config.compose.keys.shapes import Tier
from tests.config.compose.keys import read, read_key, told, value_of

STARTED = {"condition": "service_started", "required": True}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("image: nginx:1.27", "nginx:1.27"),
        ("image: registry:5000/a/b@sha256:0123", "registry:5000/a/b@sha256:0123"),
        ("command: echo 'a b' c", ["echo", "a b", "c"]),
        ("command: [echo, 5, '']", ["echo", "5", ""]),
        ("command: ''", []),
        ("command: []", []),
        ("command:", None),
        ("entrypoint: /run.sh --fast", ["/run.sh", "--fast"]),
        ("entrypoint:", None),
        ("environment: [A=1, B, C=, D=a=b, A=2]", {"A": "2", "B": None, "C": "", "D": "a=b"}),
        ("environment: {A: 1, B: , C: '', D: true, E: 1.5, F: 1.0}",
         {"A": "1", "B": None, "C": "", "D": "true", "E": "1.5", "F": "1"}),
        ("labels: [a.b=c, d]", {"a.b": "c", "d": ""}),
        ("labels: {a.b: c, d: 1}", {"a.b": "c", "d": "1"}),
        ("annotations: {a: b}", {"a": "b"}),
        ("sysctls: [net.core.somaxconn=1024]", {"net.core.somaxconn": "1024"}),
        ("sysctls: {net.core.somaxconn: 1024}", {"net.core.somaxconn": "1024"}),
        ("env_file: a.env", [{"path": "/project/a.env", "required": True}]),
        ("env_file: [a.env, /b.env]",
         [{"path": "/project/a.env", "required": True}, {"path": "/b.env", "required": True}]),
        ("env_file: [{path: a.env, required: false, format: raw}]",
         [{"path": "/project/a.env", "required": False, "format": "raw"}]),
        ("label_file: a.labels", ["/project/a.labels"]),
        ("label_file: [a, ../b]", ["/project/a", "/b"]),
        ("depends_on: [b, c]", {"b": STARTED, "c": STARTED}),
        ("depends_on: {b: {condition: service_healthy}}",
         {"b": {"condition": "service_healthy"}}),
        ("depends_on: {b: {condition: service_started, required: false, restart: true}}",
         {"b": {"condition": "service_started", "required": False, "restart": True}}),
        ("networks: [front, back]", {"front": None, "back": None}),
        ("networks: {front: , back: {aliases: [db], ipv4_address: 10.0.0.2, priority: 5}}",
         {"front": None, "back": {"aliases": ["db"], "ipv4_address": "10.0.0.2", "priority": 5}}),
        ("network_mode: host", "host"),
        ("network_mode: service:b", "service:b"),
        ("restart: no", "no"),
        ("restart: false", "no"),
        ("restart: 'no'", "no"),
        ("restart: always", "always"),
        ("restart: on-failure:3", "on-failure:3"),
        ("pull_policy: if_not_present", "missing"),
        ("pull_policy: every_12h", "every_12h"),
        ("stop_grace_period: 90s", "1m30s"),
        ("stop_signal: SIGINT", "SIGINT"),
        ("user: 1000", "1000"),
        ("user: 1000:1000", "1000:1000"),
        ("tmpfs: /run", ["/run"]),
        ("tmpfs: [/run, '/tmp:size=64m']", ["/run", "/tmp:size=64m"]),
        ("dns: 8.8.8.8", ["8.8.8.8"]),
        ("dns: [8.8.8.8, 1.1.1.1]", ["8.8.8.8", "1.1.1.1"]),
        ("dns_search: example.com", ["example.com"]),
        ("dns: ''", []),
        ("dns: ['', 8.8.8.8]", ["8.8.8.8"]),
        ("hostname: ''", ""),
        ("container_name: ''", ""),
        ("platform: ''", ""),
        ("extra_hosts: ['a:10.0.0.1', b=10.0.0.2, 'c=::1', 'd:[::1]']",
         ["a=10.0.0.1", "b=10.0.0.2", "c=::1", "d=::1"]),
        ("extra_hosts: {a: 10.0.0.1, b: ['10.0.0.2', '::1']}",
         ["a=10.0.0.1", "b=10.0.0.2", "b=::1"]),
        ("extra_hosts: ['host.docker.internal:host-gateway']",
         ["host.docker.internal=host-gateway"]),
        ("ulimits: {nproc: 65535, nofile: {soft: 20000, hard: '40000'}}",
         {"nproc": 65535, "nofile": {"soft": 20000, "hard": 40000}}),
        ("ulimits: {memlock: -1}", {"memlock": -1}),
        ("devices: [/dev/a]", [{"source": "/dev/a", "target": "/dev/a", "permissions": "rwm"}]),
        ("devices: ['/dev/a:r']", [{"source": "/dev/a", "target": "/dev/a", "permissions": "r"}]),
        ("devices: ['/dev/a:/dev/b']",
         [{"source": "/dev/a", "target": "/dev/b", "permissions": "rwm"}]),
        ("devices: ['/dev/a:/dev/b:rw']",
         [{"source": "/dev/a", "target": "/dev/b", "permissions": "rw"}]),
        ("devices: [{source: /dev/a, target: /dev/b}]",
         [{"source": "/dev/a", "target": "/dev/b", "permissions": "rwm"}]),
        ("gpus: all", [{"count": -1}]),
        ("gpus: [{driver: nvidia, count: 2}]", [{"driver": "nvidia", "count": 2}]),
        ("shm_size: 64m", "67108864"),
        ("mem_limit: 1.5g", "1610612736"),
        ("mem_limit: 1073741824", "1073741824"),
        ("memswap_limit: -1", "-1"),
        ("cpus: '0.5'", 0.5),
        ("cpus: 2.0", 2),
        ("cpu_quota: 50ms", "50000"),
        ("cpu_quota: 50000", "50000"),
        ("cpuset: 0,1", "0,1"),
        ("pids_limit: '100'", 100),
        ("oom_score_adj: -500", -500),
        ("logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}",
         {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}),
        ("secrets: [a]", [{"source": "a"}]),
        ("secrets: [{source: a, target: b, mode: 0440, uid: '1'}]",
         [{"source": "a", "target": "b", "mode": 0o440, "uid": "1"}]),
        ("configs: [{source: a, target: /etc/a, mode: '0440'}]",
         [{"source": "a", "target": "/etc/a", "mode": 0o440}]),
        ("build: ./app", {"context": "/project/app"}),
        ("build: {context: ., args: [A, B=1], target: prod}",
         {"context": "/project", "args": {"A": None, "B": "1"}, "target": "prod"}),
        ("build: {dockerfile_inline: FROM alpine}", {"dockerfile_inline": "FROM alpine"}),
        ("build: {additional_contexts: {a: ../a, b: 'docker-image://x', c: 'service:d'}}",
         {"additional_contexts": {"a": "/a", "b": "docker-image://x", "c": "service:d"}}),
        ("build: {context: ., shm_size: 1k, extra_hosts: ['a:1.2.3.4'], secrets: [s]}",
         {"context": "/project", "shm_size": "1024", "extra_hosts": ["a=1.2.3.4"],
          "secrets": [{"source": "s"}]}),
        ("extends: b", {"service": "b"}),
        ("extends: {service: b, file: other.yaml}", {"service": "b", "file": "other.yaml"}),
        ("deploy: {replicas: '3', mode: replicated}", {"replicas": 3, "mode": "replicated"}),
        ("deploy: {resources: {limits: {cpus: '0.50', memory: 256M, pids: 10}}}",
         {"resources": {"limits": {"cpus": 0.5, "memory": "268435456", "pids": 10}}}),
        ("deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: all}]}}}",
         {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"], "count": -1}]}}}),
        ("deploy: {update_config: {order: start-first, failure_action: rollback}}",
         {"update_config": {"order": "start-first", "failure_action": "rollback"}}),
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}",
         {"restart_policy": {"condition": "on-failure", "max_attempts": 3}}),
        ("blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 12mb}]}",
         {"weight": 300, "device_read_bps": [{"path": "/dev/sda", "rate": "12582912"}]}),
        ("links: [db, 'db:database']", ["db", "db:database"]),
        ("volumes_from: ['b:ro']", ["b:ro"]),
        ("profiles: [debug]", ["debug"]),
        ("cap_add: [NET_ADMIN]", ["NET_ADMIN"]),
        ("privileged: 'true'", True),
        ("x-anything: {a: [1]}", {"a": [1]}),
    ],
)  # fmt: skip
def test_key(line: str, value: Any) -> None:
    assert value_of(line) == value


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("{test: curl -f http://localhost}", {"test": ["CMD-SHELL", "curl -f http://localhost"]}),
        ("{test: [CMD, redis-cli, ping]}", {"test": ["CMD", "redis-cli", "ping"]}),
        ("{test: [CMD-SHELL, a && b]}", {"test": ["CMD-SHELL", "a && b"]}),
        ("{test: [NONE]}", {"test": ["NONE"]}),
        ("{test: }", {"test": None}),
        ("{disable: true}", {"disable": True}),
        ("{interval: 1m30s, timeout: 500ms, retries: '5'}",
         {"interval": "1m30s", "timeout": "500ms", "retries": 5}),
        ("{start_period: 40s, start_interval: 1.5s}",
         {"start_period": "40s", "start_interval": "1.5s"}),
        ("{interval: 0s}", {"interval": "0s"}),
    ],
)  # fmt: skip
def test_healthcheck(line: str, check: dict[str, Any]) -> None:
    assert value_of(f"healthcheck: {line}") == check


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("imgae: x", '3:5: unknown key "imgae" (did you mean "image"?)'),
        ("dockerfile: x", '3:5: unknown key "dockerfile" (it belongs below "build")'),
        ("replicas: 3", '3:5: unknown key "replicas" (it belongs below "deploy")'),
        ("image: true", '3:12: "image" must be text, not true (put it in quotes)'),
        ("image: a b", '3:12: "image" cannot be "a b" (such as nginx:1.27-alpine)'),
        ("image: 'nginx:'", '3:12: "image" cannot be "nginx:" (such as nginx:1.27-alpine)'),
        ("volumes_from: ['container:x']",
         '3:20: "volumes_from[0]" cannot be "container:x"'
         " (name a service of this project)"),
        ("volumes_from: ['b:x']",
         '3:20: "volumes_from[0]" cannot be "b:x" (write NAME or NAME:ro)'),
        ("image: ''", '3:12: "image" must not be empty (give it a value, or remove it)'),
        ("command: echo 'a", '3:14: "command" has a quote that is not closed'
                             " (close it, or write a list)"),
        ("command: [a, [b]]", '3:18: "command[1]" must be text, not a list'),
        ("command: {a: b}", '3:14: "command" must be text, not a mapping'),
        ("environment: A=1", '3:18: "environment" must be a mapping or a list of KEY=value,'
                             " not text (write - KEY=value)"),
        ("environment: [=1]", '3:19: "environment[0]" has no name before = (write KEY=value)'),
        ("environment: {A: [1]}", '3:22: "A" must be text, not a list (put it in quotes)'),
        ("depends_on: b", '3:17: "depends_on" must be a mapping of names to values, not "b"'),
        ("depends_on: [b, b]", '3:21: "b" is listed twice (remove one of them)'),
        ("depends_on: {b: {condition: healthy}}",
         '3:33: "condition" must be one of service_started, service_healthy,'
         ' service_completed_successfully, not "healthy" (did you mean "service_healthy"?)'),
        ("depends_on: {b: }",
         '3:21: "b" must be a mapping of keys to values, not empty'),
        ("restart: alway", '3:14: "restart" must be one of no, always, unless-stopped,'
                           ' on-failure or on-failure:5, not "alway" (did you mean "always"?)'),
        ("restart: always:3", '3:14: "restart" must be one of no, always, unless-stopped,'
                              ' on-failure or on-failure:5, not "always:3"'
                              ' (did you mean "always"?)'),
        ("healthcheck: {test: [curl, x]}",
         '3:25: "test" begins with "curl" (write ["CMD", "program", ...], ["CMD-SHELL", "line"],'
         ' ["NONE"] or a line for the shell)'),
        ("healthcheck: {test: [CMD]}",
         '3:25: "test" names no program (write ["CMD", "program", ...], ["CMD-SHELL", "line"],'
         ' ["NONE"] or a line for the shell)'),
        ("healthcheck: {timeout: 5}",
         '3:28: "timeout" must be a duration, not 5 (write 5s for seconds)'),
        ("healthcheck: {timeout: '5'}",
         '3:28: "timeout" must be a duration, not "5" (write 5s for seconds)'),
        ("healthcheck: {timeout: soon}",
         '3:28: "timeout" must be a duration, not "soon" (such as 30s or 1m30s)'),
        ("healthcheck: {interval: 500ns}", '3:29: "interval" is shorter than 1ms (such as 10s)'),
        ("healthcheck: {retries: some}",
         '3:28: "retries" must be a whole number, not "some"'),
        ("healthcheck: [CMD, a]",
         '3:18: "healthcheck" must be a mapping of keys to values, not a list'),
        ("network_mode: container:x",
         '3:19: "network_mode" cannot be "container:x"'
         " (name a service of this project)"),
        ("network_mode: wifi",
         '3:19: "network_mode" cannot be "wifi" (use host, none or service:NAME)'),
        ("networks: {a: {ipv4_address: '::1'}}",
         '3:34: "ipv4_address" must be an IPv4 address, not "::1"'
         " (ipv6_address takes this one)"),
        ("networks: {a: {alias: b}}", '3:20: unknown key "alias" (did you mean "aliases"?)'),
        ("mem_limit: lots", '3:16: "mem_limit" must be a size, not "lots"'
                            " (such as 512k, 256M or 1g)"),
        ("cpus: -1", '3:11: "cpus" must not be negative, but is -1'),
        ("cpus: many", '3:11: "cpus" must be a number, not "many"'),
        ("ulimits: {nofiles: 1}", '3:15: "nofiles" is no limit (did you mean "nofile"?)'),
        ("ulimits: {nofile: {soft: 1}}", '3:23: "nofile" has no "hard"'),
        ("extra_hosts: [a]", '3:19: "extra_hosts[0]" cannot be "a="'
                             " (such as api=10.0.0.5 or host.docker.internal=host-gateway)"),
        ("container_name: a/b", '3:21: "container_name" cannot be "a/b"'
                                " (use letters, digits, _ . and -, at least two of them)"),
        ("pull_policy: sometimes", '3:18: "pull_policy" cannot be "sometimes" (valid: always,'
                                   " build, daily, every_12h, if_not_present, missing, never,"
                                   " weekly)"),
        ("build: https://github.com/a/b",
         '3:12: "build" is not on this machine: "https://github.com/a/b"'
         " (clone it, and name the folder)"),
        ("secrets: [{target: a}]", '3:15: "secrets[0]" has no "source"'),
        ("tty: maybe", '3:10: "tty" must be true or false, not "maybe"'),
        ("privileged: 1", '3:17: "privileged" must be true or false, not 1'),
        ("deploy: {replicas: -1}", '3:24: "replicas" must be at least 0, not -1'),
        ("deploy: {resources: {limits: {memory: 5X}}}",
         '3:43: "memory" must be a size, not "5X" (such as 512k, 256M or 1g)'),
        ("provider: {type: x}", '3:5: "provider" is not supported'
                                " (run it as a service with an image)"),
        ("credential_spec: {}",
         '3:5: "credential_spec" is not supported (it is of Windows only)'),
        ("isolation: hyperv", '3:5: "isolation" is not supported (it is of Windows only)'),
        ("storage_opt: {size: 1G}", '3:5: "storage_opt" is not supported'
                                    " (few engines can; limit a volume instead)"),
        ("cpu_percent: 5", '3:5: "cpu_percent" is not supported (it is of Windows only)'),
        ("env_file: [{required: true}]", '3:16: "env_file[0]" has no "path"'),
    ],
)  # fmt: skip
def test_key_that_is_wrong(line: str, problem: str) -> None:
    assert told(read_key(line).problems) == [problem]


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("tty: yes", '3:10: "tty": "yes" is read as true (write true)'),
        ("init: Off", '3:11: "init": "Off" is read as false (write false)'),
        ("ports:", '3:5: "ports" is empty and says nothing (give it a value, or remove it)'),
        ("attach: false", '3:5: "attach" does nothing here (all logs are kept)'),
        ("develop: {watch: []}", '3:5: "develop" does nothing here'
                                 " (files are not watched: the dashboard deploys again)"),
        ("post_start: [{command: ls}]",
         '3:5: "post_start" does nothing here (hooks are not run: put it into the entrypoint,'
         " or a service that others wait for)"),
        ("external_links: [a]",
         '3:5: "external_links" does nothing here (use an external network)'),
        ("network_mode: bridge",
         '3:19: "network_mode": "bridge" is read as the default network of the project'
         " (remove it; services find each other by name there)"),
        ("deploy: {placement: {constraints: []}}",
         '3:14: "placement" does nothing here (there is one machine)'),
        ("deploy: {update_config: {failure_action: pause}}",
         '3:46: "failure_action": pause does nothing here'
         " (a deploy that fails leaves what was live untouched)"),
        ("deploy: {rollback_config: {order: stop-first}}",
         '3:32: "order" does nothing here'
         " (a rollback takes over as a deploy does: update_config.order is for both)"),
        ("volumes: [{type: bind, source: ., target: /a, bind: {recursive: readonly}}]",
         '3:69: "recursive": readonly does nothing here (use enabled or disabled)'),
        ("deploy: {update_config: {parallelism: 1}}",
         '3:30: "parallelism" does nothing here'
         " (all replicas are started, and requests switched to all of them at once)"),
    ],
)  # fmt: skip
def test_what_does_nothing_is_noted(line: str, note: str) -> None:
    found = read_key(line)
    assert told(found.notes) == [note]
    assert found.problems == ()


@pytest.mark.parametrize("tier", [Tier.NOTED, Tier.REFUSED])
def test_no_key_that_is_not_honoured_is_silent(tier: Tier) -> None:
    for name in (name for name, key in SERVICE.table.items() if key.tier is tier):
        found = read_key(f"{name}: [a]")
        assert any(f'"{name}"' in each for each in told((*found.problems, *found.notes))), name


@pytest.mark.parametrize(
    ("text", "total_ns", "written"),
    [
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
        ("1ns", 1, "1ns"),
        ("1500us", 1_500_000, "1.5ms"),
        ("250ms", 250_000_000, "250ms"),
        ("1.5s", 1_500_000_000, "1.5s"),
        (".5m", 30_000_000_000, "30s"),
        ("90s", 90_000_000_000, "1m30s"),
        ("1h", 3_600_000_000_000, "1h0m0s"),
        ("1h30m5.5s", 5_405_500_000_000, "1h30m5.5s"),
        ("1d", 86_400_000_000_000, "24h0m0s"),
        ("1w", 604_800_000_000_000, "168h0m0s"),
    ],
)
def test_durations(text: str, total_ns: int, written: str) -> None:
    assert quantities.nanoseconds(text) == total_ns
    assert quantities.duration_text(total_ns) == written
    assert quantities.seconds(written) == total_ns / 1e9


@pytest.mark.parametrize("text", ["", "s", "5", "-5s", "5 s", "5S", "1m 5s", "1.2.3s", "9" * 99])
def test_durations_that_are_none(text: str) -> None:
    assert quantities.nanoseconds(text) is None


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("1024", 1024),
        ("1b", 1),
        ("1k", 1024),
        ("1KB", 1024),
        ("2 MB", 2 * 1024**2),
        ("1.5g", 1_610_612_736),
        ("1Gi", 1024**3),
        ("1GiB", 1024**3),
        ("1t", 1024**4),
    ],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert quantities.size_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["", "k", "-1", "1x", "1 k b", "1e3", "9999999999t"])
def test_sizes_that_are_none(text: str) -> None:
    assert quantities.size_bytes(text) is None


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[]", ["1:1: the file must be a mapping of keys to values, not a list"]),
        ("services: []", ['1:11: "services" must be a mapping of names to values, not a list']),
        ("image: x", ['1:1: unknown key "image" (it belongs to a service: put it below the name'
                      " of one, indented)"]),
        ("web: {image: x}", ['1:1: unknown key "web" (put "web" below "services:", indented)']),
        ("volume: {}", ['1:1: unknown key "volume" (did you mean "volumes"?)']),
        ("models: {}", ['1:1: "models" is not supported (run the model as a service with an'
                        " image)"]),
        ("services: {'a b': {}}", ['1:12: the name "a b" is not valid'
                                   " (use letters, digits, _ . and -)"]),
        ("networks: {a: {ipam: {config: [{subnet: 10}]}}}",
         ['1:41: "subnet" must be a subnet, not "10" (such as 172.28.0.0/16)']),
        ("volumes: {a: {drivr: x}}", ['1:15: unknown key "drivr" (did you mean "driver"?)']),
        ("secrets: {a: {file: x, environment: X}}",
         ['1:14: "a" has both file and environment (keep one of them)']),
        ("secrets: {a: {driver: x}}",
         ['1:15: "driver" is not supported (secrets and configs are files, variables or text on'
          " this machine)"]),
        ("include: a.yaml", ['1:10: "include" must be a list, not "a.yaml"'
                             " (such as [other/compose.yaml])"]),
    ],
)  # fmt: skip
def test_the_top_of_a_file_that_is_wrong(text: str, problems: list[str]) -> None:
    assert told(read(text).problems) == problems


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("networks: {a: , b: {internal: true}}",
         {"networks": {"a": None, "b": {"internal": True}}}),
        ("networks: {a: {external: true, name: b}}",
         {"networks": {"a": {"external": True, "name": "b"}}}),
        ("networks: {a: {ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}}",
         {"networks": {"a": {"ipam": {"config": [{"subnet": "10.0.0.0/24",
                                                  "gateway": "10.0.0.1"}]}}}}),
        ("volumes: {a: , b: {driver_opts: {o: size=5}, labels: [x=y]}}",
         {"volumes": {"a": None, "b": {"driver_opts": {"o": "size=5"}, "labels": {"x": "y"}}}}),
        ("secrets: {a: {file: ./a.txt}, b: {environment: B}}",
         {"secrets": {"a": {"file": "/project/a.txt"}, "b": {"environment": "B"}}}),
        ("configs: {a: {content: hi}}", {"configs": {"a": {"content": "hi"}}}),
        ("include: [a.yaml, {path: [b, c], project_directory: d, env_file: e}]",
         {"include": [{"path": ["a.yaml"]},
                      {"path": ["b", "c"], "project_directory": "d", "env_file": ["e"]}]}),
        ("x-a: {b: c}", {"x-a": {"b": "c"}}),
        ("name: shop", {"name": "shop"}),
    ],
)  # fmt: skip
def test_the_top_of_a_file(text: str, data: dict[str, Any]) -> None:
    found = read(text)
    assert (found.data, found.problems, found.notes) == (data, (), ())


def test_an_external_with_a_name_inside_is_the_old_form() -> None:
    found = read("volumes: {a: {external: {name: b}}}")
    assert found.data == {"volumes": {"a": {"external": True, "name": "b"}}}
    assert told(found.notes) == [
        '1:14: "external" with a name inside is the old form'
        " (write external: true, and name: beside it)"
    ]


def test_a_version_is_noted() -> None:
    assert told(read('version: "3.9"').notes) == [
        '1:1: "version" does nothing here (it means nothing any more: remove it)'
    ]


def test_all_problems_are_told_together() -> None:
    text = "services:\n  a:\n    imgae: x\n    ports: [x]\n    tty: 5\nvolume: {}\n"
    assert [each[:2] for each in told(read(text).problems)] == ["3:", "4:", "5:", "6:"]


def test_values_of_a_list_that_becomes_a_mapping_are_where_they_are_written() -> None:
    found = read("services:\n  a:\n    environment:\n      - A=1\n      - B=2\n")
    assert found.values["services", "a", "environment", "B"] == (5, 9)
