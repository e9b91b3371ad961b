"""States of an environment as a person may meet them, for tests and for the gallery."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core import __version__
from core.model import ExecutionStatus, Health, ServiceKind, Stage, Status, Trigger
from tui.view.domain import Domain
from tui.view.execution import Execution, Executions
from tui.view.glyphs import UNICODE, Glyphs
from tui.view.scene import Scene
from tui.view.state import Deployment, Figures, Link, Place, Run, Service, State, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 11, 21, 14, 2, 48, tzinfo=UTC)
PLACE = Place(
    "shop",
    "production",
    engine="process",
    root="/srv/shop",
    public_address="127.0.0.1:8080",
    internal_address="127.0.0.1:8081",
    is_gateway_running=True,
    agent_version=__version__,
)
UP = Link(is_up=True, since=NOW - timedelta(hours=2))
RUN_ID = "drn_4c1ak2m9q7xz"
MIB = 1 << 20


def before(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def deployment(
    key: str,
    *,
    status: Status = Status.SUCCEEDED,
    stage: Stage = Stage.ACTIVE,
    run_id: str = "drn_39b7aaaabbbb",
    age: float = 187_200,
    **fields: Any,
) -> Deployment:
    """`key` are the four characters that a person sees."""
    is_live = status is Status.SUCCEEDED and stage is Stage.ACTIVE
    base = Deployment(
        id=f"dep_{key}x7q2m4kz",
        run_id=run_id,
        status=status,
        health=Health.HEALTHY if is_live else Health.PENDING,
        stage=stage,
        is_active=is_live,
        created_at=before(age + 40),
        started_at=before(age),
        replicas_ready=1 if is_live else 0,
    )
    return replace(base, **fields)


def candidate(key: str, stage: Stage, *, since: float = 5, **fields: Any) -> Deployment:
    """A deployment of the run that goes on."""
    return deployment(
        key,
        status=Status.RUNNING,
        stage=stage,
        run_id=RUN_ID,
        age=22,
        stage_since=before(since),
        **fields,
    )


def failed(key: str, stage: Stage, message: str, **fields: Any) -> Deployment:
    return deployment(
        key,
        status=Status.FAILED,
        stage=stage,
        run_id=RUN_ID,
        age=30,
        health=Health.UNHEALTHY,
        is_active=False,
        completed_at=before(4),
        failure_message=message,
        **fields,
    )


def run(status: Status = Status.SUCCEEDED, *ids: str, **fields: Any) -> Run:
    is_over = status.is_final
    base = Run(
        id=RUN_ID,
        trigger=Trigger.DEPLOY,
        status=status,
        deployment_ids=ids,
        created_at=before(187_300 if is_over else 37),
        completed_at=before(187_251) if is_over else None,
        usual_s=52,
    )
    return replace(base, **fields)


def _live(name: str, kind: ServiceKind, key: str, previous: str, **fields: Any) -> Service:
    is_routable = kind.is_routable
    live = deployment(
        key,
        address=f"127.0.0.1:{31_000 + len(name)}" if is_routable else None,
        route_url=f"http://{name}-shop.localhost:8080" if is_routable else None,
        readiness_path="/healthz" if is_routable else None,
        readiness_timeout_s=30 if is_routable else None,
        drain_timeout_s=30,
        **fields,
    )
    return Service(name, kind, live=live, previous=deployment(previous, age=518_400))


def six() -> dict[str, Service]:
    """Six services, all live and healthy."""
    routes = ({"on": "web", "methods": ["GET"], "path": "/v1/*", "to": "api"},)
    found = [
        _live("web", ServiceKind.WEB, "3f21", "2b10"),
        replace(_live("api", ServiceKind.API, "9ac0", "8811"), routes=routes),
        _live("worker", ServiceKind.WORKER, "77b2", "70aa"),
        _live("admin", ServiceKind.WEB, "1d08", "0f3c", started_at=before(522_000)),
        _live("cron", ServiceKind.CRON, "e4f9", "d990", started_at=before(522_000)),
        _live("mailer", ServiceKind.API, "aa17", "a016"),
    ]
    return {each.name: each for each in found}


FIGURES = {
    "web": Figures(3.1, 112 * MIB, 12.5, 0.0, 8.6),
    "api": Figures(12.4, 240 * MIB, 31.2, 0.2, 18.0),
    "worker": Figures(55.0, 310 * MIB, None, None, None),
    "admin": Figures(0.2, 38 * MIB, 0.1, 0.0, 2.1),
    "cron": Figures(0.0, 21 * MIB, None, None, None),
    "mailer": Figures(0.4, 44 * MIB, 0.0, 0.0, None),
}


def trends(names: Iterable[str] = tuple(FIGURES)) -> dict[str, deque[Figures]]:
    """Two minutes of figures that rise and fall."""
    found: dict[str, deque[Figures]] = {}
    for number, name in enumerate(names):
        base = FIGURES.get(name, FIGURES["web"])
        course = [0.6 + 0.4 * math.sin(step / 6 + number) for step in range(60)]
        found[name] = deque(
            Figures(
                base.cpu_percent and base.cpu_percent * factor,
                base.memory_bytes and int(base.memory_bytes * (0.8 + 0.2 * factor)),
                base.requests_per_s and base.requests_per_s * factor,
                base.errors_per_s,
                base.p95_ms and base.p95_ms * factor,
            )
            for factor in course
        )
    return found


def state(services: dict[str, Service] | None = None, **fields: Any) -> State:
    """An environment; idle, if nothing else is said."""
    known = six() if services is None else services
    base = State(
        PLACE,
        services=known,
        figures={name: FIGURES.get(name, FIGURES["web"]) for name in known},
        figures_at=before(1),
        link=UP,
    )
    return replace(base, **fields)


def scene(found: State, selected: str | None = None, glyphs: Glyphs = UNICODE) -> Scene:
    """A look at a state, with the first service selected."""
    chosen = selected or next(iter(found.services), None)
    return Scene(found, NOW, chosen, trends=trends(found.services), glyphs=glyphs)


def idle() -> State:
    ids = [each.live.id for each in six().values() if each.live]
    return state(run=run(Status.SUCCEEDED, *ids))


def deploying() -> State:
    """Two services wait for the third, and a fourth failed the last time."""
    services = six()
    waits = Waiting("barrier", before(21))
    steps = {
        "web": (candidate("51aa", Stage.CHECKING_READINESS, address="127.0.0.1:31007"), waits),
        "api": (
            candidate(
                "51fe",
                Stage.CHECKING_READINESS,
                since=21.4,
                address="127.0.0.1:31008",
                readiness_path="/healthz",
                readiness_timeout_s=30,
            ),
            Waiting(
                "readiness",
                before(21.4),
                30,
                "GET http://127.0.0.1:31008/healthz -> 503 Service Unavailable",
                44,
                (None, None, 503, 503, 503, 503),
            ),
        ),
        "worker": (candidate("51b3", Stage.STARTING_CANDIDATE), waits),
    }
    for name, (coming, waiting) in steps.items():
        services[name] = replace(services[name], candidate=coming, waiting=waiting)
    services["mailer"] = replace(
        services["mailer"],
        live=None,
        failed=replace(
            failed(
                "0c4d",
                Stage.CHECKING_READINESS,
                "the candidate did not get ready: no reply within 30 s",
            ),
            run_id="drn_2210aaaabbbb",
            completed_at=before(3600),
        ),
    )
    ids = [coming.id for coming, _ in steps.values()]
    return state(services, run=run(Status.RUNNING, *ids, label="fix order totals"))


def building() -> State:
    services = six()
    for name, key in (("web", "51aa"), ("api", "51fe")):
        services[name] = replace(
            services[name],
            candidate=candidate(key, Stage.BUILDING, since=12),
            waiting=Waiting("build", before(12), 600),
        )
    slot = candidate("51b3", Stage.BUILDING, since=12)
    services["worker"] = replace(
        services["worker"], candidate=slot, waiting=Waiting("buildSlot", before(12))
    )
    ids = [each.candidate.id for each in services.values() if each.candidate]
    return state(services, run=run(Status.RUNNING, *ids))


def failed_deploy() -> State:
    """The readiness of one service never came; the others were given up with it."""
    services = six()
    message = "the candidate did not get ready: GET /healthz replied 503 for 30 s"
    services["api"] = replace(
        services["api"],
        failed=failed("51fe", Stage.CHECKING_READINESS, f"{message}\nits last lines:\nboom"),
    )
    given_up = f"not switched: api: {message}"
    services["web"] = replace(
        services["web"], failed=failed("51aa", Stage.CHECKING_READINESS, given_up)
    )
    ended = run(
        Status.FAILED,
        *[each.failed.id for each in services.values() if each.failed],
        created_at=before(41),
        completed_at=before(4),
        failure_message=f"api: {message}\nits last lines:\nboom",
        failure_code="failed",
    )
    return state(services, run=ended)


def cancelled() -> State:
    services = six()
    services["web"] = replace(
        services["web"],
        failed=failed("51aa", Stage.BUILDING, "not switched: cancelled"),
    )
    ended = run(
        Status.FAILED,
        "dep_51aax7q2m4kz",
        created_at=before(60),
        completed_at=before(50),
        failure_message="cancelled",
        failure_code="cancelled",
    )
    return state(services, run=ended)


def draining() -> State:
    services = six()
    for name, requests, streams in (("web", 0, 0), ("api", 3, 1)):
        live = candidate(
            "51fe" if name == "api" else "51aa",
            Stage.DRAINING_PREVIOUS,
            since=18,
            is_active=True,
            health=Health.HEALTHY,
            replicas_ready=1,
            address="127.0.0.1:31008",
        )
        services[name] = replace(
            services[name],
            live=live,
            previous=services[name].live,
            waiting=Waiting("drain", before(18), 30, requests=requests, streams=streams),
        )
    return state(services, run=run(Status.RUNNING, "dep_51aax7q2m4kz", "dep_51fex7q2m4kz"))


def never_deployed() -> State:
    kinds = {each.name: each.kind for each in six().values()}
    services = {name: Service(name, kind) for name, kind in kinds.items()}
    return State(PLACE, services=services, link=UP)


def just_succeeded(cut_requests: int = 0) -> State:
    services = six()
    ids = [each.live.id for each in services.values() if each.live]
    ended = run(
        Status.SUCCEEDED,
        *ids,
        created_at=before(52.4),
        completed_at=before(3),
        cut_requests=cut_requests,
    )
    return state(services, run=ended)


def rolled_back() -> State:
    services = six()
    live = services["api"].live
    assert live is not None
    ended = run(
        Status.SUCCEEDED,
        live.id,
        trigger=Trigger.ROLLBACK,
        created_at=before(66),
        completed_at=before(60),
    )
    return state(services, run=ended)


def rolling_back() -> State:
    services = six()
    services["api"] = replace(
        services["api"],
        candidate=candidate("8811", Stage.STARTING_CANDIDATE, since=3),
    )
    return state(services, run=run(Status.RUNNING, "dep_8811x7q2m4kz", trigger=Trigger.ROLLBACK))


def unhealthy() -> State:
    services = six()
    live = services["api"].live
    assert live is not None
    services["api"] = replace(
        services["api"], live=replace(live, health=Health.UNHEALTHY, replicas_ready=0, restarts=4)
    )
    return replace(idle(), services=services)


def lost() -> State:
    reason = "the agent at agent.sock does not answer"
    return replace(deploying(), link=Link(is_up=False, since=before(12), reason=reason))


def many(count: int = 100) -> State:
    """So many services, some of them being deployed."""
    services = {}
    for number in range(count):
        name = f"service-{number:03}"
        each = _live(name, ServiceKind.API, f"{number:04}", f"{number:04}")
        if number % 10 == 3:
            coming = candidate(f"c{number:03}", Stage.BUILDING, since=7)
            each = replace(each, candidate=coming, waiting=Waiting("build", before(7), 600))
        services[name] = each
    ids = [each.candidate.id for each in services.values() if each.candidate]
    return state(services, run=run(Status.RUNNING, *ids))


def execution(status: ExecutionStatus, ended_s: float = 12, **fields: Any) -> Execution:
    """It took 3.2 s."""
    is_over = status.is_final
    base = Execution(
        "exe_5f1k9q2m7xzt",
        status,
        "schedule",
        started_at=before(ended_s + 3.2),
        ended_at=before(ended_s) if is_over else None,
    )
    return replace(base, **fields)


def jobs() -> State:
    """Every way that a job or cron can be."""
    ok, bad = ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED
    soon = NOW + timedelta(hours=4)
    found = {
        "migrate": Executions(execution(ok)),
        "seed": Executions(execution(bad, exit_code=3, message="exited with code 3")),
        "import": Executions(execution(ExecutionStatus.RUNNING, 0.8), running=1),
        "backup": Executions(execution(ok, 72_000), next_at=soon),
        "report": Executions(
            execution(ExecutionStatus.MISSED, 600, missed=3, message="nobody was there"),
            next_at=NOW + timedelta(days=2),
        ),
        "sweep": Executions(execution(ExecutionStatus.SKIPPED, 30), next_at=before(-20)),
        "new": Executions(next_at=before(-600)),
    }
    services = {"web": six()["web"]}
    for name, executions in found.items():
        kind = ServiceKind.CRON if executions.next_at else ServiceKind.JOB
        each = _live(name, kind, f"{name[:4]:x<4}", "0000", started_at=None)
        live = each.live
        assert live is not None
        if executions.last is not None and executions.last.status is bad:
            live = replace(live, health=Health.UNHEALTHY, health_reason="exited with code 3")
        services[name] = replace(each, live=live, previous=None, executions=executions)
    ids = [each.live.id for each in services.values() if each.live]
    return state(services, run=run(Status.SUCCEEDED, *ids))


def compose() -> State:
    """A Compose project: a database, what publishes a port, and what does neither."""
    found = {
        "db": (ServiceKind.TCP, "4d01", "tcp://127.0.0.1:5433"),
        "app": (ServiceKind.WEB, "4d02", "http://localhost"),
        "redis": (ServiceKind.TCP, "4d03", None),
        "worker": (ServiceKind.WORKER, "4d04", None),
    }
    services = {}
    for name, (kind, key, url) in found.items():
        each = _live(name, kind, key, f"{key[:3]}0")
        assert each.live is not None
        services[name] = replace(each, live=replace(each.live, route_url=url))
    ids = [each.live.id for each in services.values() if each.live]
    return state(services, run=run(Status.SUCCEEDED, *ids), place=replace(PLACE, engine="docker"))


def held() -> State:
    """All are ready, and wait for a person."""
    services = {name: six()[name] for name in ("web", "api")}
    for name, key in (("web", "51aa"), ("api", "51fe")):
        services[name] = replace(
            services[name],
            candidate=candidate(key, Stage.CHECKING_READINESS),
            waiting=Waiting("hold", before(40), detail="it is held"),
        )
    ids = [each.candidate.id for each in services.values() if each.candidate]
    return state(services, run=run(Status.RUNNING, *ids, is_held=True))


def standing_aside() -> State:
    """A database makes way for its successor, and a worker waits for that one."""
    services = {"db": _live("db", ServiceKind.WORKER, "0db0", "0da0"), "web": six()["web"]}
    live = services["db"].live
    assert live is not None
    services["db"] = replace(
        services["db"],
        live=replace(live, health=Health.PENDING, health_reason="stands aside for its successor"),
        candidate=candidate("51db", Stage.STARTING_CANDIDATE, since=2),
    )
    services["web"] = replace(
        services["web"],
        candidate=candidate("51aa", Stage.BUILDING),
        waiting=Waiting("dependency", before(4), detail="for db to be healthy"),
    )
    ids = [each.candidate.id for each in services.values() if each.candidate]
    return state(services, run=run(Status.RUNNING, *ids))


def not_serving() -> State:
    """Neither the new database started, nor the one that had made way for it."""
    services = {"db": _live("db", ServiceKind.WORKER, "0db0", "0da0"), "web": six()["web"]}
    live = services["db"].live
    assert live is not None
    told = "exited with code 1"
    services["db"] = replace(
        services["db"],
        live=replace(live, health=Health.UNHEALTHY, health_reason=told, replicas_ready=0),
        failed=failed("51db", Stage.STARTING_CANDIDATE, told),
    )
    ended = run(
        Status.FAILED,
        "dep_51dbx7q2m4kz",
        created_at=before(41),
        completed_at=before(4),
        failure_message=f"db: {told}",
        failure_code="failed",
        not_serving=("db",),
    )
    return state(services, run=ended)


def odd_names() -> State:
    """Names and texts that are long, wide, combining, or look like markup."""
    services = {}
    names = ("a-service-whose-name-goes-on-and-on", "検索サービス", "cafe\u0301", "[/red]", "x")
    for number, name in enumerate(names):
        services[name] = _live(name, ServiceKind.API, f"{number:04}", f"{number:04}")
    live = services["[/red]"].live
    assert live is not None
    services["[/red]"] = replace(
        services["[/red]"],
        live=replace(live, replicas_desired=3, replicas_ready=2),
        failed=failed("zz99", Stage.BUILDING, "build failed: [/] 検索 " + "very long " * 30),
    )
    label = "[bold]検索[/bold] " + "long " * 40
    ended = run(
        Status.FAILED,
        "dep_zz99x7q2m4kz",
        label=label,
        completed_at=before(4),
        created_at=before(9),
        failure_message="[/red]: build failed: [/] " + "検索" * 60,
    )
    return state(services, run=ended)


def domain(host: str, state: str = "ok", days: float = 61, **fields: Any) -> Domain:
    """One with a certificate for so many days, unless there is none yet."""
    has_none = state in ("plain", "pending")
    until = None if has_none else before(-86_400 * days - 60)
    return Domain(
        host, f"{'http' if state == 'plain' else 'https'}://{host}", state, until, **fields
    )


RULE = (
    "when it turns unhealthy or more than 5 % of at least 20 replies are 5xx"
    " within 300 s of the switch"
)


def operated(users: tuple[str, ...] | None = ("ada", "grace")) -> State:
    """A domain with TLS, a login, and a deploy that is watched."""
    services = six()
    host = "shop.example.com"
    changes: dict[str, dict[str, Any]] = {
        "web": {"route_url": f"https://{host}"},
        "api": {"watched_until": before(-250), "way_back": RULE, "way_back_s": 300},
        "admin": {"needs_login": True},
    }
    for name, fields in changes.items():
        live = services[name].live
        assert live is not None
        services[name] = replace(services[name], live=replace(live, **fields))
    refused = "the authority cannot reach it: connection refused"
    domains = (
        domain("old.example.com", "failing", 12, failure=refused, next_try_at=before(-3_590)),
        domain(host),
        domain("shop.internal", "plain"),
    )
    services["web"] = replace(services["web"], domains=domains)
    place = replace(PLACE, users=users)
    ids = [each.live.id for each in services.values() if each.live]
    return state(services, run=run(Status.SUCCEEDED, *ids), place=place)


def locked_out() -> State:
    """A service asks for a login, and nobody has one."""
    found = operated(users=())
    services = dict(found.services)
    services["web"] = replace(services["web"], domains=services["web"].domains[1:])
    return replace(found, services=services)


def watched() -> State:
    """Nothing but a deploy that is watched."""
    return replace(operated(), services=dict(six(), api=operated().services["api"]))


def went_back() -> State:
    """The platform has rolled a deploy back by itself."""
    because = "api of dep_51fex7q2m4kz: it is unhealthy: GET /healthz -> 500 Internal Server Error"
    services = six()
    live = services["api"].live
    assert live is not None
    services["api"] = replace(services["api"], live=replace(live, returned_because=because))
    ended = run(
        Status.SUCCEEDED,
        live.id,
        trigger=Trigger.ROLLBACK,
        because=because,
        created_at=before(7_201),
        completed_at=before(7_200),
    )
    return state(services, run=ended)


ALL = {
    "idle": idle,
    "deploying": deploying,
    "building": building,
    "failed": failed_deploy,
    "cancelled": cancelled,
    "draining": draining,
    "never-deployed": never_deployed,
    "just-succeeded": just_succeeded,
    "rolled-back": rolled_back,
    "rolling-back": rolling_back,
    "unhealthy": unhealthy,
    "lost": lost,
    "many": many,
    "odd-names": odd_names,
    "jobs": jobs,
    "held": held,
    "standing-aside": standing_aside,
    "not-serving": not_serving,
    "operated": operated,
    "locked-out": locked_out,
    "watched": watched,
    "went-back": went_back,
}
"""Every sample by name."""

RUNS = [
    {
        "id": f"drn_{key}k2m9q7xz",
        "trigger": trigger,
        "status": status,
        "deploymentIds": [f"dep_{key}"],
        "createdAt": before(age + took).isoformat(),
        "completedAt": before(age).isoformat(),
        "failureMessage": None if status == "succeeded" else "it failed",
        "services": services,
    }
    for key, trigger, status, age, took, services in (
        ("39b7", "deploy", "succeeded", 187_200, 49, ["web", "api", "worker"]),
        ("2210", "deploy", "failed", 190_000, 31, ["api"]),
        ("1f0e", "rollback", "succeeded", 345_600, 6, ["api"]),
        ("0b77", "redeploy", "succeeded", 518_400, 91, ["web", "api", "worker", "admin", "cron"]),
    )
]
"""The last runs, as `GET /v1/runs` tells of them."""
