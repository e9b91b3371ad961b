"""What tests of instances share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import HOME
from tests.engine.client import connected
from tests.engines.docker.lab import RUNS_TEXT, TEXT_IMAGE, build

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def lab_image(docker_socket: str) -> Iterator[None]:
    """The image of instances that run a text."""
    # Labelled last: what it was built on stays, and is not to look like something left behind.
    lines = ["FROM python:3.11-slim", RUNS_TEXT, f"LABEL {HOME}=lab"]
    with connected(docker_socket) as client:
        build(client, TEXT_IMAGE, lines)
        yield
        # Without what it was built on: that of others who test side by side is the same.
        client.remove_image(TEXT_IMAGE, force=True, noprune=True)
