"""What a plan has to say of a service: what is lost, or cannot be rolled back, and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.config.compose.mapping.healthchecks import is_checked
from core.container import MountType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.config.compose.mapping.roles import Seen
    from core.container import Healthcheck
    from core.model import ServiceKind, Strategy


def notes_of(
    seen: Seen,
    kind: ServiceKind,
    strategy: tuple[Strategy, str],
    check: Healthcheck | None,
    root: Path,
) -> Iterator[str]:
    """Yield what is worth knowing before a deploy; a strategy comes with its reason."""
    if strategy[0].stops_first:
        yield f"it is down while it is replaced: {strategy[1]}"
    yield from _udp(seen)
    yield from _past_the_gateway(seen)
    yield from _mounts(seen, root)
    has_check = is_checked(check) or seen.extension.readiness is not None
    if kind.is_long_running and not has_check:
        yield f"no health check in the file: without one in its image it is ready {_ready(seen)}"


def _ready(seen: Seen) -> str:
    return f"once it listens on {seen.ports[0].number}" if seen.ports else "as soon as it is up"


def _udp(seen: Seen) -> Iterator[str]:
    ports = [f"{each.port or each.target}/udp" for each in seen.published if each.is_udp]
    if ports:
        yield f"{', '.join(ports)}: what comes while it is replaced is lost"


def _past_the_gateway(seen: Seen) -> Iterator[str]:
    """Traefik finds containers by their labels: also candidates, and those that are to stop."""
    if any(str(label).startswith(_OF_TRAEFIK) for label in seen.service.get("labels") or {}):
        yield (
            "Traefik goes by its labels, past the gateway: requests may be lost while it is"
            f" replaced; lead Traefik to http://{seen.name}:PORT by a file instead"
        )


_OF_TRAEFIK = ("traefik.http.routers.", "traefik.tcp.routers.")


def _mounts(seen: Seen, root: Path) -> Iterator[str]:
    bound = [each for each in seen.mounts if each.type is MountType.BIND]
    inside = [_shown(each.source, root) for each in bound if _is_inside(each.source, root)]
    if inside:
        names = ", ".join(dict.fromkeys(inside))
        yield f"bound from the project: {names}: a rollback cannot restore what is in there"
    for mount in seen.mounts:
        users = seen.relations.users.get(mount.source, ())
        others = [each for each in users if each != seen.name]
        if mount.type is MountType.VOLUME and others:
            yield f"shares the volume {mount.source} with {', '.join(others)}"


def _is_inside(source: str, root: Path) -> bool:
    return os.path.commonpath((source, root)) == str(root)


def _shown(source: str, root: Path) -> str:
    path = os.path.relpath(source, root)
    return path if path == "." else f"./{path}"
