"""Holders: the tiny containers that own the names of services, and a fixed address each.

A name has to mean one address for ever, or callers that keep connections lose requests at every
deploy. Nothing runs in a holder; the gateway listens inside its network namespace.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.ending import single_error
from core.engines.base import Holder
from core.engines.docker import pause
from core.engines.docker.labels import HOME, ROLE, SERVICE, Role, of_target, only_of
from core.errors import CompartmentError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    import docker as sdk

    from core.engines.docker.connection import Docker, Json
    from core.engines.docker.network import Network
    from core.records import Target

_MEMORY_BYTES: Final = 16 * 1024 * 1024
"""The program needs a page or two, but what starts a container runs within the same limit."""


@dataclass(frozen=True, slots=True)
class Held:
    """A holder as the engine has it."""

    id: str
    service_name: str
    network_id: str
    """Empty when it was never started, or was detached."""
    address: str
    namespace: str | None
    """None unless it runs."""
    is_restarting: bool = False
    """Whether the engine is about to start it by itself."""

    @property
    def holder(self) -> Holder | None:
        """What the gateway needs to know of it."""
        return None if self.namespace is None else Holder(self.address, self.namespace)


class Holders:
    """The holders of one home."""

    def __init__(self, docker: Docker, home: str) -> None:
        self._docker = docker
        self._home = home
        self._image_labels = {HOME: home, ROLE: Role.HOLDER}
        self._image = pause.tag(self._image_labels)

    async def read(self, target: Target) -> list[Held]:
        """All holders of an environment, also those that do not run."""
        listed = await self._docker.get(
            "/containers/json",
            all=1,
            filters=json.dumps(only_of(self._home, Role.HOLDER, target)),
        )
        with single_error():
            async with asyncio.TaskGroup() as group:
                looks = [group.create_task(self._look(each["Id"])) for each in listed]
        return [held for look in looks if (held := look.result()) is not None]

    async def _look(self, container_id: str) -> Held | None:
        with suppress(NotFound):
            return _held(await self._docker.get(f"/containers/{container_id}/json"))
        return None

    async def provide_image(self) -> None:
        """Makes the image unless it is there; nothing is pulled.

        Raises:
            CompartmentError: there is no program for this kind of machine.
        """
        with suppress(NotFound):
            await self._docker.get(f"/images/{self._image}/json")
            return
        architecture = (await self._docker.get("/version"))["Arch"]
        if architecture not in pause.ARCHITECTURES:
            raise CompartmentError(
                f"there is no holder for this kind of machine, {architecture}",
                hint=f"the docker engine works on {' and '.join(sorted(pause.ARCHITECTURES))}",
            )
        image = pause.archive(architecture, self._image_labels)
        await self._docker.call(lambda client: list(client.load_image(image)))

    async def remove_image(self) -> None:
        """Removes the image, unless a holder still uses it."""
        with suppress(CompartmentError):
            await self._docker.call(lambda client: client.remove_image(self._image))

    async def make(self, target: Target, network: Network, service_name: str, address: str) -> Held:
        """Creates and starts a holder.

        Raises:
            NotFound: the network or the image is gone.
        """
        labels = {**of_target(self._home, Role.HOLDER, target), SERVICE: service_name}

        def work(client: sdk.APIClient) -> Json:
            endpoint = client.create_endpoint_config(aliases=[service_name], ipv4_address=address)
            created = client.create_container(
                self._image,
                name=f"{network.name}-holder-{service_name}",
                labels=labels,
                networking_config=client.create_networking_config({network.id: endpoint}),
                host_config=client.create_host_config(
                    network_mode=network.id,
                    restart_policy={"Name": "always"},
                    read_only=True,
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges"],
                    mem_limit=_MEMORY_BYTES,
                    log_config={"Type": "none", "Config": {}},
                ),
            )
            return _started(client, created["Id"])

        return _held(await self._docker.call(work))

    async def start(self, held: Held) -> Held:
        """Starts one that was stopped."""
        return _held(await self._docker.call(lambda client: _started(client, held.id)))

    async def remove(self, holders: Iterable[Held]) -> None:
        """Removes them, running or not."""
        with single_error():
            async with asyncio.TaskGroup() as group:
                for held in holders:
                    group.create_task(self._remove(held.id))

    async def _remove(self, container_id: str) -> None:
        with suppress(NotFound):
            await self._docker.call(
                lambda client: client.remove_container(container_id, force=True)
            )


def _started(client: sdk.APIClient, container_id: str) -> Json:
    client.start(container_id)
    described: Json = client.inspect_container(container_id)
    return described


def _held(described: Json) -> Held:
    state, settings = described["State"], described["NetworkSettings"]
    endpoint: Json = next(iter(settings["Networks"].values()), {})
    is_running = state["Running"] and not state["Restarting"]
    return Held(
        id=described["Id"],
        service_name=described["Config"]["Labels"][SERVICE],
        network_id=endpoint.get("NetworkID") or "",
        address=(endpoint.get("IPAMConfig") or {}).get("IPv4Address") or "",
        # The path of the last time stays when a container stops.
        namespace=settings["SandboxKey"] or None if is_running else None,
        is_restarting=state["Restarting"],
    )
