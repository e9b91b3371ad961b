from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.model import Build, Project, Readiness, RouteRule, Service, Trigger
from core.promotion.plan import (
    Action,
    Situation,
    Wanted,
    plan_rollback,
    plan_service,
    rules_waiting,
)
from core.records import Variable
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from core.records import Deployment

WEB = Service("web", ".", readiness=Readiness())
RULE = RouteRule("web", "/api/*", "api")
PROJECT = Project("shop", Path("/shop"), {"web": WEB}, (RULE,))
RUN_WITH = {"A": Variable("1"), "B": Variable("2", is_sensitive=True)}
LIVE = deployment(
    service=WEB, rules=(RULE,), artifact_id="art_1", is_active=True, assigned=RUN_WITH
)


def _wanted(service: Service, artifact_id: str, *, is_built: bool) -> Wanted:
    return Wanted(service, (RULE,), artifact_id, is_built, RUN_WITH)


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
        (LIVE.changed(assigned={}), True, "art_1", Trigger.DEPLOY, "variables changed: A, B"),
        (LIVE, False, "art_1", Trigger.DEPLOY, "the active deployment is not serving"),
        (LIVE, True, "art_1", Trigger.DEPLOY, "unchanged"),
    ],
)
def test_what_is_deployed_and_why(
    active: Deployment | None, is_serving: bool, artifact_id: str, trigger: Trigger, because: str
) -> None:
    now = Situation(active, is_serving)
    planned = plan_service(_wanted(WEB, artifact_id, is_built=True), now, trigger)
    assert planned.because == because
    assert (planned.action is Action.LEAVE) == (because == "unchanged")
    assert planned.zero_downtime
    assert not planned.needs_build


def test_what_is_left_alone_needs_no_build() -> None:
    planned = plan_service(
        _wanted(WEB, "art_1", is_built=False), Situation(LIVE, True), Trigger.DEPLOY
    )
    assert (planned.action, planned.needs_build) == (Action.LEAVE, False)
    planned = plan_service(
        _wanted(WEB, "art_2", is_built=False), Situation(LIVE, True), Trigger.DEPLOY
    )
    assert (planned.action, planned.needs_build) == (Action.DEPLOY, True)


def test_a_service_without_a_check_is_warned_of() -> None:
    bare = replace(WEB, readiness=None)
    planned = plan_service(
        _wanted(bare, "art_1", is_built=False), Situation(None, False), Trigger.DEPLOY
    )
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


def test_what_stops_first_has_its_reason() -> None:
    wanted = replace(_wanted(WEB, "art_2", is_built=True), stops_first="both listen on port 80")
    planned = plan_service(wanted, Situation(LIVE, True), Trigger.DEPLOY)
    assert (planned.zero_downtime, planned.downtime_reason) == (False, "both listen on port 80")


def test_a_rollback_says_which_variables_are_set_otherwise_now() -> None:
    wanted = Wanted(WEB, (RULE,), "art_1", True, {"A": Variable("other"), "C": Variable("new")})
    planned = plan_rollback(LIVE, wanted, LIVE, is_named=False)
    assert planned.variables_changed == ("A", "B", "C")
    assert planned.warnings == (
        "it starts with the variables it ran with; set otherwise now: A, B, C",
    )
