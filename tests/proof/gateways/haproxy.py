"""HAProxy, whose routes are entries of a map that is changed through its runtime socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.proof.gateways.programs import program
from tests.proof.gateways.rival import Rival
from tests.proof.gateways.scene import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

_CONFIGURATION = """
global
    nbthread 1
    maxconn 4096
    stats socket {folder}/admin.sock mode 600 level admin

defaults
    mode http
    timeout connect 10s
    timeout client 3600s
    timeout server 3600s
    timeout http-keep-alive 3600s
    option forwardfor

frontend main
    bind 127.0.0.1:{plain}
    bind 127.0.0.1:{secure} ssl crt {folder}/pair.pem alpn h2,http/1.1
    http-request return status 404 unless {{ hdr(host),host_only -i {hosts} }}
    http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    acl is_api path /api
    acl is_api path_beg /api/
    acl is_asset path /assets
    acl is_asset path_beg /assets/
    http-request set-var(txn.service) str(web)
    http-request set-var(txn.service) str(api) if is_api or is_asset
    http-request replace-path ^/api/?(.*)$ /\\1 if is_api
    use_backend %[var(txn.service),map({live})]
"""
_BACKEND = """
backend {name}
    server only {host}:{port}
"""


class HAProxy(Rival):
    """With one thread. Both versions are in its configuration from the start."""

    name = "HAProxy"
    switches_by = "runtime map"

    @property
    def _live(self) -> Path:
        return self.folder / "live.map"

    def prepare(self) -> list[str]:
        self._live.write_text("web web_0\napi api_0\n")
        pair = self.scene.chain.read_bytes() + self.scene.key.read_bytes()
        (self.folder / "pair.pem").write_bytes(pair)
        text = _CONFIGURATION.format(
            folder=self.folder,
            plain=self.plain.port,
            secure=self.secure.port,
            hosts=" ".join(HOSTS),
            live=self._live,
        )
        for number, version in enumerate(self.scene.versions):
            for service, (host, port) in (("web", version.web), ("api", version.api)):
                text += _BACKEND.format(name=f"{service}_{number}", host=host, port=port)
        file = self.folder / "haproxy.cfg"
        file.write_text(text)
        return [program("haproxy"), "-db", "-f", str(file)]

    async def switch(self, version: int) -> None:
        commands = "; ".join(
            f"set map {self._live} {service} {service}_{version}" for service in ("web", "api")
        )
        socket = str(self.folder / "admin.sock")
        reader, writer = await asyncio.open_unix_connection(socket)
        writer.write(f"{commands}\n".encode())
        answer = (await reader.read()).decode().strip()
        writer.close()
        assert answer == "", answer
