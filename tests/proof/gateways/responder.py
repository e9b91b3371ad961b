"""What all gateways lead to: an nginx that answers from memory and says what it was asked.

Stands alone, because a deployed service runs it: `python3 responder.py NAME FOLDER`, with PORT.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LARGE_PATH = "/large"
LARGE_BYTES = 1_000_000
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

CONFIGURATION = """
daemon off;
# One process: whoever kills it, none is left behind.
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            return 200 "{name} $request_uri $http_host $http_x_forwarded_proto\\n";
        }}
        location = {large} {{ root {folder}; }}
    }}
}}
"""


def prepared(name: str, folder: Path, port: int) -> list[str]:
    """Writes the configuration; returns the command that serves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LARGE_PATH[1:]).write_bytes(bytes(LARGE_BYTES))
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(name=name, folder=folder, port=port, large=LARGE_PATH))
    return ["nginx", "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")]


if __name__ == "__main__":
    os.environ["PATH"] = SEARCH_PATH
    command = prepared(sys.argv[1], Path(sys.argv[2]), int(os.environ["PORT"]))
    os.execvp(command[0], command)
