"""What docker-compose 1.29 makes of Compose files, kept beside them: see `make.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests import compose_projects

FOLDER = Path(__file__).parent
PLACE = "/project"
"""Stands for the folder of the example in what is kept."""


@dataclass(frozen=True)
class Example:
    """A project, and the files of it that are named; none: those that are found."""

    name: str
    folder: Path
    files: tuple[str, ...] = ()

    @property
    def kept(self) -> Path:
        """What docker-compose made of it."""
        return FOLDER / "outputs" / f"{self.name}.yaml"


def examples() -> list[Example]:
    """Our own files, and the projects of the chapter in all their forms."""
    own = sorted((FOLDER / "examples").iterdir())
    found = [Example(folder.name, folder) for folder in own]
    for project, forms in compose_projects.RUNNABLE.items():
        for files in forms:
            parts = [project, *(Path(file).stem.removeprefix("docker-compose") for file in files)]
            found.append(Example("".join(parts), compose_projects.FOLDER / project, files))
    return found
