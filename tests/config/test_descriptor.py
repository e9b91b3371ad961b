"""The shape of the descriptor: what is accepted, and each wrong value, its place and message."""

from __future__ import annotations

import pytest

from tests.config.checks import descriptor_problems

LATER = "belongs to a later generation of this file and is not supported"
WEB = "name: shop\nservices:\n  web:\n    path: .\n"

FULL = """\
name: shop-2
services:
  web: apps/web
  api_1:
    path: ./services/api
    kind: api
    accessMode: public
    build:
      strategy: railpack
      command: make build
      env: [API_URL, _x]
      packages: {build: [gcc, libpq-dev], runtime: ["libpq5=1:15.3~a"]}
    run:
      command: ./serve
      restart: {policy: on-failure, maxRetries: 3}
    readiness: {type: http, path: ready, timeoutMs: 300000}
    release: {command: ./migrate --all}
    drain: {timeoutMs: 0, streamsMs: 86400000}
    port: 65535
    replicas: 2
    strategy: stop-first
    dependsOn: {web: started, 0worker: healthy, job: completed}
    limits: {cpus: 2, memory: 256M}
  0worker:
    path: .
    kind: worker
    strategy: singleton
    readiness: {type: command, command: ./alive, intervalMs: 100}
    run: {restart: {policy: no}}
  job: {path: ., kind: job, timeLimitMs: 86400000, limits: {cpus: 0.5}}
  cron: {path: ., kind: cron, schedule: "*/5 0-6 1,15 * mon", build: {}, limits: {}}
  nightly:
    path: .
    kind: cron
    schedule: {cron: 0 3 * * *, timeZone: Europe/Berlin, overlap: replace, deadlineMs: 1}
    dependsOn: [api_1, job, web, 0worker]
"""


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        "name: a\nservices: {web: .}",
        f"name: {'a' * 63}\nservices: {{{'b' * 63}: .}}",
        WEB + "    readiness: {type: http}\n    build: {strategy: dockerfile}\n",
        WEB + "    readiness: {type: http, timeoutMs: 1}\n",
    ],
)
def test_accepted(text: str) -> None:
    assert descriptor_problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a", "1:1: the file must be a mapping of keys to values, not a list"),
        ("services: {web: .}", '1:1: "name" is missing'),
        ("name: shop", '1:1: "services" is missing'),
        ("name: Shop\nservices: {web: .}", '1:7: "name" cannot be "Shop" (use at most 63 of a-z,'),
        ("name: 1a\nservices: {web: .}", '1:7: "name" cannot be "1a"'),
        (f"name: {'a' * 64}\nservices: {{web: .}}", '1:7: "name" cannot be "aaa'),
        ("name: 5\nservices: {web: .}", '1:7: "name" must be text, not 5 (put it in quotes)'),
        ("name: ~\nservices: {web: .}", '1:7: "name" is empty (give it a value, or remove it)'),
        ("name: shop\nservices: {}", '2:11: "services" must not be empty'),
        ("name: shop\nservices: []", '2:11: "services" must be a mapping of names to values, not'),
        ("name: shop\nservices:\n", '2:10: "services" is empty (give it a value, or remove it)'),
        ("name: shop\nservices: {Web: .}", '2:12: the name "Web" is not valid (use at most 63 of'),
        ("name: shop\nservices: {-a: .}", '2:12: the name "-a" is not valid'),
        ('name: shop\nservices: {web: ""}', '2:17: "path" must not be empty'),
        ("name: shop\nservices:\n  web:\n", '3:7: "web" must be a path or a mapping, not empty'),
        ("name: shop\nservices: {web: [.]}", '2:17: "web" must be a path or a mapping, not a list'),
        ("name: shop\nservices: {web: 3}", '2:17: "web" must be a path or a mapping, not 3'),
        ("name: shop\nservices:\n  web: {kind: api}", '3:3: "path" is missing in "web"'),
    ],
)
def test_top_level(text: str, expected: str) -> None:
    (problem,) = descriptor_problems(text)

    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "kind: Web",
            '5:11: "kind" must be one of web, api, worker, job, cron, not "Web" (did you',
        ),
        ("kind: true", '5:11: "kind" must be one of web, api, worker, job, cron, not true'),
        ("kind: static", f'5:11: "kind" cannot be static: that {LATER}'),
        ("accessMode: none", '5:17: "accessMode" must be one of public, authenticated, not "none"'),
        ("build: .", '5:12: "build" must be a mapping of keys to values, not "."'),
        ("build:", '5:11: "build" is empty (give it a value, or remove it)'),
        ("build: {strategy: docker}", '5:23: "strategy" must be one of auto, dockerfile, railpack'),
        ('build: {command: ""}', '5:22: "command" must not be empty'),
        ("build: {command: [make]}", '5:22: "command" must be text, not a list'),
        ("build: {env: {A: b}}", '5:18: "env" must be a list, not a mapping'),
        ("build: {env: [A, 1b]}", '5:22: "env[1]" cannot be "1b" (use letters, digits and _, not'),
        ("build: {env: [~]}", '5:19: "env[0]" must be text, not empty'),
        ("build: {packages: [curl]}", '5:23: "packages" must be a mapping of keys to values'),
        ("build: {packages: {build: [-x]}}", '5:32: "build[0]" cannot be "-x" (use an APT package'),
        ("run: {command: 5}", '5:20: "command" must be text, not 5 (put it in quotes)'),
        ('run: {command: ""}', '5:20: "command" must not be empty'),
        ("run: {restart: always}", '5:20: "restart" must be a mapping of keys to values'),
        (
            "run: {restart: {policy: always}}",
            '5:29: "policy" must be one of no, on-failure, unless',
        ),
        ("run: {restart: {policy: false}}", '5:29: "policy" must be one of no, on-failure, unless'),
        ("run: {restart: {}}", '5:11: "policy" is missing in "restart"'),
        (
            "run: {restart: {policy: on-failure, maxRetries: 0}}",
            '5:53: "maxRetries" must be greater than 0, not 0',
        ),
        ("readiness: {path: /}", '5:5: "type" is missing in "readiness"'),
        (
            "readiness: {type: https}",
            '5:23: "type" must be one of http, tcp, command, not "https" (did you mean "http"?)',
        ),
        (
            "readiness: {type: command, command: [ls]}",
            '5:41: "command" must be text, not a list',
        ),
        (
            "readiness: {type: tcp, intervalMs: 99}",
            '5:40: "intervalMs" must be at least 100, not 99',
        ),
        (
            "readiness: {type: tcp, intervalMs: 300001}",
            '5:40: "intervalMs" must be at most 300000, not 300001',
        ),
        ('readiness: {type: http, path: ""}', '5:35: "path" must not be empty'),
        (
            'readiness: {type: http, path: "/a b"}',
            '5:35: "path" cannot be "/a b" (use a path, with or without a query, in visible',
        ),
        ("readiness: {type: http, timeoutMs: 0}", '5:40: "timeoutMs" must be at least 1, not 0'),
        (
            "readiness: {type: http, timeoutMs: 300001}",
            '5:40: "timeoutMs" must be at most 300000, not 300001',
        ),
        (
            "readiness: {type: http, timeoutMs: 30s}",
            '5:40: "timeoutMs" must be a whole number, not "30s"',
        ),
        (
            "readiness: {type: http, timeoutMs: 010}",
            '5:40: "timeoutMs" must be a whole number, not "010"',
        ),
        (
            "readiness: {type: http, timeoutMs: 1e3}",
            '5:40: "timeoutMs" must be a whole number, not',
        ),
        ("release: ./migrate", '5:14: "release" must be a mapping of keys to values, not "./mig'),
        ("release: {}", '5:5: "command" is missing in "release"'),
        ('release: {command: ""}', '5:24: "command" must not be empty'),
        ("release: {command: [a]}", '5:24: "command" must be text, not a list'),
        ("release: {env: [], command: x}", '5:15: unknown key "env" (valid: command)'),
        ("drain: {timeoutMs: -1}", '5:24: "timeoutMs" must be at least 0, not -1'),
        (
            "drain: {streamsMs: 86400001}",
            '5:24: "streamsMs" must be at most 86400000, not 86400001',
        ),
        ("port: 0", '5:11: "port" must be at least 1, not 0'),
        ("port: 65536", '5:11: "port" must be at most 65535, not 65536'),
        ('port: "80"', '5:11: "port" must be a whole number, not "80"'),
        ("port: true", '5:11: "port" must be a whole number, not true'),
        ("replicas: 0", '5:15: "replicas" must be at least 1, not 0'),
        ("strategy: rolling", '5:15: "strategy" must be one of overlap, stop-first, singleton, no'),
        ("dependsOn: db", '5:16: "dependsOn" must be a list of services, or a mapping of services'),
        ("dependsOn: 5", '5:16: "dependsOn" must be a list of services, or a mapping of services'),
        ("dependsOn:", '5:15: "dependsOn" is empty (give it a value, or remove it)'),
        ("limits: {cpus: 0}", '5:20: "cpus" must be greater than 0, not 0'),
        ("limits: {cpus: .inf}", '5:20: "cpus" must be a finite number, not inf'),
        ('limits: {cpus: "1"}', '5:20: "cpus" must be a number, not "1"'),
        ("limits: {memory: 256m}", '5:22: "memory" cannot be "256m" (use a whole number with K, M'),
        ("limits: {memory: 256}", '5:22: "memory" must be text, not 256 (put it in quotes)'),
    ],
)
def test_service(line: str, expected: str) -> None:
    (problem,) = descriptor_problems(WEB + f"    {line}\n")

    assert problem.startswith(expected)


