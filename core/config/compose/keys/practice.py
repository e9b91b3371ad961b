"""What good practice would change in a project that is right as it is."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.shapes import within
from core.config.compose.mapping.programs import known_program
from core.config.document import mapping, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.config.compose.keys.places import Places
    from core.config.document import Document, KeyPath
    from core.model import Problem

_SECRET = re.compile(r"(?i)(^|_)(password|passwd|passphrase|secret|token|api_?key|private_?key)$")
_CACHE_PORT = 11211


def practice_notes(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """Notes with the place of what they would change."""
    for name, service in model["services"].items():
        base = ("services", name)
        yield from _tag(base, service, places)
        yield from _store(base, service, places)
        yield from _waits(base, service, model, places)
        yield from _rights(base, service, model, places)
        yield from _bound(base, service, places)
    yield from _log_rotation(model, places)


def _tag(base: KeyPath, service: dict[str, Any], places: Places) -> Iterator[Problem]:
    image = service.get("image")
    if not image or service.get("build") or "@" in image:
        return
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        message = f"{quote(image)} means another image tomorrow"
        hint = f"pin a version, such as {image.removesuffix(':latest')}:1.2"
        yield places.problem((*base, "image"), message, hint)


def _store(base: KeyPath, service: dict[str, Any], places: Places) -> Iterator[Problem]:
    """A database or a cache that nobody can tell is well, or that anybody can reach."""
    known = known_program(service)
    if known is None or not (known.is_database or _CACHE_PORT in known.ports):
        return
    if known.is_database and not service.get("healthcheck"):
        message = f"the database {base[1]} has no health check"
        hint = "add one, so that what depends on it can wait until it is ready"
        yield places.problem((*base, "image"), message, hint)
    for index, port in enumerate(service.get("ports") or ()):
        if not _is_local(port.get("host_ip")):
            message = f"{base[1]} looks internal, and its port {port['target']} is open to others"
            hint = "use expose, or publish it on 127.0.0.1 only"
            yield places.problem((*base, "ports", index), message, hint)


def _is_local(address: str | None) -> bool:
    return bool(address) and ip_address(str(address)).is_loopback


def _waits(
    base: KeyPath, service: dict[str, Any], model: dict[str, Any], places: Places
) -> Iterator[Problem]:
    for key, said in (service.get("depends_on") or {}).items():
        other = model["services"].get(key)
        if other is None:
            continue
        path = (*base, "depends_on", key)
        condition = said.get("condition")
        if condition == "service_healthy" and not within(other, "healthcheck", "test"):
            message = f"waits for {key} to be healthy, which only its image can have a check for"
            yield places.problem(path, message, f"add a healthcheck to {key}")
        if condition == "service_completed_successfully" and other.get("restart") == "always":
            message = f"waits for {key} to end, which is started again whenever it does"
            yield places.problem(path, message, f'write restart: "no" in {key}')


def _rights(
    base: KeyPath, service: dict[str, Any], model: dict[str, Any], places: Places
) -> Iterator[Problem]:
    """Rights of a secret or config that is a file of this machine: it keeps those that it has."""
    for section in ("secrets", "configs"):
        for index, each in enumerate(service.get(section) or ()):
            if not within(model, section, each["source"], "file"):
                continue
            for key in ("uid", "gid", "mode"):
                if key in each:
                    message = f'"{key}" does nothing for {each["source"]}, which is a file'
                    hint = "change those of the file itself"
                    yield places.problem((*base, section, index, key), message, hint)


def _bound(base: KeyPath, service: dict[str, Any], places: Places) -> Iterator[Problem]:
    """What is mounted as a file and is not there: the engine makes an empty folder of it."""
    for index, mount in enumerate(service.get("volumes") or ()):
        source = Path(mount.get("source") or "")
        is_file = source.suffix != "" and source.suffix == Path(mount["target"]).suffix
        # Not Path.exists, which fails on a name that is too long.
        if mount["type"] == "bind" and is_file and not os.path.exists(source):  # noqa: PTH110
            message = f"{quote(str(source))} is not there: an empty folder would be made of it"
            yield places.problem((*base, "volumes", index), message, "make the file first")


def _log_rotation(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """One note, with the first service whose log may grow as it likes."""
    for name, service in model["services"].items():
        logging = service.get("logging") or {}
        is_file = logging.get("driver", "json-file") == "json-file"
        if is_file and "max-size" not in (logging.get("options") or {}):
            message = "the log of a container grows without a limit wherever this file is run"
            hint = 'add logging: {options: {max-size: 10m, max-file: "3"}}'
            yield places.problem(("services", name), message, hint)
            return


def written_secret(documents: Iterable[Document]) -> list[Problem]:
    """Return one note, on the first variable that looks like a secret and stands in a file.

    Args:
        documents: The files as they are written: with variables replaced all look the same.
    """
    for document in documents:
        for name, service in mapping(mapping(document.data).get("services")).items():
            for key, value, part in _variables(mapping(service).get("environment")):
                if value and "$" not in str(value) and _SECRET.search(key):
                    message = f"{quote(key)} looks secret and is written into the file"
                    hint = "write ${" + key + "} and set it in .env, or use secrets"
                    path = ("services", name, "environment", part)
                    return [document.problem(path, message, hint=hint)]
    return []


def _variables(said: Any) -> Iterator[tuple[str, Any, str | int]]:
    """Names and values, and the key or the number in the list that each has."""
    if isinstance(said, dict):
        yield from ((key, value, key) for key, value in said.items())
    elif isinstance(said, list):
        for index, each in enumerate(said):
            key, _, value = str(each).partition("=")
            yield key, value, index
