from __future__ import annotations

import pytest

from core.model import Status
from tests.tui.samples import NOW, before, run
from tui.view import words


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0s"),
        (0.9, "0s"),
        (42, "42s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (11_520, "3h 12m"),
        (86_399, "23h 59m"),
        (187_200, "2d 4h"),
        (86_400 * 9 + 86_399, "9d 23h"),
        (86_400 * 12, "12d"),
        (86_400 * 4000, "4000d"),
    ],
)
def test_an_age_is_coarse(seconds: float, shown: str) -> None:
    assert words.age(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "00:00"), (37.9, "00:37"), (61, "01:01"), (3723, "1:02:03")]
)
def test_a_clock(seconds: float, shown: str) -> None:
    assert words.clock(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0s"), (21.4, "21s"), (61, "1m 01s")])
def test_what_is_counted_has_no_tenths(seconds: float, shown: str) -> None:
    assert words.counting(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0, "0B"),
        (999, "999B"),
        (1000, "1K"),
        (112 << 20, "112M"),
        (int(1.24 * (1 << 30)), "1.2G"),
        (999 << 20, "999M"),
        (1000 << 20, "1.0G"),
        (1 << 50, "1024T"),
    ],
)
def test_a_size(value: float | None, shown: str) -> None:
    assert words.size(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (0.04, "0.0"),
        (0.4, "0.4"),
        (9.96, "10"),
        (12.4, "12"),
        (999.6, "1.0k"),
        (1234, "1.2k"),
        (999_600, "1.0M"),
    ],
)
def test_a_rate(value: float | None, shown: str) -> None:
    assert words.rate(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (8.4, "8ms"), (999.4, "999ms"), (1234, "1.2s"), (1e6, "1000s")],
)
def test_milliseconds(value: float | None, shown: str) -> None:
    assert words.milliseconds(value) == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b and 2 more"),
    ],
)
def test_names_in_a_sentence(names: list[str], shown: str) -> None:
    assert words.listed(names) == shown


def test_a_moment_of_the_past() -> None:
    assert words.ago(before(300), NOW) == "5m ago"
    assert words.ago(None, NOW) == ""
    assert words.ago(before(-5), NOW) == "0s ago"


def test_how_a_run_ended() -> None:
    assert words.outcome(run(Status.SUCCEEDED)) == "succeeded"
    assert words.outcome(run(Status.FAILED)) == "failed"
    assert words.outcome(run(Status.FAILED, failure_code="cancelled")) == "cancelled"


@pytest.mark.parametrize(
    ("address", "shown"),
    [("127.0.0.1:31007", ":31007"), ("10.0.0.3:80", ":80"), ("[::1]:8", ":8")],
)
def test_the_port_of_an_address(address: str, shown: str) -> None:
    assert words.port(address) == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("web: build failed: the build ended with exit code 2", "web: the build ended with exit"),
        ("build failed: no such image", "build failed: no such image"),
        ("the candidate did not get ready: GET http://127.0.0.1:8/ -> 503", "GET :8/ -> 503"),
    ],
)
def test_a_cause_says_nothing_twice(message: str, shown: str) -> None:
    assert words.cause(message).startswith(shown)


def test_a_reason_is_one_harmless_line() -> None:
    assert words.reason("no\x1b[31m way\nmore") == "no way"
    assert words.reason(None) == ""
