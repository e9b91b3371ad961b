"""Log lines as text for people: `2026-04-24T10:01:00Z [compartment] stage: building`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

_STREAM_WIDTH = max(len(stream) for stream in Stream) + 2


def format_line(line: Mapping[str, Any], *, service_width: int | None = None) -> str:
    """One line, given under its documented keys; with a width, the service stands in a column."""
    at = f"{line['timestamp'][:19]}Z"
    stream = f"[{line['stream']}]".ljust(_STREAM_WIDTH)
    if service_width is None:
        return f"{at} {stream} {line['message']}"
    return f"{at} {line['serviceName']:<{service_width}} {stream} {line['message']}"
