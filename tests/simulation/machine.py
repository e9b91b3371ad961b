"""The machine that outlives every agent: what runs on it, and what its gateway serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.engines.base import Exit, Life, OwnHealth
from core.gateway.table import Table
from core.model import Health, Service
from tests.simulation.gates import Gates

if TYPE_CHECKING:
    from core.engines.base import Address, InstanceSpec

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
        self.own_health: OwnHealth | None = None
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
    """Instances and artifacts, and the table that the gateway serves."""

    def __init__(self) -> None:
        self.gates = Gates()
        self.instances: dict[str, Instance] = {}
        self.artifacts: set[str] = set()
        self.served = Table()
        self.lost: set[str] = set()
        """The names of those that the test has ended, or not let start again."""
        self._ports = 30_000

    @property
    def running(self) -> dict[str, Instance]:
        return {name: each for name, each in self.instances.items() if each.is_running}

    def launch(self, spec: InstanceSpec) -> None:
        """Starts an instance, if it may be there."""
        assert spec.name not in self.running, f"{spec.name} was started twice"
        beside = [each for each in self.running.values() if _excludes(each.spec, spec)]
        assert not beside, f"{spec.name} was started beside {[each.name for each in beside]}"
        self._ports += 1
        address = spec.address or ("127.0.0.1", self._ports)
        owners = [each.name for each in self.running.values() if each.address == address]
        assert not owners, f"{spec.name} was given the address of {owners}"
        self.instances[spec.name] = Instance(spec, address, self.gates)
        self.lost.discard(spec.name)

    def remove(self, name: str) -> None:
        """Ends an instance, and forgets it."""
        found = self.instances.pop(name, None)
        if found is not None:
            found.end(143)


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
