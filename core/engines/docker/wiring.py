"""The network of a container: its own, with all that it is attached to, or that of others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import labels
from core.engines.docker.attachments import Joining
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.engines.base import InstanceSpec
    from core.engines.docker.attachments import Attachment
    from core.engines.docker.instance import DockerInstance
    from core.engines.docker.networks import Networks

Json = dict[str, Any]

HOST: Final = "host"
NONE: Final = "none"
BRIDGE: Final = "bridge"
SHARES: Final = "container:"
_BESIDE: Final = "service:"
_HERE: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The networks of a container: its own attachments, or those of something else."""

    mode: str
    """`HostConfig.NetworkMode`: none, host, `container:ID`, or the name of the first network."""
    attachments: tuple[Attachment, ...] = ()
    host: str = ""
    """Where this machine reaches it; empty: nowhere, or at what the engine gives it."""
    reached_on: str = ""
    """The network where the engine gives it the address that this machine reaches it at."""

    @classmethod
    def of(cls, attachments: Collection[Attachment]) -> Wiring:
        """A container with a network namespace of its own."""
        every = tuple(attachments)
        reachable = [each for each in every if each.is_reachable]
        fixed = next((each for each in reachable if each.address), None)
        if fixed is not None:
            return cls(every[0].network, every, fixed.address)
        return cls(every[0].network, every, reached_on=reachable[0].network if reachable else "")

    def labels(self, *, is_named: bool) -> dict[str, str]:
        """What the container is labelled with, so that it can be attached again."""
        ends = {each.network: _named(each, is_named=is_named) for each in self.attachments}
        found = {labels.ENDPOINTS: json.dumps(ends)} if ends else {}
        return {**found, labels.REACHED_ON: self.reached_on} if self.reached_on else found

    def networking(self, *, is_named: bool) -> Json:
        """The `NetworkingConfig` of its body, of the first network: API 1.41 takes no more.

        The names lead to it only if `is_named`.
        """
        ends = {each.network: _named(each, is_named=is_named) for each in self.attachments[:1]}
        return {"EndpointsConfig": ends}

    def connections(self, *, is_named: bool) -> list[tuple[str, Json]]:
        """The ids of the other networks, each with how it is connected before its start."""
        return [(each.network_id, _named(each, is_named=is_named)) for each in self.attachments[1:]]


def _named(attachment: Attachment, *, is_named: bool) -> Json:
    return attachment.endpoint if is_named else {**attachment.endpoint, "Aliases": []}


async def wire(
    networks: Networks, spec: InstanceSpec, wanted: str | None, beside: DockerInstance | None
) -> Wiring:
    """The network of an instance that is to be started; what it reserves is to be released.

    `wanted` is the address that it must have, `beside` the instance whose network it shares.

    Raises:
        CompartmentError: it cannot have that address, or there is nothing to share.
    """
    container = spec.service.container
    mode = container.network_mode if container else None
    if mode is None:
        return Wiring.of(await networks.attach(spec.owner.target, _joining(spec, wanted)))
    if mode.startswith(_BESIDE):
        if beside is None:
            raise CompartmentError(
                f"{spec.owner.service_name} cannot be on the network of"
                f" {mode.removeprefix(_BESIDE)}, which does not run",
                hint=f"deploy {mode.removeprefix(_BESIDE)} first",
            )
        return Wiring(f"{SHARES}{beside.id}", host=beside.address[0])
    return Wiring(
        mode, host=_HERE if mode == HOST else "", reached_on=BRIDGE if mode == BRIDGE else ""
    )


def _joining(spec: InstanceSpec, wanted: str | None) -> Joining:
    container = spec.service.container
    return Joining(
        spec.service.name,
        container.networks if container else (),
        {host for host, _ in spec.taken},
        wanted,
        is_sticky=container is not None and spec.service.strategy.stops_first,
    )


def is_own(mode: str) -> bool:
    """Whether a container of this `HostConfig.NetworkMode` has a network of its own."""
    return mode not in (HOST, NONE) and not mode.startswith(SHARES)
