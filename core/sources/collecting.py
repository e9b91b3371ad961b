"""Which files of a project have to be sent, so that it can be deployed on another machine.

What a deploy on this machine would copy, and what its Compose files bind into containers, are
sent. What is named by a relative path and lies outside of the project's folder is refused:
nothing is there on the other side. An absolute path is one of the other machine.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.container import MountType
from core.engines.docker import dockerignore
from core.engines.source.walk import Kind, shown, walk
from core.errors import ConfigError
from core.sources.links import is_within
from core.sources.listing import MOST_FILES, is_below

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.config.footprint import Footprint
    from core.container import Container, ImageBuild, Mount
    from core.engines.source.walk import LeftOut
    from core.model import Project

_DOCKERFILE: Final = "Dockerfile"
_DOCKERIGNORE: Final = ".dockerignore"
_GITIGNORE: Final = ".gitignore"


@dataclass(slots=True)
class Collected:
    """Files by their relative paths, with their sizes in bytes."""

    root: Path
    sizes: dict[str, int] = field(default_factory=dict)
    writable: set[str] = field(default_factory=set)
    """Folders that are bound so that services can write to them."""
    unsent: set[str] = field(default_factory=set)
    """Those of them that ignore files leave out: they are data, and begin empty."""


def collect(project: Project, read: Footprint) -> Collected:
    """The files of a project that was just read. Blocking.

    Raises:
        ConfigError: it needs what is outside of its folder, or what cannot be read.
    """
    collector = _Collector(project.root, read)
    for path in read.files:
        collector.add_file(path, f"the file {path.name}")
    for service in project.services.values():
        if service.container is not None:
            collector.add_container(service.name, service.container)
        else:
            collector.add_service(project.root / service.path)
    collector.refuse_outside()
    return collector.found


class _Collector:
    def __init__(self, root: Path, read: Footprint) -> None:
        self.found = Collected(root)
        self._root = root
        self._read = read
        self._outside: dict[str, None] = {}

    def add_file(self, path: Path, what: str) -> None:
        """One file that is named, whatever ignore files say."""
        relative = self._inside(path, what)
        if relative is None:
            return
        try:
            status = path.stat()
        except OSError:
            return  # whoever needs it says so, in better words
        if stat.S_ISREG(status.st_mode):
            self.found.sizes[relative] = status.st_size

    def add_folder(
        self, folder: Path, what: str, *, repository: Path | None, left_out: LeftOut | None = None
    ) -> None:
        """What of a folder is not left out."""
        relative = self._inside(folder, what)
        if relative is None or not folder.is_dir():
            return
        for each in walk(folder, repository, left_out):
            path = os.path.normpath(f"{relative}/{each.path}")
            self.found.sizes[path] = each.size_bytes
            if each.kind is Kind.LINK:
                self._check_link(path)

    def add_service(self, folder: Path) -> None:
        """What either engine takes of a service of a `compartment.yml`."""
        self.add_folder(folder, "", repository=self._root)
        for above in folder.parents:
            if not above.is_relative_to(self._root):
                break
            self.add_file(above / _GITIGNORE, "")
        if (folder / _DOCKERFILE).is_file():
            self._add_context(folder, folder / _DOCKERFILE, "")

    def add_container(self, name: str, container: Container) -> None:
        """What a Compose service is built from, and what is bound into it."""
        if container.build is not None:
            self._add_build(name, container.build)
        for mount in container.mounts:
            if mount.type is MountType.BIND:
                self._add_bind(name, mount)

    def _add_build(self, name: str, build: ImageBuild) -> None:
        context = Path(build.context)
        dockerfile = None if build.dockerfile_inline is not None else context / build.dockerfile
        self._add_context(context, dockerfile, f"the build context of {name}")
        for at in (build.settings.get("additional_contexts") or {}).values():
            if at.startswith("/"):
                self.add_folder(Path(at), f"a build context of {name}", repository=None)
        for secret in build.settings.get("secrets") or ():
            if secret.get("file"):
                self.add_file(Path(secret["file"]), f"a build secret of {name}")

    def _add_context(self, context: Path, dockerfile: Path | None, what: str) -> None:
        own = [Path(f"{dockerfile}{_DOCKERIGNORE}")] if dockerfile else []
        ignoring = next((each for each in (*own, context / _DOCKERIGNORE) if each.is_file()), None)
        text = ignoring.read_text("utf-8", errors="surrogateescape") if ignoring else ""
        left_out = dockerignore.patterns(text).left_out
        self.add_folder(context, what, repository=None, left_out=left_out)
        for each in (dockerfile, ignoring):
            if each is not None:
                self.add_file(each, what)

    def _add_bind(self, name: str, mount: Mount) -> None:
        source = Path(mount.source)
        is_of_server = source not in self._read.relative and not source.is_relative_to(self._root)
        if is_of_server:
            return
        what = f"{mount.target} of {name}"
        if not source.is_dir():
            self.add_file(source, what)
        elif mount.is_read_only:
            self.add_folder(source, what, repository=None)
        elif (relative := self._inside(source, what)) is not None:
            self._add_writable(source, relative)

    def _add_writable(self, folder: Path, relative: str) -> None:
        """Data, unless it belongs to the source: what git would not take is not sent."""
        self.found.writable.add(relative)
        only = None if relative == "." else _below(relative)
        self.add_folder(self._root, "", repository=self._root, left_out=only)
        is_sent = any(is_below(each, relative) for each in self.found.sizes)
        if not is_sent and any(folder.iterdir()):
            self.found.unsent.add(relative)

    def _inside(self, path: Path, what: str) -> str | None:
        """The path from the project's folder on; None where it is not in there."""
        path = Path(os.path.normpath(path))
        if path.is_relative_to(self._root):
            return str(path.relative_to(self._root))
        self._outside[f"{what}: {shown(str(path))}" if what else shown(str(path))] = None
        return None

    def _check_link(self, path: str) -> None:
        leads_to = os.readlink(f"{self._root}/{path}")  # noqa: PTH115 - the text as it stands
        if not is_within(self._root, path, leads_to):
            raise ConfigError(
                f"{shown(path)} is a link that leads out of the project, to {shown(leads_to)}",
                hint="replace it by a relative link or by the file itself, or ignore it",
            )

    def refuse_outside(self) -> None:
        """Refuses what is not in the folder that is sent."""
        if self._outside:
            raise ConfigError(
                f"outside of the project's folder, which alone is sent: {'; '.join(self._outside)}",
                hint=f"move it into {self._root}",
            )


