"""The containers of a Compose service as settings, named as Compose names them; and the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.view import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

SPOKEN = {"look": "to be looked at"}
"""What is said of a port whose protocol nobody knows yet."""


def settings(container: Mapping[str, Any]) -> dict[str, str]:
    """What `inspect` tells of the containers, one setting for each port, network and mount."""
    return dict(_settings(container))


def _settings(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, name in _PLAIN.items():
        if container.get(key):
            yield name, str(container[key])
    for key in ("command", "entrypoint"):
        if container.get(key) is not None:
            yield key, " ".join(map(str, container[key]))
    for each in container["published"]:
        yield f"ports.{outside(each)}{_udp(each)}", f"{each['target']}/{each['protocol']}"
    for each in container["ports"]:
        yield _listens(each), spoken(each)
    for each in container["networks"]:
        yield f"networks.{each['name']}", _network(each)
    for each in container["mounts"]:
        yield f"volumes.{each['target']}", _mount(each)
    for each in container["files"]:
        yield f"files.{each['target']}", "secret" if each["isSecret"] else "config"
    yield "stop_grace_period", words.about(container["stopGraceSeconds"])


_PLAIN = {
    "image": "image",
    "build": "build.context",
    "containerName": "container_name",
    "networkMode": "network_mode",
}


def outside(published: Mapping[str, Any]) -> str:
    """A port of this machine, with its address if it is not open on all: `127.0.0.1:8090`."""
    host, port = str(published["host"]), published["port"] or "any free port"
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if shown else str(port)


def _listens(port: Mapping[str, Any]) -> str:
    return f"listens.{port['port']}{_udp(port)}"


def _udp(port: Mapping[str, Any]) -> str:
    """What tells a port from that of TCP with the same number, such as 443 of HTTP/3."""
    return "/udp" if port["protocol"] == "udp" else ""


def spoken(port: Mapping[str, Any]) -> str:
    """What is spoken on a port."""
    return SPOKEN.get(port["protocol"], str(port["protocol"]))


def _network(network: Mapping[str, Any]) -> str:
    names = [str(each) for each in network["aliases"]]
    told = {
        f"also {words.listed(names, most=8)}" if names else "": bool(names),
        "internal": network["isInternal"],
        "external": network["isExternal"],
    }
    return ", ".join(word for word, is_so in told.items() if is_so) or "attached"


def _mount(mount: Mapping[str, Any]) -> str:
    source = str(mount["source"]) or ("anonymous" if mount["type"] == "volume" else "")
    told = {
        f"{mount['type']} {source}".rstrip(): True,
        "read-only": mount["isReadOnly"],
        "external": mount["isExternal"],
    }
    return ", ".join(word for word, is_so in told.items() if is_so)


def reasons(container: Mapping[str, Any]) -> dict[str, str]:
    """Why some settings are what they are: the file itself does not say these."""
    found = {"kind": container["kindReason"], "strategy": container["strategyReason"]}
    for each in container["ports"]:
        found[_listens(each)] = each["because"]
    return {name: str(why) for name, why in found.items() if why}
