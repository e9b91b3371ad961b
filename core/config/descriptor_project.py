"""The project of a `compartment.yml`, with its route rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.config import descriptor_rules, routes_file
from core.config.descriptor import DescriptorModel
from core.config.failure import config_error
from core.config.file_names import DESCRIPTOR_FILE, ROUTES_FILE
from core.config.problems import validate
from core.config.reading import read_file
from core.config.routes_file import RoutesModel, route_rules
from core.config.service_paths import path_problems
from core.config.services import services
from core.config.yaml import read_yaml
from core.model import Project, RouteRule

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.document import Document


def load_descriptor(root: Path) -> Project:
    """Return the project that the two files of ours in a folder describe.

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
