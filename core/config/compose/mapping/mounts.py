"""What is mounted into containers: volumes, files, folders, secrets and configs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.compose.keys.names import own_name
from core.config.compose.mapping.digests import digest_of
from core.config.compose.mapping.given import part
from core.container import InlineFile, Mount, MountType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.mapping.given import Given, Json
    from core.config.document import KeyPath
    from core.model import Problem

_VOLUME_KEYS = ("driver", "driver_opts", "labels")
_MODE = 0o444
_FOLDERS = {"secrets": "/run/secrets/", "configs": "/"}


@dataclass(frozen=True, slots=True)
class Mounted:
    """What is mounted, and what is copied."""

    mounts: tuple[Mount, ...]
    files: tuple[InlineFile, ...]
    problems: tuple[Problem, ...]


def mounted(given: Given, name: str) -> Mounted:
    """Return everything that a service finds in its containers besides its image."""
    mounts = [*_volumes(given.model, name)]
    files: list[InlineFile] = []
    problems: list[Problem] = []
    for what in _FOLDERS:
        for used in given.model["services"][name].get(what) or ():
            found = _secret(given, what, used)
            if isinstance(found, Mount):
                mounts.append(found)
            elif isinstance(found, InlineFile):
                files.append(found)
            else:
                problems.append(found)
    return Mounted(tuple(mounts), tuple(files), tuple(problems))


def volume_mounts(model: Json, name: str) -> list[Mount]:
    """Return the mounts under `volumes` of a service alone, without looking at any file."""
    described = part(model, "volumes")
    project = own_name(model["name"])
    return [
        _mount(project, described, each) for each in model["services"][name].get("volumes") or ()
    ]


def _volumes(model: Json, name: str) -> Iterator[Mount]:
    """The own ones, then those of `volumes_from`; a target that is taken stays as it is."""
    taken: set[str] = set()
    for mount in _with_borrowed(model, name, ()):
        if mount.target not in taken:
            taken.add(mount.target)
            yield _digested(mount)


def _with_borrowed(model: Json, name: str, seen: tuple[str, ...]) -> Iterator[Mount]:
    yield from volume_mounts(model, name)
    for each in model["services"][name].get("volumes_from") or ():
        source, _, mode = each.partition(":")
        if source != "container" and source in model["services"] and source not in (*seen, name):
            for mount in _with_borrowed(model, source, (*seen, name)):
                # Which one an anonymous volume is, only the container that has it knows.
                if mount.type is not MountType.VOLUME or mount.source:
                    yield _read_only(mount) if mode == "ro" else mount


def _read_only(mount: Mount) -> Mount:
    return Mount(
        mount.type, mount.target, mount.source, is_read_only=True, name=mount.name,
        is_external=mount.is_external, settings=mount.settings,
    )  # fmt: skip


def _mount(project: str, described: Json, said: Json) -> Mount:
    type_, source = MountType(said["type"]), said.get("source") or ""
    volume = described.get(source) or {} if type_ is MountType.VOLUME else {}
    own = {key: said[key] for key in ("bind", "volume", "tmpfs") if said.get(key)}
    more = {key: volume[key] for key in _VOLUME_KEYS if volume.get(key)}
    return Mount(
        type_,
        said["target"],
        source,
        bool(said.get("read_only")),
        explicit_name(project, source, volume),
        bool(volume.get("external")),
        {**own, **more},
    )


def explicit_name(project: str, key: str, described: Json) -> str | None:
    """Return the name on the engine that a file gives; None where it follows from the project."""
    name: str | None = described.get("name")
    return None if name == f"{project}_{key}" else name


def _digested(mount: Mount) -> Mount:
    if mount.type is not MountType.BIND:
        return mount
    digest = digest_of(Path(mount.source), is_read_only=mount.is_read_only)
    return Mount(
        mount.type, mount.target, mount.source, mount.is_read_only,
        settings=mount.settings, digest=digest,
    )  # fmt: skip


def _secret(given: Given, what: str, used: Json) -> Mount | InlineFile | Problem:
    """A secret or config: bound where it is a file of this machine, else copied."""
    key = used["source"]
    described = part(given.model, what, key)
    target = used.get("target") or key
    target = target if target.startswith("/") else _FOLDERS[what] + target
    if "file" in described:
        mount = Mount(MountType.BIND, target, described["file"], is_read_only=True)
        return _digested(mount)
    path: KeyPath = (what, key)
    content = described.get("content")
    if variable := described.get("environment"):
        content = given.environ.get(variable)
        if content is None:
            message = f"the variable {variable} is not set"
            return given.problem((*path, "environment"), message, f"export {variable} first")
    if content is None:
        hint = "use file, environment or content"
        return given.problem(path, f'nobody knows what is in "{key}"', hint)
    return InlineFile(
        target,
        content,
        used.get("mode", _MODE),
        int(used.get("uid", 0)),
        int(used.get("gid", 0)),
        is_secret=what == "secrets",
    )
