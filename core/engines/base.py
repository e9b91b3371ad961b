"""What an engine is: it builds artifacts and runs instances, and knows no stages and no routes."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.model import EngineName, Service


Variables = dict[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """What a build starts from, taken when the deployment was queued."""

    artifact_id: str
    is_built: bool
    """Whether the artifact of this content exists already, so that nothing needs to be built."""
    taken: Any = None
    """What the engine itself keeps of it."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How an instance ended: by exit code, by signal, or without ever having started."""

    code: int | None = None
    signal: int | None = None
    at: str | None = None
    error: str | None = None

    def __str__(self) -> str:
        if self.error:
            return self.error
        if self.signal is not None:
            return f"ended by signal {self.signal} ({_signal_name(self.signal)})"
        return f"exited with code {self.code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What an instance is started from. `name` is its activation's."""

    name: str
    deployment_id: str
    service: Service
    artifact_id: str
    variables: Variables
    log: Path
    taken_ports: frozenset[int] = frozenset()
    """Ports that belong to instances which may be down at this moment."""
    port: int | None = None
    """The port of its first start, where one that ended is started again under the same name."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an instance takes of the machine."""

    cpu_seconds: float
    """Of processor time since it was started, also of its processes that have ended."""
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Shell:
    """How a shell beside an instance is started: with its folder and its environment."""

    argv: tuple[str, ...]
    cwd: str
    environment: Variables


class Instance(Protocol):
    """A running instance; it outlives the agent."""

    @property
    def name(self) -> str:
        """The activation that it serves."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it is expected to answer."""

    @property
    def exit(self) -> Exit | None:
        """How it ended for good, None while it runs or is restarted."""

    @property
    def restarts(self) -> int:
        """How often it ended by itself and was started again."""

    async def wait_exit(self) -> Exit:
        """Returns when it has ended for good: it is not, or no longer, restarted."""

    async def keep(self) -> None:
        """Makes a candidate permanent: from now on its restart policy applies."""

    async def foreign_listener(self) -> str | None:
        """Who answers at its address, when that is not the instance itself."""

    async def explain_silence(self) -> str | None:
        """A guess at why nothing answers at its address."""


class Engine(Protocol):
    """Builds artifacts and runs instances."""

    @property
    def name(self) -> EngineName:
        """The name it is chosen by."""

    async def open(self) -> None:
        """Removes what a crash left unfinished."""

    def refusal(self, service: Service) -> str | None:
        """Why this engine cannot run a service, if it cannot."""

    async def identify(self, root: Path, service: Service, variables: Variables) -> Source:
        """What a deploy would build from, without keeping a copy: for `plan`."""

    async def take(
        self, root: Path, service: Service, variables: Variables, *, use_cache: bool = True
    ) -> Source:
        """Snapshots the source of a service; `build` or `discard` must follow.

        Without the cache it is built anew even when the same content was built before.

        Raises:
            ConfigError: the source cannot be read, or leads out of its folder.
        """

    async def build(self, source: Source, say: Callable[[str], None]) -> None:
        """Makes the artifact, saying each line of output. Cancelling really ends the build.

        Raises:
            CompartmentError: with the exit code and what to look at.
        """

    async def discard(self, source: Source) -> None:
        """Forgets a source that is not going to be built."""

    def has_artifact(self, artifact_id: str) -> bool:
        """Whether an artifact can still be started."""

    async def start(self, spec: InstanceSpec) -> Instance:
        """Starts an instance; it may end at once, which `wait_exit` tells.

        Raises:
            CompartmentError: it could not even be started.
        """

    async def adopt(self, name: str) -> Instance | None:
        """The running instance of an activation, also one started by an agent before this one.

        Raises:
            EngineUnavailable: it is there, but what watches over it does not answer.
        """

    async def stop(self, name: str, *, grace_s: float) -> None:
        """Ends and removes an instance: asked first, killed after the grace. Its log stays."""

    async def instances(self) -> list[str]:
        """The activations that have an instance."""

    async def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """What these instances take now; without those that are not there."""

    def shell(self, name: str) -> Shell:
        """How a shell beside an instance is started.

        Raises:
            NotFound: there is no such instance.
        """

    async def prune(self, keep: set[str]) -> None:
        """Deletes artifacts that are not in `keep`."""
