"""One Compose file at a time: read, its variables replaced, and in canonical form."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.dialect import read_compose_yaml
from core.config.compose.interpolating import interpolated
from core.config.compose.keys.canonical import canonical
from core.config.compose.tree import tree
from core.config.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.config.compose.report import Report
    from core.config.compose.tree import Node, Place
    from core.config.document import Document


@dataclass(frozen=True, slots=True)
class Context:
    """What a file is read in."""

    folder: Path
    """What relative paths are relative to."""
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layer:
    """What one file says, in canonical form."""

    path: Path
    context: Context
    root: Node


class Layers:
    """Reads files, each of them once."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._documents: dict[str, Document] = {}
        self._layers: dict[tuple[str, Path, int], Layer] = {}

    def document(self, path: Path) -> Document:
        """Return a file as it is written; what is wrong with it is reported."""
        real = os.path.realpath(path)
        document = self._documents.get(real)
        if document is None:
            document = read_file(path, self.report.shown(path), read_compose_yaml)
            self._documents[real] = document
            self.report.add_problems(document.problems)
            self.report.is_partial |= document.data is None
        return document

    def layer(self, path: Path, context: Context, wanted_by: Place | None = None) -> Layer | None:
        """Return what a file says, or None if it cannot be read, which is then reported.

        Args:
            path: The file.
            context: What to read it in.
            wanted_by: What names it, if that is another file.
        """
        # The environment is kept by the layer, so that its identity stays its own.
        key = (os.path.realpath(path), context.folder, id(context.environ))
        if key not in self._layers:
            if wanted_by and not os.path.exists(path):  # noqa: PTH110 - never raises
                message = f"the file {self.report.shown(path)} does not exist"
                self.report.missing(wanted_by, message, "correct its path, or create it")
                return None
            document = self.document(path)
            if document.data is None:
                return None
            self._layers[key] = self._read(document, path, context)
        return self._layers[key]

    def _read(self, document: Document, path: Path, context: Context) -> Layer:
        document, unset = interpolated(document, context.environ.get)
        self.report.add_problems(document.problems)
        self.report.note_unset(unset)
        found = canonical(document, context.folder)
        # A value whose variables are wrong is wrong in other ways, too, until they are set.
        told = {(problem.line, problem.column) for problem in document.problems}
        self.report.add_problems(
            problem for problem in found.problems if (problem.line, problem.column) not in told
        )
        self.report.add_notes(found.notes)
        return Layer(path, context, tree(found, document.file))
