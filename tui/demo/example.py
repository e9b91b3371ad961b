"""The examples that can be shown, and how a next version of one is made."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import core
from core.config.document import did_you_mean
from core.config.file_names import DESCRIPTOR_FILE
from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION: Final = "VERSION"


@dataclass(frozen=True, slots=True)
class Example:
    """One example; its project has the same name as its folder."""

    name: str
    host: str
    """Where its `web` answers."""
    paths: tuple[str, ...]
    """What its visitors ask for."""
    paces: Mapping[str, str] = field(default_factory=dict)
    """By service what its copy starts with: a deploy of half a second shows nothing to anybody."""

    @property
    def source(self) -> Path:
        """Where it is kept: beside the packages in a checkout, in `core` where it is installed."""
        package = Path(core.__file__).parent
        folders = (package / "examples", package.parent / "examples")
        return next(each for each in folders if each.is_dir()) / self.name

    def copy_to(self, folder: Path) -> Path:
        """A copy that a person may change; one that is there already is kept."""
        project = folder / self.name
        if not project.exists():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(self.source, project, ignore=ignored)
            self._pace(project / DESCRIPTOR_FILE)
        return project

    def _pace(self, descriptor: Path) -> None:
        text = descriptor.read_text(encoding="utf-8")
        for service, pace in self.paces.items():
            heading = f"\n  {service}:\n"
            assert heading in text
            text = text.replace(heading, heading + pace)
        descriptor.write_text(text, encoding="utf-8")


def _slow(build_s: float, start_s: float) -> str:
    return f"""\
    build:
      command: sleep {build_s}  # the demo's: so that there is something to watch
    run:
      command: sleep {start_s} && exec python3 server.py
"""


EXAMPLES: Final = (
    Example(
        "multi-service",
        "multi-service.localhost",
        ("/", "/api/orders", "/cart", "/api/orders/17", "/help", "/api/stock"),
        {"web": _slow(1, 0.5), "backoffice": _slow(0.5, 2)},
    ),
    Example(
        "lifecycle-lab",
        "lifecycle-lab.localhost",
        ("/version", "/api/version", "/id/1", "/api/slow?ms=60", "/headers"),
    ),
    Example("night-shift", "night-shift.localhost", ("/",)),
)


def example(name: str) -> Example:
    """The example of a name.

    Raises:
        UsageError: there is none.
    """
    for each in EXAMPLES:
        if each.name == name:
            return each
    raise UsageError(
        f"there is no demo {name}", hint=did_you_mean(name, [each.name for each in EXAMPLES])
    )


def bump(project: Path) -> str:
    """Writes a next version into every `VERSION` file of a project; returns it.

    Raises OSError when that cannot be done.
    """
    files = sorted(project.rglob(_VERSION))
    newest = max(_minor(file.read_text(encoding="utf-8").split(".")) for file in files)
    version = f"1.{newest + 1}.0"
    for file in files:
        file.write_text(f"{version}\n", encoding="utf-8")
    return version


def _minor(parts: Sequence[str]) -> int:
    """The number that counts; a version that a person wrote may look different."""
    return int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0
