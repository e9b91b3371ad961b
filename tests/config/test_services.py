from __future__ import annotations

import pytest

from core.config.descriptor import DescriptorModel
from core.config.services import services
from core.config.yaml import read_yaml
from core.model import (
    AccessMode,
    AutoRollback,
    Build,
    BuildStrategy,
    Condition,
    Dependency,
    Drain,
    Limits,
    Readiness,
    ReadinessType,
    Restart,
    RestartPolicy,
    Schedule,
    ScheduleOverlap,
    Service,
    ServiceKind,
    Strategy,
)
from tests.config.test_descriptor import FULL


def read(text: str) -> dict[str, Service]:
    return services(DescriptorModel.model_validate(read_yaml(text.encode(), "f").data))


def test_every_field() -> None:
    found = read(FULL)

    assert list(found) == ["web", "api_1", "0worker", "job", "cron", "nightly"]
    assert found["api_1"] == Service(
        name="api_1",
        path="services/api",
        kind=ServiceKind.API,
        access_mode=AccessMode.PUBLIC,
        build=Build(
            strategy=BuildStrategy.RAILPACK,
            command="make build",
            env=("API_URL", "_x"),
            build_packages=("gcc", "libpq-dev"),
            runtime_packages=("libpq5=1:15.3~a",),
        ),
        run_command="./serve",
        restart=Restart(RestartPolicy.ON_FAILURE, 3),
        readiness=Readiness("/ready", 300_000),
        drain=Drain(0, 86_400_000),
        port=65_535,
        replicas=2,
        strategy=Strategy.STOP_FIRST,
        depends_on=(
            Dependency("web", Condition.STARTED),
            Dependency("0worker", Condition.HEALTHY),
            Dependency("job", Condition.COMPLETED),
        ),
        limits=Limits(2.0, 256 * 1024 * 1024),
        release_command="./migrate --all",
    )
    assert found["0worker"] == Service(
        name="0worker",
        path=".",
        kind=ServiceKind.WORKER,
        restart=Restart(RestartPolicy.NO),
        readiness=Readiness(type=ReadinessType.COMMAND, command="./alive", interval_ms=100),
        strategy=Strategy.SINGLETON,
    )
    assert found["job"].limits == Limits(0.5)
    assert found["job"].time_limit_ms == 86_400_000
    assert found["cron"].schedule == Schedule("*/5 0-6 1,15 * mon")
    assert found["nightly"].schedule == Schedule(
        "0 3 * * *", "Europe/Berlin", ScheduleOverlap.REPLACE, 1
    )


def test_a_name_alone_waits_for_as_much_as_there_is() -> None:
    assert read(FULL)["nightly"].depends_on == (
        Dependency("api_1", Condition.HEALTHY),
        Dependency("job", Condition.COMPLETED),
        Dependency("web", Condition.STARTED),
        Dependency("0worker", Condition.HEALTHY),
    )
    text = "name: a\nservices: {a: {path: ., dependsOn: [b]}, b: {path: ., kind: worker}}"
    assert read(text)["a"].depends_on == (Dependency("b", Condition.HEALTHY),)


@pytest.mark.parametrize(
    "text", ["web: x", "web: {path: x}", "web: {path: x, build: {}, drain: {}}"]
)
def test_defaults(text: str) -> None:
    found = read(f"name: shop\nservices:\n  {text}\n")

    assert found == {"web": Service("web", "x")}


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("{}", AutoRollback(300_000, on_unhealthy=True, error_rate=None, min_requests=50)),
        ("{windowMs: 60000, errorRate: 0.05}", AutoRollback(60_000, error_rate=0.05)),
        (
            "{onUnhealthy: false, errorRate: 0, minRequests: 1}",
            AutoRollback(on_unhealthy=False, error_rate=0.0, min_requests=1),
        ),
    ],
)
def test_automatic_rollback(block: str, found: AutoRollback) -> None:
    text = f"name: shop\nservices:\n  web: {{path: ., autoRollback: {block}}}\n"
    assert read(text)["web"].auto_rollback == found


def test_readiness_defaults() -> None:
    found = read("name: shop\nservices:\n  web: {path: ., readiness: {type: http}}\n")

    assert found["web"].readiness == Readiness("/healthz", 30_000)


@pytest.mark.parametrize(
    ("path", "expected"),
    [(".", "."), ("./", "."), ("./a/b/", "a/b"), ("a//b", "a/b"), ("a/../b", "b"), ("a b", "a b")],
)
def test_paths_are_normalised(path: str, expected: str) -> None:
    assert read(f"name: shop\nservices: {{web: {path}}}")["web"].path == expected


@pytest.mark.parametrize(("text", "size"), [("1K", 1024), ("2M", 2 << 20), ("3G", 3 << 30)])
def test_memory_is_in_bytes(text: str, size: int) -> None:
    found = read(f"name: shop\nservices: {{web: {{path: ., limits: {{memory: {text}}}}}}}")

    assert found["web"].limits == Limits(None, size)
