"""The lines above and beside the table: status, run strip, detail, recent runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.model import Health, Status
from tests.tui import samples
from tests.tui.samples import scene
from tui.view.detail_rows import detail_rows
from tui.view.glyphs import ASCII, UNICODE
from tui.view.pieces import length, plain
from tui.view.run_lines import run_lines
from tui.view.run_rows import PastRun, merged, run_row
from tui.view.status import status_line

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs
    from tui.view.state import State


def status(state: State, width: int, **fields: Any) -> str:
    return plain(status_line(replace(scene(state, glyphs=ASCII), **fields), width)).strip()


def strip(state: State, width: int, count: int = 1) -> list[str]:
    return [plain(each).strip() for each in run_lines(scene(state, glyphs=ASCII), width, count)]


def detail(state: State, width: int = 44, height: int = 30, name: str = "api") -> list[str]:
    return [plain(row).rstrip() for row in detail_rows(scene(state, name, ASCII), width, height)]


@pytest.mark.parametrize(
    ("sample", "width", "parts"),
    [
        ("deploying", 80, ["compartment", "shop / production", "deploying 3 services", "00:37",
                           "run drn_4c1a"]),
        ("deploying", 200, ["process engine", "run drn_4c1ak2m9q7xz", "usual 52s"]),
        ("idle", 80, ["ok 6 live"]),
        ("failed", 80, ["xx deploy failed 4s ago", "ok 6 live"]),
        ("cancelled", 80, ["ok 6 live"]),
        ("never-deployed", 80, ["-- nothing live"]),
        ("unhealthy", 80, ["xx 1 of 6 services unhealthy"]),
        ("lost", 80, ["xx no connection"]),
        ("rolling-back", 80, ["rolling back 1 service"]),
        ("went-back", 80, ["<< rolled back by itself 2h ago"]),
    ],
)  # fmt: skip
def test_the_status_line_says(sample: str, width: int, parts: list[str]) -> None:
    line = status(samples.ALL[sample](), width)
    assert [part for part in parts if part not in line] == []


def test_the_status_line_has_notes_and_the_queue() -> None:
    state = replace(samples.building(), queue=(samples.run(Status.QUEUED),))
    line = status(state, 160, notes=("read-only", "replay"))
    assert "read-only" in line
    assert "replay" in line
    assert "+1 queued" in line


@pytest.mark.parametrize(("width", "is_titled"), [(80, False), (120, True)])
def test_the_server_is_never_left_out(width: int, is_titled: bool) -> None:
    line = status(samples.went_back(), width, server="me@server.example.com")
    assert "shop / production on me@server.example.com" in line
    assert ("compartment" in line) is is_titled


def test_some_services_are_not_live() -> None:
    state = samples.deploying()
    assert "5 of 6 live" in status(replace(state, run=None), 80)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            200,
            "building ###  >  starting_candidate ###  >  checking_readiness ##> 2/3"
            "  >  switching_route ==. together  >  draining_previous ...  >  active ...",
        ),
        (
            118,
            "building ### > candidate ### > readiness ##> 2/3 > switch ==. together"
            " > drain ... > active ...",
        ),
        (80, "build ### > cand ### > ready ##> 2/3 > switch ==. > drain ... > active ..."),
        (
            70,
            "# build  # cand  > ready 2/3  = switch  . drain  . active",
        ),
    ],
)
def test_the_stages_of_a_run_at_every_width(width: int, line: str) -> None:
    assert strip(samples.deploying(), width) == [line]


def test_many_services_are_told_by_numbers() -> None:
    line = strip(samples.many(), 80)[0]
    assert line == "> building 0/10   . candidate   . readiness   . switch   . drain   . active"


def test_below_the_stages_are_the_services() -> None:
    assert strip(samples.deploying(), 118, 2)[1] == (
        "web ###=.. ready, waits    api ##>... readiness 21s of 30s    worker ###=.. ready, waits"
    )


def test_services_that_do_not_fit_are_counted_and_those_in_trouble_are_shown() -> None:
    line = strip(samples.failed_deploy(), 44, 2)[1]
    assert line == "api ##x... failed: readiness    and 1 more"


def test_a_wide_screen_says_what_a_failure_would_mean() -> None:
    lines = strip(samples.deploying(), 196, 3)
    assert lines[2].startswith("label fix order totals")
    assert lines[2].endswith("if one fails: nothing is switched, the live ones stay")


@pytest.mark.parametrize(
    ("sample", "line"),
    [
        ("idle", "last run drn_4c1a   ok deploy succeeded in 49.0s   2d 4h ago   6 services"),
        ("cancelled", "last run drn_4c1a   -- deploy cancelled in 10.0s   50s ago   1 service"),
        ("rolled-back", "last run drn_4c1a   ok rollback succeeded in 6.0s   1m ago   1 service"),
        ("went-back", "last run drn_4c1a   ok rollback succeeded in 1.0s   2h ago   1 service"),
        ("never-deployed", "no run yet"),
    ],
)
def test_the_last_run_in_one_line(sample: str, line: str) -> None:
    assert strip(samples.ALL[sample](), 90) == [line]


def test_a_run_that_nobody_asked_for_says_why() -> None:
    assert strip(samples.went_back(), 90, 2)[1].startswith(
        "no request was cut      by itself: api of dep_51fex7q2m4kz: it is unhealthy: GET"
    )
    state = samples.rolling_back()
    assert state.run is not None
    going_on = replace(state, run=replace(state.run, because="api of dep_x: it is worse"))
    assert strip(going_on, 120, 3)[2] == "by itself: api of dep_x: it is worse"
    assert going_on.run is not None
    row = run_row(PastRun(going_on.run, ("api",)), 60, scene(state), is_selected=False)
    assert "by itself: api" in plain(row)


def test_a_failed_run_keeps_its_stages() -> None:
    assert strip(samples.failed_deploy(), 80)[0].startswith(
        "building ## > candidate ## > readiness"
    )


def test_a_run_whose_deployments_are_forgotten_still_has_a_line() -> None:
    state = replace(samples.idle(), run=samples.run(Status.FAILED, "dep_gone"))
    assert strip(state, 90, 2)[0].startswith("last run drn_4c1a   xx deploy failed")


def test_the_detail_of_a_candidate() -> None:
    assert detail(samples.deploying(), height=12) == [
        " live      dep_9ac0x7q2m4kz  2d 4h  :31003",
        " candidate dep_51fex7q2m4kz  22s  :31008",
        " readiness GET /healthz",
        " tries     . . 503 503 503 503  44 in all",
        " left      8s of 30s  ==========....",
        " url       http://api-shop.localhost:8080",
        *detail(samples.deploying(), height=12)[6:],
    ]


def test_what_a_build_or_a_try_without_a_reply_said_last() -> None:
    state = samples.building()
    api = state.services["api"]
    assert api.waiting is not None
    told = replace(api, waiting=replace(api.waiting, detail="step 3 of 7\x1b[2J"))
    lines = detail(replace(state, services={**state.services, "api": told}))
    assert " waits     for its build, 12s" in lines
    assert any(line.startswith(" last      step 3 of 7") for line in lines)

    state = samples.deploying()
    api = state.services["api"]
    assert api.waiting is not None
    silent = replace(api.waiting, recent=(503, None), detail="connection refused")
    told = replace(api, waiting=silent)
    shown = detail(replace(state, services={**state.services, "api": told}))
    assert " last      connection refused" in shown
    assert not any(line.startswith(" last ") for line in detail(state))


def test_a_failure_comes_first() -> None:
    lines = detail(samples.failed_deploy(), height=5)
    assert lines[0] == " last try  xx failed: readiness  4s ago"
    assert lines[1] == " because   GET /healthz replied 503 for 30"
    assert lines[3].startswith(" live ")


def test_a_long_failure_is_cut_between_two_words_and_says_so() -> None:
    state = samples.failed_deploy()
    api = state.services["api"]
    assert api.failed is not None
    long = replace(api, failed=replace(api.failed, failure_message="it was not ready " * 20))
    lines = detail(replace(state, services={**state.services, "api": long}))
    assert lines[1] == " because   it was not ready it was not"
    assert lines[3].endswith(" ~")
    assert "live" in lines[4] + lines[5]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://shop.localhost:8080", " url       http://shop.localhost:8080"),
        ("http://the-whole-shop.localhost:8080", " url       the-whole-shop.localhost:8080"),
        ("http://api-of-the-whole-shop.localhost:8080", " api-of-the-whole-shop.localhost:8080"),
    ],
)
def test_the_port_of_an_address_is_never_cut(url: str, line: str) -> None:
    state = samples.idle()
    api = state.services["api"]
    assert api.live is not None
    api = replace(api, live=replace(api.live, route_url=url))
    assert line in detail(replace(state, services={**state.services, "api": api}))


def test_the_age_of_a_candidate_begins_with_its_run() -> None:
    state = samples.rolling_back()
    api = state.services["api"]
    assert api.candidate is not None
    assert state.run is not None
    old = replace(api.candidate, created_at=samples.before(9000), started_at=samples.before(8000))
    lines = detail(replace(state, services={**state.services, "api": replace(api, candidate=old)}))
    age = int((samples.NOW - state.run.created_at).total_seconds()) if state.run.created_at else 0
    assert any(line.startswith(f" candidate {old.id}  {age}s") for line in lines)


def test_an_unhealthy_service_says_how_often_it_was_started() -> None:
    assert " health    xx unhealthy  4 restarts" in detail(samples.unhealthy())


def test_draining_says_what_is_left() -> None:
    lines = detail(samples.draining())
    assert " draining  3 requests and 1 stream left\n" in "\n".join(lines)


def test_groups_stand_apart_where_there_is_room() -> None:
    assert "" in detail(samples.idle(), height=30)
    assert "" not in detail(samples.idle(), height=9)


def test_routes_and_the_previous_one() -> None:
    lines = detail(samples.idle())
    assert " previous  dep_8811x7q2m4kz  6d ago" in lines
    assert " routes    GET /v1/* to api" in lines


def test_nothing_selected() -> None:
    assert detail(samples.idle(), name="nobody") == [" no service is selected"]


def test_stale_figures_are_not_shown() -> None:
    state = replace(samples.idle(), figures_at=samples.before(11))
    assert [line.split()[1] for line in detail(state) if line.startswith(" cpu")] == ["?"]


def past() -> list[PastRun]:
    return [PastRun.read(each) for each in samples.RUNS]


def test_the_run_that_goes_on_is_first_in_the_history() -> None:
    found = merged(past(), samples.deploying())
    assert [each.run.id[:8] for each in found][:2] == ["drn_4c1a", "drn_39b7"]
    assert found[0].services == ("web", "api", "worker")


def test_a_run_that_the_list_has_already_is_as_it_is_now() -> None:
    going = samples.run(Status.RUNNING, id=samples.RUNS[1]["id"])
    found = merged(past(), replace(samples.idle(), run=going))
    assert len(found) == len(samples.RUNS)
    assert found[1].run.status is Status.RUNNING
    assert found[1].services == ("api",)
    assert merged(past(), samples.never_deployed()) == past()


def recent(width: int) -> list[str]:
    shown = scene(samples.deploying(), glyphs=ASCII)
    return [
        plain(run_row(each, width, shown, is_selected=number == 0)).rstrip()
        for number, each in enumerate(merged(past(), shown.state))
    ]


def test_recent_runs() -> None:
    assert recent(44) == [
        " > drn_4c1a  ~~ deploy   web api wo~    now",
        "   drn_39b7  ok deploy   web api wo~  2d 4h",
        "   drn_2210  xx deploy   api          2d 4h",
        "   drn_1f0e  << rollback api             4d",
        "   drn_0b77  ok redeploy web api wo~     6d",
    ]


def test_recent_runs_with_room_for_how_long_they_took() -> None:
    assert recent(54)[0] == " > drn_4c1a  ~~ deploy   web api worker  00:37    now"


def test_recent_runs_with_hardly_any_room_are_still_aligned() -> None:
    assert {len(line) for line in recent(32)} == {32}


@pytest.mark.parametrize("sample", samples.ALL)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [20, 44, 60, 80, 118, 196])
def test_no_line_is_wider_than_its_place(sample: str, glyphs: Glyphs, width: int) -> None:
    state = samples.ALL[sample]()
    shown = scene(state, glyphs=glyphs)
    assert length(status_line(shown, width)) <= width
    assert all(length(row) <= width for row in run_lines(shown, width, 3))
    assert all(length(row) <= width for row in detail_rows(shown, width, 20))
    assert len(run_lines(shown, width, 3)) == 3
    assert len(detail_rows(shown, width, 6)) <= 6


def test_a_service_of_many_replicas() -> None:
    state = samples.idle()
    api = state.services["api"]
    assert api.live is not None
    live = replace(api.live, replicas_desired=3, replicas_ready=2, health=Health.HEALTHY)
    state = replace(state, services={**state.services, "api": replace(api, live=live)})
    assert "2 of 3 ready" in detail(state, width=60)[0]
