"""What an engine of some version does not do, of what a Compose file may ask for.

It takes what it does not know without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.container import Container

_SUBPATH: Final = (1, 45)
_START_INTERVAL: Final = (1, 44)
_ANNOTATIONS: Final = (1, 43)
"""The versions of the API that brought them (its version history)."""

_READABLE: Final = ("json-file", "local", "journald")
_UNREADABLE: Final = "none"


def has_start_interval(api: str) -> bool:
    """Whether a health check can have a pace of its own while its container starts."""
    return _version(api) >= _START_INTERVAL


def refusal(container: Container, api: str) -> str | None:
    """Why its containers would be something else than what its file says."""
    for mount in container.mounts:
        if (mount.settings.get("volume") or {}).get("subpath") and _version(api) < _SUBPATH:
            return f"the volume at {mount.target} has a subpath, which needs a newer Docker Engine"
    return None


def warnings(container: Container, api: str) -> tuple[str, ...]:
    """What is not as its file says, and does no harm."""
    return tuple(_warnings(container, api))


def _warnings(container: Container, api: str) -> Iterator[str]:
    check = container.healthcheck
    if check and check.start_interval_s is not None and not has_start_interval(api):
        yield "healthcheck.start_interval is left to us: the Docker Engine is too old for it"
    if container.settings.get("annotations") and _version(api) < _ANNOTATIONS:
        yield "annotations are left out: the Docker Engine is too old for them"
    driver = (container.settings.get("logging") or {}).get("driver")
    if driver == _UNREADABLE:
        yield "its output is not kept: logging.driver is none"
    elif driver and driver not in _READABLE:
        yield f"its output goes to {driver}; it is shown here as far as the Docker Engine keeps it"


def _version(api: str) -> tuple[int, ...]:
    return tuple(int(part) for part in api.split("."))
