"""Replies that are one JSON document a line, as they come."""

from __future__ import annotations

from fastapi.responses import StreamingResponse


class Lines(StreamingResponse):
    """What has no end is told so, and what is long."""

    media_type = "application/x-ndjson"
