from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.cli import arguments

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("take", "text", "value"),
    [
        (arguments.seconds, "0", 0),
        (arguments.seconds, "1.5", 1.5),
        (arguments.seconds, "5m", 300),
        (arguments.port, "0", 0),
        (arguments.port, "65535", 65535),
        (arguments.limit, "100", 100),
        (arguments.tail, "0", 0),
        (arguments.label, " release 1 ", "release 1"),
        (arguments.name, "production", "production"),
        (arguments.since, "2026-04-24T10:01:00Z", datetime(2026, 4, 24, 10, 1, tzinfo=UTC)),
        (arguments.since, "2026-04-24", datetime(2026, 4, 24, tzinfo=UTC)),
    ],
)
def test_taken(take: Callable[[str], Any], text: str, value: object) -> None:
    assert take(text) == value


@pytest.mark.parametrize(
    ("take", "text"),
    [
        *((arguments.seconds, text) for text in ("-1", "nan", "inf", "soon", "")),
        *((arguments.port, text) for text in ("-1", "65536", "8080x", "²", "")),
        *((arguments.limit, text) for text in ("0", "101")),
        *((arguments.tail, text) for text in ("-1", "all")),
        *((arguments.label, text) for text in ("", "  ", "a\nb", "x" * 101, "a\x1b[2J")),
        *((arguments.name, text) for text in ("", "x" * 64, "a\tb")),
        *((arguments.since, text) for text in ("yesterday", "10", "99999999999d", "")),
    ],
)
def test_refused(take: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        take(text)


def test_since_takes_how_long_ago() -> None:
    before = datetime.now(UTC)
    found = arguments.since("2h")
    assert before <= found + timedelta(hours=2) <= datetime.now(UTC)
