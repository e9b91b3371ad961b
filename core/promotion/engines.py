"""The engines of one platform; an environment keeps the one of its first deploy."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.ending import to_the_end
from core.engines.process.engine import ProcessEngine
from core.errors import Conflict, EngineUnavailable
from core.model import EngineName
from core.promotion.masking import secrets_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from core.engines.base import Engine
    from core.engines.docker.endpoint import Endpoint
    from core.files import Home
    from core.journal import Journal
    from core.records import Deployment, EnvironmentRecord

AUTO = "auto"
_DOCKER = "docker"
_SCHEME = "unix://"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The engine of a request, and why it is that one."""

    engine: Engine
    because: str
    is_second_choice: bool = False
    """Whether another one would have been taken if it could be used."""


class Engines:
    """The process engine, and the Docker engine once an environment was deployed to it.

    `tasks` owns what they do by themselves, `usual` is what a request gets that names none. `met`
    is told of each one that joins.
    """

    def __init__(
        self, home: Home, journal: Journal, tasks: asyncio.TaskGroup, usual: str = AUTO
    ) -> None:
        self.met: Callable[[Engine], Awaitable[None]]
        self._home = home
        self._journal = journal
        self._tasks = tasks
        self._engines: dict[EngineName, Engine] = {
            EngineName.PROCESS: ProcessEngine(home, tasks),
        }
        self._usual = usual
        self._socket: str | None = None
        """That of the one Docker Engine of this home."""
        self._joining = asyncio.Lock()

    def __iter__(self) -> Iterator[Engine]:
        return iter(tuple(self._engines.values()))

    async def open(self) -> None:
        """Opens those that this home knows; one that does not answer now is awaited."""
        await self.find()
        for engine in self:
            await engine.open()

    async def find(self) -> None:
        """Those that this home knows are there from now on, and have done nothing yet."""
        kept = await self._journal.setting(_DOCKER)
        if kept is not None:
            mode, api, self._socket = kept.split(" ", 2)
            self._engines[EngineName.DOCKER] = await self._as_it_is(self._socket, mode, api)

    async def close(self) -> None:
        """Ends the conversations with all of them; the instances go on."""
        for engine in self:
            await engine.close()

    def of(self, name: EngineName) -> Engine:
        """An engine that something was deployed to.

        Raises:
            EngineUnavailable: this home has not met it.
        """
        try:
            return self._engines[name]
        except KeyError:
            raise EngineUnavailable(f"the {name} engine is not known here") from None

    def has_artifact(self, deployment: Deployment) -> bool:
        """Whether a deployment can still be started without a build."""
        engine = self._engines.get(deployment.engine)
        return engine is not None and engine.has_artifact(deployment.artifact_id)

    async def choose(
        self, asked: str, environ: Mapping[str, str], record: EnvironmentRecord | None
    ) -> Chosen:
        """The engine that a request is for.

        Raises:
            Conflict: its environment lives on another one.
            EngineUnavailable: it cannot be used.
        """
        if record is not None:
            _check_pinned(asked, record)
            engine = (
                await self._docker(environ) if record.engine == _DOCKER else self.of(record.engine)
            )
            return Chosen(engine, f"{record.target} was first deployed to it")
        because = "it was asked for"
        if asked == AUTO != self._usual:
            asked, because = self._usual, "the settings name it"
        if asked == EngineName.PROCESS:
            return Chosen(self.of(EngineName.PROCESS), because)
        try:
            engine = await self._docker(environ)
        except EngineUnavailable as error:
            if asked != AUTO:
                raise
            from core.engines.docker.endpoint import MISSING

            process = self.of(EngineName.PROCESS)
            return Chosen(process, error.message, is_second_choice=error.code != MISSING)
        return Chosen(engine, f"it answers at {self._socket}" if asked == AUTO else because)

    async def _docker(self, environ: Mapping[str, str]) -> Engine:
        async with self._joining:
            if self._socket is not None and _means(environ, self._socket):
                engine = self._engines[EngineName.DOCKER]
                await engine.check()
                return engine
            from core.engines.docker.endpoint import find

            found = await asyncio.to_thread(find, environ)
            if self._socket is None:
                await self._join(found)
            elif not _is_same(found.socket, self._socket):
                raise Conflict(
                    f"the services of this home run on the engine at {self._socket},"
                    f" not on that at {found.socket}",
                    hint="set DOCKER_HOST to it, or deploy to another one with another"
                    " COMPARTMENT_HOME",
                    code="engine_conflict",
                )
            return self._engines[EngineName.DOCKER]

    async def _join(self, endpoint: Endpoint) -> None:
        engine = self._made(endpoint.socket, endpoint.mode, endpoint.api)
        try:
            await engine.open()
            await engine.check()
            await self._journal.keep_setting(
                _DOCKER, f"{endpoint.mode} {endpoint.api} {endpoint.socket}"
            )
        except BaseException:
            await to_the_end(engine.close())
            raise
        self._socket = endpoint.socket
        self._engines[EngineName.DOCKER] = engine
        await self.met(engine)

    async def _as_it_is(self, socket: str, mode: str, api: str) -> Engine:
        """It may have been updated; where it does not answer it is taken as it was."""
        from core.engines.docker.endpoint import known

        try:
            endpoint = await asyncio.to_thread(known, socket)
        except EngineUnavailable as error:
            _log.warning("%s", error.message)
            return self._made(socket, mode, api)
        return self._made(socket, endpoint.mode, endpoint.api)

    def _made(self, socket: str, mode: str, api: str) -> Engine:
        # Imported here: who deploys processes only does not pay for the SDK.
        from core.engines.docker.connection import Docker
        from core.engines.docker.endpoint import Mode
        from core.engines.docker.engine import DockerEngine

        docker = Docker(socket, api)
        return DockerEngine(self._home, docker, Mode(mode), self._tasks, self._secrets_of)

    async def _secrets_of(self, deployment_id: str) -> Iterable[str]:
        deployment = await self._journal.deployment(deployment_id)
        return secrets_in(deployment) if deployment is not None else ()


def _check_pinned(asked: str, record: EnvironmentRecord) -> None:
    if asked in (AUTO, record.engine):
        return
    raise Conflict(
        f"{record.target} runs on the {record.engine} engine",
        hint=f"leave --engine out, or take it down first to move it to {asked}",
        code="engine_conflict",
    )


def _means(environ: Mapping[str, str], socket: str) -> bool:
    """Whether a shell names no other engine than the one that is known."""
    if environ.get("DOCKER_CONTEXT"):
        return False
    host = environ.get("DOCKER_HOST", "")
    path = host.removeprefix(_SCHEME)
    return not host or (host != path and _is_same(path, socket))


def _is_same(socket: str, other: str) -> bool:
    """Whether two paths lead to one socket: /var/run is a link to /run nearly everywhere."""
    return os.path.realpath(socket) == os.path.realpath(other)
