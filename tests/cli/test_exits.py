from __future__ import annotations

from typing import Any

import pytest

from core import errors
from core.cli.exits import SERVICE_NOT_IN_PROJECT, Exit, of_error, of_run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CompartmentError("x"), 1),
        (errors.RunFailed("x"), 1),
        (errors.NotFound("x"), 1),
        (errors.Conflict("x"), 1),
        (errors.JournalError("x"), 1),
        (errors.InternalError("x"), 1),
        (errors.ConfigError("x"), 2),
        (errors.UsageError("x"), 2),
        (errors.NotFound("x", code=SERVICE_NOT_IN_PROJECT), 2),
        (errors.TargetBusy("x"), 3),
        (errors.Unreachable("x"), 4),
        (errors.AgentUnavailable("x", code="agent_version"), 4),
        (errors.EngineUnavailable("x"), 4),
        (errors.GatewayUnavailable("x"), 4),
    ],
)
def test_of_errors(error: errors.CompartmentError, code: int) -> None:
    assert of_error(error) == code


@pytest.mark.parametrize(
    ("run", "code"),
    [
        ({"status": "succeeded"}, Exit.DONE),
        ({"status": "succeeded", "cutRequests": 2}, Exit.REQUESTS_CUT),
        ({"status": "failed", "failureCode": "failed"}, Exit.FAILED),
        ({"status": "failed", "failureCode": "cancelled"}, Exit.FAILED),
        ({"status": "failed", "failureCode": "failed", "cutRequests": 2}, Exit.FAILED),
        ({"status": "failed", "failureCode": "cancelled", "notServing": ["db"]}, Exit.NOT_SERVING),
        ({"status": "failed", "failureCode": "deployment_target_busy"}, Exit.BUSY),
        ({"status": "failed", "failureCode": "gateway_unavailable"}, Exit.UNREACHABLE),
    ],
)
def test_of_runs(run: dict[str, Any], code: Exit) -> None:
    assert of_run({"cutRequests": 0, "failureCode": None, "notServing": [], **run}) == code
