"""The lifecycle, row by row of sections 3.1 to 3.5 and 8.1 to 8.4 of the specification.

Rows marked `ours` are decided otherwise than there, or where it is silent; `tests/rules/shop.py`
says what the words of a script mean. What has to be real to be proven is in `tests/e2e`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from core.agent.bodies import RunBody
from core.errors import NotFound, TargetBusy
from core.model import Trigger
from core.promotion.requests import Request
from core.records import Target
from tests.rules.shop import API, KEPT, NAME, WEB

if TYPE_CHECKING:
    from tests.rules.shop import Shop

BUILT = "building/queued building/running starting_candidate/running"
CHECKED = f"{BUILT} checking_readiness/running"
SWITCHED = f"{CHECKED} switching_route/running"
STARTED_AGAIN = "starting_candidate/running checking_readiness/running switching_route/running"

FIELDS = {
    *("id", "serviceName", "status", "health", "promotionStage", "isActive", "routeUrl"),
    *("failureMessage", "createdAt", "completedAt"),
}


async def test_3_1_the_fields_of_a_deployment(a_shop: Shop) -> None:
    await a_shop.play("deploy")
    assert a_shop.last is not None
    result = await a_shop.platform.snapshots.run_result(a_shop.last.id)
    (told,) = result["deployments"]
    assert told.keys() > FIELDS
    assert re.fullmatch(r"dep_[a-z2-7]{12}", told["id"])
    assert re.fullmatch(r"drn_[a-z2-7]{12}", told["deploymentRunId"])
    for at in (told["createdAt"], told["completedAt"]):
        assert at.endswith("Z")
        assert datetime.fromisoformat(at).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("label", "is_good"),
    [
        pytest.param("a", True, id="1 character"),
        pytest.param("x" * 100, True, id="100 characters"),
        pytest.param("vor dem Urlaub, é日🙂", True, id="any that can be seen"),
        pytest.param("", False, id="none is too short"),
        pytest.param("x" * 101, False, id="101 are too long"),
        pytest.param("a\nb", False, id="one line"),
        pytest.param("a\u2028b", False, id="one line, whatever separates lines"),
        pytest.param("a\x1bb", False, id="no control characters"),
        pytest.param("a\u202eb", False, id="no format characters"),
    ],
)
def test_3_1_labels(label: str, is_good: bool) -> None:
    if is_good:
        assert RunBody(project=NAME, trigger=Trigger.DEPLOY, label=label).label == label
    else:
        with pytest.raises(ValidationError, match="label"):
            RunBody(project=NAME, trigger=Trigger.DEPLOY, label=label)


@pytest.mark.parametrize(
    ("script", "states"),
    [
        pytest.param("deploy", ["succeeded active healthy, live"], id="succeeded: reached active"),
        pytest.param(
            "deploy; deploy",
            ["succeeded active healthy", "succeeded active healthy, live"],
            id="what was replaced stays succeeded and active, and is not the active one",
        ),
        pytest.param(
            "deploy; deploy; rollback",
            ["succeeded active healthy, live", "succeeded rolled_back healthy"],
            id="rolled_back: displaced by a rollback (C1)",
        ),
        pytest.param(
            "jam web; deploy", ["failed building unhealthy"], id="failed keeps its stage: build"
        ),
        pytest.param(
            "break web; deploy",
            ["failed checking_readiness unhealthy"],
            id="failed keeps its stage: readiness",
        ),
        pytest.param(
            "deploy; end web; deploy",
            ["succeeded active healthy, live", "failed checking_readiness unhealthy"],
            id="a failure before the switch never touches the active one",
        ),
        pytest.param(
            "deploy; deploy; end web; rollback",
            ["succeeded active healthy", "succeeded active healthy, live"],
            id="ours: a rollback that fails leaves both as they were",
        ),
        pytest.param("deploy; down", ["stopped active healthy"], id="ours: stopped by down (C10)"),
        pytest.param(
            "deploy; down; again",
            ["stopped active healthy", "succeeded active healthy, live"],
            id="ours: what was taken down is deployed anew",
        ),
    ],
)
async def test_3_2_status_stage_and_health(a_shop: Shop, script: str, states: list[str]) -> None:
    await a_shop.play(script)
    assert [
        f"{each.status} {each.stage} {each.health}{', live' if each.is_active else ''}"
        for each in await a_shop.history()
    ] == states


@pytest.mark.parametrize(
    ("script", "stages"),
    [
        pytest.param(
            "deploy",
            f"{SWITCHED} active/succeeded",
            id="the first one: queued shows building, and nothing is drained",
        ),
        pytest.param(
            "deploy; deploy",
            f"{SWITCHED} draining_previous/running active/succeeded",
            id="with an active one before it",
        ),
        pytest.param(
            "deploy; deploy; rollback",
            f"{STARTED_AGAIN} rolled_back/succeeded draining_previous/running active/succeeded",
            id="a rollback: no build, and the same stages from the candidate on",
        ),
        pytest.param(
            "deploy @staging; promote",
            f"{SWITCHED} active/succeeded",
            id="a promote: a deployment of its own, which has nothing to build",
        ),
        pytest.param("end web; deploy", CHECKED, id="a failure ends where it happened"),
    ],
)
async def test_3_2_the_order_of_stages(a_shop: Shop, script: str, stages: str) -> None:
    await a_shop.play(script)
    assert await a_shop.stages() == stages


@pytest.mark.parametrize(
    ("script", "service", "stages"),
    [
        pytest.param("deploy", "api", f"{BUILT} switching_route/running active/succeeded",
                     id="without a check there is no such stage"),
        pytest.param("end api; deploy", "api", BUILT, id="it fails where it is started"),
    ],
)  # fmt: skip
async def test_3_2_stages_without_readiness(
    a_shop: Shop, script: str, service: str, stages: str
) -> None:
    a_shop.write(web=WEB, api=API)
    await a_shop.play(script)
    assert await a_shop.stages(service) == stages


@pytest.mark.parametrize(
    ("script", "phase", "detail", "last_lines"),
    [
        pytest.param("jam web; deploy", "build failed", "the build ended with code 7",
                     ["the last lines of the build:", "no such header"], id="build"),
        pytest.param("end api; deploy", "the candidate did not start", "exited with code 1",
                     ["it wrote nothing"], id="runtime startup"),
        pytest.param("break web; deploy", "the candidate did not get ready", "503",
                     ["it wrote nothing"], id="runtime readiness"),
    ],
)  # fmt: skip
async def test_3_2_failure_messages(
    a_shop: Shop, script: str, phase: str, detail: str, last_lines: list[str]
) -> None:
    """`<phase>: <detail>`, a guess, and the last lines."""
    a_shop.write(web=WEB, api=API)
    assert await a_shop.play(script) == "failed; nothing"
    messages = [each.failure_message or "" for each in await a_shop.history()]
    (message,) = [each for each in messages if not each.startswith("not switched: ")]
    assert message.startswith(f"{phase}: ")
    assert detail in message.splitlines()[0]
    assert message.splitlines()[-len(last_lines) :] == last_lines
    assert a_shop.machine.running == {}


@pytest.mark.parametrize(
    ("script", "trigger", "services", "status"),
    [
        pytest.param("deploy", "deploy", ["api", "web"], "succeeded", id="deploy: all services"),
        pytest.param("deploy web", "deploy", ["web"], "succeeded", id="deploy: the named one"),
        pytest.param("deploy; again", "deploy", [], "succeeded", id="ours: none that is unchanged"),
        pytest.param("deploy; redeploy", "redeploy", ["api", "web"], "succeeded",
                     id="ours: redeploy, also the unchanged"),
        pytest.param("deploy; deploy; rollback", "rollback", ["api", "web"], "succeeded",
                     id="rollback"),
        pytest.param("deploy @staging; promote", "promote", ["api", "web"], "succeeded",
                     id="promote"),
        pytest.param("end web; deploy", "deploy", ["api", "web"], "failed",
                     id="any that failed: failed"),
    ],
)  # fmt: skip
async def test_3_3_a_command_is_one_run(
    a_shop: Shop, script: str, trigger: str, services: list[str], status: str
) -> None:
    """With one deployment for each service selected."""
    a_shop.write(web=WEB, api=API)
    await a_shop.play(script)
    assert a_shop.last is not None
    result = await a_shop.platform.snapshots.run_result(a_shop.last.id)
    run = result["run"]
    assert (run["trigger"], run["status"]) == (trigger, status)
    assert [each["serviceName"] for each in result["deployments"]] == services
    assert run["createdAt"] <= run["completedAt"]
    assert bool(run["failureMessage"]) == (status == "failed")


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        pytest.param("deploy", "web@4", id="a deploy waits, and runs after it"),
        pytest.param("rollback", "web@2", id="ours: a rollback waits too, then takes it back"),
        pytest.param("promote", "web@1", id="ours: a promote waits too"),
        pytest.param("deploy wait=0", "refused", id="ours: unless it does not want to wait"),
        pytest.param("rollback wait=0", "refused", id="ours: nor a rollback"),
        pytest.param("promote wait=0", "refused", id="ours: nor a promote"),
    ],
)
async def test_3_4_one_run_at_a_time(a_shop: Shop, second: str, outcome: str) -> None:
    """In one environment; staging has version 1, production 2, and 3 is on its way."""
    await a_shop.play("deploy @staging; deploy")
    platform, production = a_shop.platform, Target(NAME, "production")
    first = await platform.runs.submit(await a_shop.request("deploy", production, [], {}))
    await platform.runs.hold(first.id)
    verb, *words = second.split()
    request = await a_shop.request(verb, production, [], dict(w.split("=") for w in words))
    if outcome == "refused":
        with pytest.raises(TargetBusy, match=f"deploy {first.id} is ahead") as refused:
            await platform.runs.submit(request)
        assert refused.value.code == "deployment_target_busy"
        await platform.runs.resume(first.id)
        await a_shop.end(first)
        assert a_shop.active() == ["web@3"]
        return
    waiting = await platform.runs.submit(request)
    # In another environment nobody waits for it.
    assert (await a_shop.do("redeploy @staging wait=0")).startswith("web@")
    assert waiting.status == "queued"
    assert a_shop.active() == ["web@2"]
    await platform.runs.resume(first.id)
    assert (await a_shop.end(waiting))["run"]["status"] == "succeeded"
    assert a_shop.active() == [outcome]


MANY = "; ".join(["deploy"] * (KEPT + 2))


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param(MANY, f"web@{KEPT + 2}", id="exactly one is active"),
        pytest.param(f"{MANY}; rollback to=web@3 web", "web@3", id="the newest are kept"),
        pytest.param(
            f"{MANY}; rollback to=web@2 web",
            f"refused, deployment_image_not_available; web@{KEPT + 2}",
            id="older ones are cleaned, and cannot be rolled back to",
        ),
        pytest.param(
            f"deploy @staging; {MANY}; promote", "web@1",
            id="what is active in another environment is kept",
        ),
        pytest.param(
            f"deploy; {'; '.join(['end web; deploy; mend web'] * KEPT)}; deploy; rollback",
            "web@1",
            id="what failed does not count",
        ),
        pytest.param(
            f"deploy; deploy; {'; '.join(['deploy; rollback'] * KEPT)}; rollback",
            "web@1",
            id="ours: what was rolled back counts after all others",
        ),
    ],
)  # fmt: skip
async def test_3_5_retention(a_shop: Shop, script: str, outcome: str) -> None:
    assert await a_shop.play(script) == outcome
    # The records of all are kept.
    deploys = script.split("; ").count("deploy")
    assert len(await a_shop.history()) == deploys + ("promote" in script)
    assert sum(each.is_active for each in await a_shop.history()) == 1


@pytest.mark.parametrize(
    ("script", "trace"),
    [
        pytest.param(
            "deploy; deploy",
            ["build web@2", "start web@2", "route web@2", "drain web@1", "stop web@1"],
            id="8.1 beside the old one, then the switch; 8.2 then the drain, then the end",
        ),
        pytest.param("deploy", ["build web@1", "start web@1", "route web@1"], id="8.1 the first"),
        pytest.param(
            "deploy; end web; deploy",
            ["build web@2", "start web@2", "stop web@2"],
            id="8.1 a candidate that fails is removed, and never routed to",
        ),
        pytest.param(
            "deploy; deploy; rollback",
            ["start web@1", "route web@1", "drain web@2", "stop web@2"],
            id="8.3 a rollback is not built, and switches and drains as well",
        ),
        pytest.param(
            "deploy @staging; promote",
            ["start web@1", "route web@1"],
            id="8.4 a promote is not built",
        ),
        pytest.param("deploy; down", ["route web to nothing", "drain web@1", "stop web@1"],
                     id="ours: down drains too"),
    ],
)  # fmt: skip
async def test_8_1_8_2_what_is_done_in_which_order(
    a_shop: Shop, script: str, trace: list[str]
) -> None:
    await a_shop.play(script)
    assert a_shop.machine.trace == trace


async def test_8_1_all_services_of_a_run_switch_together(a_shop: Shop) -> None:
    """C6: a barrier before the routes."""
    a_shop.write(web=WEB, api=API)
    await a_shop.play("deploy; deploy")
    trace = a_shop.machine.trace
    routed = [trace.index(f"route {each}@2") for each in ("api", "web")]
    assert sorted(routed) == [min(routed), min(routed) + 1]
    assert all(trace.index(f"start {each}@2") < min(routed) for each in ("api", "web"))
    assert await a_shop.play("end web; deploy") == "failed; api@2 web@2"
    assert [each for each in a_shop.machine.trace if each.startswith("route")] == []


ROLLBACKS = [
    pytest.param("deploy; deploy; rollback", "web@1", id="the one that was active before"),
    pytest.param(
        "deploy; rollback",
        "refused, rollback_target_not_found; web@1",
        id="not available on a first deploy",
    ),
    pytest.param(
        "rollback", "refused, active_deployment_not_found; nothing", id="nothing is active"
    ),
    pytest.param(
        "deploy; deploy; down; rollback",
        "refused, active_deployment_not_found; nothing",
        id="ours: nor after it was taken down",
    ),
    pytest.param(
        "deploy; end web; deploy; mend web; deploy; rollback",
        "web@1",
        id="one that failed is no candidate",
    ),
    pytest.param(
        "deploy; deploy; deploy; rollback; rollback", "web@1", id="ours: two in a row go further"
    ),
    pytest.param(
        "deploy; deploy; rollback; rollback",
        "refused, rollback_target_not_found; web@1",
        id="ours: and never to and fro",
    ),
    pytest.param(
        "deploy; deploy; deploy; rollback; deploy; rollback; rollback",
        "web@1",
        id="ours: what was rolled back once is left out later, too",
    ),
    pytest.param(
        "deploy; deploy; deploy; rollback to=web@1 web; deploy; rollback",
        "web@1",
        id="ours: earlier means active later, not made later",
    ),
    pytest.param("deploy; deploy; rollback to=web@1 web", "web@1", id="--to names it"),
    pytest.param(
        "deploy; deploy; rollback; rollback to=web@2 web",
        "web@2",
        id="ours: --to may name one that was rolled back",
    ),
    pytest.param(
        "deploy; deploy; rollback to=web@2 web",
        "refused, rollback_target_active; web@2",
        id="--to the active one",
    ),
    pytest.param(
        "deploy; end web; deploy; rollback to=web@2 web",
        "refused, rollback_target_not_found; web@1",
        id="--to one that failed",
    ),
    pytest.param(
        "deploy; deploy; rollback to=nothing web",
        "refused, rollback_target_not_found; web@2",
        id="--to one that is not there",
    ),
    pytest.param(
        "deploy; deploy; rollback to=nothing",
        "refused, rollback_target_not_found; web@2",
        id="--to alone, one that is not there",
    ),
    pytest.param(
        "deploy; deploy; lose web@1; rollback",
        "refused, deployment_image_not_available; web@2",
        id="its artifact is gone",
    ),
    pytest.param(
        "deploy; deploy; lose web@1; rollback to=web@1 web",
        "refused, deployment_image_not_available; web@2",
        id="the artifact of the named one is gone",
    ),
    pytest.param(
        "deploy; deploy; rollback to=web@1", "web@1", id="--to alone, where there is one service"
    ),
    pytest.param(
        "deploy; deploy; end web; rollback", "failed; web@2", id="it is checked, and may fail"
    ),
    pytest.param(
        "deploy; deploy; rollback web; again", "web@2", id="a deploy after it: what the folder has"
    ),
    pytest.param(
        "deploy @staging; deploy; deploy @staging; rollback @staging",
        "web@1",
        id="of one environment alone",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("script", "outcome"), ROLLBACKS)
async def test_8_3_rollback(a_shop: Shop, script: str, outcome: str) -> None:
    assert await a_shop.play(script) == outcome


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param("deploy; deploy; rollback", "api@1 web@1", id="without --service: all"),
        pytest.param("deploy; deploy; rollback web", "api@2 web@1", id="one alone"),
        pytest.param("deploy; deploy; rollback web api web", "api@1 web@1", id="those named"),
        pytest.param(
            "deploy; deploy web; rollback",
            "refused, rollback_target_not_found; api@1 web@2",
            id="one without a candidate: the whole command fails",
        ),
        pytest.param(
            "deploy; deploy; lose api@1; rollback",
            "refused, deployment_image_not_available; api@2 web@2",
            id="one without its artifact: the whole command fails",
        ),
        pytest.param(
            "deploy; deploy; end web; rollback",
            "failed; api@2 web@2",
            id="one that does not get ready: none switches",
        ),
        pytest.param(
            "deploy; deploy; rollback to=web@1",
            "api@2 web@1",
            id="ours: --to without --service, as it names one (C16)",
        ),
        pytest.param(
            "deploy; deploy; rollback to=nothing",
            "refused, rollback_target_not_found; api@2 web@2",
            id="ours: --to without --service, one that is not there",
        ),
        pytest.param(
            "deploy; deploy; rollback to=web@1 web api",
            "refused, rollback_service_required; api@2 web@2",
            id="--to with several",
        ),
        pytest.param(
            "deploy; deploy; rollback to=web@1 api",
            "refused, rollback_target_not_found; api@2 web@2",
            id="--to one of another service",
        ),
        pytest.param(
            "deploy; deploy; rollback wbe",
            "refused, active_deployment_not_found; api@2 web@2",
            id="an unknown service",
        ),
    ],
)
async def test_8_3_rollback_of_several_services(a_shop: Shop, script: str, outcome: str) -> None:
    a_shop.write(web=WEB, api=API)
    assert await a_shop.play(script) == outcome


async def test_8_3_rollback_to_a_deployment_of_another_environment(a_shop: Shop) -> None:
    await a_shop.play("deploy @staging; deploy; deploy")
    (other,) = await a_shop.history("staging")
    request = Request(Trigger.ROLLBACK, Target(NAME, "production"), to=other.id)
    with pytest.raises(NotFound, match=f"{other.id} is no deployment of shop/production") as found:
        await a_shop.platform.runs.submit(request)
    assert found.value.hint == "see `compartment deployment list --env production`"


async def test_8_3_what_a_rollback_carries(a_shop: Shop) -> None:
    """The same deployment is active again (C2), with its configuration and its label."""
    rule = '{"version": 1, "routes": [{"on": "web", "path": "/api/*", "to": "web"}]}'
    routes = a_shop._root / "compartment.routes.yml"
    routes.write_text(rule)
    await a_shop.play("deploy")
    routes.unlink()
    a_shop.write(
        web={**WEB, "run": {"command": "another"}, "readiness": {"type": "tcp", "timeoutMs": 200}}
    )
    (before,) = await a_shop.history()
    # The new readiness check is not the old one's: nothing listens here.
    assert await a_shop.play("again") == "failed; web@1"
    a_shop.write(web={**WEB, "run": {"command": "another"}})
    await a_shop.play("deploy")
    await a_shop.play("rollback")
    after = (await a_shop.history())[0]
    assert after.is_active
    for name in ("id", "run_id", "service", "rules", "artifact_id", "label", "created_at"):
        assert getattr(after, name) == getattr(before, name)
    assert [rule.path for rule in after.rules] == ["/api/*"]
    assert after.activations == 2


PROMOTES = [
    pytest.param("deploy @staging; promote", "web@1", id="what is active in the source"),
    pytest.param(
        "deploy @staging; deploy @staging; rollback @staging; promote",
        "web@1",
        id="what is active, not what is newest",
    ),
    pytest.param(
        "deploy; promote from=production",
        "refused, source_and_target_environment_match; web@1",
        id="--from is --to",
    ),
    pytest.param("promote", "refused, environment_not_found; nothing", id="an unknown source"),
    pytest.param(
        "end web; deploy @staging; promote",
        "refused, active_deployment_not_found; nothing",
        id="nothing is active in the source",
    ),
    pytest.param(
        "deploy @staging; promote wbe",
        "refused, active_deployment_not_found; nothing",
        id="the service has to be there",
    ),
    pytest.param(
        "deploy @staging; lose web@1; promote",
        "refused, deployment_image_not_available; nothing",
        id="the artifact is gone",
    ),
    pytest.param(
        "deploy @staging; deploy; end web; promote", "failed; web@2", id="it is checked again"
    ),
    pytest.param("deploy @staging; deploy; promote; rollback", "web@2", id="it can be rolled back"),
    pytest.param(
        "deploy @staging; promote; deploy @staging; promote", "web@2", id="one after the other"
    ),
    pytest.param("deploy @staging; promote; promote", "web@1", id="ours: what is the same is left"),
    pytest.param(
        "deploy @staging; promote; deploy @staging; promote; down @staging; rollback",
        "web@1",
        id="what was promoted does not depend on its source",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("script", "outcome"), PROMOTES)
async def test_8_4_promote(a_shop: Shop, script: str, outcome: str) -> None:
    assert await a_shop.play(script) == outcome


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param("deploy @staging; promote", "api@1 web@1", id="every active service"),
        pytest.param("deploy @staging; promote web", "web@1", id="--service"),
        pytest.param("deploy @staging; deploy; promote web", "api@2 web@1", id="others stay"),
        pytest.param(
            "deploy @staging; deploy; end web; promote",
            "failed; api@2 web@2",
            id="one that does not get ready: none switches",
        ),
    ],
)
async def test_8_4_promote_of_several_services(a_shop: Shop, script: str, outcome: str) -> None:
    a_shop.write(web=WEB, api=API)
    assert await a_shop.play(script) == outcome


async def test_8_4_what_a_promote_carries(a_shop: Shop) -> None:
    await a_shop.play("deploy @staging")
    (source,) = await a_shop.history("staging")
    # What the folder says meanwhile is not promoted.
    a_shop.write(web={**WEB, "run": {"command": "another"}})
    await a_shop.play("promote")
    (found,) = await a_shop.history()
    assert a_shop.last is not None
    assert a_shop.last.trigger is Trigger.PROMOTE
    assert (found.run_id, found.promoted_from) == (a_shop.last.id, source.id)
    for name in ("service", "rules", "artifact_id", "label"):
        assert getattr(found, name) == getattr(source, name)
    assert found.id != source.id
    assert (found.route_host, source.route_host) == ("shop.localhost", "web-shop-staging.localhost")
    assert (await a_shop.history("staging")) == [source]
