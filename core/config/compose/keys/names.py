"""What a project and its parts are called, as Compose calls them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.config.document import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.keys.places import Places
    from core.model import Problem

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MAX_LENGTH = 63


def folder_name(folder: str) -> str:
    """Return what Compose calls a project in a folder; empty if its name gives none."""
    return re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("_-")


def own_name(name: str) -> str:
    """Return what a project is called here, where host names are made of it."""
    own = name.replace("_", "-").strip("-")[:_MAX_LENGTH].rstrip("-")
    return own if own[:1].isalpha() else f"p{own}"[:_MAX_LENGTH].rstrip("-")


def name_problems(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """What is wrong with the name of the project."""
    name = model["name"]
    if not name:
        message = "the folder gives no name for the project"
        yield places.problem((), message, "write at the top of the file: name: myproject")
    elif not _NAME.fullmatch(name):
        hint = "use a-z, 0-9, _ and -, beginning with a letter or digit"
        yield places.problem(("name",), f"the project cannot be named {quote(name)}", hint)


def give_names(model: dict[str, Any]) -> None:
    """Gives what has no name of its own the one that Compose gives it."""
    for section in ("networks", "volumes", "secrets", "configs"):
        for key, said in model[section].items():
            implied = key if said.get("external") else f"{model['name']}_{key}"
            said["name"] = said.get("name") or implied
