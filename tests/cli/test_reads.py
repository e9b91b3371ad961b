"""What reads look like, from what the agent answers."""

from __future__ import annotations

from typing import Any

import pytest

from core.cli.history import _lines
from core.cli.reads import _inspect_lines, _readiness, _status_lines, _verbose_lines
from core.cli.report import result_lines

Json = dict[str, Any]


def deployment(**fields: Any) -> Json:
    """A deployment that serves, without a URL, so that no name is looked up."""
    return {
        "id": "dep_a",
        "deploymentRunId": "drn_a",
        "serviceName": "web",
        "kind": "web",
        "accessMode": "public",
        "status": "succeeded",
        "health": "healthy",
        "healthReason": None,
        "promotionStage": "active",
        "isActive": True,
        "label": None,
        "failureMessage": None,
        "createdAt": "2026-04-24T10:01:00.000000Z",
        "completedAt": "2026-04-24T10:01:02.500000Z",
        "routeUrl": None,
        "rollbackAvailable": False,
        "replicas": {"ready": 1, "desired": 1},
        "uptimeSeconds": 125.0,
        "watchedUntil": None,
        "returnedBecause": None,
        **fields,
    }


FAILED = {
    "id": "dep_b",
    "deploymentRunId": "drn_b",
    "status": "failed",
    "health": "unhealthy",
    "promotionStage": "checking_readiness",
    "isActive": False,
    "createdAt": "2026-04-24T11:00:00.000000Z",
    "failureMessage": "the candidate did not get ready: \x1b[2J503\nits last lines:\n[stdout] boo",
}


def status(newest: list[Json], active: list[Json]) -> Json:
    return {
        "project": "shop",
        "environment": "production",
        "deployments": newest,
        "activeDeployments": active,
        "executions": {},
    }


def test_status() -> None:
    worker = deployment(
        id="dep_w", serviceName="worker", kind="worker", status="queued", health="pending",
        promotionStage="building", isActive=False,
    )  # fmt: skip
    found = status([deployment(), worker], [deployment()])
    assert _status_lines(found, colour=False) == [
        "SERVICE  KIND    STAGE     STATUS     HEALTH   ACTIVE  REPLICAS  UPTIME  URL",
        "web      web     active    succeeded  healthy  dep_a   1/1       2m 5s   -",
        "worker   worker  building  queued     pending  -       -         -       -",
    ]


def test_what_is_stopped_has_no_health() -> None:
    stopped = deployment(status="stopped", isActive=False)
    assert _status_lines(status([stopped], []), colour=False)[1:] == [
        "web      web   active  stopped  -       -       -         -       -"
    ]


def test_status_of_a_failed_deployment_beside_a_live_one() -> None:
    found = status([deployment(**FAILED)], [deployment()])
    assert _status_lines(found, colour=False)[1:] == [
        "web      web   checking_readiness  failed  healthy  dep_a   1/1       2m 5s   -",
        "web: dep_b failed: the candidate did not get ready: 503; dep_a serves",
    ]


def test_status_after_a_rollback_shows_what_serves() -> None:
    newest = deployment(id="dep_b", promotionStage="rolled_back", isActive=False)
    assert _status_lines(status([newest], [deployment()]), colour=False)[1:] == [
        "web      web   active  succeeded  healthy  dep_a   1/1       2m 5s   -"
    ]


def test_why_something_is_unhealthy_is_said() -> None:
    ill = deployment(health="unhealthy", healthReason="GET /up -> 500 \x1b[2JInternal Server Error")
    found = status([ill], [ill])
    assert _status_lines(found, colour=False)[1:] == [
        "web      web   active  succeeded  unhealthy  dep_a   1/1       2m 5s   -",
        "web: dep_a is unhealthy: GET /up -> 500 Internal Server Error",
    ]
    lines = list(_verbose_lines(found, colour=False))
    assert "Health Reason:    GET /up -> 500 Internal Server Error" in lines


def test_verbose_status_ends_with_the_whole_failure() -> None:
    lines = list(_verbose_lines(status([deployment(**FAILED)], [deployment()]), colour=False))
    assert "Duration:         n/a" not in lines
    assert lines.count("Failure:          n/a") == 1
    at = lines.index("Failure:")
    assert lines[at + 1 : at + 4] == [
        "  the candidate did not get ready: 503",
        "  its last lines:",
        "  [stdout] boo",
    ]


