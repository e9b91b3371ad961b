from __future__ import annotations

import pytest

from core.config.descriptor import DescriptorModel
from core.config.services import services
from core.config.yaml import read_yaml
from core.model import (
    AccessMode,
    Build,
    BuildStrategy,
    Drain,
    Limits,
    Readiness,
    Restart,
    RestartPolicy,
    Service,
    ServiceKind,
)
from tests.config.test_descriptor import FULL


def read(text: str) -> dict[str, Service]:
    return services(DescriptorModel.model_validate(read_yaml(text.encode(), "f").data))


def test_every_field() -> None:
    found = read(FULL)

    assert list(found) == ["web", "api_1", "0worker", "job", "cron"]
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
        depends_on=("web",),
        limits=Limits(2.0, 256 * 1024 * 1024),
        release_command="./migrate --all",
    )
    assert found["0worker"].restart == Restart(RestartPolicy.NO)
    assert found["job"].limits == Limits(0.5)
    assert found["cron"].schedule == "*/5 0-6 1,15 * mon"


@pytest.mark.parametrize(
    "text", ["web: x", "web: {path: x}", "web: {path: x, build: {}, drain: {}}"]
)
def test_defaults(text: str) -> None:
    found = read(f"name: shop\nservices:\n  {text}\n")

    assert found == {"web": Service("web", "x")}


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
