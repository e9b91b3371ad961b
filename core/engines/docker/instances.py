"""The instances of a home on one engine: started, found again, ended."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from core.ending import single_error, to_the_end
from core.engines.docker import containers, labels, surroundings
from core.engines.docker.containers import Image, Place
from core.engines.docker.endpoint import Mode
from core.engines.docker.exits import exit_of
from core.engines.docker.inline_files import archives
from core.engines.docker.instance import DockerInstance
from core.engines.docker.labels import Role
from core.engines.docker.logs import LogReader
from core.engines.docker.volumes import Volumes
from core.engines.docker.wiring import wire
from core.engines.docker.words import explained_start, is_taken
from core.errors import CompartmentError, EngineUnavailable, NotFound
from core.ports import free_port
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.engines.base import Exit, InstanceSpec, SecretsOf
    from core.engines.docker.connection import Docker
    from core.engines.docker.networks import Networks

Json = dict[str, Any]

_log = logging.getLogger(__name__)

_TRIES: Final = 3
_PATIENCE_S: Final = 2.0
"""For an engine that is to stop something: it may hang."""

_STOP_MARGIN_S: Final = 10.0
_LAST_LINES_S: Final = 2.0
_HERE: Final = "127.0.0.1"
_IS_GOING: Final = "already in progress"
_ALIVE: Final = ("running", "restarting", "paused")


class Instances:
    """Makes, knows and removes the containers of instances. `tasks` owns the watching of them.

    `moved` is called when one that is live was removed by somebody else; `secrets_of` tells what
    must not be kept of the output of a deployment.
    """

    def __init__(
        self,
        docker: Docker,
        home: str,
        networks: Networks,
        mode: Mode,
        tasks: asyncio.TaskGroup,
        *,
        moved: Callable[[], None],
        secrets_of: SecretsOf,
    ) -> None:
        self._docker = docker
        self._home = home
        self._networks = networks
        self._volumes = Volumes(docker, home)
        self._mode = mode
        self._tasks = tasks
        self._moved = moved
        self._secrets_of = secrets_of
        self._known: dict[str, DockerInstance] = {}
        self._watches: dict[str, list[asyncio.Task[None]]] = {}
        self._starting: set[str] = set()
        """Not known yet, but no leftovers of a crash."""

    def __iter__(self) -> Iterator[DockerInstance]:
        return iter(tuple(self._known.values()))

    def get(self, name: str) -> DockerInstance | None:
        """The instance of a name, if it was started or adopted."""
        return self._known.get(name)

    def close(self) -> None:
        """Ends the watching; the containers go on."""
        for name in tuple(self._known):
            self._forget(name)

    def listen(self, event: Json) -> None:
        """Hands an event of a container to its instance."""
        attributes = event["Actor"]["Attributes"]
        if event["Type"] == "network" and event["Action"] == "disconnect":
            for instance in self:
                if instance.id == attributes.get("container"):
                    instance.hear(event["Action"], attributes)
        if event["Type"] != "container":
            return
        known = self._known.get(attributes.get(labels.INSTANCE, ""))
        if known is not None and known.id == event["Actor"]["ID"]:
            known.hear(event["Action"], attributes)

    async def resync(self) -> None:
        """Finds out what events would have told, and removes what a crash left of releases."""
        for container in await self._listed(Role.RELEASE):
            if container["Labels"][labels.INSTANCE] not in self._known.keys() | self._starting:
                await self._remove(container)
        with single_error():
            async with asyncio.TaskGroup() as group:
                for instance in self:
                    group.create_task(_look_again(instance))

    async def names(self) -> list[str]:
        """Of all that have a container, running or not."""
        listed = await self._listed(Role.INSTANCE)
        return [container["Labels"][labels.INSTANCE] for container in listed]

    async def start(self, spec: InstanceSpec, image: str) -> DockerInstance:
        """Makes and starts a container.

        Raises:
            CompartmentError: why it could not be started.
        """
        return await to_the_end(self._begin(spec, image))

    async def release(self, spec: InstanceSpec, image: str, command: str, limit_s: float) -> Exit:
        """Runs a command in a container that is removed after it, whatever happens.

        Raises:
            TimeoutError: it took longer.
            CompartmentError: why it could not be started.
        """
        try:
            async with asyncio.timeout(limit_s):
                instance = await to_the_end(self._begin(spec, image, command))
                return await instance.wait_exit()
        finally:
            await to_the_end(self.stop(spec.name, grace_s=0))

    async def _begin(
        self, spec: InstanceSpec, image: str, command: str | None = None
    ) -> DockerInstance:
        self._starting.add(spec.name)
        try:
            return await self._start(spec, image, command)
        finally:
            self._starting.discard(spec.name)

    async def _start(
        self, spec: InstanceSpec, image: str, command: str | None = None
    ) -> DockerInstance:
        try:
            described = await self._docker.get(f"/images/{image}/json")
        except NotFound as error:
            raise explained_start(error) from error
        await self.stop(spec.name, grace_s=0)  # what is left of the start before
        around = await surroundings.prepare(
            self._docker, self._home, self._volumes, spec, described
        )
        made_of = Image(image, described, self._docker.api)
        for attempt in range(1, _TRIES + 1):
            place = await self._place(spec, described)
            body = containers.body_of(self._home, spec, made_of, place, around, command)
            try:
                others = place.wiring.connections(is_named=command is None)
                return await self._run(spec, body, others)
            except CompartmentError as error:
                for attachment in place.wiring.attachments:
                    self._networks.release_address(attachment.address)
                if not is_taken(error) or spec.address is not None or attempt == _TRIES:
                    raise explained_start(error) from error
        raise AssertionError

    async def _place(self, spec: InstanceSpec, image: Json) -> Place:
        wanted = spec.address
        is_published = self._mode is Mode.PUBLISHED
        beside = self._known.get(spec.beside) if spec.beside else None
        known = (wanted[0] if wanted and not is_published else "") or None
        wiring = await wire(self._networks, spec, known, beside)
        port = containers.port_of(spec, image)
        if not is_published:
            return Place(wiring, port, (wiring.host, port))
        taken = {instance.address[1] for instance in self} | {at for _, at in spec.taken}
        address = wanted or (_HERE, free_port(taken))
        published = {port: address} if wiring.attachments and port else {}
        for each in containers.other_ports(spec, port) if published else ():
            taken |= {at for _, at in published.values()}
            published[each] = (_HERE, free_port(taken))
        return Place(wiring, port, address, published)

    async def _run(
        self, spec: InstanceSpec, body: Json, connections: list[tuple[str, Json]]
    ) -> DockerInstance:
        name, compose = containers.name_of(spec), spec.service.container
        made = await self._docker.call(
            lambda client: client.create_container_from_config(body, name)
        )
        await self._connect(made["Id"], connections)
        container = await self._docker.get(f"/containers/{made['Id']}/json")
        instance = self._take(container, await self._mask_of(container))
        try:
            for folder, archive in archives(compose) if compose else ():
                await self._docker.unpack(instance.id, folder, archive)
            await self._docker.order("POST", f"/containers/{instance.id}/start")
        except CompartmentError:
            self._forget(instance.name)
            with suppress(CompartmentError):
                await self._remove(container)
            raise
        instance.wake()
        with suppress(EngineUnavailable):  # it is looked at when that is back
            await instance.look()
        return instance

    async def _connect(self, container_id: str, connections: list[tuple[str, Json]]) -> None:
        """Attaches a container to the networks that it could not be made on."""
        try:
            for network_id, endpoint in connections:
                body = {"Container": container_id, "EndpointConfig": endpoint}
                await self._docker.order("POST", f"/networks/{network_id}/connect", body)
        except CompartmentError:
            with suppress(CompartmentError):
                await self._docker.order("DELETE", f"/containers/{container_id}", v=1, force=1)
            raise

    async def adopt(self, name: str) -> DockerInstance | None:
        """The instance of a name, if it is known or runs."""
        if name in self._known:
            return self._known[name]
        for found in await self._listed(Role.INSTANCE, name):
            if found["State"] in _ALIVE:
                with suppress(NotFound):
                    container = await self._docker.get(f"/containers/{found['Id']}/json")
                    mask = await self._mask_of(container)
                    return self._known.get(name) or self._take(container, mask, is_started=True)
        return None

    async def exit_of(self, name: str) -> Exit | None:
        """How one has ended, its last lines kept; None where its container is gone, or runs."""
        known = self._known.get(name)
        if known is not None:
            return known.exit
        for found in await self._listed(Role.INSTANCE, name):
            # One that was made, but not started before its agent died, has exit code 0 as well.
            if found["State"] not in (*_ALIVE, "created"):
                with suppress(NotFound):
                    container = await self._docker.get(f"/containers/{found['Id']}/json")
                    await self._read_rest(found)
                    return exit_of(container)
        return None

    async def _mask_of(self, container: Json) -> Mask:
        return Mask(await self._secrets_of(container["Config"]["Labels"][labels.DEPLOYMENT]))

    def _take(self, container: Json, mask: Mask, *, is_started: bool = False) -> DockerInstance:
        reader = LogReader(self._docker, container, mask)
        instance = DockerInstance(self._docker, container, reader)
        self._known[instance.name] = instance
        self._watches[instance.name] = [
            self._tasks.create_task(self._watch(instance)), self._tasks.create_task(reader.run())
        ]  # fmt: skip
        if is_started:
            instance.wake()
        return instance

    async def _watch(self, instance: DockerInstance) -> None:
        await instance.watch()
        await instance.wait_gone()
        if instance.is_kept:
            self._moved()

    async def stop(self, name: str, *, grace_s: float) -> None:
        """Ends and removes what there is of an instance, after its last line was kept."""
        instance = self._known.get(name)
        if instance is not None:
            instance.is_kept = False
        try:
            async with asyncio.timeout(_PATIENCE_S):
                listed = [
                    *await self._listed(Role.INSTANCE, name),
                    *await self._listed(Role.RELEASE, name),
                ]
            for container in listed:
                await self._stop(container, grace_s)
            if instance is not None:
                # Also of one that somebody else has removed.
                for address in instance.fixed_addresses:
                    self._networks.release_address(address)
        except (CompartmentError, TimeoutError) as error:
            # Whoever ends something goes on: it is ended as a stranger later.
            _log.warning("%s could not be ended: %s", name, str(error) or "it takes too long")
            if isinstance(error, (EngineUnavailable, TimeoutError)):
                # One that refuses would do so again at once, for ever.
                self._docker.doubt()
        self._forget(name)

    async def _stop(self, container: Json, grace_s: float) -> None:
        with suppress(NotFound):
            if container["State"] in _ALIVE:
                path = f"/containers/{container['Id']}/stop"
                limit_s = grace_s + _STOP_MARGIN_S
                await self._docker.order("POST", path, limit_s=limit_s, t=ceil(grace_s))
            await self._read_rest(container)
        await self._remove(container)

    async def _read_rest(self, container: Json) -> None:
        """Keeps the last lines of what does not run any more."""
        known = self._known.get(container["Labels"][labels.INSTANCE])
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_LINES_S):
                if known is not None and known.id == container["Id"]:
                    await known.reader.wait_read()
                else:
                    described = await self._docker.get(f"/containers/{container['Id']}/json")
                    mask = await self._mask_of(described)
                    await LogReader(self._docker, described, mask).read_rest()

    async def _remove(self, container: Json) -> None:
        """Removes a container with its anonymous volumes, whatever it does."""
        path = f"/containers/{container['Id']}"
        try:
            await self._docker.order("DELETE", path, limit_s=_STOP_MARGIN_S, v=1, force=1)
        except NotFound:
            pass
        except CompartmentError as error:
            if _IS_GOING not in error.message:
                raise
        for network in container["NetworkSettings"]["Networks"].values():
            self._networks.release_address((network["IPAMConfig"] or {}).get("IPv4Address", ""))

    def _forget(self, name: str) -> None:
        self._known.pop(name, None)
        for watch in self._watches.pop(name, ()):
            watch.cancel()

    async def _listed(self, role: Role, name: str | None = None) -> list[Json]:
        more = {labels.INSTANCE: name} if name is not None else {}
        filters = json.dumps(labels.only(self._home, role, **more))
        found: list[Json] = await self._docker.get("/containers/json", all="1", filters=filters)
        return found


async def _look_again(instance: DockerInstance) -> None:
    try:
        await instance.look(is_after_loss=True)
    except EngineUnavailable:
        raise
    except CompartmentError as error:
        _log.warning("nothing is known of %s: %s", instance.name, error.message)
