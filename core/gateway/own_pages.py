"""Routes to what the agent itself answers, under hosts that are no service's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.gateway.table import INTERNAL, PAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS_PATH: Final = "/metrics"

_PATHS: Final[Mapping[str, tuple[str, ...]]] = {INTERNAL: (METRICS_PATH,)}
"""By listener. What is not named here is not found: the public one has no page of ours."""

_PATIENCE: Final = "10s"


def own_pages(listener: str) -> list[dict[str, Any]]:
    """The routes of a listener for a request whose host nobody knows."""
    return [
        {"match": {"path": path}, "route": {"cluster": PAGES, "timeout": _PATIENCE}}
        for path in _PATHS.get(listener, ())
    ]
