"""Finding a project and loading it: both files, all their problems at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.config import descriptor_rules, routes_file
from core.config.compose.options import ComposeOptions
from core.config.descriptor import DESCRIPTOR_FILE, DescriptorModel
from core.config.problems import config_error, validate
from core.config.reading import read_file
from core.config.routes_file import ROUTES_FILE, RoutesModel, route_rules
from core.config.service_paths import path_problems
from core.config.services import services
from core.config.yaml import read_yaml
from core.errors import ConfigError
from core.model import Project, RouteRule

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.document import Document


_NO_OPTIONS = ComposeOptions()


def find_project(start: Path) -> Path:
    """Return the folder of the nearest `compartment.yml`: `start` or one above it.

    Raises:
        ConfigError: There is none.
    """
    if not os.access(start, os.F_OK):
        raise ConfigError(f"{start} does not exist")
    start = start.resolve()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / DESCRIPTOR_FILE):
            return folder
    raise ConfigError(
        f"no {DESCRIPTOR_FILE} in {start} or in any folder above it",
        hint="go to a project, or make one with: compartment init",
    )


def load_project(root: Path, options: ComposeOptions = _NO_OPTIONS) -> Project:  # noqa: ARG001
    """Return the project in a folder: its `compartment.yml`, or else its Compose files.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them, of both files.
    """
    descriptor = _read(root / DESCRIPTOR_FILE)
    model, problems = validate(DescriptorModel, descriptor)
    problems += descriptor_rules.broken_rules(descriptor)
    problems += path_problems(root, descriptor)

    rules: tuple[RouteRule, ...] = ()
    if os.path.lexists(root / ROUTES_FILE):
        routes = _read(root / ROUTES_FILE)
        routes_model, routes_problems = validate(RoutesModel, routes)
        kinds = descriptor_rules.service_kinds(descriptor)
        problems += routes_problems
        problems += routes_file.broken_rules(routes, kinds)
        rules = route_rules(routes_model) if routes_model else ()
    if model is None or problems:
        raise config_error(problems)
    return Project(
        name=model.name,
        root=root,
        services=services(model),
        rules=rules,
    )


def _read(path: Path) -> Document:
    return read_file(path, path.name, read_yaml)