def inspected(**fields: Any) -> Json:
    more = {
        "path": ".",
        "artifactId": "art_a",
        "artifactState": "available",
        "build": {"strategy": "auto", "command": "make"},
        "run": {"command": None, "restart": {"policy": "on-failure"}},
        "readiness": {
            "type": "http",
            "path": "/up",
            "command": None,
            "timeout_ms": 5000,
            "interval_ms": 1000,
        },
        "drain": {"timeout_ms": 30_000, "streams_ms": 5000},
        "autoRollback": None,
        "schedule": None,
        "timeLimitMs": None,
        "routeHost": "shop.localhost",
        "container": None,
        "routes": [
            {"methods": ["GET"], "path": "/a/*", "to": "api", "transform": "rewrite", "value": "/b"}
        ],
        "variableNames": ["PATH"],
        "activations": [
            {
                "name": "dep_a.1",
                "state": "live",
                "addresses": ["127.0.0.1:4711", "127.0.0.1:4712"],
                "startedAt": "2026-04-24T10:01:00.000000Z",
            }
        ],
    }
    return deployment(**{**more, **fields})


def test_inspect() -> None:
    lines = list(_inspect_lines(status([inspected()], [])))
    assert lines[0] == "Project:          shop"
    assert "Readiness:        GET /up within 5000 ms, then every 1000 ms" in lines
    assert "Artifact:         art_a (available)" in lines
    assert "Access:           everybody" in lines
    assert lines[-5:] == [
        "Failure:          n/a",
        "Routes:",
        "  GET /a/* -> api (rewrite /b)",
        "Activations:",
        "  dep_a.1  live  127.0.0.1:4711, 127.0.0.1:4712  since 2026-04-24T10:01:00Z",
    ]


@pytest.mark.parametrize(("active", "told"), [(True, False), (False, True)])
def test_only_what_is_not_active_can_be_gone_back_to(active: bool, told: bool) -> None:
    lines = _inspect_lines(status([inspected(isActive=active)], []))
    assert any(line.startswith("Rollback:") for line in lines) == told


def test_inspect_tells_who_may_see_it() -> None:
    lines = list(_inspect_lines(status([inspected(accessMode="authenticated")], [])))
    assert "Access:           its users, by name and password" in lines


def test_inspect_tells_what_a_compose_service_was_taken_for() -> None:
    container = {
        "image": "postgres:16",
        "build": None,
        "entrypoint": None,
        "command": ["postgres", "-c", "log_line_prefix=%m "],
        "kindReason": "it listens on 5432: postgres:16 speaks plain TCP there",
        "strategyReason": "postgres:16 is a database",
        "ports": [
            {"port": 5432, "protocol": "tcp", "because": "postgres:16 speaks plain TCP there"}
        ],
        "published": [{"host": "127.0.0.1", "port": 5433, "target": 5432, "protocol": "tcp"}],
    }
    db = inspected(serviceName="db", kind="tcp", strategy="stop-first", container=container)
    lines = list(_inspect_lines(status([db], [])))
    assert "Image:            postgres:16" in lines
    assert "Command:          postgres -c 'log_line_prefix=%m '" in lines
    at = lines.index("Understood:")
    assert lines[at + 1 : at + 4] == [
        "  db is of kind tcp: it listens on 5432: postgres:16 speaks plain TCP there",
        "  db has the strategy stop-first: postgres:16 is a database",
        "  db is published: 127.0.0.1:5433 leads to 5432/tcp",
    ]
    own = inspected(strategy="overlap", container={**container, "command": None})
    assert "Command:          that of the image" in _inspect_lines(status([own], []))


@pytest.mark.parametrize(
    ("kind", "drain"),
    [
        ("web", "requests 30000 ms, streams 5000 ms"),
        ("worker", "finishes what it has in hand within 30000 ms"),
        ("job", None),
        ("cron", None),
    ],
)
def test_inspect_shows_what_a_kind_has(kind: str, drain: str | None) -> None:
    shown = (line.partition(":") for line in _inspect_lines(status([inspected(kind=kind)], [])))
    facts = {name: value.strip() for name, _, value in shown}
    assert facts.get("Drain") == drain
    assert ("Restart Policy" in facts) == ("Readiness" in facts) == (drain is not None)


@pytest.mark.parametrize(
    ("type_", "told"),
    [("http", "GET /up"), ("tcp", "a connection to its port"), ("command", "`ready`")],
)
def test_each_type_of_readiness(type_: str, told: str) -> None:
    block = {"type": type_, "path": "/up", "command": "ready", "timeout_ms": 1, "interval_ms": 2}
    assert _readiness(block) == f"{told} within 1 ms, then every 2 ms"


