"""What an engine is: it builds artifacts and runs instances, and knows no stages and no routes."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from core.container import Network
    from core.model import EngineName, Health, Service
    from core.records import Target

    SecretsOf = Callable[[str], Awaitable[Iterable[str]]]
    """Tells what must not be kept of the output of a deployment, which is named by its id."""


Variables = dict[str, str]
Address = tuple[str, int]


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
    was_asked: bool = False
    """Whether somebody asked it to end, as an engine does that is stopped, as far as was heard."""

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
class Owner:
    """Who something is made for; what an engine makes is labelled with it."""

    target: Target
    service_name: str
    deployment_id: str


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What an instance is started from. `name` is its own, one of its activation's."""

    name: str
    owner: Owner
    service: Service
    artifact_id: str
    variables: Variables
    log: Path
    taken: frozenset[Address] = frozenset()
    """Addresses that belong to instances which may be down at this moment."""
    address: Address | None = None
    """That of its first start, where one that ended is started again under the same name."""
    secrets: tuple[str, ...] = ()
    """Values that must not appear in its log."""
    beside: str | None = None
    """The instance whose network it shares: `network_mode: service:NAME`."""
    is_kept: bool = False
    """Whether its restart policy applies from the start: it was live before, and is to be again."""


@dataclass(frozen=True, slots=True)
class OwnHealth:
    """What the check that an instance brings along says of it, and its last words."""

    health: Health
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """The check that an instance brings along, as its image and its service say."""

    what: str
    """The command, for people."""
    interval_s: float
    timeout_s: float
    """Of a single try."""
    retries: int
    start_period_s: float


