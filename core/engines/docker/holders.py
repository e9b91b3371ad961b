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
from core.engines.docker.labels import (
    HOME,
    NAMES,
    NETWORK,
    ROLE,
    SERVICE,
    Role,
    of_target,
    only_of,
)  # fmt: skip
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
class Wish:
    """A holder that is to be made."""

    target: Target
    key: str
    """That of its network; empty for the shared one."""
    service_name: str
    names: tuple[str, ...]
    """Further ones."""
    address: str

    @property
    def labels(self) -> dict[str, str]:
        """Those besides its home."""
        found = {SERVICE: self.service_name}
        if self.key:
            found[NETWORK] = self.key
        if self.names:
            found[NAMES] = json.dumps(self.names)
        return found


@dataclass(frozen=True, slots=True)
class Held:
    """A holder as the engine has it."""

    id: str
    service_name: str
    names: tuple[str, ...]
    """Further ones."""
    key: str
    """That of the network it was made for."""
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
        return Holder(self.address, self.namespace, self.key) if self.namespace else None


class Holders:
    """The holders of one home."""

    def __init__(self, docker: Docker, home: str) -> None:
        self._docker = docker
        self._home = home
        self._image_labels = {HOME: home, ROLE: Role.HOLDER}
        self._image = pause.tag(self._image_labels)

    async def read(self, target: Target, key: str = "") -> list[Held]:
        """All holders on a network of an environment, also those that do not run."""
        listed = await self._docker.get(
            "/containers/json",
            all=1,
            filters=json.dumps(only_of(self._home, Role.HOLDER, target)),
        )
        with single_error():
            async with asyncio.TaskGroup() as group:
                looks = [
                    group.create_task(self._look(each["Id"]))
                    for each in listed
                    if each["Labels"].get(NETWORK, "") == key
                ]
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

    async def make(self, network: Network, wish: Wish) -> Held:
        """Creates and starts a holder.

        Raises:
            NotFound: the network or the image is gone.
        """
        labels = {**of_target(self._home, Role.HOLDER, wish.target), **wish.labels}

        def work(client: sdk.APIClient) -> Json:
            endpoint = client.create_endpoint_config(
                aliases=[wish.service_name, *wish.names], ipv4_address=wish.address
            )
            created = client.create_container(
                self._image,
                name=f"{network.name}-holder-{wish.service_name}",
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
    labels = described["Config"]["Labels"]
    endpoint: Json = next(iter(settings["Networks"].values()), {})
    is_running = state["Running"] and not state["Restarting"]
    return Held(
        id=described["Id"],
        service_name=labels[SERVICE],
        names=tuple(json.loads(labels.get(NAMES, "[]"))),
        key=labels.get(NETWORK, ""),
        network_id=endpoint.get("NetworkID") or "",
        address=(endpoint.get("IPAMConfig") or {}).get("IPv4Address") or "",
        # The path of the last time stays when a container stops.
        namespace=settings["SandboxKey"] or None if is_running else None,
        is_restarting=state["Restarting"],
    )
