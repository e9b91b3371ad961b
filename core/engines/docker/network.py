"""One network of an environment on the engine: found, made, and who is on it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from core.engines.docker import definitions, subnets
from core.engines.docker.labels import DEFINITION, NETWORK, Role, of_target, only_of
from core.errors import CompartmentError, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import docker as sdk

    from core.container import Network as Definition
    from core.engines.docker.connection import Docker, Json
    from core.records import Target


_SUBNET_TAKEN = ("overlap", "failed to allocate gateway")
"""What the engine says of a subnet that another network has, maybe since a moment ago."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network that is there."""

    id: str
    name: str
    subnet: subnets.Subnet | None
    """None where the engine gives out its addresses."""
    is_reachable: bool = True
    """Whether this machine reaches what is on it."""
    digest: str = ""
    """Of the definition that it was made from; empty of one that is shared, or of others."""
    addresses: subnets.Addresses | None = field(default=None, compare=False)
    """The fixed ones, to be given out."""

    @classmethod
    def read(cls, described: Json, *, is_ours: bool = True) -> Network:
        """A network as the engine describes it."""
        ipam = described["IPAM"]
        configs = [each for each in ipam["Config"] or () if ":" not in each["Subnet"]]
        is_divided = is_ours and configs and ipam["Driver"] == definitions.OUR_IPAM
        subnet = subnets.Subnet.read(configs[0]) if is_divided else None
        return cls(
            described["Id"],
            described["Name"],
            subnet,
            described["Driver"] == definitions.BRIDGE,
            (described["Labels"] or {}).get(DEFINITION, ""),
            subnets.Addresses(subnet) if subnet else None,
        )


async def find(docker: Docker, home: str, target: Target, key: str = "") -> Network | None:
    """The network of an environment that has a key, whoever made it; of several the oldest."""
    found = [each for each in await labelled(docker, home, target) if key_of(each) == key]
    return Network.read(min(found, key=lambda each: str(each["Created"]))) if found else None


async def labelled(docker: Docker, home: str, target: Target) -> list[Json]:
    """All networks of an environment, as the engine describes them."""
    filters = json.dumps(only_of(home, Role.NETWORK, target))
    found: list[Json] = await docker.get("/networks", filters=filters)
    return found


def key_of(described: Json) -> str:
    """The key of a network of ours."""
    return str(described["Labels"].get(NETWORK, ""))


async def external(docker: Docker, definition: Definition) -> Network:
    """A network that somebody else has made.

    Raises:
        CompartmentError: it is not there.
    """
    name = definition.name or definition.key
    try:
        described = await docker.get(f"/networks/{name}")
    except NotFound:
        raise CompartmentError(
            f"the network `{name}` is not there, which the Compose file calls external",
            hint=f"make it with `docker network create {name}`, or remove `external: true`",
        ) from None
    return Network.read(described, is_ours=False)


async def make(
    docker: Docker, home: str, target: Target, definition: Definition = definitions.SHARED
) -> Network:
    """Makes a network of an environment, with a subnet that nothing else uses.

    Raises:
        CompartmentError: no subnet is left, or not the one that the file asks for.
        Conflict: somebody else's network has the name that the file asks for.
        UsageError: the setting that names subnets cannot be read.
    """
    name = definitions.name_of(home, target, definition)
    networks = await docker.get("/networks")
    for subnet in _subnets(definition, networks, name):
        body = definitions.body_of(definition, subnet)
        body["Labels"] |= _labels(home, target, definition)
        try:
            made = await docker.call(partial(_create, name=name, body=body))
        except CompartmentError as error:
            refused = _explained(error, definition, name, subnet)
            if refused is not None:
                raise refused from error
        else:
            return Network.read(made)
    raise AssertionError  # `free` raises at its end


def _labels(home: str, target: Target, definition: Definition) -> dict[str, str]:
    found = of_target(home, Role.NETWORK, target)
    if not definition.key:
        return found
    return {**found, NETWORK: definition.key, DEFINITION: definitions.digest_of(definition)}


def _subnets(
    definition: Definition, networks: Iterable[Json], name: str
) -> Iterator[subnets.Subnet | None]:
    """Those that may be tried: the one of the file, else all that nothing uses."""
    if not definitions.is_ours_to_divide(definition):
        yield None
    elif asked := definitions.subnet_of(definition):
        yield asked
    else:
        taken = [*subnets.of_host(), *subnets.of_networks(networks)]
        yield from subnets.free(subnets.ranges(os.environ), taken, name)


def _create(client: sdk.APIClient, name: str, body: Json) -> Json:
    made = client.create_network(
        name,
        driver=body["Driver"],
        options=body["Options"],
        ipam=body["IPAM"],
        check_duplicate=True,
        internal=body["Internal"],
        labels=body["Labels"],
        enable_ipv6=body["EnableIPv6"],
        attachable=body["Attachable"],
    )
    described: Json = client.inspect_network(made["Id"])
    return described


def _explained(
    error: CompartmentError, definition: Definition, name: str, subnet: subnets.Subnet | None
) -> CompartmentError | None:
    """Why a network cannot be made; None where the next subnet may do."""
    if "already exists" in error.message:
        return Conflict(
            f"there is a network `{name}` already, which does not belong to this environment",
            hint=f"remove it with `docker network rm {name}`,"
            f" or write `external: true` at networks.{definition.key} to use it",
        )
    if not any(each in error.message for each in _SUBNET_TAKEN):
        return error
    if definitions.subnet_of(definition) is None:
        return None
    return CompartmentError(
        f"the network `{definition.key}` cannot have the subnet {subnet and subnet.range}:"
        " it overlaps with that of another network",
        hint=f"remove the other one, or write another subnet at networks.{definition.key}.ipam;"
        " with a variable in it, each environment can have its own",
    )