@dataclass(frozen=True, slots=True)
class Life:
    """Whether an instance runs, or is down and going to be started again."""

    is_up: bool = True
    restarts: int = 0
    """How often it ended by itself and was started again."""
    last_exit: Exit | None = None
    """How it ended last; None if it never has, or nobody knows."""
    pause_s: float | None = None
    """How long it stays down before its next start; None where the engine does not say."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended that was run beside an instance, and the last line that it printed."""

    exit: Exit
    said: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Where the name of a service leads to, for the other services of its environment.

    The gateway listens at the address, inside the network namespace, which is a file's path.
    """

    address: str
    namespace: str
    network: str = ""
    """The key of the network that it is on."""


@dataclass(frozen=True, slots=True)
class WantedNetwork:
    """A network that an environment needs."""

    network: Network | None
    """None: the one that all services of a `compartment.yml` share."""
    names: Mapping[str, tuple[str, ...]]
    """The services whose names are held on it, each with its further names."""
    reserved: tuple[str, ...] = ()
    """Addresses that the file gives to services itself, so that nothing else gets them."""

    @property
    def key(self) -> str:
        """What tells it from the others of its environment; empty for the shared one."""
        return self.network.key if self.network else ""


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
        """The name it was started under."""

    @property
    def address(self) -> Address:
        """Where it is expected to answer."""

    @property
    def exit(self) -> Exit | None:
        """How it ended for good, None while it runs or is restarted."""

    @property
    def restarts(self) -> int:
        """How often it ended by itself and was started again."""

    @property
    def life(self) -> Life:
        """Whether it is up at this moment, and how often it was not."""

    async def next_life(self, known: Life) -> Life:
        """Returns when that is not, or no longer, what is known of it."""

    @property
    def own_health(self) -> OwnHealth | None:
        """What the check that it brings along says; None where it brings none."""

    @property
    def own_check(self) -> OwnCheck | None:
        """The check that it brings along; None where it brings none."""

    async def try_own_check(self, limit_s: float) -> Ran:
        """Runs that check once, now, whenever the engine does.

        Raises:
            TimeoutError: it took longer.
            CompartmentError: it could not be run.
        """

    async def next_health(self) -> OwnHealth:
        """Returns when its own check says something else than before; never where it has none."""

    async def wait_exit(self) -> Exit:
        """Returns when it has ended for good: it is not, or no longer, restarted.

        What it printed before is in its log by then.
        """

    def address_of(self, port: int) -> Address | None:
        """Where one of its ports answers; None where it cannot be reached from here."""

    async def listens(self) -> tuple[int, ...] | None:
        """The TCP ports that it listens on for others now; None where that cannot be known."""

    async def keep(self) -> None:
        """Makes a candidate permanent: from now on its restart policy applies.

        A container name that its service asks for is its own from now on, too.
        """

    async def foreign_listener(self) -> str | None:
        """Who answers at its address, when that is not the instance itself."""

    async def explain_silence(self) -> str | None:
        """A guess at why nothing answers at its address."""


class Engine(Protocol):
    """Builds artifacts and runs instances; EngineUnavailable where it cannot be reached."""

    @property
    def name(self) -> EngineName:
        """The name it is chosen by."""

    @property
    def holds_names(self) -> bool:
        """Whether the name of a service leads to a holder, as soon as that is there."""

    async def open(self) -> None:
        """Removes what a crash left unfinished. Does not fail where the engine is not there."""

    async def close(self) -> None:
        """Ends the conversations; the instances go on."""

    async def check(self) -> None:
        """Asks whether the engine can be used.

        Raises:
            EngineUnavailable: why not, and what to do about it.
        """

    async def wait_back(self) -> None:
        """Returns when it answers again after it did not: what it holds is to be looked through.

        Also when a holder has moved, or somebody has removed an instance that is live.
        """

    def refusal(self, service: Service) -> str | None:
        """Why this engine cannot run a service, if it cannot."""

    def warnings(self, service: Service) -> tuple[str, ...]:
        """What this machine cannot do for a service, which a plan has to say."""

    def fixed_port(self, service: Service, variables: Variables) -> int | None:
        """The port of this machine that every instance of a service has to listen on, if any."""

    def inherited(self, environ: Mapping[str, str]) -> Variables:
        """What a service gets of its deployer's environment."""

    async def identify(
        self, root: Path, service: Service, variables: Variables, build_variables: Variables
    ) -> Source:
        """What a deploy would build from, without keeping a copy: for `plan`."""

    async def take(
        self,
        root: Path,
        service: Service,
        variables: Variables,
        build_variables: Variables,
        *,
        use_cache: bool = True,
    ) -> Source:
        """Snapshots the source of a service; `build` or `discard` must follow.

        A build sees `variables`, what is inherited, and `build_variables`, those that the project
        lists, which belong to the identity of the artifact.

        Without the cache it is built anew even when the same content was built before.

        Raises:
            ConfigError: the source cannot be read, or leads out of its folder.
        """

    async def build(self, source: Source, owner: Owner, say: Callable[[str], None]) -> None:
        """Makes the artifact, saying each line of output. Cancelling really ends the build.

        Raises:
            CompartmentError: with the exit code and what to look at.
        """

    async def discard(self, source: Source) -> None:
        """Forgets a source that is not going to be built."""

    def has_artifact(self, artifact_id: str) -> bool:
        """Whether an artifact can still be started."""

    async def check_claims(self, target: Target, services: Sequence[Service]) -> None:
        """Looks whether volumes and container names that these services claim are theirs alone.

        Raises:
            Conflict: a running container of somebody else has one of them.
        """

    async def prepare(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        """Makes what the instances of an environment share, before the first of them starts.

        `wanted` is all that its services need, not those of one run alone.
        """

    def holders(self, target: Target, service_name: str) -> tuple[Holder, ...]:
        """Where the gateway takes the calls of other services, on each network of the service.

        Empty: at an address of its own.
        """

    async def clear(self, target: Target, *, with_volumes: bool = False) -> None:
        """Removes what `prepare` made, once nothing of the environment is left.

        Named volumes stay, unless they are asked for; external ones stay always.
        """

    async def release(self, spec: InstanceSpec, command: str, limit_s: float) -> Exit:
        """Runs a command once, in a throw-away instance, its output in the log of the spec.

        Cancelling ends it. TimeoutError when it takes longer.
        """

    async def run_beside(self, spec: InstanceSpec, command: str, limit_s: float) -> Ran:
        """Runs a shell command as a part of a running instance, which sees what that sees.

        Nothing of it is left when it takes longer or this is cancelled.

        Raises:
            TimeoutError: it took longer.
            NotFound: there is no such instance.
            EngineUnavailable: that cannot be known now.
        """

    async def start(self, spec: InstanceSpec) -> Instance:
        """Starts an instance; it may end at once, which `wait_exit` tells.

        Raises:
            CompartmentError: it could not even be started.
        """

    async def adopt(self, name: str) -> Instance | None:
        """The running instance of that name, also one started by an agent before this one.

        Raises:
            EngineUnavailable: it is there, but what watches over it does not answer.
        """

    async def exit_of(self, name: str) -> Exit | None:
        """How an instance that is not running has ended, also while no agent ran; None: unknown.

        What it printed before is in its log by then.

        Raises:
            EngineUnavailable: that cannot be known now.
        """

    async def stop(self, name: str, *, grace_s: float) -> None:
        """Ends and removes an instance: asked first, killed after the grace. Its log stays.

        Where the engine cannot be reached it stays, to be removed as a stranger when it is back.
        """

    async def instances(self) -> list[str]:
        """The names of all instances of this home folder."""

    async def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """What these instances take now; without those that are not there."""

    def shell(self, spec: InstanceSpec) -> Shell:
        """How a shell beside an instance is started.

        Raises:
            NotFound: there is no such instance.
        """

    async def prune(self, keep: set[str]) -> None:
        """Deletes artifacts that are not in `keep`."""
