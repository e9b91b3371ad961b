from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.model import Health, ReadinessType, Stage, Status
from tests.tui import samples
from tests.tui.samples import before, scene
from tui.view.domain import Domain
from tui.view.glyphs import ASCII, UNICODE
from tui.view.pieces import length, plain
from tui.view.state import Link, State, Waiting
from tui.view.why import why

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs


def said(state: State, width: int = 500, **fields: Any) -> str:
    found = replace(scene(state, glyphs=ASCII), **fields)
    return plain(why(found).line(width, ASCII)).strip()


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [
        (
            "idle",
            "ok everything is live and healthy; D deploys what changed;"
            " enter shows all about a service",
        ),
        (
            "deploying",
            "!! api: waits for readiness GET /healthz, last 503, 44 tries, 8s left;"
            " then the run fails and nothing is switched;"
            " web and worker are ready and wait for it",
        ),
        (
            "building",
            "~~ web and api are building, 12s so far; worker waits for a build slot;"
            " the candidates start beside what is live",
        ),
        (
            "failed",
            "xx deploy failed, nothing was switched: api: GET /healthz replied 503 for 30 s;"
            " what was live still serves",
        ),
        ("cancelled", "-- deploy was cancelled 50s ago; nothing was switched"),
        (
            "draining",
            "~~ api: the previous one finishes 3 requests and 1 stream, at most 12s more;"
            " then it is stopped",
        ),
        (
            "operated",
            "!! old.example.com: not renewed, valid for 12d:"
            " the authority cannot reach it: connection refused; tried again in 59m",
        ),
        (
            "locked-out",
            "o- admin asks for a login, and nobody has one:"
            " compartment user add NAME --env production",
        ),
        (
            "watched",
            "ok api is watched, 4m left;"
            " what turns out to be worse than before is rolled back by itself",
        ),
        (
            "went-back",
            "<< rolled back by itself: api of dep_51fex7q2m4kz: it is unhealthy:"
            " GET /healthz -> 500 Internal Server Error; no request was cut",
        ),
        ("never-deployed", "-- nothing is deployed to production: press D to deploy"),
        ("just-succeeded", "ok deploy succeeded in 49.4s; no request was cut"),
        ("rolling-back", "<< api: its candidate starts, 3s so far; what is live serves meanwhile"),
        ("unhealthy", "xx api is unhealthy: 0 of 1 ready, 4 restarts"),
        (
            "lost",
            "xx no connection to the agent for 12s; connecting again;"
            " what runs goes on without it; the agent at agent.sock does not answer",
        ),
    ],
)
def test_one_sentence_for_each_moment(sample: str, sentence: str) -> None:
    assert said(samples.ALL[sample]()) == sentence


def test_an_ascii_screen_gets_no_other_sign() -> None:
    state = samples.failed_deploy()
    assert state.run is not None
    message = "api: GET http://127.0.0.1:31008/up → 503 — stopped…"
    state = replace(state, run=replace(state.run, failure_message=message))
    assert "api: GET :31008/up -> 503 - stopped..." in said(state)


def test_a_sentence_is_cut_between_two_words() -> None:
    assert said(samples.failed_deploy(), 55) == (
        "xx deploy failed, nothing was switched: api: GET ~"
    )


def test_a_service_that_ends_again_and_again_is_not_told_as_well() -> None:
    state = samples.just_succeeded()
    api = state.services["api"]
    assert api.live is not None
    again = replace(api, live=replace(api.live, restarts=3))
    state = replace(state, services={**state.services, "api": again})
    assert said(state) == (
        "!! api ended by itself and was restarted 3 times since its deploy; its stderr may say why"
    )


def test_a_failure_is_news_for_a_while_also_where_something_is_restarted() -> None:
    state = samples.failed_deploy()
    web = state.services["web"]
    assert web.live is not None
    again = replace(web, live=replace(web.live, restarts=1))
    state = replace(state, services={**state.services, "web": again})
    assert said(state).startswith("xx deploy failed")
    assert state.run is not None
    state = replace(state, run=replace(state.run, completed_at=before(31)))
    assert said(state).startswith("!! web ended by itself and was restarted 1 time ")


