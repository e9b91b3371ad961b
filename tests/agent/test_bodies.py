"""What the agent takes for a name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.agent.bodies import RunBody, TargetBody
from tests.promotion.test_hosts import NAMES


@pytest.mark.parametrize("environment", NAMES)
def test_an_environment_may_be_called_anything_that_can_be_read(environment: str) -> None:
    assert TargetBody(project="shop", environment=environment).target.environment == environment


@pytest.mark.parametrize(
    "environment", ["", "a" * 64, "a\nb", "a\0", "\x1b[31m", "\u202e", "\udcff"]
)
def test_what_would_harm_a_terminal_or_a_process_is_refused(environment: str) -> None:
    with pytest.raises(ValidationError, match="environment"):
        TargetBody(project="shop", environment=environment)


@pytest.mark.parametrize(("name", "value"), [("root", "a\0b"), ("waitS", float("inf"))])
def test_what_no_system_can_work_with_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        RunBody.model_validate({"project": "shop", "trigger": "deploy", name: value})
