"""Moments as the agent writes them."""

from __future__ import annotations

from datetime import datetime


def moment(text: str | None) -> datetime | None:
    """A time stamp of the agent; None where there is none."""
    return datetime.fromisoformat(text) if text else None