def test_an_agent_that_says_nothing_is_not_believed() -> None:
    state = replace(samples.idle(), figures_at=before(12))
    assert said(state) == "?? no figures for 12s: the agent may hang, and what is shown may be old"


def test_what_was_live_is_not_said_to_serve_when_it_was_switched() -> None:
    state = samples.failed_deploy()
    api = state.services["api"]
    switched = replace(api, failed=None, live=api.failed)
    state = replace(state, services={**state.services, "api": switched})
    assert "nothing was switched" not in said(state)
    assert "still serves" not in said(state)


def test_a_service_that_is_taken_down_is_awaited() -> None:
    state = samples.never_deployed()
    waiting = Waiting("drain", before(2), limit_s=10, requests=1)
    web = replace(state.services["web"], waiting=waiting)
    state = replace(state, services={**state.services, "web": web})
    assert said(state) == (
        "~~ web is taken down: it finishes 1 request, at most 8s more; then it is stopped"
    )


def test_requests_that_were_cut_are_said() -> None:
    assert said(samples.just_succeeded(2)) == "!! deploy succeeded in 49.4s; 2 requests cut"


def test_success_is_news_for_a_while_only() -> None:
    state = samples.just_succeeded()
    assert state.run is not None
    old = replace(state, run=replace(state.run, completed_at=before(31)))
    assert said(old).startswith("ok everything is live")


def test_a_queued_run() -> None:
    state = replace(samples.idle(), run=samples.run(Status.QUEUED))
    assert said(state) == ".. deploy drn_4c1ak2m9q7xz is queued, 37s so far: waits for its turn"


def test_runs_behind_the_one_that_goes_on() -> None:
    state = replace(samples.building(), queue=(samples.run(Status.QUEUED),))
    assert said(state).endswith("; 1 run queued behind it")


def waiting_for(waiting: Waiting, **fields: Any) -> State:
    """`building`, with api alone in the run, waiting for something else."""
    state = samples.building()
    assert state.run is not None
    api = state.services["api"]
    assert api.candidate is not None
    candidate = replace(api.candidate, **fields)
    return replace(
        state,
        run=replace(state.run, deployment_ids=(candidate.id,)),
        services={"api": replace(api, candidate=candidate, waiting=waiting)},
    )


def test_a_release_command() -> None:
    waiting = Waiting("release", before(4), limit_s=600, detail="./manage migrate")
    assert said(waiting_for(waiting)) == (
        "~~ api runs its release command ./manage migrate, 4s so far; the candidates start after it"
    )


def test_a_check_that_the_image_brings_along() -> None:
    waiting = Waiting("readiness", before(4), limit_s=300, tries=1)
    state = waiting_for(waiting, stage=Stage.CHECKING_READINESS, readiness_path=None)
    assert said(state) == (
        "~~ api: waits for its own health check, 1 try, 4m 56s left;"
        " then the run fails and nothing is switched"
    )


def test_all_are_ready() -> None:
    state = samples.deploying()
    services = dict(state.services)
    services["api"] = replace(services["api"], waiting=Waiting("barrier", before(1)))
    sentence = "~~ all 3 are ready: their routes switch together next"
    assert said(replace(state, services=services)) == sentence


def test_switching() -> None:
    state = samples.deploying()
    services = {
        name: replace(
            each,
            waiting=None,
            candidate=replace(each.candidate, stage=Stage.SWITCHING_ROUTE),
        )
        if each.candidate
        else each
        for name, each in state.services.items()
    }
    assert said(replace(state, services=services)) == (
        "~~ the routes of web, api and worker switch in one step;"
        " then the previous ones finish what they have"
    )


def test_a_run_without_moving_services_is_about_to_end() -> None:
    state = replace(samples.idle(), run=samples.run(Status.RUNNING))
    assert said(state) == "~~ deploy drn_4c1ak2m9q7xz is coming to its end"


