"""Builds with BuildKit, through the buildx plugin of docker's CLI."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.ending import to_the_end
from core.engines.docker.failures import Failure
from core.engines.docker.instructions import bases
from core.engines.docker.plain import Plain
from core.engines.source.build import run_build
from core.engines.source.disk import blocking, delete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.engines.docker.job import Job, Options

_PASSED_ON: Final = ("PATH", "HOME", "DOCKER_CONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_ASKED_S: Final = 5.0


async def is_there() -> bool:
    """Whether docker's CLI has the plugin."""
    try:
        process = await asyncio.create_subprocess_exec(
            "docker", "buildx", "version", env=_environment(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return False
    try:
        async with asyncio.timeout(_ASKED_S):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await to_the_end(process.wait())


async def build(socket: str, job: Job, say: Callable[[str], None]) -> None:
    """Makes an image. A cancellation ends the CLI, and thereby the engine what it does.

    Raises:
        CompartmentError: the build failed, where and why.
    """
    beside = job.context.with_name(f"{job.context.name}.dockerfile")
    plain = Plain(job.dockerfile, job.arguments, say)
    command = shlex.join(_arguments(socket, job, beside / "Dockerfile"))
    try:
        await blocking(_lay_out, job, beside)
        result = await run_build(
            f"exec {command}", beside, {**_environment(), **job.arguments}, plain.hear
        )
    finally:
        await to_the_end(blocking(delete, beside))
    if not result.is_success:
        reason = plain.reason if result.exit_code is not None else str(result)
        images = bases(job.dockerfile, job.arguments)
        raise Failure(reason, plain.instruction, images, plain.failed).explained()


def _arguments(socket: str, job: Job, dockerfile: Path) -> Iterator[str]:
    # By its path, whatever PATH the build is to see.
    yield shutil.which("docker") or "docker"
    yield from ("--host", f"unix://{socket}", "buildx", "build", "--builder", "default")
    yield from ("--progress", "plain", "--load", "--file", str(dockerfile), "--tag", job.tag)
    for name, value in job.labels.items():
        yield from ("--label", f"{name}={value}")
    # Only the names: what stands here can be read by everybody.
    for name in job.arguments:
        yield from ("--build-arg", name)
    if not job.use_cache:
        yield "--no-cache"
    yield from _options(job.options)
    yield str(job.context)


def _options(options: Options) -> Iterator[str]:
    if options.pulls:
        yield "--pull"
    if options.shm_size_bytes:
        yield from ("--shm-size", str(options.shm_size_bytes))
    for name, value in (("--network", options.network), ("--platform", options.platform)):
        if value:
            yield from (name, value)
    many = {
        "--add-host": options.extra_hosts,
        "--cache-from": options.cache_from,
        "--secret": options.secrets,
        "--build-context": [f"{name}={at}" for name, at in options.contexts.items()],
    }
    for name, values in many.items():
        for value in values:
            yield from (name, value)


def _environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # An image with an attestation is a list of images, which older engines do not keep.
    return {**passed_on, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def _lay_out(job: Job, beside: Path) -> None:
    beside.mkdir()
    (beside / "Dockerfile").write_text(job.dockerfile)
    # What is left out has been left out already; the engine would look for another file else.
    (beside / "Dockerfile.dockerignore").write_text("")
    for parent, _, names in os.walk(job.context):
        Path(parent).chmod(0o755)
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
