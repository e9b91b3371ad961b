"""The SDK's client, for set-up and checks around tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker
import docker.errors
import requests

from tests.engine.place import NoEngine

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def connected(socket: str, *, timeout_s: int = 600) -> Iterator[docker.APIClient]:
    """A client of the engine behind a socket."""
    client = docker.APIClient(base_url=f"unix://{socket}", version="1.41", timeout=timeout_s)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def asked(socket: str) -> Iterator[docker.APIClient]:
    """The same, where an engine that does not answer, or refuses, is NoEngine."""
    try:
        with connected(socket) as client:
            yield client
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise NoEngine(f"the engine at {socket} fails: {error}") from error
