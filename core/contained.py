"""A container of a Compose project as front ends see it: all that is not secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.model import ServiceKind

if TYPE_CHECKING:
    from core.container import Container, Mount, NetworkLink, Published
    from core.model import Service

Json = dict[str, Any]

_HTTP_PORT = 80


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


def url_of(service: Service) -> str | None:
    """Where a Compose service is reached from this machine: its first published port."""
    for each in service.container.published if service.container else ():
        if each.port is not None and not each.is_udp:
            is_web = service.kind is ServiceKind.WEB
            host = each.host or "localhost"
            if is_web and each.port == _HTTP_PORT:
                return f"http://{host}"
            return f"{'http' if is_web else 'tcp'}://{host}:{each.port}"
    return None


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
