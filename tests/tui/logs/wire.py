"""Log lines as the agent sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from core.lines import stamp

START = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)


def line(
    text: str,
    *,
    stream: str = "stdout",
    service: str = "web",
    deployment: str = "dep_live",
    after_s: float = 0,
) -> dict[str, Any]:
    """One line, written some time after `START`."""
    return {
        "timestamp": stamp(START + timedelta(seconds=after_s)),
        "stream": stream,
        "message": text,
        "deploymentId": deployment,
        "serviceName": service,
        "environmentName": "production",
    }


def lines(first: int, count: int, **more: Any) -> list[dict[str, Any]]:
    """Numbered lines, one a second."""
    return [
        line(f"line {number}", after_s=number, **more) for number in range(first, first + count)
    ]
