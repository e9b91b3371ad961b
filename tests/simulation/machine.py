"""The machine that outlives every agent: what runs on it, and what its gateway serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.container import Protocol
from core.engines.base import Exit, Life, OwnCheck, OwnHealth, Ran
from core.errors import NotFound
from core.gateway.table import Table
from core.model import EngineName, Health, Service
from tests.simulation.gates import Gates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines.base import Address, InstanceSpec, WantedNetwork
    from core.records import Target

FIXED = "fixed"
"""The service that listens on a port of the machine."""


class CheckFails(Exception):
    """The check of an instance says that it is not well."""


class JobFails(Exception):
    """A job ends with an exit code that is not 0."""


class Instance:
    """Runs until it is stopped, or until the test ends it; ready when the test says so."""

    def __init__(self, spec: InstanceSpec, address: Address, gates: Gates) -> None:
        self.name = spec.name
        self.spec = spec
        self.address = address
        self.exit: Exit | None = None
        self.restarts = 0
        self.life = Life()
        self.beside: Instance | None = None
        """The one whose network it shares."""
        self.carried: frozenset[str] = frozenset()
        """The networks on which it is called by the name of its service."""
        self.hears: set[int] = set()
        """The ports that it listens on besides those that its file names."""
        self.own_check: OwnCheck | None = None
        self.own_health: OwnHealth | None = None
        if spec.service.container is not None:
            self.own_check = OwnCheck("check", 1, 100_000, 3, 300)
        if spec.service.kind.is_long_running:
            self.own_health = OwnHealth(Health.PENDING)
        self._gates = gates
        self._ended = asyncio.Event()
        self._checked = asyncio.Event()

    @property
    def is_running(self) -> bool:
        return self.exit is None

    @property
    def is_ready(self) -> bool:
        return self.own_health is not None and self.own_health.health is Health.HEALTHY

    async def wait_exit(self) -> Exit:
        if not self.spec.service.kind.is_long_running and self.is_running:
            try:
                await self._gates.pass_one(f"end of {self.name}", lambda: self.end(0), JobFails())
            except JobFails:
                self.end(1)
        await self._ended.wait()
        assert self.exit is not None
        return self.exit

    async def next_life(self, _: Life) -> Life:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def next_health(self) -> OwnHealth:
        if self._checked.is_set():
            await asyncio.get_running_loop().create_future()
        try:
            await self._gates.pass_one(f"check of {self.name}", self._pass, CheckFails())
        except CheckFails:
            self.own_health = OwnHealth(Health.UNHEALTHY, "no database")
        assert self.own_health is not None
        return self.own_health

    async def try_own_check(self, _: float) -> Ran:
        try:
            await self._gates.pass_one(f"check of {self.name}", self._pass, CheckFails())
        except CheckFails:
            return Ran(Exit(1), "no database")
        return Ran(Exit(0), "")

    def address_of(self, port: int) -> Address:
        return self.address[0], port

    async def listens(self) -> tuple[int, ...] | None:
        await asyncio.sleep(0)
        return tuple(sorted(self.hears)) if self.is_running else None

    def _pass(self) -> None:
        self.own_health = OwnHealth(Health.HEALTHY)
        self._checked.set()

    def end(self, code: int) -> None:
        if self.exit is None:
            self.exit = Exit(code)
            self._ended.set()

    async def keep(self) -> None:
        """It is permanent from the start."""

    async def foreign_listener(self) -> None:
        """Nobody else is there."""

    async def explain_silence(self) -> None:
        """It never is silent."""


class Machine:
    """Instances, artifacts and networks, and the table that the gateway serves."""

    def __init__(self, engine: EngineName = EngineName.PROCESS) -> None:
        self.engine = engine
        self.gates = Gates()
        self.instances: dict[str, Instance] = {}
        self.artifacts: set[str] = set()
        self.served = Table()
        self.lost: set[str] = set()
        """The names of those that the test has ended, or not let start again."""
        self.finished: set[str] = set()
        """The names of those that have done what they were to do: no one starts them again."""
        self.networks: dict[Target, dict[str, set[str]]] = {}
        """The names that are held on each network of an environment."""
        self._ports = 30_000
        self._hosts = 0

    @property
    def running(self) -> dict[str, Instance]:
        return {name: each for name, each in self.instances.items() if each.is_running}

    def launch(self, spec: InstanceSpec) -> None:
        """Starts an instance, if it may be there."""
        assert spec.name not in self.running, f"{spec.name} was started twice"
        beside = [each for each in self.running.values() if _excludes(each.spec, spec)]
        assert not beside, f"{spec.name} was started beside {[each.name for each in beside]}"
        assert spec.name not in self.finished, f"{spec.name} had finished, and is started again"
        address = spec.address or self._new_address(spec)
        owners = [each.name for each in self.running.values() if each.address == address]
        assert not owners, f"{spec.name} was given the address of {owners}"
        started = Instance(spec, address, self.gates)
        started.beside = self.instances[spec.beside] if spec.beside else None
        started.carried = self._carried(spec)
        self.instances[spec.name] = started
        self.lost.discard(spec.name)

    def _new_address(self, spec: InstanceSpec) -> Address:
        if spec.service.container is not None:
            self._hosts += 1
            return f"10.1.{self._hosts // 250}.{self._hosts % 250}", spec.service.port or 3000
        self._ports += 1
        return "127.0.0.1", self._ports

    def _carried(self, spec: InstanceSpec) -> frozenset[str]:
        """What nothing holds the name of a container on, it carries that on itself."""
        container = spec.service.container
        drawn = self.networks.get(spec.owner.target, {})
        keys = [each.network.key for each in container.networks] if container else []
        missing = set(keys) - drawn.keys()
        assert not missing, f"{spec.name} is started on {missing}, which is not there"
        return frozenset(key for key in keys if spec.service.name not in drawn[key])

    def check_beside(self, spec: InstanceSpec) -> None:
        """Refuses what is to share the network of something that does not run.

        Raises:
            NotFound: it does not.
        """
        container = spec.service.container
        mode = (container.network_mode if container else None) or ""
        if mode.startswith("service:") and spec.beside not in self.running:
            raise NotFound(f"{spec.name} would be beside {spec.beside}, which does not run")

    def draw(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        """Makes the networks of an environment what they are to be."""
        keys = {each.key for each in wanted}
        for each in self.running.values():
            container = each.spec.service.container
            used = {link.network.key for link in container.networks} if container else set()
            if each.spec.owner.target == target:
                assert used <= keys, f"{each.name} is on {used - keys}, which goes"
        self.networks[target] = {each.key: set(each.names) for each in wanted}

    def remove(self, name: str) -> None:
        """Ends an instance, and forgets it."""
        found = self.instances.pop(name, None)
        if found is not None:
            found.end(143)


def spoken_on(port: int) -> Protocol:
    """What is spoken on a port, wherever one listens on it."""
    return Protocol.HTTP if port in (3000, 3001) else Protocol.TCP


def must_be_alone(service: Service) -> bool:
    """Whether two instances of a service must never be there at a time."""
    return service.strategy.stops_first or service.name == FIXED


def activation_of(instance_name: str) -> str:
    """The name of the activation that an instance is of."""
    return instance_name.partition("-")[0]


def _excludes(one: InstanceSpec, other: InstanceSpec) -> bool:
    """Whether they must not run side by side, unless they are of one activation."""
    if (one.owner.target, one.service.name) != (other.owner.target, other.service.name):
        return False
    if activation_of(one.name) == activation_of(other.name):
        return False
    if not (one.service.kind.is_long_running and other.service.kind.is_long_running):
        return False
    return must_be_alone(one.service) or must_be_alone(other.service)
