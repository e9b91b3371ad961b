"""The merged model made whole: names, defaults and references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.agreement import disagreements
from core.config.compose.keys.defaults import fill_in, without_unused
from core.config.compose.keys.names import folder_name, give_names, name_problems
from core.config.compose.keys.practice import practice_notes
from core.config.compose.keys.references import circles, imply_dependencies, reference_problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.config.compose.keys.places import Places
    from core.model import Problem


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole model, what is wrong with it, and what good practice would change."""

    model: dict[str, Any]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def complete(
    model: dict[str, Any], places: Places, folder: Path, lookup: Callable[[str], str | None]
) -> Completed:
    """Return the merged model with names, defaults and all references checked; never raises.

    Services that are off by their profiles are not in it any more, env_file and label_file are
    read already. What no service uses is left out of it.

    Args:
        model: The merged canonical model, which is changed. Its `name` is COMPOSE_PROJECT_NAME
            or that of the files; without one the project is called after its folder.
        places: Where its values came from.
        folder: That of the project, absolute.
        lookup: Reads the caller's variables, for build arguments without a value.
    """
    model = fill_in(model, folder, lookup)
    model.pop("version", None)
    if not model.get("name"):
        model["name"] = folder_name(folder.name)
    give_names(model)
    problems = [*name_problems(model, places), *reference_problems(model, places)]
    imply_dependencies(model)
    problems += [*circles(model, places), *disagreements(model, places)]
    notes = practice_notes(model, places)
    return Completed(without_unused(model), tuple(problems), tuple(notes))
