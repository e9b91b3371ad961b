"""What the tests of the project files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config import descriptor_rules, routes_file
from core.config.descriptor import DescriptorModel
from core.config.file_names import DESCRIPTOR_FILE, ROUTES_FILE
from core.config.problems import validate
from core.config.routes_file import RoutesModel
from core.config.yaml import read_yaml

if TYPE_CHECKING:
    from core.model import Problem, ServiceKind


def descriptor_problems(text: str) -> list[str]:
    """Return all problems of a `compartment.yml` but those of its paths, as `line:column: ...`."""
    document = read_yaml(text.encode(), DESCRIPTOR_FILE)
    problems = validate(DescriptorModel, document)[1]
    return shown([*problems, *descriptor_rules.broken_rules(document)])


def routes_problems(text: str, kinds: dict[str, ServiceKind | None] | None) -> list[str]:
    """Return all problems of a `compartment.routes.yml`, as `line:column: message (hint)`."""
    document = read_yaml(text.encode(), ROUTES_FILE)
    problems = validate(RoutesModel, document)[1]
    return shown([*problems, *routes_file.broken_rules(document, kinds)])


def shown(problems: list[Problem]) -> list[str]:
    """Return problems in the order of the file and without its name."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    return [str(problem).partition(":")[2] for problem in ordered]
