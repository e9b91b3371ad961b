"""A container of a Compose project as front ends see it: all that is not secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.container import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.container import Container, Mount, NetworkLink, Published
    from core.model import Service

Json = dict[str, Any]

_HTTP_PORT = 80
_ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  nothing is bound here


def container_json(container: Container) -> Json:
    """Names of variables without their values, and secrets without their content."""
    return {
        "image": container.image,
        "build": container.build.context if container.build else None,
        "command": list(container.command) if container.command is not None else None,
        "entrypoint": list(container.entrypoint) if container.entrypoint is not None else None,
        "environmentNames": sorted(container.environment),
        "ports": [
            {"port": each.number, "protocol": each.protocol, "because": each.because}
            for each in container.ports
        ],
        "published": [published_json(each) for each in container.published],
        "networkMode": container.network_mode,
        "networks": [_network(each) for each in container.networks],
        "mounts": [_mount(each) for each in container.mounts],
        "files": [{"target": each.target, "isSecret": each.is_secret} for each in container.files],
        "containerName": container.container_name,
        "stopGraceSeconds": container.stop_grace_s,
        "kindReason": container.kind_because,
        "strategyReason": container.strategy_because,
    }


def url_of(service: Service, asked: Mapping[int, Protocol]) -> str | None:
    """Where a Compose service is reached from this machine: by HTTP, or else by connections.

    `asked` is what was found out about its ports when it was ready.
    """
    if service.container is None:
        return None
    ports = service.container.published
    outside = [each for each in ports if each.port is not None and not each.is_udp]
    spoken = {each.number: each.protocol for each in service.container.ports} | dict(asked)
    web = [each for each in outside if spoken.get(each.target) is Protocol.HTTP]
    if web:
        found = min(web, key=lambda each: each.target != service.port)  # the first one of the file
        place = _place(found).removesuffix(f":{_HTTP_PORT}")
        return f"http://{place}"
    return f"tcp://{_place(outside[0])}" if outside else None


def _place(published: Published) -> str:
    host = "localhost" if published.host in _ANYWHERE else published.host
    return f"[{host}]:{published.port}" if ":" in host else f"{host}:{published.port}"


def published_json(published: Published) -> Json:
    """A port of this machine."""
    return {
        "host": published.host,
        "port": published.port,
        "target": published.target,
        "protocol": "udp" if published.is_udp else "tcp",
    }


def _network(link: NetworkLink) -> Json:
    return {
        "name": link.network.key,
        "aliases": list(link.aliases),
        "isInternal": link.network.is_internal,
        "isExternal": link.network.is_external,
    }


def _mount(mount: Mount) -> Json:
    return {
        "type": mount.type,
        "source": mount.source,
        "target": mount.target,
        "isReadOnly": mount.is_read_only,
        "isExternal": mount.is_external,
    }