def run(id_: str, trigger: str, at: str, **fields: Any) -> Json:
    nothing = dict.fromkeys(("label", "failureMessage", "completedAt", "because"))
    made = {"id": id_, "trigger": trigger, "createdAt": at, "status": "succeeded"}
    return {**made, **nothing, "deployments": [], **fields}


def test_what_is_watched_or_was_gone_back_to_is_said() -> None:
    watched = deployment(watchedUntil="2026-04-24T10:06:00.000000Z")
    assert _status_lines(status([watched], [watched]), colour=False)[2:] == [
        "web: dep_a is watched until 2026-04-24T10:06:00Z"
    ]
    back = deployment(returnedBecause="web of dep_b: it is unhealthy: \x1b[2J503")
    assert _status_lines(status([back], [back]), colour=False)[2:] == [
        "web: dep_a was gone back to: web of dep_b: it is unhealthy: 503"
    ]
    block = {"words": "when it turns unhealthy within 5 s of the switch"}
    lines = list(_inspect_lines(status([inspected(autoRollback=block)], [])))
    assert "Rolls Back:       when it turns unhealthy within 5 s of the switch" in lines


def test_a_rollback_that_nobody_asked_for_says_why() -> None:
    own = run("drn_b", "rollback", "2026-04-24T11:00:00.000000Z", because="web of dep_b: too bad")
    found = {"deployments": [], "runs": [own]}
    assert _lines(found, colour=False) == [
        "drn_b  rollback  succeeded  0 services  2026-04-24T11:00:00Z  by itself:"
        " web of dep_b: too bad"
    ]


def test_history_is_grouped_by_run() -> None:
    api = deployment(id="dep_c", serviceName="api", label="one")
    runs = [
        run("drn_b", "promote", "2026-04-24T11:00:00.000000Z", status="failed"),
        run("drn_a", "deploy", "2026-04-24T10:01:00.000000Z", label="one"),
    ]
    made = [deployment(**FAILED), deployment(label="one"), api]
    assert _lines({"deployments": made, "runs": runs}, colour=False) == [
        "drn_b  promote  failed  1 service  2026-04-24T11:00:00Z",
        "  dep_b  web  failed     checking_readiness  inactive  2026-04-24T11:00:00Z"
        "  the candidate did not get ready: 503",
        'drn_a  deploy  "one"  succeeded  2 services  2026-04-24T10:01:00Z',
        "  dep_c  api  succeeded  active              active    2026-04-24T10:01:00Z",
        "  dep_a  web  succeeded  active              active    2026-04-24T10:01:00Z",
    ]


def test_a_rollback_is_listed_with_what_it_returned_to() -> None:
    returned = [{"id": "dep_a", "serviceName": "web", "isActive": True}]
    runs = [
        run("drn_e", "rollback", "2026-04-24T12:10:00.000000Z", status="queued"),
        run(
            "drn_d",
            "rollback",
            "2026-04-24T12:05:00.000000Z",
            status="failed",
            failureMessage="web: exit 3\nits last lines:",
            deployments=returned,
        ),
        run("drn_c", "rollback", "2026-04-24T12:00:00.000000Z", deployments=returned),
        run("drn_a", "deploy", "2026-04-24T10:01:00.000000Z", deployments=returned),
    ]
    assert _lines({"deployments": [deployment()], "runs": runs}, colour=False) == [
        "drn_e  rollback  queued  0 services  2026-04-24T12:10:00Z",
        "drn_d  rollback  failed  1 service  2026-04-24T12:05:00Z",
        "  dep_a  web  failed     -       active  2026-04-24T12:05:00Z  web: exit 3",
        "drn_c  rollback  succeeded  1 service  2026-04-24T12:00:00Z",
        "  dep_a  web  returned   -       active  2026-04-24T12:00:00Z",
        "drn_a  deploy  succeeded  1 service  2026-04-24T10:01:00Z",
        "  dep_a  web  succeeded  active  active  2026-04-24T10:01:00Z",
    ]


def test_the_result_of_a_run() -> None:
    found = {"run": {"status": "failed"}, "deployments": [deployment(**FAILED)]}
    assert result_lines(found, colour=False) == [
        "SERVICE  STATUS  STAGE               HEALTH     URL",
        "web      failed  checking_readiness  unhealthy  -",
    ]
    assert result_lines({"run": {"status": "failed"}, "deployments": []}, colour=False) == []
