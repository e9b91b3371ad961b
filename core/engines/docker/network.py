"""One environment's network on the engine: found, made, and who is on it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.engines.docker import subnets
from core.engines.docker.labels import Role, of_target, only_of
from core.errors import CompartmentError

if TYPE_CHECKING:
    import docker as sdk

    from core.engines.docker.connection import Docker, Json
    from core.records import Target


@dataclass(frozen=True, slots=True)
class Network:
    """A network that is there."""

    id: str
    name: str
    subnet: subnets.Subnet
    addresses: subnets.Addresses = field(compare=False)
    """The fixed ones, to be given out."""

    @classmethod
    def read(cls, described: Json) -> Network:
        """A network as the engine describes it."""
        subnet = subnets.Subnet.read(described["IPAM"]["Config"][0])
        return cls(described["Id"], described["Name"], subnet, subnets.Addresses(subnet))


def name_of(home: str, target: Target) -> str:
    """The name that its network is made with; people read it, but nothing is found by it."""
    digest = hashlib.sha256(f"{home}/{target}".encode()).hexdigest()[:6]
    readable = re.sub(r"[^a-zA-Z0-9_.]+", "-", f"{target.project}-{target.environment}")
    return f"compartment-{readable}-{digest}"


async def find(docker: Docker, home: str, target: Target) -> Network | None:
    """The network of an environment, whoever made it; of several the oldest."""
    filters = json.dumps(only_of(home, Role.NETWORK, target))
    listed = await docker.get("/networks", filters=filters)
    return Network.read(min(listed, key=lambda each: str(each["Created"]))) if listed else None


async def make(docker: Docker, home: str, target: Target) -> Network:
    """Makes the network of an environment, with a subnet that nothing else uses.

    Raises:
        CompartmentError: no subnet is left.
        UsageError: the setting that names them cannot be read.
    """
    name = name_of(home, target)
    within = subnets.ranges(os.environ)
    taken = [*subnets.of_host(), *subnets.of_networks(await docker.get("/networks"))]
    for subnet in subnets.free(within, taken, name):

        def create(client: sdk.APIClient, config: dict[str, str] = subnet.config) -> str:
            made: Json = client.create_network(
                name,
                driver="bridge",
                ipam={"Driver": "default", "Config": [config]},
                check_duplicate=True,
                labels=of_target(home, Role.NETWORK, target),
            )
            return str(made["Id"])

        try:
            return Network(await docker.call(create), name, subnet, subnets.Addresses(subnet))
        except CompartmentError as error:
            # Somebody else was quicker to take it: the engine says "Pool overlaps".
            if "overlap" not in error.message:
                raise
    raise AssertionError  # `free` raises at its end


async def addresses_in_use(docker: Docker) -> dict[str, str]:
    """The container behind each address, whether it runs or not, on all networks of the engine.

    The engine's filter would leave out those that were never started.
    """
    return {
        address: name
        for name, _, endpoint in await _endpoints(docker)
        for address in (
            (endpoint.get("IPAMConfig") or {}).get("IPv4Address"),
            endpoint.get("IPAddress"),
        )
        if address
    }


async def attached(docker: Docker, network: Network) -> list[str]:
    """The names of all containers on a network, whether they run or not."""
    return [
        name
        for name, network_name, endpoint in await _endpoints(docker)
        if endpoint.get("NetworkID") == network.id
        or (not endpoint.get("NetworkID") and network_name in (network.name, network.id))
    ]


async def _endpoints(docker: Docker) -> list[tuple[str, str, Json]]:
    return [
        (container["Names"][0].removeprefix("/"), network_name, endpoint)
        for container in await docker.get("/containers/json", all=1)
        for network_name, endpoint in container["NetworkSettings"]["Networks"].items()
    ]
