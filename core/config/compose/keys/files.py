"""Secrets, configs and files of variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.compose.keys.mounts import host_path, mode
from core.config.compose.keys.networks import external, lift_external
from core.config.compose.keys.places import GONE, Wrong, read
from core.config.compose.keys.scalars import boolean, name, text, word
from core.config.compose.keys.shapes import Key, Keyed, Tier, listed, noted, settings, short_or_long
from core.config.document import describe

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

SERVICE_FILE = Keyed(
    {
        "source": Key(name, "its key in the file"),
        "target": Key(name, "a path in the container; a secret's may be a name in /run/secrets"),
        "uid": Key(text, "its owner; not of one that is a file of this machine"),
        "gid": Key(text, "its group; not of one that is a file of this machine"),
        "mode": Key(mode, "its rights; not of one that is a file of this machine"),
    },
    required=("source",),
)


def _short(line: str, at: At) -> dict[str, Any]:
    (at / "source").stands_for(at)
    return {"source": name(line, at)}


service_file = short_or_long(_short, SERVICE_FILE)
service_files = listed(service_file)

_OTHER_DRIVER = "secrets and configs are files, variables or text on this machine"
_BASE = {
    "name": Key(name, "its name; of an external one on the engine"),
    "file": Key(host_path, "a file of this machine"),
    "environment": Key(name, "the variable of the caller that holds it"),
    "external": external,
    "labels": noted(settings, "it is no object of the engine"),
    "driver": Key(name, _OTHER_DRIVER, Tier.REFUSED),
    "driver_opts": Key(settings, _OTHER_DRIVER, Tier.REFUSED),
    "template_driver": Key(name, _OTHER_DRIVER, Tier.REFUSED),
}
SECRET = Keyed(_BASE)
CONFIG = Keyed({**_BASE, "content": Key(text, "the content itself")})
_SOURCES = ("file", "environment", "content", "external")


def secret(value: Any, at: At) -> dict[str, Any]:
    """A secret of the file."""
    return _one_source(lift_external(SECRET(value, at), at), at)


def config(value: Any, at: At) -> dict[str, Any]:
    """A config of the file."""
    return _one_source(lift_external(CONFIG(value, at), at), at)


def _one_source(found: dict[str, Any], at: At) -> dict[str, Any]:
    given = [key for key in _SOURCES if found.get(key) not in (None, False)]
    if len(given) > 1:
        at.problem(f"{at.label} has both {given[0]} and {given[1]}", "keep one of them")
    return found


ENV_FILE = Keyed(
    {
        "path": Key(host_path, "a file of variables"),
        "required": Key(boolean, "false: it may be missing"),
        "format": Key(word("raw"), "raw: without quotes and variables"),
    },
    required=("path",),
)


def _short_env_file(line: str, at: At) -> dict[str, Any]:
    (at / "path").stands_for(at)
    return {"path": host_path(line, at), "required": True}


def _long_env_file(value: Any, at: At) -> dict[str, Any]:
    return {"required": True, **ENV_FILE(value, at)}


_env_file = short_or_long(_short_env_file, _long_env_file)


def env_files(value: Any, at: At) -> list[dict[str, Any]]:
    """Files of variables: one, or a list."""
    each = value if isinstance(value, list) else [value]
    is_list = isinstance(value, list)
    found = [read(_env_file, one, at / i if is_list else at) for i, one in enumerate(each)]
    if not is_list and found != [GONE]:
        (at / 0 / "path").stands_for(at)
    return [one for one in found if one is not GONE]


def label_files(value: Any, at: At) -> list[str]:
    """Files of labels: one, or a list."""
    if isinstance(value, list):
        found: list[str] = listed(host_path)(value, at)
        return found
    if not isinstance(value, str):
        raise Wrong(f"must be a path or a list of paths, not {describe(value)}")
    return [host_path(value, at)]
