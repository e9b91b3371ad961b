"""What each kind of service demands of its keys, and keys of one another."""

from __future__ import annotations

import pytest

from tests.config.checks import descriptor_problems

SERVICE = "name: shop\nservices:\n  one:\n    path: .\n"


def problems_of(*lines: str) -> list[str]:
    return descriptor_problems(SERVICE + "".join(f"    {line}\n" for line in lines))


@pytest.mark.parametrize(
    ("line", "column", "key"),
    [
        ("readiness: {type: tcp}", 5, "readiness"),
        ("replicas: 1", 5, "replicas"),
        ("strategy: overlap", 5, "strategy"),
        ("port: 80", 5, "port"),
        ("drain: {}", 5, "drain"),
        ("autoRollback: {}", 5, "autoRollback"),
        ("run: {restart: {policy: no}}", 11, "restart"),
    ],
)
@pytest.mark.parametrize("kind", ["job", "cron"])
def test_what_runs_and_ends_has_nothing_of_what_stays(
    kind: str, line: str, column: int, key: str
) -> None:
    schedule = ['schedule: "0 3 * * *"'] if kind == "cron" else []

    assert problems_of(f"kind: {kind}", line, *schedule) == [
        f'6:{column}: "{key}" cannot be used with kind {kind} (it runs and ends: remove the key)'
    ]


@pytest.mark.parametrize("kind", ["web", "api", "worker"])
def test_what_stays_has_no_time_limit_and_no_schedule(kind: str) -> None:
    assert problems_of(f"kind: {kind}", "timeLimitMs: 5", 'schedule: "0 3 * * *"') == [
        f'6:5: "timeLimitMs" cannot be used with kind {kind}'
        " (only a job and a cron run and end: remove the key)",
        '7:5: "schedule" needs kind cron (set kind: cron, or remove it)',
    ]


def test_a_worker_has_no_error_rate() -> None:
    assert problems_of("kind: worker", "autoRollback: {errorRate: 0.1}") == [
        '6:20: "errorRate" cannot be used with kind worker'
        " (only web and api answer requests: remove it)"
    ]


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("{windowMs: 999}", '5:30: "windowMs" must be at least 1000, not 999'),
        ("{errorRate: 1}", '5:31: "errorRate" must be less than 1, not 1'),
        ("{errorRate: 0.1, minRequests: 0}", '5:49: "minRequests" must be at least 1, not 0'),
        ("{onUnhealthy: false}",
         '5:19: "autoRollback" has nothing to roll back for'
         " (set errorRate, or leave onUnhealthy on)"),
        ("{minRequests: 9}",
         '5:19: "autoRollback" has minRequests without errorRate (set both, or none)'),
    ],
)  # fmt: skip
def test_an_automatic_rollback_has_a_reason_and_limits(block: str, problem: str) -> None:
    assert problems_of(f"autoRollback: {block}") == [problem]


def test_a_job_has_no_schedule() -> None:
    assert problems_of("kind: job", 'schedule: "0 3 * * *"') == [
        '6:5: "schedule" needs kind cron (set kind: cron, or remove it)'
    ]


def test_a_cron_needs_a_schedule() -> None:
    assert problems_of("kind: cron") == [
        '5:11: kind cron needs a schedule (such as schedule: "0 3 * * *", at 03:00 every day)'
    ]


def test_nothing_is_judged_by_a_kind_that_is_wrong() -> None:
    (problem,) = problems_of("kind: corn", "timeLimitMs: 5", 'schedule: "0 3 * * *"', "port: 80")

    assert problem.startswith('5:11: "kind" must be one of')


@pytest.mark.parametrize(
    ("readiness", "expected"),
    [
        (
            "{type: tcp, path: /x}",
            '5:28: "path" cannot be used with type tcp (use type http, or remove it)',
        ),
        (
            "{type: command, command: x, path: /x}",
            '5:44: "path" cannot be used with type command (use type http, or remove it)',
        ),
        (
            "{type: http, command: x}",
            '5:29: "command" cannot be used with type http (use type command, or remove it)',
        ),
        (
            "{type: tcp, command: x}",
            '5:28: "command" cannot be used with type tcp (use type command, or remove it)',
        ),
        (
            "{type: command}",
            "5:23: type command needs a command (such as command: pg_isready)",
        ),
    ],
)
def test_each_type_of_readiness_has_its_own_keys(readiness: str, expected: str) -> None:
    assert problems_of(f"readiness: {readiness}") == [expected]


def test_a_singleton_is_one_instance() -> None:
    assert problems_of("strategy: singleton", "replicas: 2") == [
        "6:15: strategy singleton is one instance, not 2"
        " (use strategy stop-first, or remove replicas)"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["strategy: singleton", "replicas: 1"],
        ["strategy: stop-first", "replicas: 2"],
        ["kind: worker", "strategy: singleton"],
        ["kind: api", "strategy: overlap"],
        ["kind: worker", "readiness: {type: command, command: test -e up, timeoutMs: 5}"],
        ["readiness: {type: tcp, intervalMs: 300000}"],
        ["kind: job", "timeLimitMs: 1", "run: {command: ./seed}", "release: {command: x}"],
        ["kind: cron", "timeLimitMs: 1", 'schedule: {cron: "0 3 * * *"}', "limits: {cpus: 1}"],
    ],
)
def test_kept(lines: list[str]) -> None:
    assert problems_of(*lines) == []
