from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.model import Build, Project, Readiness, RouteRule, Service, Trigger
from core.promotion.plan import Action, Situation, plan_service, rules_waiting
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from core.records import Deployment

WEB = Service("web", ".", readiness=Readiness())
RULE = RouteRule("web", "/api/*", "api")
PROJECT = Project("shop", Path("/shop"), {"web": WEB}, (RULE,))
LIVE = deployment(service=WEB, rules=(RULE,), artifact_id="art_1", is_active=True)


@pytest.mark.parametrize(
    ("active", "is_serving", "artifact_id", "trigger", "because"),
    [
        (None, False, "art_1", Trigger.DEPLOY, "first deployment"),
        (LIVE, True, "art_1", Trigger.REDEPLOY, "redeploy"),
        (LIVE, True, "art_2", Trigger.DEPLOY, "the source changed"),
        (
            LIVE.changed(service=replace(WEB, build=Build(command="make"))),
            True,
            "art_1",
            Trigger.DEPLOY,
            "the configuration changed",
        ),
        (LIVE.changed(rules=()), True, "art_1", Trigger.DEPLOY, "the route rules changed"),
        (LIVE, False, "art_1", Trigger.DEPLOY, "the active deployment is not serving"),
        (LIVE, True, "art_1", Trigger.DEPLOY, "unchanged"),
    ],
)
def test_what_is_deployed_and_why(
    active: Deployment | None, is_serving: bool, artifact_id: str, trigger: Trigger, because: str
) -> None:
    now = Situation(active, is_serving)
    planned = plan_service(PROJECT, WEB, (artifact_id, True), now, trigger)
    assert planned.because == because
    assert (planned.action is Action.LEAVE) == (because == "unchanged")
    assert planned.zero_downtime
    assert not planned.needs_build


def test_what_is_left_alone_needs_no_build() -> None:
    planned = plan_service(PROJECT, WEB, ("art_1", False), Situation(LIVE, True), Trigger.DEPLOY)
    assert (planned.action, planned.needs_build) == (Action.LEAVE, False)
    planned = plan_service(PROJECT, WEB, ("art_2", False), Situation(LIVE, True), Trigger.DEPLOY)
    assert (planned.action, planned.needs_build) == (Action.DEPLOY, True)


def test_a_service_without_a_check_is_warned_of() -> None:
    bare = replace(WEB, readiness=None)
    planned = plan_service(PROJECT, bare, ("art_1", False), Situation(None, False), Trigger.DEPLOY)
    assert planned.warnings == (
        "no readiness check: traffic may arrive before the service listens",
    )


def test_changed_rules_wait_for_their_service() -> None:
    active = {"web": LIVE.changed(rules=())}
    assert rules_waiting(PROJECT, {"api"}, active) == (
        "changed route rules of web wait for a deployment of web",
    )
    assert rules_waiting(PROJECT, {"web"}, active) == ()
    assert rules_waiting(PROJECT, {"api"}, {"web": LIVE}) == ()