def test_the_reason_of_an_unhealthy_service_is_in_its_last_event() -> None:
    events = [
        {
            "type": "HealthChanged",
            "serviceName": "api",
            "message": "unhealthy: it ended with exit code 1\n",
        },
        {"type": "HealthChanged", "serviceName": "web", "message": "other"},
    ]
    assert said(samples.unhealthy(), events=events) == (
        "xx api is unhealthy: it ended with exit code 1"
    )


def test_what_is_unwell_now_is_said_before_what_failed_then() -> None:
    state = samples.failed_deploy()
    services = dict(state.services)
    web = services["web"].live
    assert web is not None
    services["web"] = replace(services["web"], live=replace(web, health=Health.UNHEALTHY))
    assert said(replace(state, services=services)).startswith("xx web is unhealthy")


def test_services_that_are_not_live() -> None:
    state = samples.idle()
    services = dict(state.services)
    services["web"] = replace(services["web"], live=None)
    assert said(replace(state, services=services)) == (
        "-- web is not live in production: press D to deploy"
    )


def test_no_services_at_all() -> None:
    assert said(State(samples.PLACE, link=samples.UP)) == "-- there are no services here"


def test_nobody_is_told_to_press_what_does_nothing() -> None:
    told = said(samples.never_deployed(), notes=("read-only",))
    assert told == "-- nothing is deployed to production"
    assert "D " not in said(samples.idle(), notes=("replay",))


def test_before_the_first_connection() -> None:
    state = State(samples.PLACE, link=Link())
    assert said(state).startswith("xx no connection to the agent; connecting again")


@pytest.mark.parametrize("sample", samples.ALL)
@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_it_fits(sample: str, width: int, glyphs: Glyphs) -> None:
    row = why(scene(samples.ALL[sample](), glyphs=glyphs)).line(width, glyphs)
    assert length(row) <= width
    if glyphs.is_ascii and sample != "odd-names":
        assert plain(row).isascii()


def test_a_clause_is_there_as_a_whole_or_not_at_all() -> None:
    whole = said(samples.deploying())
    for width in range(72, len(whole) + 4):
        line = said(samples.deploying(), width)
        assert whole.startswith(line)
        assert line.endswith(("left", "switched", "it"))


def told(state: State, **fields: Any) -> str:
    """Without the sign."""
    return said(state, **fields).partition(" ")[2]


def test_a_held_run_says_how_it_goes_on() -> None:
    assert (
        told(samples.held()) == "held: press p to switch; web and api are ready; x cancels the run"
    )
    assert told(samples.held(), notes=("read-only",)).startswith("held before the switch: web and")


def making_way(waiting: Waiting | None, *, is_held: bool) -> State:
    """`held`, with a database that has to make way; web waits for that one."""
    state = samples.held()
    db = samples.standing_aside().services["db"]
    assert db.candidate is not None
    assert db.live is not None
    assert state.run is not None
    coming = replace(db.candidate, stage=Stage.BUILDING)
    live = replace(db.live, health_reason=None) if is_held else db.live
    web = samples.standing_aside().services["web"]
    services = {"web": web, "db": replace(db, candidate=coming, live=live, waiting=waiting)}
    if is_held:
        services["api"] = state.services["api"]
    ids = tuple(each.candidate.id for each in services.values() if each.candidate)
    return replace(
        state, run=replace(state.run, is_held=is_held, deployment_ids=ids), services=services
    )


def test_what_is_held_before_it_makes_way_is_not_said_to_be_ready() -> None:
    assert told(making_way(Waiting("hold", before(2)), is_held=True)) == (
        "held: press p to switch; api is ready; db waits to replace what is live;"
        " web waits for it; x cancels the run"
    )


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        (None, "db: the live one stands aside; its successor starts"),
        (
            Waiting("drain", before(2), 10, requests=1),
            "db: the live one stands aside and finishes 1 request, at most 8s more;"
            " then its successor starts",
        ),
    ],
)
def test_what_stands_aside_is_not_said_to_serve(waiting: Waiting | None, sentence: str) -> None:
    assert told(making_way(waiting, is_held=False)) == sentence


