"""Real parts for the end-to-end tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.house import House, LabProject


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`@pytest.mark.engines("process", "docker")` runs a test once on each.

    On those that `whole` names, in `make proof` only: `whole=("docker",)`.
    """
    marker = metafunc.definition.get_closest_marker("engines")
    if marker is not None and "engine" in metafunc.fixturenames:
        whole = marker.kwargs.get("whole", ())
        marks = {
            name: [
                *([pytest.mark.docker] if name == "docker" else []),
                *([pytest.mark.whole] if name in whole else []),
            ]
            for name in marker.args
        }
        metafunc.parametrize("engine", [pytest.param(name, marks=marks[name]) for name in marks])


@pytest.fixture
def engine() -> str:
    """The engine that `running` deploys with."""
    return "process"


@pytest.fixture
async def running(
    home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, engine: str
) -> AsyncIterator[House]:
    """A home folder with a running agent, which keeps enough for ten rollbacks in a row."""
    monkeypatch.setenv("COMPARTMENT_KEEP_RELEASES", "20")
    socket = None
    if engine == "docker":
        socket = request.getfixturevalue("docker_socket")
        monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    async with house(home, socket) as found:
        yield found


@pytest.fixture
def lab(running: House, tmp_path: Path) -> LabProject:
    """The lab as a project of one `web` service."""
    project = running.lab(tmp_path)
    project.write(web={})
    return project
