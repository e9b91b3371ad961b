"""The merged model made whole: names, defaults and references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.config.document import KeyPath
    from core.model import Problem


class Places(Protocol):
    """Knows which file a value of the merged model came from."""

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem with the value at a path."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole model, what is wrong with it, and what good practice would change."""

    model: dict[str, Any]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def complete(
    model: dict[str, Any], places: Places, name: str, lookup: Callable[[str], str | None]
) -> Completed:
    """Return the merged model with names, defaults and all references checked; never raises.

    Services that are off by their profiles are not in it any more, env_file and label_file are
    read already.

    Args:
        model: The merged canonical model.
        places: Where its values came from.
        name: What the project is called unless the model has a `name`: COMPOSE_PROJECT_NAME is
            put into the model by the caller, this is the name of the folder.
        lookup: Reads the caller's variables, for build arguments without a value.
    """
    raise NotImplementedError((model, places, name, lookup))
