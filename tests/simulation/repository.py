"""The project that is deployed: its file, and a content for each of its services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "shop"


class Repository:
    """A folder; `services` are the blocks of its `compartment.yml`, without their paths."""

    def __init__(self, root: Path, services: Mapping[str, Mapping[str, Any]]) -> None:
        self.root = root
        self.services = {name: dict(block) for name, block in services.items()}
        self._edits = 0
        for name in services:
            self.edit(name)

    def edit(self, name: str, **changed: object) -> None:
        """Gives a service another content, and other keys in its block."""
        self._edits += 1
        self.services[name] |= changed
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "content").write_text(str(self._edits))
        self._write()

    def _write(self) -> None:
        services = {each: {"path": each, **block} for each, block in self.services.items()}
        project = {"name": NAME, "services": services}
        (self.root / "compartment.yml").write_text(json.dumps(project))
