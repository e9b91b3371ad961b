"""The name that a file asks for a container: it goes to the instance that is kept."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.engines.docker import labels
from core.errors import CompartmentError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engines.docker.connection import Docker

Json = dict[str, Any]


def usual_name(described: Mapping[str, str]) -> str:
    """The name that a container is made with, given its labels; that of its instance is unique."""
    parts = (labels.PROJECT, labels.ENVIRONMENT, labels.SERVICE, labels.INSTANCE)
    named = ("compartment", *(described[part] for part in parts))
    return "-".join(re.sub(r"[^a-zA-Z0-9_.]+", "-", part) for part in named)


async def give(docker: Docker, container_id: str, name: str, described: Mapping[str, str]) -> None:
    """Gives a container a name; another one of its service that has it gets its usual one again.

    Raises:
        CompartmentError: somebody else has it.
    """
    has_it = await _holder(docker, name)
    if has_it is not None and has_it["Id"] == container_id:
        return
    if has_it is not None:
        theirs = has_it["Config"]["Labels"] or {}
        same = (labels.HOME, labels.PROJECT, labels.ENVIRONMENT, labels.SERVICE)
        if any(theirs.get(label) != described[label] for label in same):
            raise CompartmentError(
                f"its container is not called {name}: another one is",
                hint=f"remove that, and deploy again: `docker rm {name}`",
            )
        with suppress(NotFound):  # it was ended meanwhile
            await _rename(docker, has_it["Id"], usual_name(theirs))
    await _rename(docker, container_id, name)


async def _holder(docker: Docker, name: str) -> Json | None:
    # The engine would take the name for the beginning of an id as well.
    filters = json.dumps({"name": [f"^/{re.escape(name)}$"]})
    for found in await docker.get("/containers/json", all="1", filters=filters):
        with suppress(NotFound):
            container: Json = await docker.get(f"/containers/{found['Id']}/json")
            return container
    return None


async def _rename(docker: Docker, container_id: str, name: str) -> None:
    await docker.order("POST", f"/containers/{container_id}/rename", name=name)
