"""Log streams that are lost again and again: every line once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.lines import stamp
from tests.tui.feed.source import line
from tui.feed.overlap import Overlap

# Small numbers, so that the same line at the same moment is not rare.
_MOMENTS = st.lists(st.tuples(st.integers(0, 59), st.sampled_from("ab")), max_size=40)


@given(_MOMENTS, st.lists(st.integers(0, 40), max_size=4))
def test_every_line_once_however_often_it_is_lost(
    moments: list[tuple[int, str]], losses: list[int]
) -> None:
    written = [line(f"{second:02}.000000", text) for second, text in sorted(moments)]
    overlap = Overlap()
    seen: list[dict[str, Any]] = []
    for end in [*sorted(losses), len(written)]:
        query = overlap.resume()
        seen += overlap.fresh(asked(written[:end], query))
    assert seen == written


def asked(lines: list[dict[str, Any]], query: dict[str, str | int]) -> list[dict[str, Any]]:
    """As the agent answers."""
    since = str(query.get("since", ""))
    return [each for each in lines if each["timestamp"] >= since][-int(query["tail"]) :]


def test_only_the_newest_are_kept_in_mind() -> None:
    overlap = Overlap()
    overlap.resume()
    for second in range(60):
        overlap.fresh([line(f"{second:02}.000000", "a")] * 10)
    assert kept(overlap) == 30


def test_of_a_burst_as_many_are_kept_in_mind_as_are_asked_for() -> None:
    overlap = Overlap()
    batch = [line("10.000000", "a")] * 500
    for _ in range(250):
        overlap.fresh(batch)
    assert kept(overlap) == overlap.resume()["tail"] == 100_000
    assert overlap.fresh(batch) == []


def test_what_is_late_by_more_than_the_slack_is_not_kept_in_mind() -> None:
    overlap = Overlap()
    overlap.fresh([line("10.000000", "a")])
    overlap.fresh([line("20.000000", "a")])
    overlap.fresh([line("01.000000", "a")])
    overlap.fresh([line("30.000000", "a")])
    assert kept(overlap) == 1


def kept(overlap: Overlap) -> int:
    """How many lines it would know again."""
    return sum(len(batch.hashes) for batch in overlap._recent)


def test_a_line_that_comes_late_is_not_missed() -> None:
    overlap = Overlap()
    overlap.resume()
    young, old = line("10.000000", "young"), line("08.500000", "old", deploymentId="dep_b")
    assert overlap.fresh([young]) == [young]
    assert overlap.resume()["since"] == "2026-04-24T10:01:08.000000Z"
    assert overlap.fresh([old, young]) == [old]


def test_the_stamp_that_is_asked_for_has_the_form_of_the_lines() -> None:
    overlap = Overlap()
    overlap.fresh([{**line("00.000000", "a"), "timestamp": stamp()}])
    assert len(str(overlap.resume()["since"])) == len("2026-04-24T10:01:00.000000Z")
