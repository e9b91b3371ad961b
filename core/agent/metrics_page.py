"""The page of metrics, for Prometheus and its like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from core.errors import JournalError
from core.gateway.own_pages import METRICS_PATH
from core.metrics.exposition import OPEN_METRICS, TEXT

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from core.platform import Platform


def metrics_page(platform: Platform) -> Route:
    """`GET /metrics`; in OpenMetrics for who accepts that."""

    async def metrics(request: Request) -> Response:
        is_open = "application/openmetrics-text" in request.headers.get("accept", "")
        try:
            text = await platform.metrics.page(is_open=is_open)
        except JournalError as error:
            return PlainTextResponse(f"{error.message}\n", 503)
        return PlainTextResponse(text, media_type=OPEN_METRICS if is_open else TEXT)

    return Route(METRICS_PATH, metrics)
