"""A project of one small application, whose folder a test fills as it likes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.e2e.house import LabProject

SMALL = Path(__file__).with_name("small")
UP = {"type": "http", "path": "/up", "timeoutMs": 15_000}

DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
EXPOSE 8000
CMD ["python3", "server.py"]
"""


class SmallProject(LabProject):
    """Its services are written as they are given; without a path they share the application."""

    @classmethod
    def made(cls, folder: Path, name: str = "small") -> SmallProject:
        """A new one, without services yet."""
        root = folder / name
        shutil.copytree(SMALL, root / "app", ignore=shutil.ignore_patterns("__pycache__"))
        project = cls(root, name)
        project.bump()
        return project

    def dockerfile(self, *more: str) -> None:
        """Gives the application a Dockerfile of its own, with these lines at its end."""
        text = DOCKERFILE + "".join(f"{line}\n" for line in more)
        (self.root / "app" / "Dockerfile").write_text(text)

    def _described(self, given: dict[str, Any]) -> dict[str, Any]:
        fields = {"path": "app", "readiness": UP, **given}
        return {name: value for name, value in fields.items() if value is not None}