def test_a_successor_that_starts_has_nothing_live_beside_it() -> None:
    state = making_way(None, is_held=False)
    db = state.services["db"]
    assert db.candidate is not None
    starting = replace(db.candidate, stage=Stage.STARTING_CANDIDATE)
    state = replace(state, services={"db": replace(db, candidate=starting)})
    assert (
        told(state)
        == "db: its candidate starts, 2s so far; the one before comes back if that fails"
    )


def test_a_run_that_is_held_before_it_is_ready_says_both() -> None:
    state = samples.deploying()
    assert state.run is not None
    words = told(replace(state, run=replace(state.run, is_held=True)))
    assert "api: waits for readiness GET /healthz" in words
    assert words.endswith("; held before the switch: p lets it go on")


def test_what_a_service_waits_for_in_another_one() -> None:
    assert told(samples.standing_aside()) == ("web waits for db to be healthy, 4s so far")


def test_a_job_that_runs_in_a_deploy_has_its_limit() -> None:
    services = {"migrate": samples.six()["worker"]}
    services["migrate"] = replace(
        services["migrate"],
        name="migrate",
        candidate=samples.candidate("51aa", Stage.STARTING_CANDIDATE),
        waiting=Waiting("job", samples.before(4), 60),
    )
    state = samples.state(services, run=samples.run(Status.RUNNING, "dep_51aax7q2m4kz"))
    assert told(state) == (
        "migrate runs to its end, 4s so far, at most 56s more; if it fails, so does the run"
    )


def test_what_does_not_serve_any_more_comes_before_everything() -> None:
    assert told(samples.not_serving()).startswith(
        "db does not serve: deploy and the way back failed; D deploys again"
    )


def test_why_something_is_unhealthy_is_told_in_the_words_of_the_agent() -> None:
    state = samples.unhealthy()
    live = state.services["api"].live
    assert live is not None
    reason = "GET /healthz: 500 [red]"
    api = replace(state.services["api"], live=replace(live, health_reason=reason))
    state = replace(state, services={**state.services, "api": api})
    assert told(state).startswith(f"api is unhealthy: {reason}")


def test_how_a_candidate_is_asked_whether_it_is_ready() -> None:
    for found, words in (
        ({"readiness_type": ReadinessType.TCP}, "a connection to its port"),
        (
            {"readiness_type": ReadinessType.COMMAND, "readiness_command": "pg_isready"},
            "readiness command pg_isready",
        ),
    ):
        state = samples.deploying()
        api = state.services["api"]
        assert api.candidate is not None
        api = replace(api, candidate=replace(api.candidate, **found))
        state = replace(state, services={**state.services, "api": api})
        assert f"api: waits for {words}, last 503" in told(state)


def test_a_domain_that_nobody_can_open_comes_before_what_failed() -> None:
    state = samples.failed_deploy()
    expired = samples.domain("x.com", "expired", -2)
    also = Domain("y.com", "https://y.com", "failing", failure="refused")
    web = replace(state.services["web"], domains=(samples.domain("z.com"), expired, also))
    found = replace(state, services={**state.services, "web": web})
    assert said(found).startswith("xx x.com: certificate expired 1d 23h ago; also y.com")


def test_the_success_of_what_is_watched_says_so() -> None:
    state = samples.just_succeeded()
    watched = samples.watched().services
    found = replace(state, services=watched)
    assert said(found) == "ok deploy succeeded in 49.4s; no request was cut; watched, 4m left"


def test_nobody_is_told_to_add_a_user_to_another_machine() -> None:
    state = samples.locked_out()
    assert said(state, server="me@server").endswith("--env production --host me@server")
    assert "compartment" not in said(state, notes=("read-only",))


def test_the_machine_that_is_out_of_reach_is_named() -> None:
    told = said(samples.lost(), server="me@server")
    assert told.startswith("xx no connection to the agent on me@server for 12s; connecting again")
