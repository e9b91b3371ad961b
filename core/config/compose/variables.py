"""The variables and labels of services: those of their files, and under them what is written.

| in `environment` | means                                                          |
|------------------|----------------------------------------------------------------|
| `KEY: value`     | the value, whatever `env_file` says                            |
| `KEY:`           | as in the caller's environment or `.env`; not set if not there |
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.config.compose.environment import dotenv_values
from core.config.compose.raw_variables import raw_values
from core.config.compose.tree import Node, child, entries, items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.compose.report import Report
    from core.config.compose.tree import Place

MAX_VARIABLES: Final = 100_000
"""How many may come from files, in each service that names them: they would else multiply."""

_Chain = tuple[tuple[str, bool], ...]
"""Files in their order, and which of them are raw: what is in the last one may name the others."""


def with_variables(project: Node, environ: Mapping[str, str], report: Report) -> Node:
    """Return a project in which `environment` and `labels` of services hold all there is.

    `env_file` and `label_file` are gone. A file that is missing is a problem unless it says
    `required: false`.
    """
    services = child(project, "services")
    if services is None:
        return project
    files = {"env_file": _Files(environ, report), "label_file": _Files({}, report)}
    resolved = {name: _resolved(name, service, environ, files) for name, service in items(services)}
    return replace(project, value={**project.value, "services": replace(services, value=resolved)})


def _resolved(
    name: str, service: Node, environ: Mapping[str, str], files: Mapping[str, _Files]
) -> Node:
    if not isinstance(service.value, dict):
        return service
    value = {key: each for key, each in service.value.items() if key not in files}
    variables = files["env_file"].named_by(name, child(service, "env_file"))
    for key, node in items(child(service, "environment")):
        found = node
        if node.value is None and key in environ:
            found = replace(node, value=environ[key])
        variables[key] = found
    labels = files["label_file"].named_by(name, child(service, "label_file"))
    labels |= dict(items(child(service, "labels")))
    for key, found_here in (("environment", variables), ("labels", labels)):
        known = {name: node for name, node in found_here.items() if node.value is not None}
        written = value.get(key)
        if known or written is not None:
            value[key] = replace(written or service, value=known)
    return replace(service, value=value)


class _Files:
    """Files of variables that services name, each of them read once."""

    def __init__(self, environ: Mapping[str, str], report: Report) -> None:
        self._environ = environ
        self._report = report
        self._read: dict[_Chain, dict[str, str]] = {}
        self._count = 0

    def named_by(self, service: str, files: Node | None) -> dict[str, Node]:
        """What the files hold that a service names: the last one wins."""
        found: dict[str, str] = {}
        nodes: dict[str, Node] = {}
        chain: _Chain = ()
        for entry in entries(files):
            path, form = child(entry, "path") or entry, child(entry, "format")
            file = Path(path.value)
            if not self._is_there(file, entry, service):
                continue
            chain = (*chain, (str(file), form is not None and form.value == "raw"))
            values = self._values(chain, found)
            found |= values
            if not self._has_room(len(values), path.place):
                break
            nodes |= {variable: Node(text, path.place) for variable, text in values.items()}
        return nodes

    def _is_there(self, file: Path, entry: Node, service: str) -> bool:
        if str(file) == os.devnull:
            return False
        if os.path.lexists(file):
            return True
        path, required = child(entry, "path") or entry, child(entry, "required")
        if required is None or required.value is not False:
            message = f"the file {self._report.shown(file)} does not exist"
            hint = "create it"
            if entry is not path:
                hint += ", or write it as: {path: ..., required: false}"
            self._report.problem(path.place, message, hint, service=service)
        return False

    def _values(self, chain: _Chain, found: Mapping[str, str]) -> dict[str, str]:
        if chain not in self._read:
            file, is_raw = chain[-1]
            read = raw_values if is_raw else dotenv_values
            self._read[chain] = read(Path(file), {**found, **self._environ}, self._report)
        return self._read[chain]

    def _has_room(self, count: int, place: Place) -> bool:
        was_full = self._count > MAX_VARIABLES
        self._count += count
        if self._count <= MAX_VARIABLES:
            return True
        if not was_full:
            message = f"with this file, services get more than {MAX_VARIABLES} variables from files"
            self._report.problem(place, message, "name it in fewer services")
        return False
