"""A whole project, from the canonical model of its Compose files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.config.compose.mapping.extension import EXTENSION
from core.config.compose.mapping.relations import relations, replicas_of
from core.config.compose.mapping.services import mapped
from core.config.document import quote
from core.config.patterns import COMPOSE_SERVICE_NAME, PATTERN_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.config.compose.mapping.given import Given
    from core.model import Problem, Service


def services_of(
    given: Given, root: Path
) -> tuple[dict[str, Service], list[Problem], list[Problem]]:
    """Return the services that are run, what is wrong with them, and notes; `root` is absolute."""
    problems = [*_names(given), *_misplaced(given)]
    notes: list[Problem] = []
    services: dict[str, Service] = {}
    others = relations(given.model)
    for name, said in given.model["services"].items():
        if not replicas_of(said):
            hint = "say 1 or more to have it"
            notes.append(given.problem(("services", name), "no replicas: it is left out", hint))
            continue
        found = mapped(given, name, others, root)
        services[name] = found.service
        problems += found.problems
    return services, problems, notes


def _names(given: Given) -> Iterator[Problem]:
    for name in given.model["services"]:
        if not re.fullmatch(COMPOSE_SERVICE_NAME, name):
            message = f"the name {quote(name)} is not valid"
            hint = f"use {PATTERN_WORDS[COMPOSE_SERVICE_NAME]}"
            yield given.problem(("services", name), message, hint)


def _misplaced(given: Given) -> Iterator[Problem]:
    if EXTENSION in given.model:
        hint = "it goes into a service"
        yield given.problem((EXTENSION,), f"{EXTENSION} does not belong here", hint)
