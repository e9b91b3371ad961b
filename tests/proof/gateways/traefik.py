"""Traefik, which watches a file of routes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.files import write_atomically
from tests.proof.gateways.programs import wheel_program
from tests.proof.gateways.rival import Rival
from tests.proof.gateways.scene import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof.gateways.scene import Address, Scene

_HOST = " || ".join(f"Host(`{host}`)" for host in HOSTS)


class Traefik(Rival):
    """With its file provider, as it comes."""

    name = "Traefik"
    switches_by = "file provider"
    throttle: str | None = None
    """The least time between two readings; its own default is 2 s."""

    def prepare(self) -> list[str]:
        self._write(0)
        options = {
            "entryPoints.plain.address": _at(self.plain.port),
            "entryPoints.secure.address": _at(self.secure.port),
            "providers.file.filename": str(self._file),
            "global.checkNewVersion": "false",
            "global.sendAnonymousUsage": "false",
            "log.level": "ERROR",
        }
        if self.throttle is not None:
            options["providers.providersThrottleDuration"] = self.throttle
        return [
            wheel_program("traefik"),
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    async def switch(self, version: int) -> None:
        self._write(version)

    @property
    def _file(self) -> Path:
        return self.folder / "routes.yml"

    def _write(self, version: int) -> None:
        # JSON is YAML.
        write_atomically(self._file, json.dumps(_routes(self.scene, version)).encode())


class QuickTraefik(Traefik):
    """The same, told to look at its file at once."""

    name = "Traefik, throttle 10 ms"
    throttle = "10ms"


def _at(port: int) -> str:
    return f"127.0.0.1:{port}"


def _routes(scene: Scene, version: int) -> dict[str, Any]:
    rules: dict[str, dict[str, Any]] = {
        "web": {"rule": f"({_HOST})", "service": "web"},
        "api": {
            "rule": f"({_HOST}) && {_below('/api')}",
            "service": "api",
            "middlewares": ["strip"],
        },
        "assets": {"rule": f"({_HOST}) && {_below('/assets')}", "service": "api"},
    }
    plain = {name: {**rule, "entryPoints": ["plain"]} for name, rule in rules.items()}
    secure = {
        f"{name}-secure": {**rule, "entryPoints": ["secure"], "tls": {}}
        for name, rule in rules.items()
    }
    live = scene.versions[version]
    certificate = {"certFile": str(scene.chain), "keyFile": str(scene.key)}
    return {
        "http": {
            "routers": plain | secure,
            "middlewares": {"strip": {"stripPrefix": {"prefixes": ["/api"]}}},
            "services": {"web": _service(live.web), "api": _service(live.api)},
        },
        "tls": {"stores": {"default": {"defaultCertificate": certificate}}},
    }


def _below(path: str) -> str:
    return f"(Path(`{path}`) || PathPrefix(`{path}/`))"


def _service(address: Address) -> dict[str, Any]:
    host, port = address
    return {"loadBalancer": {"servers": [{"url": f"http://{host}:{port}"}]}}
