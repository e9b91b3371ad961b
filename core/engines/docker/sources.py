"""What an image is built from: the files that count, the Dockerfile, what the build may see."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from core.ending import to_the_end
from core.engines.docker import compose_source, dockerignore
from core.engines.docker.content import Content
from core.engines.docker.dockerfile import generated
from core.engines.source.disk import blocking, delete
from core.engines.source.snapshot import (
    LIMIT_BYTES,
    copy_to,
    fingerprint,
)
from core.errors import ConfigError
from core.model import BuildStrategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.engines.base import Variables
    from core.model import Service

DOCKERFILE: Final = "Dockerfile"

_MADE_ANEW: Final = ("**/node_modules", "**/.venv", "**/__pycache__")
"""What a generated Dockerfile makes itself; that of this machine would be in its way."""


class Sources:
    """The folder that holds copies of sources from when they are taken until they are built."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._numbers = itertools.count()

    async def sweep(self) -> None:
        """Makes the folder, and removes what a crash left in it."""
        await blocking(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        for left in list(self._folder.glob("taken_*")):
            await blocking(delete, left)

    async def look(
        self, root: Path, service: Service, variables: Variables, *, use_cache: bool = True
    ) -> Content:
        """What a service would be built from now.

        Raises:
            ConfigError: the source cannot be read, leads out of its folder, has no Dockerfile that
                it should have, or says in no way how it is built; a variable has no value.
        """
        arguments = _arguments(service, variables)
        salt = "" if use_cache else uuid.uuid4().hex
        return await blocking(self._look, root, service, arguments, salt)

    async def copy(self, content: Content, service: Service) -> tuple[Content, Path]:
        """Copies the source; the content is then what was copied.

        Raises:
            SourceChanged: it is not any more what was looked at. No part of the copy is left.
            ConfigError, CompartmentError: as `look`; or the disk does not take it.
        """
        copy = self._folder / f"taken_{next(self._numbers)}"
        try:
            await blocking(copy_to, content.snapshot, copy)
            return await blocking(_as_copied, content, copy, service), copy
        except BaseException:
            await to_the_end(self.remove(copy))
            raise

    async def remove(self, path: Path) -> None:
        """Removes a copy, or what was made beside it, if it is there."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(delete, path)

    def _look(
        self, root: Path, service: Service, arguments: Mapping[str, str], salt: str
    ) -> Content:
        if service.container is not None:
            return compose_source.look(service, service.container, salt, self._limit_bytes)
        folder = root / service.path
        own = _dockerfile(folder, service)
        snapshot = fingerprint(
            folder,
            root if own is None else None,
            self._limit_bytes,
            _ignored(folder, is_generated=own is None).left_out,
        )
        if own is not None:
            return Content(snapshot, own, arguments, salt, f"the Dockerfile in {service.path}")
        is_railpack = service.build.strategy is BuildStrategy.RAILPACK
        what = f"a generated Dockerfile{', in place of Railpack' if is_railpack else ''}"
        text = generated(folder, service)
        return Content(snapshot, text, arguments, salt, what, is_generated=True)


def _dockerfile(folder: Path, service: Service) -> str | None:
    """The Dockerfile of the folder; None where one is generated.

    Raises:
        ConfigError: it is missing, cannot be read, or does not go with what else is asked for.
    """
    build, path = service.build, folder / DOCKERFILE
    if build.strategy is BuildStrategy.RAILPACK:
        return None
    if not path.is_file():
        if build.strategy is BuildStrategy.DOCKERFILE:
            raise ConfigError(
                f"{service.name} has build.strategy dockerfile, but there is no Dockerfile in"
                f" {service.path}",
                hint="add one, or use strategy auto",
            )
        return None
    asked = {
        "build.command": build.command,
        "build.packages": build.build_packages or build.runtime_packages,
        "run.command": service.run_command,
    }
    for name, value in asked.items():
        if value:
            raise ConfigError(
                f"{name} of {service.name} cannot be used with the Dockerfile in {service.path}",
                hint="put it into the Dockerfile, or use build.strategy railpack",
            )
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", hint="make it a readable text"
        ) from error


def _ignored(folder: Path, *, is_generated: bool) -> dockerignore.Patterns:
    """What is left out; with a Dockerfile, a file of its name comes before the usual one."""
    names = [".dockerignore"] if is_generated else [f"{DOCKERFILE}.dockerignore", ".dockerignore"]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    text = path.read_text("utf-8", errors="surrogateescape") if path else ""
    return dockerignore.patterns(text, _MADE_ANEW if is_generated else ())


def _arguments(service: Service, variables: Variables) -> dict[str, str]:
    missing = [name for name in service.build.env if name not in variables]
    if missing:
        raise ConfigError(
            f"build.env of {service.name} names {', '.join(missing)}, which has no value",
            hint="give it one, or take it out of build.env",
        )
    return {name: variables[name] for name in service.build.env}


def _as_copied(content: Content, copy: Path, service: Service) -> Content:
    """The content with the Dockerfile of what was copied: ignored files say nothing there."""
    text = generated(copy, service) if content.is_generated else content.dockerfile
    return replace(content, dockerfile=text)
