"""The ports of this machine that Compose services publish: given once, and never to two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.gateway.doors import check_can_open
from core.gateway.table import Door
from core.ports import can_bind, free_port
from core.promotion.doors import EVERYWHERE, host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from core.container import Published
    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.records import Deployment, Target


@dataclass(frozen=True, slots=True)
class OwnPorts:
    """Where the gateway listens for all projects."""

    movable: frozenset[int]
    """Those that it leaves for a service that publishes them."""
    fixed: Mapping[int, str]
    """Those that somebody relies on, with the flag that chooses another one."""


_NOWHERE = Door("", EVERYWHERE, 0)


class Publishing:
    """What the services of one environment publish, beside all that is published already.

    `own` is where the gateway listens anyway, unless it may go elsewhere.
    """

    def __init__(self, ledger: Ledger, target: Target, own: OwnPorts) -> None:
        self._ledger = ledger
        self._target = target
        self._own = own

    def given(self, service: Service) -> Service:
        """The service with a port wherever its file leaves the choice; what it has it keeps.

        Raises:
            CompartmentError: no port is free.
        """
        container = service.container
        if container is None or not any(_is_open(each) for each in container.published):
            return service
        kept = list(self._published_by(service.name))
        published: list[Published] = []
        for each in container.published:
            before = next((had for had in kept if _is_choice_of(each, had)), None)
            if before is not None:
                kept.remove(before)
            port = before.port if before else self._choice(each, published)
            published.append(replace(each, port=port, last=None))
        return replace(service, container=replace(container, published=tuple(published)))

    def kept(self, service: Service) -> Service:
        """The service of another environment with the ports that it has in this one already."""
        active = self._ledger.active(self._target).get(service.name)
        if service.container is None or active is None or active.service.container is None:
            return service
        published = active.service.container.published
        return replace(service, container=replace(service.container, published=published))

    def _choice(self, wanted: Published, given: Iterable[Published]) -> int:
        taken = {each.port for each in given if each.port}
        taken |= {each.port for _, each in self._elsewhere() if each.port}
        if wanted.port is None:
            return free_port(taken)
        for port in range(wanted.port, (wanted.last or wanted.port) + 1):
            if port not in taken and can_bind(port, again=True):
                return port
        raise Conflict(f"no port from {wanted.port} to {wanted.last} is free", code="port_conflict")

    def _published_by(self, name: str) -> Iterator[Published]:
        active = self._ledger.active(self._target).get(name)
        if active is not None and active.service.container is not None:
            yield from active.service.container.published

    def _elsewhere(self) -> Iterator[tuple[Deployment, Published]]:
        """What other environments and services have published, or are about to."""
        for deployment in self._ledger.deployments.values():
            container = deployment.service.container
            if container is None or not (deployment.is_active or not deployment.status.is_final):
                continue
            for each in container.published:
                yield deployment, each

    def check(self, services: Iterable[Service]) -> None:
        """Refuses ports that these services cannot get.

        Raises:
            Conflict: who has it, and what to do.
        """
        ours = {
            (host_of(each), each.port)
            for deployment, each in self._elsewhere()
            if deployment.is_active and deployment.target == self._target
        }
        for service in services:
            for each in service.container.published if service.container else ():
                if each.port is not None and not each.is_udp:
                    self._check_one(service, each)
                    if (host_of(each), each.port) not in ours:
                        self._check_free(each.port, host_of(each))

    def _check_one(self, service: Service, wanted: Published) -> None:
        for deployment, each in self._elsewhere():
            is_other = (deployment.target, deployment.service.name) != (self._target, service.name)
            if is_other and each.port == wanted.port and _meet(host_of(each), host_of(wanted)):
                if deployment.target == self._target and not deployment.is_active:
                    continue  # it is of the same file, which was checked
                raise Conflict(
                    f"{service.name} publishes port {wanted.port}, which"
                    f" {deployment.service.name} of {deployment.target} has",
                    hint="give this one another port, such as with an override file:"
                    ' ports: !override ["8090:80"]',
                    code="port_conflict",
                )

    def _check_free(self, port: int, host: str) -> None:
        if port in self._own.movable:
            return
        if port in self._own.fixed:
            which = self._own.fixed[port]
            raise Conflict(
                f"port {port} is the gateway's own",
                hint=f"give that another one: compartment agent stop;"
                f" compartment agent start {which} 0",
                code="port_conflict",
            )
        check_can_open(replace(_NOWHERE, address=host, port=port))


def _is_open(wanted: Published) -> bool:
    return wanted.port is None or wanted.last is not None


def _is_choice_of(wanted: Published, had: Published) -> bool:
    """Whether a port that was given is one that would be given again."""
    same = (wanted.target, wanted.host, wanted.is_udp) == (had.target, had.host, had.is_udp)
    if not same or had.port is None:
        return False
    return wanted.port is None or wanted.port <= had.port <= (wanted.last or wanted.port)


def _meet(host: str, other: str) -> bool:
    return host == other or EVERYWHERE in (host, other)
