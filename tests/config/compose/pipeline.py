"""Compose files on disk, read and merged; what completion adds to them is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config.compose.including import Projects
from core.config.compose.layers import Context, Layers
from core.config.compose.places import Places
from core.config.compose.report import Report
from core.config.compose.tree import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from core.config.compose.tree import Node
    from core.model import Problem

Json = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """What came out."""

    model: Json
    problems: list[str]
    notes: list[str]
    tree: Node | None
    report: Report

    def service(self, name: str = "web") -> Json:
        """A service of a project in which nothing is wrong."""
        assert self.problems == []
        found: Json = self.model["services"][name]
        return found

    def place(self, *path: str | int) -> str:
        """Where a value is, as `file:line:column`."""
        assert self.tree is not None
        file, (line, column) = Places(self.tree).place(path)
        return f"{file}:{line}:{column}"


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files, in folders of their own where their names say so."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(folder: Path, *texts: str, environ: Mapping[str, str] | None = None) -> Read:
    """Returns what files say together that lie in a folder as 1.yml, 2.yml and so on."""
    names = [f"{number}.yml" for number in range(1, len(texts) + 1)]
    write(folder, dict(zip(names, texts, strict=True)))
    report = Report(folder)
    context = Context(folder, environ or {})
    tree = Projects(Layers(report)).project([folder / name for name in names], context)
    model = plain(tree) if tree is not None else {}
    return Read(model, shown(report.problems), shown(report.notes), tree, report)


def shown(problems: Iterable[Problem]) -> list[str]:
    """Returns problems as text, in the order of their files."""
    return [str(each) for each in sorted(problems, key=lambda p: (p.file, p.line, p.column))]