def _below(folder: str) -> LeftOut:
    """Leaves out what is neither below a folder nor on the way to it."""

    def left_out(path: str, is_folder: bool) -> bool:  # noqa: FBT001 - a `LeftOut`
        is_on_the_way = is_folder and folder.startswith(f"{path}/")
        return not (is_on_the_way or is_below(path, folder))

    return left_out


def check_size(collected: Collected, limit_bytes: int, where: str) -> None:
    """Refuses a source that is too large, or has too many files.

    Raises:
        ConfigError: with the largest folders in it.
    """
    if len(collected.sizes) > MOST_FILES:
        raise ConfigError(
            f"the source has {len(collected.sizes):,} files, more than the {MOST_FILES:,} that"
            " are sent",
            hint="list what is not needed in .gitignore or .dockerignore",
        )
    total = sum(collected.sizes.values())
    if total <= limit_bytes:
        return
    by_folder: dict[str, int] = {}
    for path, size in collected.sizes.items():
        for folder in _folders(path):
            by_folder[folder] = by_folder.get(folder, 0) + size
    largest = sorted(by_folder, key=lambda folder: -by_folder[folder])[:3]
    told = ", ".join(f"{shown(each)} {megabytes(by_folder[each])}" for each in largest)
    raise ConfigError(
        f"the source is {megabytes(total)}, more than {where} takes ({megabytes(limit_bytes)});"
        f" largest: {told}",
        hint="list what is not needed in .gitignore or .dockerignore, or set source_limit_mb there",
    )


def _folders(path: str) -> Iterable[str]:
    """The folders at the top two levels; a file at the top counts as itself."""
    parts = path.split("/")
    return {"/".join(parts[:depth]) for depth in (1, 2) if depth < max(len(parts), 2)}


def megabytes(size_bytes: int) -> str:
    """A size for people."""
    return f"{size_bytes / 1_000_000:,.1f} MB"
