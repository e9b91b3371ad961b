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
from typing import TYPE_CHECKING

from core.config.compose.environment import dotenv_values
from core.config.compose.raw_variables import raw_values
from core.config.compose.tree import Node, child, entries, items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.compose.report import Report


def with_variables(project: Node, environ: Mapping[str, str], report: Report) -> Node:
    """Return a project in which `environment` and `labels` of services hold all there is.

    `env_file` and `label_file` are gone. A file that is missing is a problem unless it says
    `required: false`.
    """
    services = child(project, "services")
    if services is None:
        return project
    resolved = {
        name: _resolved(name, service, environ, report) for name, service in items(services)
    }
    return replace(project, value={**project.value, "services": replace(services, value=resolved)})


def _resolved(name: str, service: Node, environ: Mapping[str, str], report: Report) -> Node:
    if not isinstance(service.value, dict):
        return service
    value = {
        key: each for key, each in service.value.items() if key not in ("env_file", "label_file")
    }
    variables = _from_files(name, service, "env_file", environ, report)
    for key, node in items(child(service, "environment")):
        found = node
        if node.value is None and key in environ:
            found = replace(node, value=environ[key])
        variables[key] = found
    labels = _from_files(name, service, "label_file", {}, report)
    labels |= dict(items(child(service, "labels")))
    for key, found_here in (("environment", variables), ("labels", labels)):
        known = {name: node for name, node in found_here.items() if node.value is not None}
        written = value.get(key)
        if known or written is not None:
            value[key] = replace(written or service, value=known)
    return replace(service, value=value)


def _from_files(
    name: str, service: Node, key: str, environ: Mapping[str, str], report: Report
) -> dict[str, Node]:
    """What the files hold that a key of a service names: the last one wins."""
    found: dict[str, str] = {}
    nodes: dict[str, Node] = {}
    for entry in entries(child(service, key)):
        path, required = child(entry, "path") or entry, child(entry, "required")
        file = Path(path.value)
        if str(file) == os.devnull:
            continue
        if not os.path.lexists(file):
            if required is None or required.value is not False:
                message = f"the file {report.shown(file)} does not exist"
                hint = "create it"
                if key == "env_file":
                    hint += ", or write it as: {path: ..., required: false}"
                report.problem(path.place, message, hint, service=name)
            continue
        form = child(entry, "format")
        is_raw = form is not None and form.value == "raw"
        read = raw_values if is_raw else dotenv_values
        values = read(file, {**found, **environ}, report)
        found |= values
        nodes |= {variable: Node(text, path.place) for variable, text in values.items()}
    return nodes
