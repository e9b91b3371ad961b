"""Who is on the networks of an engine, whether it runs or not, and at which addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engines.docker.labels import HOME, ROLE, SERVICE, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.engines.docker.connection import Docker, Json
    from core.engines.docker.network import Network


async def addresses_in_use(docker: Docker) -> dict[str, str]:
    """The container behind each address, whether it runs or not, on all networks of the engine.

    The engine's filter would leave out those that were never started.
    """
    return {
        address: container["Names"][0].removeprefix("/")
        for container, _, endpoint in await _endpoints(docker)
        for address in _addresses_of(endpoint)
    }


def _addresses_of(endpoint: Json) -> Iterator[str]:
    """The address that was asked for, and the one that it has."""
    for address in (
        (endpoint.get("IPAMConfig") or {}).get("IPv4Address"),
        endpoint.get("IPAddress"),
    ):
        if address:
            yield address


async def attached(docker: Docker, home: str, network: Network) -> list[str]:
    """The names of all containers on a network but our holders, whether they run or not."""
    return sorted(
        container["Names"][0].removeprefix("/")
        for container, network_name, endpoint in await _endpoints(docker)
        if _is_on(network, network_name, endpoint) and not _has_role(container, home, Role.HOLDER)
    )


async def addresses_of_services(
    docker: Docker, home: str, network: Network
) -> list[tuple[str, str]]:
    """The services whose instances are on a network, each with an address that one has there."""
    return [
        (container["Labels"][SERVICE], address)
        for container, network_name, endpoint in await _endpoints(docker)
        if _is_on(network, network_name, endpoint) and _has_role(container, home, Role.INSTANCE)
        for address in dict.fromkeys(_addresses_of(endpoint))
    ]


def _is_on(network: Network, network_name: str, endpoint: Json) -> bool:
    """Whether an endpoint is one of this network. One that never ran may have no id of it."""
    network_id = endpoint.get("NetworkID")
    return network_id == network.id if network_id else network_name in (network.name, network.id)


def _has_role(container: Json, home: str, role: Role) -> bool:
    labels = container["Labels"]
    return bool(labels.get(HOME) == home and labels.get(ROLE) == role)


async def _endpoints(docker: Docker) -> list[tuple[Json, str, Json]]:
    """Every container of the engine with each network that it is on, and how it is there."""
    return [
        (container, network_name, endpoint)
        for container in await docker.get("/containers/json", all=1)
        for network_name, endpoint in container["NetworkSettings"]["Networks"].items()
    ]
