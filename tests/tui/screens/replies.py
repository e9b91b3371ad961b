"""What an agent would answer, small: the shop with web and api, and one run of both."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from tui.view.board import Board
from tui.view.glyphs import UNICODE, Glyphs
from tui.view.scene import Scene
from tui.view.state import Place

Json = dict[str, Any]

NOW = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)

HOSTILE = ("[/", "[red]", "x [/] y", "[ERROR] pool [0]", "日本語のサービス", "é" * 40, "'\"\\")
"""Texts that markup parsers, shells and column widths trip over."""


def at(seconds: float) -> str:
    """A moment so many seconds after NOW, as the agent writes it."""
    moment = NOW + timedelta(seconds=seconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def deployment(id_: str, service: str, **changes: Any) -> Json:
    return {
        "id": id_,
        "deploymentRunId": "drn_4c1a",
        "serviceName": service,
        "kind": "web" if service == "web" else "api",
        "status": "succeeded",
        "health": "healthy",
        "promotionStage": "active",
        "isActive": True,
        "label": None,
        "failureMessage": None,
        "createdAt": at(-120),
        "completedAt": at(-90),
        "environmentName": "production",
        "routeUrl": f"http://{service}.shop.localhost:8080",
        "rollbackAvailable": False,
        "replicas": {"ready": 1, "desired": 1},
        "startedAt": at(-115),
        "artifactId": "art_1",
        "address": "127.0.0.1:31007",
        "restarts": 0,
        "readiness": {"path": "/healthz", "timeoutMs": 30000},
        "drain": {"timeoutMs": 30000, "streamsMs": 5000},
        **changes,
    }


def service(name: str, **changes: Any) -> Json:
    return {
        "name": name,
        "kind": "web" if name == "web" else "api",
        "live": deployment(f"dep_{name}1", name),
        "candidate": None,
        "failed": None,
        "previous": deployment(f"dep_{name}0", name, isActive=False, createdAt=at(-90000)),
        "waiting": None,
        "routes": [{"on": name, "methods": [], "path": "/api/*", "to": "api",
                    "transform": "stripPrefix", "value": "/api"}] if name == "web" else [],
        **changes,
    }  # fmt: skip


def run(id_: str = "drn_4c1a", **changes: Any) -> Json:
    return {
        "id": id_,
        "project": "shop",
        "environment": "production",
        "trigger": "deploy",
        "status": "succeeded",
        "deploymentIds": ["dep_web1", "dep_api1"],
        "label": "fix totals",
        "createdAt": at(-120),
        "completedAt": at(-90),
        "failureMessage": None,
        "failureCode": None,
        "cutRequests": 0,
        "usualSeconds": 52.0,
        "services": ["web", "api"],
        **changes,
    }


def event(type_: str, after_s: float, message: str, **changes: Any) -> Json:
    return {
        "seq": 0,
        "type": type_,
        "timestamp": at(-120 + after_s),
        "message": message,
        "project": "shop",
        "environment": "production",
        "deploymentRunId": "drn_4c1a",
        "deploymentId": None,
        "serviceName": None,
        **changes,
    }


def stage(name: str, seconds: float, reached: str, **changes: Any) -> Json:
    facts = {
        "deploymentId": f"dep_{name}1",
        "serviceName": name,
        "promotionStage": reached,
        "status": "running",
        "isActive": False,
        **changes,
    }
    return event("StageChanged", seconds, f"stage: {reached}", **facts)


def run_events() -> list[Json]:
    """Web is ready first and waits; both switch together after 20 s."""
    found = [
        event("RunQueued", 0, "deploy queued"),
        event("RunStarted", 0.1, "deploy started"),
        stage("web", 0.2, "building"),
        stage("api", 0.2, "building"),
        stage("web", 8, "starting_candidate"),
        stage("web", 9, "checking_readiness"),
        event("ReadinessPassed", 9.6, "ready after 0.60 s", deploymentId="dep_web1",
              serviceName="web", tries=4),
        stage("api", 12, "starting_candidate"),
        stage("api", 13, "checking_readiness"),
        event("ReadinessPassed", 20, "ready after 7.00 s", deploymentId="dep_api1",
              serviceName="api", tries=24),
        stage("web", 20, "switching_route"),
        stage("api", 20, "switching_route"),
        stage("web", 20.01, "draining_previous"),
        stage("api", 20.01, "draining_previous"),
        event("RoutesSwitched", 20.02, "routes switched in 5.2 ms", seconds=0.0052),
        event("PreviousDrained", 25, "drained in 5.00 s", deploymentId="dep_web0",
              serviceName="web", seconds=5.0, requestsCut=0, streamsClosed=0),
        stage("web", 30, "active", status="succeeded", isActive=True),
        stage("api", 30, "active", status="succeeded", isActive=True),
        event("RunFinished", 30, "deploy succeeded", status="succeeded", failureMessage=None,
              failureCode=None, cutRequests=0),
    ]  # fmt: skip
    return [{**each, "seq": number} for number, each in enumerate(found, start=1)]


def run_result(**changes: Any) -> Json:
    found = [deployment("dep_web1", "web"), deployment("dep_api1", "api")]
    return {
        "project": "shop",
        "environment": "production",
        "deploymentRunId": "drn_4c1a",
        "run": run(),
        "failureMessage": None,
        "deployments": found,
        "activeDeployments": found,
        **changes,
    }


def inspected(id_: str = "dep_web1", **changes: Any) -> Json:
    return {
        **deployment(id_, "web"),
        "path": "web",
        "artifactState": "available",
        "build": {"strategy": "auto", "command": "make", "env": [], "build_packages": ["gcc"],
                  "runtime_packages": []},
        "run": {"command": "serve", "restart": {"policy": "on-failure", "max_retries": None}},
        "readiness": {"path": "/healthz", "timeout_ms": 30000},
        "drain": {"timeout_ms": 30000, "streams_ms": 5000},
        "routeHost": "shop.localhost",
        "routes": [{"on": "web", "path": "/api/*", "to": "api", "methods": [],
                    "transform": "stripPrefix", "value": "/api"}],
        "variableNames": ["LOG_LEVEL", "SECRET_KEY"],
        "activations": [{"name": f"{id_}.1", "state": "live"}],
        **changes,
    }  # fmt: skip


def planned(name: str, **changes: Any) -> Json:
    return {
        "serviceName": name,
        "kind": "web",
        "action": "deploy",
        "build": True,
        "because": "the source changed",
        "zeroDowntime": True,
        "zeroDowntimeReason": "the candidate starts beside the live one",
        "warnings": [],
        "replaces": f"dep_{name}1",
        **changes,
    }


def plan(*services: Json, **changes: Any) -> Json:
    return {
        "project": "shop",
        "environment": "production",
        "engine": "process",
        "engineBecause": "shop/production was first deployed to it",
        "services": list(services),
        "warnings": [],
        "usualSeconds": 52.0,
        **changes,
    }


def environment(name: str, project: str = "shop", **changes: Any) -> Json:
    return {
        "project": project,
        "environment": name,
        "engine": "process",
        "root": "/srv/shop",
        "services": {"active": 2, "unhealthy": 0},
        "lastRun": run(),
        **changes,
    }


def scene(glyphs: Glyphs = UNICODE, **update: Any) -> Scene:
    """A scene after one update of the watch; what is not named has its usual value."""
    board = Board(Place("shop", "production"))
    board.apply(
        deepcopy(
            {
                "services": {"web": service("web"), "api": service("api")},
                "run": run(),
                "queue": [],
                "events": run_events(),
                **update,
            }
        )
    )
    return Scene(
        state=board.state,
        now=NOW,
        selected="web",
        trends=board.trends,
        events=list(board.events),
        glyphs=glyphs,
    )


def variable(
    name: str, value: str | None = "1", service: str | None = None, **changes: Any
) -> Json:
    """Set a day before NOW; sensitive without a value."""
    return {
        "keyName": name,
        "sensitivity": "plain" if value is not None else "sensitive",
        "scopeType": "service" if service else "environment",
        "scopeServiceName": service,
        "sourceType": "direct",
        "updatedAt": at(-86_400),
        "value": value,
        "valueHidden": value is None,
        **changes,
    }


def variables() -> list[Json]:
    """Plain, sensitive, over several lines, and newer than what is live."""
    return [
        variable("LOG_LEVEL", "info"),
        variable("DATABASE_PASSWORD", None),
        variable("MOTD", "one\ntwo\nthree"),
        variable("LOG_LEVEL", "debug", "api", updatedAt=at(-30)),
    ]


def execution(id_: str = "exe_1", **changes: Any) -> Json:
    """It succeeded 12 s before NOW, and took 3.2 s."""
    return {
        "id": id_,
        "deploymentId": "dep_cron1",
        "project": "shop",
        "environment": "production",
        "serviceName": "cron",
        "trigger": "schedule",
        "status": "succeeded",
        "dueAt": at(-15.2),
        "startedAt": at(-15.2),
        "endedAt": at(-12),
        "exitCode": 0,
        "message": None,
        "missed": 0,
        **changes,
    }


def cron(name: str, **changes: Any) -> Json:
    return {
        "serviceName": name,
        "schedule": {
            "cron": "0 3 * * *",
            "timeZone": "Europe/Berlin",
            "overlap": "skip",
            "deadlineMs": 10_000,
        },
        "nextAt": at(4 * 3600),
        "last": execution(),
        "running": 0,
        **changes,
    }


def container(**changes: Any) -> Json:
    """Of a database in a Compose project, as `inspect` tells of it."""
    return {
        "image": "postgres:16-alpine",
        "build": None,
        "command": ["postgres", "-c", "fsync=on"],
        "entrypoint": None,
        "environmentNames": ["POSTGRES_PASSWORD", "POSTGRES_USER"],
        "ports": [{"port": 5432, "protocol": "tcp", "because": "postgres listens there"}],
        "published": [{"host": "127.0.0.1", "port": 5433, "target": 5432, "protocol": "tcp"}],
        "networkMode": None,
        "networks": [
            {"name": "backend", "aliases": ["database"], "isInternal": True, "isExternal": False}
        ],
        "mounts": [
            {
                "type": "volume",
                "source": "pgdata",
                "target": "/var/lib/postgresql/data",
                "isReadOnly": False,
                "isExternal": False,
            }
        ],
        "files": [{"target": "/run/secrets/password", "isSecret": True}],
        "containerName": None,
        "stopGraceSeconds": 10.0,
        "kindReason": "it listens on 5432: postgres listens there",
        "strategyReason": "only it writes to the volume pgdata",
        **changes,
    }


def contained(name: str = "db", **changes: Any) -> Json:
    """A service of a Compose project in a plan; its reason to stop first is told once."""
    return planned(
        name,
        kind="tcp",
        strategy="stop-first",
        zeroDowntime=False,
        zeroDowntimeReason="its strategy is stop-first: only it writes to the volume pgdata",
        kindReason="it listens on 5432: postgres listens there",
        strategyReason="only it writes to the volume pgdata",
        ports=[{"port": 5432, "protocol": "tcp", "because": "postgres listens there"}],
        published=[{"host": "", "port": None, "target": 5432, "protocol": "tcp"}],
        networks=["backend"],
        **changes,
    )


def network(name: str, *services: str, **changes: Any) -> Json:
    """A network with its services; `app/vpn` is one that is inside another one."""
    members = [each.partition("/") for each in services]
    return {
        "name": name,
        "isInternal": False,
        "isExternal": False,
        "isShared": False,
        "services": [
            {"serviceName": service, "aliases": [], "beside": beside or None}
            for service, _, beside in members
        ],
        **changes,
    }


def networks(*found: Json, **changes: Any) -> Json:
    """Without an argument: a frontend and a backend that only app is on both of."""
    usual = (
        network("backend", "app", "db", "redis", "worker", isInternal=True),
        network("frontend", "app", "nginx"),
    )
    port = {"serviceName": "nginx", "host": "", "port": 80, "target": 8080, "protocol": "tcp"}
    return {
        "project": "shop",
        "environment": "production",
        "engine": "docker",
        "networks": list(found or usual),
        "published": [] if found else [port],
        "hostNetwork": [],
        "none": [],
        **changes,
    }
