"""Which Docker Engine is used, why, and what this machine allows with it."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines.docker.greeting import greet, refused
from core.engines.docker.places import Place, chosen, usual
from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engines.docker.greeting import Greeting

_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))

MISSING = "engine_missing"
"""The code of the error where there is no engine at all, as against one that cannot be used."""


class Mode(StrEnum):
    """How instances are reached, and how services find each other."""

    HOLDERS = "holders"
    """At their addresses; the namespaces of containers can be entered, so that names are held."""
    DIRECT = "direct"
    """At their addresses; a service's name is that of its instances."""
    PUBLISHED = "published"
    """At ports on 127.0.0.1; a service's name is that of its instances."""

    @property
    def cost(self) -> str | None:
        """What is lost against the best mode, for `plan` and `doctor`."""
        if self is Mode.HOLDERS:
            return None
        return (
            "the names of services lead straight to their instances:"
            " calls between services can fail while the called one is deployed"
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An engine that can be used."""

    socket: str
    """The path of its unix socket."""
    because: str
    """Why this one, such as `named by DOCKER_HOST`."""
    mode: Mode
    version: str
    """The engine's own, such as `20.10.24`; for people."""
    api: str
    """The version of its API to speak, such as `1.41`."""


def find(environ: Mapping[str, str]) -> Endpoint:
    """The engine that an environment names, else the first of the usual ones that can be used.

    Blocks: as good as nothing where none is, at most a few seconds where one hangs.

    Raises:
        EngineUnavailable: none can be used; why, and what to do about it.
    """
    place = chosen(environ)
    if place is not None:
        return _endpoint(place)
    failures = []
    for each in usual(environ):
        if os.access(each.socket, os.F_OK):
            try:
                return _endpoint(each)
            except EngineUnavailable as error:
                failures.append(error)
    if failures:
        raise failures[0]
    raise EngineUnavailable(
        "there is no Docker Engine on this machine",
        hint="install and start Docker, or name its socket: DOCKER_HOST=unix:///path/to/docker.sock",
        code=MISSING,
    )


def known(socket: str) -> Endpoint:
    """The engine at a socket that was found before, as it is now: it may have been updated.

    Raises:
        EngineUnavailable: it cannot be used; why, and what to do about it.
    """
    return _endpoint(Place(socket, "which this home folder uses"))


def _endpoint(place: Place) -> Endpoint:
    found = greet(place)
    version = f"{found.version} (Podman, which is untested)" if found.is_podman else found.version
    return Endpoint(place.socket, place.because, _mode(place, found), version, found.api)


def _mode(place: Place, found: Greeting) -> Mode:
    if sys.platform != "linux" or found.is_virtual:
        return Mode.PUBLISHED
    if not _is_here(found.gateway):
        if any(mark.exists() for mark in _CONTAINER_MARKS):
            raise refused(
                place,
                "is outside of this container: its networks cannot be reached from here",
                "run this program on the engine's own machine, or with --network host",
            )
        return Mode.PUBLISHED
    return Mode.HOLDERS if os.geteuid() == 0 and _shares_files_with(found.pid) else Mode.DIRECT


def _is_here(gateway: str | None) -> bool:
    """Whether the engine's networks are those of this machine, as far as can be told."""
    if gateway is None:
        return True
    with socket.socket(socket.AF_INET6 if ":" in gateway else socket.AF_INET) as probe:
        try:
            probe.bind((gateway, 0))
        except OSError:
            return False
    return True


def _shares_files_with(pid: int) -> bool:
    """Whether a process sees the same files, such as those of the containers' namespaces."""
    try:
        return Path(f"/proc/{pid}/ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink()
    except OSError:
        return False
