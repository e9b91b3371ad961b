from __future__ import annotations

from datetime import timedelta

import pytest

from tests.tui.screens.replies import NOW, at, event, run, run_events, stage
from tui.view.timeline import Phase, Track, bar, timeline


def spans(track: Track) -> list[tuple[Phase, float, float]]:
    return [(span.phase, round(span.start_s, 2), round(span.end_s, 2)) for span in track.spans]


def test_every_phase_lasts_until_the_next_one() -> None:
    found = timeline(run(), run_events(), NOW)
    api, web = found.tracks
    assert (api.service, web.service) == ("api", "web")
    assert spans(web) == [
        (Phase.QUEUED, 0, 0.2),
        (Phase.BUILD, 0.2, 8),
        (Phase.START, 8, 9),
        (Phase.READINESS, 9, 9.6),
        (Phase.WAITS, 9.6, 20),
        (Phase.SWITCH, 20, 20.01),
        (Phase.DRAIN, 20.01, 30),
    ]
    assert found.seconds == 30
    assert found.switched_s == pytest.approx(20.02)
    assert found.switch_seconds == 0.0052
    assert not web.is_open


def test_the_event_of_what_a_rollback_displaces_is_not_on_its_way() -> None:
    displaced = stage("web", 20, "rolled_back", deploymentId="dep_old", status="succeeded")
    found = timeline(run(), [*run_events(), displaced], NOW)
    web = found.tracks[1]
    assert web.spans[-1].phase is Phase.DRAIN


def test_a_run_that_goes_on_ends_at_the_present() -> None:
    going = run(status="running", completedAt=None)
    events = [each for each in run_events() if each["timestamp"] < at(-120 + 9.5)]
    found = timeline(going, events, NOW - timedelta(seconds=100))
    web = found.tracks[1]
    assert found.seconds == 20
    assert spans(web)[-1] == (Phase.READINESS, 9, 20)
    assert web.is_open
    assert found.switched_s is None


def test_a_failure_ends_its_track() -> None:
    events = [
        stage("web", 1, "building"),
        event("DeploymentFailed", 5, "failed: no compiler", deploymentId="dep_web1",
              serviceName="web", failureMessage="no compiler"),
    ]  # fmt: skip
    (web,) = timeline(run(status="failed"), events, NOW).tracks
    assert spans(web) == [(Phase.QUEUED, 0, 1), (Phase.BUILD, 1, 5)]
    assert web.failure == "no compiler"
    assert bar(web, 30, 30) == ".bbbb!"


def test_a_run_without_deployments_has_no_tracks() -> None:
    events = [event("RunQueued", 0, "deploy queued"), event("RunFinished", 1, "nothing to do")]
    assert timeline(run(), events, NOW).tracks == ()


@pytest.mark.parametrize("width", [1, 2, 7, 30, 200])
def test_bars_fit_and_show_the_switch_however_short_it_is(width: int) -> None:
    found = timeline(run(), run_events(), NOW)
    for track in found.tracks:
        drawn = bar(track, found.seconds, width)
        assert len(drawn) <= width
        assert "|" in drawn


def test_bars_are_in_proportion() -> None:
    found = timeline(run(), run_events(), NOW)
    web = bar(found.tracks[1], found.seconds, 30)
    assert web == ".bbbbbbbsrwwwwwwwwww|ddddddddd"


def test_a_bar_of_nothing_is_empty() -> None:
    found = timeline(run(createdAt=at(-90)), [], NOW)
    assert found.seconds == 0
    track = timeline(run(), run_events(), NOW).tracks[0]
    assert bar(track, 0, 20) == ""
    assert bar(track, 30, 0) == ""


def test_every_phase_has_its_own_letter() -> None:
    letters = [each.letter for each in Phase]
    assert len(set(letters)) == len(letters)
    assert "!" not in letters
