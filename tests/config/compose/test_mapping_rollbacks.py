"""When a Compose service is rolled back by itself."""

from __future__ import annotations

from typing import Any

import pytest

from core.model import AutoRollback
from tests.config.compose.given import problems, service, services

Json = dict[str, Any]


def updated(**config: str) -> Json:
    return {"image": "nginx", "deploy": {"update_config": config}}


@pytest.mark.parametrize(
    ("described", "window_ms"),
    [
        ({"image": "nginx"}, None),
        (updated(order="start-first"), None),
        (updated(failure_action="pause"), None),
        (updated(monitor="1m"), None),
        (updated(failure_action="rollback"), 5_000),
        (updated(failure_action="rollback", monitor="0s"), 5_000),
        (updated(failure_action="rollback", monitor="1m30s"), 90_000),
    ],
)
def test_what_its_file_says(described: Json, window_ms: int | None) -> None:
    wanted = AutoRollback(window_ms) if window_ms else None
    assert service(described).auto_rollback == wanted


def test_the_extension_goes_first() -> None:
    described = updated(failure_action="rollback")
    described["x-compartment"] = {"autoRollback": {"errorRate": 0.1}}
    assert service(described).auto_rollback == AutoRollback(error_rate=0.1)


def test_a_job_is_never_rolled_back_by_itself() -> None:
    waits = {"migrate": {"condition": "service_completed_successfully", "required": True}}
    migrate = updated(failure_action="rollback")
    found = services({"migrate": migrate, "app": {"image": "b", "depends_on": waits}})
    assert found["migrate"].auto_rollback is None


def test_what_answers_no_requests_has_no_error_rate() -> None:
    described = {"image": "a", "x-compartment": {"autoRollback": {"errorRate": 0.1}}}
    (problem,) = problems({"app": described})
    assert "errorRate needs a service that answers HTTP requests, not a worker" in problem
