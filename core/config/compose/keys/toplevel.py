"""The table of keys at the top of a file, and of its volumes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.files import config, secret
from core.config.compose.keys.networks import external, lift_external, network
from core.config.compose.keys.places import Wrong
from core.config.compose.keys.scalars import anything, name, text
from core.config.compose.keys.services import SERVICE
from core.config.compose.keys.shapes import Key, Keyed, Tier, listed, named, settings, texts
from core.config.document import describe, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_NAME = re.compile(r"[A-Za-z0-9._-]+")

VOLUME = Keyed(
    {
        "name": Key(text, "its name on the engine"),
        "driver": Key(text, "what makes it"),
        "driver_opts": Key(settings, "options for the driver"),
        "external": external,
        "labels": Key(settings, "labels of the volume"),
    }
)
INCLUDE = Keyed(
    {
        "path": Key(texts, "the file, or several that are merged"),
        "project_directory": Key(name, "what its paths are relative to"),
        "env_file": Key(texts, "the variables that it is read with"),
    },
    required=("path",),
)


def volume(value: Any, at: At) -> dict[str, Any]:
    """A volume of the file."""
    return lift_external(VOLUME(value, at), at)


def _include(value: Any, at: At) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise Wrong(f"must be a list, not {describe(value)}", "such as [other/compose.yaml]")
    found: list[dict[str, Any]] = listed(_included)(value, at)
    return found


def _included(value: Any, at: At) -> dict[str, Any]:
    if isinstance(value, dict):
        return INCLUDE(value, at)
    (at / "path" / 0).stands_for(at)
    return {"path": [name(value, at)]}


def _check_name(key: str) -> str | None:
    return None if _NAME.fullmatch(key) else "use letters, digits, _ . and -"


def _elsewhere(key: str, value: Any) -> str | None:
    if key in SERVICE.table:
        return "it belongs to a service: put it below the name of one, indented"
    if isinstance(value, dict) and ("image" in value or "build" in value):
        return f'put {quote(key)} below "services:", indented'
    return None


TOP = Keyed(
    {
        "version": Key(anything, "it means nothing any more: remove it", Tier.NOTED),
        "name": Key(text, "the name of the project"),
        "include": Key(_include, "other files, each read on its own"),
        "services": Key(named(SERVICE, check=_check_name), "the services"),
        "networks": Key(named(network, check=_check_name), "the networks"),
        "volumes": Key(named(volume, check=_check_name), "the named volumes"),
        "secrets": Key(named(secret, check=_check_name), "files that are secret"),
        "configs": Key(named(config, check=_check_name), "files that are not secret"),
        "models": Key(anything, "run the model as a service with an image", Tier.REFUSED),
    },
    elsewhere=_elsewhere,
)
