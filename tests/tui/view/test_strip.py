from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model import Stage, Status
from tests.tui import samples
from tests.tui.samples import candidate, deployment, failed
from tui.view.glyphs import ASCII, UNICODE
from tui.view.pieces import plain
from tui.view.strip import Cell, cells, draw, legs, members, service_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.state import Deployment


def drawn(row: Sequence[Cell]) -> str:
    return plain(draw(row, ASCII))


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        (Stage.BUILDING, ">....."),
        (Stage.STARTING_CANDIDATE, "#>...."),
        (Stage.CHECKING_READINESS, "##>..."),
        (Stage.SWITCHING_ROUTE, "###>.."),
        (Stage.DRAINING_PREVIOUS, "####>."),
    ],
)
def test_a_deployment_on_its_way(stage: Stage, shown: str) -> None:
    assert drawn(cells(candidate("aaaa", stage))) == shown


@pytest.mark.parametrize("stage", [Stage.STARTING_CANDIDATE, Stage.CHECKING_READINESS])
def test_without_a_readiness_check_that_stage_is_done_at_the_barrier_like_any_other(
    stage: Stage,
) -> None:
    assert drawn(cells(candidate("aaaa", stage), is_at_barrier=True)) == "###=.."


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (deployment("aaaa"), "######"),
        (deployment("aaaa", status=Status.SUCCEEDED, stage=Stage.ROLLED_BACK), "######"),
        (deployment("aaaa", status=Status.QUEUED, stage=Stage.BUILDING), "......"),
        (failed("aaaa", Stage.BUILDING, "no"), "x....."),
        (failed("aaaa", Stage.CHECKING_READINESS, "no"), "##x..."),
        (failed("aaaa", Stage.CHECKING_READINESS, "not switched: web failed"), "##...."),
    ],
)
def test_a_deployment_at_rest(found: Deployment, shown: str) -> None:
    assert drawn(cells(found)) == shown


def test_both_sets_of_signs_take_one_cell_each() -> None:
    for glyphs in (UNICODE, ASCII):
        for cell in Cell:
            assert len(plain(draw((cell,), glyphs))) == 1


def test_a_service_shows_the_deployment_that_a_person_means() -> None:
    state = samples.deploying()
    shown = {name: drawn(service_cells(each, state.run)) for name, each in state.services.items()}
    assert shown == {
        "web": "###=..",
        "api": "##>...",
        "worker": "###=..",
        "admin": "######",
        "cron": "######",
        "mailer": "##x...",
    }


def test_a_service_that_was_never_deployed() -> None:
    assert drawn(service_cells(samples.never_deployed().services["web"], None)) == "......"


def test_a_run_sums_up_its_services() -> None:
    row = legs(members(samples.deploying()))
    assert [(each.stage, each.done, each.total, each.state) for each in row] == [
        (Stage.BUILDING, 3, 3, Cell.DONE),
        (Stage.STARTING_CANDIDATE, 3, 3, Cell.DONE),
        (Stage.CHECKING_READINESS, 2, 3, Cell.NOW),
        (Stage.SWITCHING_ROUTE, 0, 3, Cell.WAITS),
        (Stage.DRAINING_PREVIOUS, 0, 3, Cell.TO_COME),
        (Stage.ACTIVE, 0, 3, Cell.TO_COME),
    ]
    assert row[2].cells == (Cell.DONE, Cell.DONE, Cell.NOW)


def test_a_failed_run_shows_where() -> None:
    row = legs(members(samples.failed_deploy()))
    assert [each.state for each in row][:4] == [Cell.DONE, Cell.DONE, Cell.FAILED, Cell.TO_COME]


def test_only_services_of_the_run_are_its_members() -> None:
    assert [service.name for service, _ in members(samples.deploying())] == ["web", "api", "worker"]
    assert members(samples.never_deployed()) == []


def test_a_rollback_has_the_deployment_that_it_starts_again() -> None:
    # Its own run is long over; the id is what tells.
    state = samples.rolled_back()
    assert [(service.name, found.run_id) for service, found in members(state)] == [
        ("api", "drn_39b7aaaabbbb")
    ]
    assert members(replace(state, run=None)) == []
