"""The text of a page, read by the parsers of Prometheus."""

from __future__ import annotations

import pytest

from core.metrics.counting import Durations, Rising
from core.metrics.exposition import Family, Kind, page
from tests.metrics.reading import read, value

HOSTILE = 'a "b"\\n\nc{}=,\\'


def families() -> list[Family]:
    durations = Durations(0.1, 2.5)
    for seconds in (0.1, 0.2, 99):
        durations.add(("shop",), seconds)
    return [
        Family("plain", Kind.GAUGE, "No labels.", (), {(): 1.5}),
        Family("none", Kind.GAUGE, "Nothing to tell."),
        Family(
            "many_total", Kind.COUNTER, "Counted.", ("a", "b"), {(HOSTILE, "x"): 3, ("", "y"): 4}
        ),
        Family("lasts_seconds", Kind.HISTOGRAM, "How long.", ("p",), durations.samples()),
    ]


@pytest.mark.parametrize("is_open", [False, True])
def test_parsers_read_what_was_written(*, is_open: bool) -> None:
    found = read(page(families(), is_open=is_open))

    assert value(found, "plain") == 1.5
    assert value(found, "many_total", a=HOSTILE, b="x") == 3
    assert value(found, "many_total", a="", b="y") == 4
    buckets = [value(found, "lasts_seconds_bucket", le=each) for each in ("0.1", "2.5", "+Inf")]
    assert buckets == [1, 2, 3]
    assert value(found, "lasts_seconds_count", p="shop") == 3
    assert value(found, "lasts_seconds_sum", p="shop") == pytest.approx(99.3)
    assert not any(name.startswith("none") for name, _ in found)


def test_a_page_without_anything_is_one() -> None:
    assert page([], is_open=True) == "# EOF\n"
    assert read(page([], is_open=False)) == {}


@pytest.mark.parametrize(
    ("what", "readings", "expected"),
    [
        ("what comes is added", [{"a": 5}, {"a": 7}], 7),
        ("what has ended stays", [{"a": 5}, {"b": 2}], 7),
        ("two count together", [{"a": 5, "b": 1}, {"a": 6, "b": 4}], 10),
        ("a gateway that begins anew", [{"a": 5}, {"a": 2}], 7),
        ("nothing new", [{"a": 5}, {"a": 5}, {"a": 5}], 5),
    ],
)
def test_sums_never_fall(what: str, readings: list[dict[str, int]], expected: int) -> None:
    rising, before = Rising(), 0.0
    for reading in readings:
        rising.add({name: {("web",): count} for name, count in reading.items()})
        assert rising.sums["web",] >= before, what
        before = rising.sums["web",]

    assert before == expected, what


def test_what_was_counted_before_is_not_counted() -> None:
    rising = Rising()
    rising.begin({"a": {("web",): 5}})
    rising.add({"a": {("web",): 7}, "b": {("web",): 1}})

    assert rising.sums == {("web",): 3}
