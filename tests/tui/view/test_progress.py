from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screens.replies import Json, at, deployment, run, scene, service
from tui.view.progress import progress

RUNNING = run(status="running", completedAt=None, createdAt=at(-37))


def moving(name: str, stage: str, **changes: Any) -> Json:
    return deployment(f"dep_{name}1", name, status="running", isActive=False,
                      promotionStage=stage, **changes)  # fmt: skip


@pytest.mark.parametrize(
    ("services", "words", "can_be_cancelled"),
    [
        (
            {"web": service("web", candidate=moving("web", "checking_readiness")),
             "api": service("api", candidate=moving("api", "building"))},
            "building, 1 of 2 through",
            True,
        ),
        (
            {"web": service("web", candidate=moving("web", "switching_route")),
             "api": service("api", candidate=moving("api", "switching_route"))},
            "switching, 0 of 2 through",
            False,
        ),
        (
            {"web": service("web", live=moving("web", "draining_previous", ) | {"isActive": True}),
             "api": service("api")},
            "draining, 1 of 2 through",
            False,
        ),
    ],
)  # fmt: skip
def test_a_run_can_be_cancelled_until_its_switch(
    services: dict[str, Any], words: str, can_be_cancelled: bool
) -> None:
    found = progress(scene(run=RUNNING, services=services))
    assert words in found.text.plain
    assert found.text.plain.endswith("00:37 of about 52s")
    assert found.can_be_cancelled is can_be_cancelled


def test_a_queued_run_can_be_cancelled() -> None:
    queued = run(status="queued", completedAt=None, deploymentIds=[], usualSeconds=None)
    found = progress(scene(run=queued, services={}))
    assert "queued" in found.text.plain
    assert found.can_be_cancelled


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (run(), "✓ deploy succeeded"),
        (run(status="failed", failureMessage="api: x\ny"), "✗ deploy failed: api: x"),
        (run(status="failed", failureCode="cancelled", failureMessage="cancelled"),
         "✗ deploy cancelled: cancelled"),
        (None, "no run"),
    ],
)  # fmt: skip
def test_what_has_ended_cannot_be_cancelled(ended: Any, words: str) -> None:
    found = progress(scene(run=ended))
    assert found.text.plain == words
    assert not found.can_be_cancelled
