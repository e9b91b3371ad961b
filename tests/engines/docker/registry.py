"""A registry that has one image, for an engine on this machine to pull."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE = "application/vnd.docker"
_MANIFEST = f"{_TYPE}.distribution.manifest.v2+json"


class Registry:
    """Knows `lab/app:1`; with a password, only for who has it."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.image = f"{self.host}/lab/app:1"
        self.credentials: str | None = None
        """What has to be said: user and password, with a colon between them."""
        self.manifest = b""
        self.blobs: dict[str, bytes] = {}

    def push(self, version: str, labels: dict[str, str]) -> None:
        """Has the image be another one, with its version as a label."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("version")
            entry.size = len(version)
            tar.addfile(entry, io.BytesIO(version.encode()))
        layer = gzip.compress(packed.getvalue(), mtime=0)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/version"], "Labels": {**labels, "version": version}},
            "rootfs": {"type": "layers", "diff_ids": [_digest(packed.getvalue())]},
        }
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": self._blob(json.dumps(config).encode(), "container.image.v1+json"),
                "layers": [self._blob(layer, "image.rootfs.diff.tar.gzip")],
            }
        ).encode()

    def _blob(self, content: bytes, kind: str) -> dict[str, str | int]:
        self.blobs[_digest(content)] = content
        return {
            "mediaType": f"{_TYPE}.{kind}", "size": len(content), "digest": _digest(content),
        }  # fmt: skip

    def found(self, path: str) -> tuple[str, bytes] | None:
        """What is at a path, and its type."""
        last = path.rpartition("/")[2]
        if path == "/v2/":
            return "application/json", b"{}"
        if path in ("/v2/lab/app/manifests/1", f"/v2/lab/app/manifests/{_digest(self.manifest)}"):
            return _MANIFEST, self.manifest
        return ("application/octet-stream", self.blobs[last]) if last in self.blobs else None


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def registry() -> Iterator[Registry]:
    """One that runs as long as the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = self.headers.get("Authorization", "").removeprefix("Basic ")
            if made.credentials and base64.b64decode(said).decode() != made.credentials:
                self._answer(401, "application/json", b'{"errors":[{"code":"UNAUTHORIZED"}]}')
            elif (found := made.found(self.path)) is None:
                self._answer(404, "application/json", b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            else:
                self._answer(200, *found)

        do_HEAD = do_GET  # noqa: N815  the name that the standard library asks for

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.send_header("Www-Authenticate", 'Basic realm="lab"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Registry(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
