"""Proof 6 of the Docker engine, in short: beside Compose, which replaces what it has.

`make bench-compose` measures the same in more rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import compose as bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.figures import FiguresRecorder


@pytest.mark.docker
@pytest.mark.timeout(120)
async def test_beside_compose(home: Path, docker_socket: str, figures: FiguresRecorder) -> None:
    if not bench.is_installed():
        pytest.skip("docker-compose is not installed")
    found = await bench.compare(home.parent, docker_socket, rounds=1)
    for name, (only,) in found.items():
        figures(f"{name}: new version after", only.new_after_s, "s")
        figures(f"{name}: requests lost", only.lost, "requests")
        figures(f"{name}: outage", only.outage_s, "s")
    ours, theirs = (found[name][0] for name in (bench.OURS, bench.COMPOSE))
    assert (ours.lost, ours.outage_s) == (0, 0)
    # It cannot be otherwise: the new one needs so long before it listens.
    assert theirs.outage_s > bench.BOOT_MS / 1000
