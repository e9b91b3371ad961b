"""What the image of a Compose service is made from: another image, or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import dockerignore
from core.engines.docker.content import Content
from core.engines.docker.instructions import until_stage
from core.engines.docker.job import Options
from core.engines.docker.settings import hosts
from core.engines.source.snapshot import Snapshot, fingerprint
from core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.container import Container, ImageBuild
    from core.model import Service

Json = dict[str, Any]

_NO_FILES: Final = Snapshot(Path("/"), None, (), "", 0)
"""Of what is made from an image alone."""


def look(service: Service, container: Container, salt: str, limit_bytes: int) -> Content:
    """What a service would be made from now. Blocking.

    Raises:
        ConfigError: the source cannot be read, or leads out of its folder; there is no such
            Dockerfile, or no such stage in it.
    """
    build, platform = container.build, container.settings.get("platform") or ""
    if build is None:
        image = container.image or ""
        options = Options(platform=platform)
        return Content(_NO_FILES, f"FROM {image}\n", {}, salt, image, options=options, pulls=image)
    context = Path(build.context)
    if not context.is_dir():
        raise ConfigError(
            f"the build context of {service.name} is no folder: {context}",
            hint="correct build.context",
        )
    own = _dockerfile_path(context, build)
    snapshot = fingerprint(context, None, limit_bytes, _ignored(context, own).left_out)
    text = _stage(service, build, _dockerfile(service, build, own))
    what = "the inline Dockerfile" if own is None else f"{_shown(own, context)}"
    options = _options(build, platform)
    seen = _seen(options, limit_bytes)
    return Content(snapshot, text, build.args, salt, what, options=options, seen=tuple(seen))


def _dockerfile_path(context: Path, build: ImageBuild) -> Path | None:
    return None if build.dockerfile_inline is not None else context / build.dockerfile


def _dockerfile(service: Service, build: ImageBuild, path: Path | None) -> str:
    if path is None:
        return build.dockerfile_inline or ""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{service.name} has no Dockerfile: there is no {path}",
            hint="add it, or correct build.dockerfile",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", hint="make it a readable text"
        ) from error


def _stage(service: Service, build: ImageBuild, text: str) -> str:
    if build.target is None:
        return text
    stage = until_stage(text, build.target)
    if stage is None:
        raise ConfigError(
            f"the Dockerfile of {service.name} has no stage {build.target}",
            hint="correct build.target",
        )
    return stage


def _ignored(context: Path, dockerfile: Path | None) -> dockerignore.Patterns:
    """What is left out; a file that is named after the Dockerfile comes before the usual one."""
    named = [Path(f"{dockerfile}.dockerignore")] if dockerfile else []
    path = next((each for each in (*named, context / ".dockerignore") if each.is_file()), None)
    text = path.read_text("utf-8", errors="surrogateescape") if path else ""
    return dockerignore.patterns(text)


def _shown(path: Path, context: Path) -> str:
    if path.is_relative_to(context):
        return f"{path.relative_to(context)} in {context}"
    return os.path.relpath(path, context)


def _options(build: ImageBuild, platform: str) -> Options:
    said = build.settings
    labels = said.get("labels") or {}
    return Options(
        network=said.get("network") or "",
        extra_hosts=tuple(hosts(said.get("extra_hosts") or [])),
        shm_size_bytes=int(said.get("shm_size") or 0),
        platform=platform or next(iter(said.get("platforms") or ()), ""),
        cache_from=tuple(said.get("cache_from") or ()),
        pulls=bool(said.get("pull")),
        labels={name: str(value) for name, value in labels.items()},
        secrets=tuple(_secret(each) for each in said.get("secrets") or ()),
        contexts=said.get("additional_contexts") or {},
    )


def _secret(said: Json) -> str:
    """A secret as BuildKit takes it; what is in it is not a part of the image."""
    name = said.get("target") or said["source"]
    if not said.get("file"):
        raise ConfigError(
            f"the build secret {name} is no file",
            hint="give it as a file, which is not copied anywhere",
        )
    return f"id={name},src={said['file']}"


def _seen(options: Options, limit_bytes: int) -> Iterator[str]:
    """The digests of further folders that a build sees."""
    for at in options.contexts.values():
        if at.startswith("/"):
            yield fingerprint(Path(at), None, limit_bytes).digest
