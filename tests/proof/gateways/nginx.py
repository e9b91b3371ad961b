"""nginx, which is told to read its configuration again."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from core.files import write_atomically
from tests.proof.gateways.programs import program
from tests.proof.gateways.rival import Rival
from tests.proof.gateways.scene import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

_CONFIGURATION = """
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream web {{ server {web[0]}:{web[1]}; keepalive 256; keepalive_requests 1000000000; }}
    upstream api {{ server {api[0]}:{api[1]}; keepalive 256; keepalive_requests 1000000000; }}
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    server {{
        listen 127.0.0.1:{plain} default_server backlog=4096;
        listen 127.0.0.1:{secure} ssl http2 default_server backlog=4096;
        return 404;
    }}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl http2;
        server_name {hosts};
        location = /api {{ rewrite ^ / break; proxy_pass http://api; }}
        location /api/ {{ proxy_pass http://api/; }}
        location = /assets {{ proxy_pass http://api; }}
        location /assets/ {{ proxy_pass http://api; }}
        location / {{ proxy_pass http://web; }}
    }}
}}
"""


class Nginx(Rival):
    """With one worker."""

    name = "nginx"
    switches_by = "reload"

    @property
    def _file(self) -> Path:
        return self.folder / "nginx.conf"

    def prepare(self) -> list[str]:
        self._write(0)
        error_log = str(self.folder / "error.log")
        return [program("nginx"), "-p", str(self.folder), "-c", str(self._file), "-e", error_log]

    async def switch(self, version: int) -> None:
        self._write(version)
        os.kill(self.pids[0], signal.SIGHUP)

    def _write(self, version: int) -> None:
        live = self.scene.versions[version]
        text = _CONFIGURATION.format(
            folder=self.folder,
            plain=self.plain.port,
            secure=self.secure.port,
            hosts=" ".join(HOSTS),
            chain=self.scene.chain,
            key=self.scene.key,
            web=live.web,
            api=live.api,
        )
        write_atomically(self._file, text.encode())