CRON = "name: shop\nservices:\n  tidy:\n    path: .\n    kind: cron\n"


@pytest.mark.parametrize(
    "cron",
    [
        *(
            "* * * *",
            "* * * * * *",
            "@daily",
            "* * * * ;",
            "",
            "* * * * *\\n",
            "a" * 201 + " * * * *",
        ),
        *("60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *"),
        *("5-1 * * * *", "1,,2 * * * *", "* * * FOO *", "- * * * *", f"{'9' * 200} * * * *"),
    ],
)
def test_cron_has_five_fields_in_their_ranges(cron: str) -> None:
    (problem,) = descriptor_problems(CRON + f'    schedule: "{cron}"\n')

    assert problem.startswith('6:15: "cron" cannot be ')
    assert "use five fields" in problem


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4 *", "0 0 31 4,6 *"])
def test_cron_is_due_some_time(cron: str) -> None:
    (problem,) = descriptor_problems(CRON + f'    schedule: {{cron: "{cron}"}}\n')

    assert problem.startswith(f'6:22: "cron" cannot be "{cron}": it is never due (')


def test_cron_names_days_of_the_week_by_0_to_7() -> None:
    (problem,) = descriptor_problems(CRON + '    schedule: "0 3 * * 8"\n')

    assert '"0 3 * * 8": bad day-of-week' in problem
    assert "weekday 0-7" in problem


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "*/7 1-23/2 1,15 jan-MAR sun", "0 0 L * 5L"])
def test_cron_may_be_due_seldom(cron: str) -> None:
    assert descriptor_problems(CRON + f'    schedule: {{cron: "{cron}"}}\n') == []


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_time_zones(zone: str) -> None:
    text = CRON + f"    schedule: {{timeZone: {zone}, cron: 0 3 * * *}}\n"

    assert descriptor_problems(text) == []


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Berln", 'did you mean "Europe/Berlin"?'),
        ("europe/berlin", 'did you mean "Europe/Berlin"?'),
        ("New York", 'did you mean "America/New_York"?'),
        ("../UTC", "did you mean"),
        ("Europe", ""),
        ("", "valid: "),
    ],
)
def test_unknown_time_zones(zone: str, hint: str) -> None:
    (problem,) = descriptor_problems(
        CRON + f'    schedule: {{timeZone: "{zone}", cron: 0 3 * * *}}\n'
    )

    assert problem.startswith('6:26: "timeZone" cannot be ')
    assert "there is no such time zone" in problem
    assert f"({hint}" in problem


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("schedule: [a]", '6:15: "schedule" must be a cron expression or a mapping, not a list'),
        ("schedule: {timeZone: UTC}", '6:5: "cron" is missing in "schedule"'),
        ("schedule: {cron: 1 * * * *, every: 5}", '6:33: unknown key "every" (valid: cron, dead'),
        (
            "schedule: {cron: 1 * * * *, overlap: queue}",
            '6:42: "overlap" must be one of skip, allow, replace, not "queue"',
        ),
        (
            "schedule: {cron: 1 * * * *, deadlineMs: 0}",
            '6:45: "deadlineMs" must be at least 1, not 0',
        ),
        ("timeLimitMs: 0", '6:18: "timeLimitMs" must be at least 1, not 0'),
        ("timeLimitMs: 86400001", '6:18: "timeLimitMs" must be at most 86400000, not 86400001'),
    ],
)
def test_cron(line: str, expected: str) -> None:
    schedule = "" if line.startswith("schedule") else '    schedule: "1 * * * *"\n'
    (problem,) = descriptor_problems(CRON + f"    {line}\n" + schedule)

    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WEB + "servces: {}\n", '5:1: unknown key "servces" (did you mean "services"?)'),
        (WEB + "zzz: 1\n", '5:1: unknown key "zzz" (valid: name, services)'),
        (WEB + "resources: {}\n", f'5:1: "resources" {LATER}'),
        (WEB + "version: 1\n", '5:1: "version" does not belong here (only compartment.routes.yml'),
        (WEB + "environments: {}\n", '5:1: "environments" does not belong here (an environment'),
        (WEB + "env: {}\n", '5:1: "env" does not belong here (variables belong to an environment'),
        (WEB + "variables: {}\n", '5:1: "variables" does not belong here (variables belong to an'),
        (WEB + "domains: []\n", '5:1: "domains" does not belong here (host names come from'),
        (
            WEB + "routes: []\n",
            '5:1: "routes" does not belong here (rules live in compartment.rout',
        ),
        (WEB + "    env: {}\n", '5:5: "env" does not belong here (variables belong to an environ'),
        (WEB + "    restart: no\n", '5:5: "restart" does not belong here (it goes under "run")'),
        (WEB + "    connections: {}\n", f'5:5: "connections" {LATER}'),
        (WEB + "    readynes: {}\n", '5:5: unknown key "readynes" (did you mean "readiness"?)'),
        (WEB + "    depends_on: []\n", '5:5: unknown key "depends_on" (did you mean "dependsOn"?)'),
        (WEB + "    build: {include: []}\n", f'5:13: "include" {LATER}'),
        (WEB + "    build: {outputDirectory: x}\n", f'5:13: "outputDirectory" {LATER}'),
        (
            WEB + "    readiness: {type: http, timeout: 5}\n",
            '5:29: unknown key "timeout" (did you mean "timeoutMs"?)',
        ),
        (
            WEB + "    readiness: {type: http, timeout_ms: 5}\n",
            '5:29: unknown key "timeout_ms" (did you mean "timeoutMs"?)',
        ),
        (
            WEB + "    run: {restart: {policy: no, max: 5}}\n",
            '5:33: unknown key "max" (valid: maxRetries, policy)',
        ),
        (
            WEB + "    drain: {seconds: 5}\n",
            '5:13: unknown key "seconds" (valid: streamsMs, timeout',
        ),
        (WEB + "    limits: {cpu: 5}\n", '5:14: unknown key "cpu" (did you mean "cpus"?)'),
        (
            WEB + "    build: {packages: {build: [a], xyz: [b]}}\n",
            '5:36: unknown key "xyz" (valid: build, runtime)',
        ),
        (WEB + '    "\\e[31m": 1\n', '5:5: unknown key "\\x1b[31m" (valid: accessMode'),
    ],
)
def test_keys(text: str, expected: str) -> None:
    (problem,) = descriptor_problems(text)

    assert problem.startswith(expected)


def test_all_problems_together() -> None:
    text = "name: Shop\nname: shop\nservices:\n  web: {kind: api, port: x, run: {}}\n  a b: .\n"

    assert [problem.partition(" (")[0] for problem in descriptor_problems(text)] == [
        '1:7: "name" cannot be "Shop"',
        '2:1: the key "name" is given twice',
        '4:3: "path" is missing in "web"',
        '4:26: "port" must be a whole number, not "x"',
        '4:29: "run" says nothing',
        '5:3: the name "a b" is not valid',
    ]
