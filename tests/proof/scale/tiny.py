"""A project of any number of services that take next to nothing of the machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.house import LabProject

if TYPE_CHECKING:
    from collections.abc import Iterable

APP = Path(__file__).with_name("app")
UP = {"type": "http", "path": "/up", "timeoutMs": 60_000}


class TinyProject(LabProject):
    """Its services share one application, whose version each deploy may change."""

    @classmethod
    def made(cls, folder: Path, names: Iterable[str], name: str = "tiny") -> TinyProject:
        """A new one with these `web` services."""
        root = folder / name
        shutil.copytree(APP, root / "app", ignore=shutil.ignore_patterns("__pycache__"))
        project = cls(root, name)
        project.bump()
        project.write(**{each: {} for each in names})
        return project

    def _described(self, given: dict[str, Any]) -> dict[str, Any]:
        # Without its site packages Python starts in a third of the time.
        run = {"command": "exec python3 -I -S server.py"}
        return {"path": "app", "kind": "web", "readiness": UP, "run": run, **given}
