"""Caddy, which is given a new configuration through its admin API."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from tests.load.connection import Connection, request_head
from tests.load.plan import Target
from tests.proof.gateways.programs import wheel_program
from tests.proof.gateways.rival import Rival
from tests.proof.gateways.scene import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof.gateways.scene import Address

_ADMIN = Target("", 0, "127.0.0.1")


class Caddy(Rival):
    """As it comes."""

    name = "Caddy"
    switches_by = "admin API"

    @property
    def _socket(self) -> Path:
        return self.folder / "admin.sock"

    def prepare(self) -> list[str]:
        file = self.folder / "caddy.json"
        file.write_text(json.dumps(self._configuration(0)))
        return [wheel_program("caddy"), "run", "--config", str(file)]

    async def switch(self, version: int) -> None:
        body = json.dumps(self._configuration(version)).encode()
        with Connection(*await asyncio.open_unix_connection(str(self._socket))) as admin:
            headers: dict[str, str | int] = {
                "content_type": "application/json",
                "content_length": len(body),
            }
            admin.write(request_head("POST", "/load", _ADMIN, **headers) + body)
            head = await admin.read_head()
            assert head.status == 200, (head, await admin.read_body(head))

    def _configuration(self, version: int) -> dict[str, Any]:
        live = self.scene.versions[version]
        routes = [
            {
                "match": [{"host": list(HOSTS)}],
                "handle": [{"handler": "subroute", "routes": _rules(live.web, live.api)}],
                "terminal": True,
            },
            {"handle": [{"handler": "static_response", "status_code": 404}]},
        ]
        server = {"routes": routes, "automatic_https": {"disable": True}}
        plain = {**server, "listen": [f"127.0.0.1:{self.plain.port}"]}
        secure = {
            **server,
            "listen": [f"127.0.0.1:{self.secure.port}"],
            "tls_connection_policies": [{}],
            "protocols": ["h1", "h2"],
        }
        files = {"certificate": str(self.scene.chain), "key": str(self.scene.key)}
        return {
            "admin": {"listen": f"unix/{self._socket}", "config": {"persist": False}},
            "logging": {"logs": {"default": {"level": "ERROR"}}},
            "apps": {
                "http": {"servers": {"plain": plain, "secure": secure}},
                "tls": {"certificates": {"load_files": [files]}},
            },
        }


def _rules(web: Address, api: Address) -> list[dict[str, Any]]:
    strip = {"handler": "rewrite", "strip_path_prefix": "/api"}
    return [
        {"match": [{"path": ["/api", "/api/*"]}], "handle": [strip, _to(api)], "terminal": True},
        {"match": [{"path": ["/assets", "/assets/*"]}], "handle": [_to(api)], "terminal": True},
        {"handle": [_to(web)]},
    ]


def _to(address: Address) -> dict[str, Any]:
    host, port = address
    return {"handler": "reverse_proxy", "upstreams": [{"dial": f"{host}:{port}"}]}
