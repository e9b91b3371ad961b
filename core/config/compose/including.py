"""Projects of one or more files, and `include`: projects that are a part of another one.

Each file is laid over those before it together with what it extends and includes, so that a file
can override what an earlier one includes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.config.compose.environment import with_default_env_file, with_env_files
from core.config.compose.extending import Extending
from core.config.compose.layers import Context
from core.config.compose.merging import merged, settled
from core.config.compose.paths import absolute, is_remote
from core.config.compose.tree import Node, child, entries, items, plain
from core.config.document import quote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.config.compose.layers import Layer, Layers
    from core.config.compose.tree import Place
    from core.model import Problem

MAX_DEPTH = 20
MAX_FILES = 200
"""How many files may be included, each as often as that is done."""

_IMPORTED = ("services", "networks", "volumes", "secrets", "configs")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A project that is to be read."""

    paths: Sequence[Path]
    context: Context
    by: Place | None = None
    """What includes it."""
    above: tuple[str, ...] = ()
    """The files that are being read at the moment, for their circles."""


class Projects:
    """Reads projects."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._report = layers.report
        self._extending = Extending(layers)
        self._included = 0

    def project(self, paths: Sequence[Path], context: Context) -> Node | None:
        """Return the merged model of files; None if none of them can be read."""
        return self._project(_Wanted(paths, context))

    def _project(self, wanted: _Wanted) -> Node | None:
        project: Node | None = None
        problems: list[Problem] = []
        real = tuple(os.path.realpath(path) for path in wanted.paths)
        for path in wanted.paths:
            layer = self._layers.layer(path, wanted.context, wanted.by)
            if layer is None:
                continue
            root = self._with_included(layer, (*wanted.above, *real))
            project = root if project is None else merged(project, root, (), problems)
        self._report.add_problems(problems)
        return settled(project) if project is not None else None

    def _with_included(self, layer: Layer, above: tuple[str, ...]) -> Node:
        root = self._extending.extended(layer)
        value = {key: each for key, each in root.value.items() if key != "include"}
        included = entries(child(root, "include"))
        root = replace(root, value=value)
        for entry in included:
            wanted = self._wanted(entry, layer.context, above)
            project = self._project(wanted) if wanted else None
            if project is not None:
                root = self._imported(root, project)
        return root

    def _wanted(self, entry: Node, context: Context, above: tuple[str, ...]) -> _Wanted | None:
        """The project that an entry of `include` names, unless it is one of those above it."""
        paths = _paths(child(entry, "path"), context)
        if not paths:
            self._report.problem(entry.place, "this include names no file", "give it a path")
            return None
        place = entries(child(entry, "path"))[0].place
        if any(is_remote(str(each.value)) for each in entries(child(entry, "path"))):
            message = "only files of this machine can be included"
            self._report.missing(place, message, "copy it to this project, and include the copy")
            return None
        again = [path for path in paths if os.path.realpath(path) in above]
        if again:
            message = f"{self._report.shown(again[0])} includes itself, here or on the way here"
            self._report.missing(place, message, "remove one of the includes")
            return None
        if not self._may_include(paths, place, above):
            return None
        directory = child(entry, "project_directory")
        folder = paths[0].parent
        if directory is not None and isinstance(directory.value, str):
            folder = absolute(directory.value, context.folder)
        env_files = _paths(child(entry, "env_file"), context)
        if env_files:
            environ = with_env_files(context.environ, env_files, self._report)
        else:
            environ = with_default_env_file(context.environ, folder, self._report)
        return _Wanted(paths, Context(folder, environ), place, above)

    def _may_include(self, paths: list[Path], place: Place, above: tuple[str, ...]) -> bool:
        """Files that include others twice would else double with every level."""
        if len(above) >= MAX_DEPTH:
            self._report.missing(place, f"includes nested more than {MAX_DEPTH} files deep")
            return False
        was_full = self._included > MAX_FILES
        self._included += len(paths)
        if self._included <= MAX_FILES:
            return True
        if not was_full:
            self._report.missing(place, f"more than {MAX_FILES} files are included")
        return False

    def _imported(self, root: Node, project: Node) -> Node:
        """A project with what is in another one; the two may say the same, but nothing else."""
        value = dict(root.value)
        for section in _IMPORTED:
            there = child(project, section)
            here = value.get(section)
            if there is None or not isinstance(there.value, dict):
                continue
            if here is None or not isinstance(here.value, dict):
                value[section] = there
                continue
            for name, node in items(there):
                self._check_conflict(section, name, here.value.get(name), node)
            value[section] = replace(here, value={**there.value, **here.value})
        return replace(root, value=value)

    def _check_conflict(self, section: str, name: str, here: Node | None, there: Node) -> None:
        if here is None or plain(here) == plain(there):
            return
        place = here.key_place or here.place
        other = there.key_place or there.place
        where = f"{other.file}:{other.position.line}"
        message = f"{section}.{quote(name)} is also in what is included: {where}"
        hint = "to override it, put this into a file of its own after this one (-f, or its name)"
        service = name if section == "services" else None
        self._report.problem(place, message, hint, service=service)


def _paths(node: Node | None, context: Context) -> list[Path]:
    return [
        absolute(entry.value, context.folder)
        for entry in entries(node)
        if isinstance(entry.value, str)
    ]
