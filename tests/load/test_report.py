from __future__ import annotations

import math

import pytest

from tests.load.outcome import Answered, Instant, Loss, LossKind, Stream, StreamEnd
from tests.load.plan import RequestClass
from tests.load.report import Report


def answered(version: str, start: float, latency_s: float = 0.001) -> Answered:
    end = Instant(start + latency_s, 0)
    return Answered(RequestClass.FRESH, "1", version, Instant(start, 0), end, latency_s)


def stream(version: str, start: float, how: StreamEnd = StreamEnd.COMPLETED) -> Stream:
    return Stream(RequestClass.SSE, version, Instant(start, 0), Instant(start + 1, 0), how, "")


def report(*outcomes: Answered | Loss | Stream) -> Report:
    requests = [x for x in outcomes if not isinstance(x, Stream)]
    return Report(
        ids=tuple(x.id for x in requests),
        answered=tuple(x for x in requests if isinstance(x, Answered)),
        lost=tuple(x for x in requests if isinstance(x, Loss)),
        streams=tuple(x for x in outcomes if isinstance(x, Stream)),
        latest_start_s=0.002,
    )


def test_versions_are_those_of_the_requests_that_started_after_the_moment() -> None:
    slow_but_earlier = answered("1", start=9.9, latency_s=5)
    figures = report(answered("1", 1), slow_but_earlier, answered("2", 10.1), stream("2", 12))
    assert figures.started_after(10) == {"2"}
    assert figures.started_after(9) == {"1", "2"}
    assert figures.started_after(12) == set()


def test_a_stream_on_the_old_version_is_seen_too() -> None:
    assert report(answered("2", 11), stream("1", 11)).started_after(10) == {"1", "2"}


def test_versions_come_in_the_order_of_their_first_request() -> None:
    versions = report(answered("b", 3), answered("a", 4), answered("b", 1), stream("a", 9)).versions
    assert list(versions) == ["b", "a"]
    assert (versions["b"].count, versions["b"].first_start, versions["b"].last_start) == (2, 1, 3)
    assert (versions["a"].count, versions["a"].first_start, versions["a"].last_start) == (2, 4, 9)


def test_latency_quantiles() -> None:
    figures = report(*(answered("1", 0, latency_s=n) for n in range(1, 101)))
    assert [figures.latency_s(x) for x in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert math.isnan(report().latency_s(0.5))


def test_one_line_says_it_all() -> None:
    instants = (Instant(2.0, 0), Instant(2.25, 0))
    loss = Loss(RequestClass.POST, "9", LossKind.STATUS, *instants, 503, "b'gone'")
    figures = report(answered("1", 1), loss, stream("1", 1), stream("1", 2, StreamEnd.CUT))
    assert str(figures) == (
        "2 sent, 1 answered, 1 lost (1 status); 2 streams, 0 closed early, 1 cut; 1 versions; "
        "p50 1.0 ms, p99 1.0 ms, max 1 ms, started at most 2 ms late"
    )
    assert str(loss) == "post 9: status 503 after 250 ms: b'gone'"
    assert figures.streams_cut == 1
    assert figures.ended_by_class == {
        RequestClass.FRESH: 1,
        RequestClass.POST: 1,
        RequestClass.SSE: 2,
    }


@pytest.mark.parametrize("how", [StreamEnd.COMPLETED, StreamEnd.CLOSED])
def test_streams_that_ended_properly_are_not_cut(how: StreamEnd) -> None:
    assert report(stream("1", 1, how)).streams_cut == 0
