from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.model import Health, Stage, Status
from tests.tui import samples
from tests.tui.samples import NOW, before, candidate, deployment, failed
from tui.view.glyphs import ASCII, UNICODE
from tui.view.looks import (
    FAILED,
    HEALTHY,
    RETRYING,
    ROLLBACK,
    health_look,
    marked,
    needs_attention,
    service_look,
    stage_look,
)
from tui.view.pieces import plain
from tui.view.state import Waiting
from tui.view.strip import draw, service_cells

if TYPE_CHECKING:
    from tui.view.looks import Look
    from tui.view.state import Service, State

API = samples.six()["api"]


def stage(service: Service, state: State | None = None) -> Look:
    return stage_look(service, state.run if state else None, NOW, ASCII)


def moving(at: Stage, kind: str = "", **waiting: Any) -> Service:
    wait = Waiting(kind, before(21.9), **waiting) if kind else None
    return replace(API, candidate=candidate("c0de", at, since=5.9), waiting=wait)


@pytest.mark.parametrize(
    ("service", "glyph", "word"),
    [
        (API, "ok", "active"),
        (replace(API, live=None), "--", "stopped"),
        (replace(API, live=None, previous=None), "--", "not deployed"),
        (moving(Stage.BUILDING), "~~", "building 5s"),
        (moving(Stage.BUILDING, "build"), "~~", "building 21s"),
        (moving(Stage.BUILDING, "buildSlot"), "..", "waits for slot"),
        (moving(Stage.STARTING_CANDIDATE), "~~", "candidate 5s"),
        (moving(Stage.CHECKING_READINESS, "readiness"), "~~", "readiness 21s"),
        (moving(Stage.CHECKING_READINESS, "readiness", tries=2), "!!", "readiness 21s"),
        (moving(Stage.CHECKING_READINESS, "barrier"), "~~", "ready, waits"),
        (replace(API, failed=failed("f", Stage.BUILDING, "no")), "xx", "failed: building"),
        (
            replace(API, live=None, waiting=Waiting("drain", before(3))),
            "~~",
            "draining 3s",
        ),
    ],
)
def test_how_far_a_service_is(service: Service, glyph: str, word: str) -> None:
    look = stage(service)
    assert (look.glyph, look.word) == (glyph, word)


def test_a_queued_service() -> None:
    queued = deployment("aaaa", status=Status.QUEUED, stage=Stage.BUILDING)
    assert stage(replace(API, candidate=queued)).word == "queued"


def test_a_rollback_has_a_mark_of_its_own() -> None:
    rolling, rolled = samples.rolling_back(), samples.rolled_back()
    going = stage(rolling.services["api"], rolling)
    assert (going.glyph, going.word, going.style) == ("<<", "candidate 3s", ROLLBACK)
    back = stage(rolled.services["api"], rolled)
    assert (back.glyph, back.word, marked(back, ASCII)) == ("<<", "active", "active <<")
    assert marked(going, ASCII) == going.word
    assert stage(rolled.services["web"], rolled).word == "active"


def test_what_was_given_up_for_another_is_past_with_its_run() -> None:
    state = samples.cancelled()
    given_up = failed("f", Stage.BUILDING, "not switched: cancelled")
    service = replace(API, failed=given_up)
    assert stage(service, state).word == "not switched"
    assert state.run is not None
    later = replace(state, run=replace(state.run, id="drn_later", deployment_ids=("dep_x",)))
    assert stage(service, later).word == "active"
    assert drawn(service, later) == "######"
    assert drawn(service, state) == "......"


def drawn(service: Service, state: State) -> str:
    return plain(draw(service_cells(service, state.run), ASCII))


def test_what_ends_again_and_again_does_not_look_well() -> None:
    look = stage(live(restarts=3))
    assert (look.glyph, look.word, look.style) == ("!!", "3 restarts", RETRYING)


def live(**fields: Any) -> Service:
    assert API.live is not None
    return replace(API, live=replace(API.live, **fields))


@pytest.mark.parametrize(
    ("service", "glyph", "word", "style"),
    [
        (API, "ok", "healthy", HEALTHY),
        (live(health=Health.UNHEALTHY), "xx", "unhealthy", FAILED),
        (live(replicas_desired=3, replicas_ready=3), "ok", "healthy 3/3", HEALTHY),
        (live(replicas_desired=3, replicas_ready=2), "!!", "healthy 2/3", RETRYING),
        (
            replace(live(health=Health.UNHEALTHY), candidate=candidate("c", Stage.BUILDING)),
            "xx",
            "unhealthy",
            FAILED,
        ),
        (
            replace(API, live=None, failed=failed("f", Stage.BUILDING, "no")),
            "xx",
            "unhealthy",
            FAILED,
        ),
    ],
)
def test_health_is_of_what_serves(service: Service, glyph: str, word: str, style: str) -> None:
    look = health_look(service, ASCII)
    assert (look.glyph, look.word, look.style) == (glyph, word, style)


def test_health_of_what_is_not_there() -> None:
    assert health_look(replace(API, live=None), ASCII).word == "-"
    coming = replace(API, live=None, candidate=candidate("c", Stage.BUILDING))
    assert health_look(coming, ASCII).word == "pending"
    given_up = failed("f", Stage.BUILDING, "not switched: cancelled")
    assert health_look(replace(API, live=None, failed=given_up), ASCII).word == "-"


def test_the_one_sign_for_a_service_is_what_is_wrong_with_it() -> None:
    assert service_look(live(health=Health.UNHEALTHY), None, NOW, UNICODE).glyph == "✗"
    assert service_look(moving(Stage.BUILDING), None, NOW, UNICODE).glyph == "⋯"


def test_what_needs_attention_comes_first() -> None:
    wrong = replace(API, failed=failed("f", Stage.BUILDING, "no"))
    ranks = [wrong, moving(Stage.BUILDING), live(health=Health.UNHEALTHY), API]
    assert [needs_attention(each) for each in ranks] == [0, 1, 2, 3]
    # Once a new deployment is on its way, the failed one is the past.
    assert needs_attention(replace(wrong, candidate=candidate("c", Stage.BUILDING))) == 1
