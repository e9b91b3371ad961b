"""What is mounted into the container of an instance, in the engine's words."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.container import Mount, MountType
from core.model import DEFAULT_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.container import Container
    from core.engines.base import InstanceSpec
    from core.records import Target

Json = dict[str, Any]

_REPLICA: Final = re.compile(r"-(\d+)$")
_DIGITS: Final = 8
"""Of the digest of a path: enough to tell the few volumes of one service apart."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A mount, and the name of its volume on the engine, where it has one."""

    mount: Mount
    volume: str = ""
    """Empty: no volume, or one without a name that goes with its container."""


def scoped(target: Target, name: str) -> str:
    """A name that a file gives: in production as it is, elsewhere told apart."""
    is_default = target.environment == DEFAULT_ENVIRONMENT
    return name if is_default else f"{name}-{target.environment}"


def volume_name(target: Target, mount: Mount) -> str:
    """The name of a volume that the file names.

    In production that which Compose itself gives it, so that its data is taken over.
    """
    if mount.is_external:
        return mount.name or mount.source
    if mount.name:
        return scoped(target, mount.name)
    return f"{scoped(target, target.project)}_{mount.source}"


def placed(spec: InstanceSpec, container: Container, image: Json) -> list[Placed]:
    """All mounts of an instance.

    Of what stops before its successor starts, volumes without a name get one, so that the
    successor has their data: also those that only its image declares.
    """
    target = spec.owner.target
    mounts = list(container.mounts)
    is_carried = spec.service.strategy.stops_first and spec.service.kind.is_long_running
    if is_carried:
        covered = {*(each.target for each in mounts), *_paths(container.settings.get("tmpfs"))}
        declared = (image["Config"] or {}).get("Volumes") or {}
        mounts += [
            Mount(MountType.VOLUME, path) for path in declared if path.rstrip("/") not in covered
        ]
    found = []
    for mount in mounts:
        name = ""
        if mount.type is MountType.VOLUME and (mount.source or mount.name):
            name = volume_name(target, mount)
        elif mount.type is MountType.VOLUME and is_carried:
            name = _carried_name(spec, mount.target)
        found.append(Placed(mount, name))
    return found


def for_files(container: Container) -> list[Placed]:
    """Volumes for files that are copied in to where nothing can be copied to."""
    hidden = [each.target for each in container.files if is_hidden(container, each.target)]
    mounted = {each.target for each in container.mounts}
    folders = dict.fromkeys(path.rpartition("/")[0] for path in hidden)
    return [
        Placed(Mount(MountType.VOLUME, folder))
        for folder in folders
        if folder and folder not in mounted
    ]


def is_hidden(container: Container, path: str) -> bool:
    """Whether nothing can be copied to a path: it is read-only, or memory that is empty first."""
    on_memory = [*_paths(container.settings.get("tmpfs"))]
    on_memory += [each.target for each in container.mounts if each.type is MountType.TMPFS]
    if any(path.startswith(f"{each.rstrip('/')}/") for each in on_memory):
        return True
    return bool(container.settings.get("read_only"))


def body_of(mounts: Iterable[Placed]) -> Json:
    """The part of a host configuration that says what is mounted."""
    every = list(mounts)
    binds = [each.mount for each in every if _is_bind_text(each.mount)]
    others = [each for each in every if not _is_bind_text(each.mount)]
    return {"Binds": [_bind_text(each) for each in binds], "Mounts": [*map(_mount, others)]}


def _is_bind_text(mount: Mount) -> bool:
    """Whether it is told in the short form: the engine makes missing folders for that only.

    It cannot have a colon in its paths.
    """
    options = mount.settings.get("bind") or {}
    is_strict = options.get("create_host_path") is False and not options.get("selinux")
    has_colon = ":" in mount.source + mount.target
    return mount.type is MountType.BIND and not is_strict and not has_colon


def _bind_text(mount: Mount) -> str:
    options = mount.settings.get("bind") or {}
    words = ["ro" if mount.is_read_only else "rw"]
    words += [options[name] for name in ("propagation", "selinux") if options.get(name)]
    return f"{mount.source}:{mount.target}:{','.join(words)}"


def _mount(each: Placed) -> Json:
    mount = each.mount
    made: Json = {"Type": mount.type.value, "Target": mount.target, "ReadOnly": mount.is_read_only}
    source = each.volume if mount.type is MountType.VOLUME else mount.source
    if source:
        made["Source"] = source
    options = mount.settings.get(mount.type.value) or {}
    if mount.type is MountType.BIND:
        asked = {
            "Propagation": options.get("propagation"),
            "NonRecursive": options.get("recursive") == "disabled" or None,
        }
        made["BindOptions"] = _said(asked)
    elif mount.type is MountType.VOLUME:
        made["VolumeOptions"] = _said(
            {"NoCopy": options.get("nocopy"), "Subpath": options.get("subpath")}
        )
    else:
        size = options.get("size")
        made["TmpfsOptions"] = _said(
            {"SizeBytes": int(size) if size else None, "Mode": options.get("mode")}
        )
    return made


def _said(asked: Json) -> Json:
    return {name: value for name, value in asked.items() if value is not None}


def _carried_name(spec: InstanceSpec, path: str) -> str:
    target = spec.owner.target
    digest = hashlib.sha256(path.encode()).hexdigest()[:_DIGITS]
    # Each replica has data of its own.
    replica = _REPLICA.search(spec.name)
    last = f"_{replica[1]}" if replica else ""
    return f"{scoped(target, target.project)}_{spec.owner.service_name}_{digest}{last}"


def _paths(tmpfs: Iterable[str] | None) -> set[str]:
    return {each.partition(":")[0] for each in tmpfs or ()}
