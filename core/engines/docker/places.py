"""Where a Docker Engine may be: named by the environment or a Docker context, or a usual place."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_SOCKET: Final = "/var/run/docker.sock"
SYSTEM_PODMAN: Final = "/run/podman/podman.sock"

_OF_HOME: Final = (
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".orbstack/run/docker.sock",
    ".rd/docker.sock",
)
_SCHEME: Final = "unix://"


@dataclass(frozen=True, slots=True)
class Place:
    """A socket, why it is looked at, and how to have another one looked at."""

    socket: str
    because: str = "at its usual place"
    otherwise: str | None = None
    """None where the socket is one of the usual ones, which nobody chose."""


def chosen(environ: Mapping[str, str]) -> Place | None:
    """The place that is named, in the order in which Docker's own command looks.

    Raises:
        EngineUnavailable: it is not on this machine, or what names it cannot be read.
    """
    if host := environ.get("DOCKER_HOST"):
        return Place(_socket(host, "DOCKER_HOST"), "named by DOCKER_HOST", "unset DOCKER_HOST")
    name = environ.get("DOCKER_CONTEXT") or _current_context(environ)
    if name in (None, "", "default"):
        return None
    host = _host_of_context(environ, name)
    otherwise = "docker context use default"
    if environ.get("DOCKER_CONTEXT"):
        otherwise = "unset DOCKER_CONTEXT"
    if not host:
        return None
    because = f"the Docker context {name}"
    return Place(_socket(host, because), f"named by {because}", otherwise)


def usual(environ: Mapping[str, str]) -> list[Place]:
    """The places to look at in their order, where none is named."""
    home, own = _home(environ), f"/run/user/{os.getuid()}"
    runtime = environ.get("XDG_RUNTIME_DIR") or own
    sockets = (
        SYSTEM_SOCKET,
        f"{runtime}/docker.sock",
        f"{own}/docker.sock",
        *(str(home / name) for name in _OF_HOME),
        f"{runtime}/podman/podman.sock",
        SYSTEM_PODMAN,
    )
    return [Place(socket) for socket in dict.fromkeys(sockets)]


def _socket(host: str, named_by: str) -> str:
    path = host.removeprefix(_SCHEME)
    if host.startswith(_SCHEME) and path.startswith("/"):
        return path
    if "://" in host and not host.startswith(_SCHEME):
        raise EngineUnavailable(
            f"{named_by} names {host}: a remote engine is not supported yet,"
            " because the gateway must reach the instances",
            hint="use an engine of this machine: unix:///path/to/docker.sock",
            code="engine_remote",
        )
    raise EngineUnavailable(
        f"{named_by} names {host!r}, which is no address of an engine",
        hint="write it as unix:///path/to/docker.sock",
    )


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or _home(environ) / ".docker")


def _current_context(environ: Mapping[str, str]) -> str | None:
    file = _folder(environ) / "config.json"
    try:
        name = _read(file).get("currentContext")
    except FileNotFoundError:
        return None
    return name if isinstance(name, str) else None


def _host_of_context(environ: Mapping[str, str], name: str) -> str | None:
    folder = hashlib.sha256(name.encode()).hexdigest()
    file = _folder(environ) / "contexts" / "meta" / folder / "meta.json"
    try:
        found = _read(file)
    except FileNotFoundError:
        raise EngineUnavailable(
            f"there is no Docker context {name}",
            hint="list them: docker context ls; use another: docker context use default",
        ) from None
    for key in ("Endpoints", "docker", "Host"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _read(file: Path) -> Any:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"{file} cannot be read: {error}",
            hint="mend it, or name the engine: DOCKER_HOST=unix:///path/to/docker.sock",
        ) from error
    return found if isinstance(found, dict) else {}
