"""The Compose projects that must run: see README.md beside this."""

from __future__ import annotations

import shutil
from pathlib import Path

FOLDER = Path(__file__).parent

RUNNABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "bind-mount": ((),),
    "complete": ((),),
    "dev-prod": (
        (),
        ("docker-compose.yml", "docker-compose.dev.yml"),
        ("docker-compose.yml", "docker-compose.prod.yml"),
    ),
    "first": ((),),
    "health-order": ((),),
    "replicas": ((),),
    "shared-volume": ((),),
    "three-networks": ((),),
}
"""Each with the files it may be started with; () are those that are found without being named."""


def copied(name: str, into: Path) -> Path:
    """A project of one's own to change and to run."""
    return Path(shutil.copytree(FOLDER / name, into / name))
