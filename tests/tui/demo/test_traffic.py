"""Every request of the visitors is counted, and none is taken for answered that was not."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from core.errors import CompartmentError
from tui.demo.example import Example
from tui.demo.traffic import Counts, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator


STRANGE = {
    "/page": b"<html>",
    "/list": b"[]",
    "/nothing": b"{}",
    "/steering": b'{"version": "9\\u001b]0;mine\\u0007\\nand more"}',
}


class Site(socketserver.ThreadingTCPServer):
    """Answers `/` and, strangely, what is in STRANGE; refuses `/refused`, and cuts at `/cut`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.enough = threading.Event()
        self.asked: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def note(self, host: str, path: str) -> None:
        self.asked.append((host, path))
        if len(self.asked) >= 9:
            self.enough.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        self.server.note(self.headers["Host"], self.path)
        if self.path == "/cut":
            self.close_connection = True
            return
        body = STRANGE.get(self.path, b'{"version": "7"}')
        self.send_response(503 if self.path == "/refused" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_what_is_answered_refused_and_cut_is_told_apart() -> None:
    paths = ("/", "/refused", "/cut")
    with site() as server:
        with Traffic(Example("shop", "shop.localhost", paths), server.address, 50) as traffic:
            assert server.enough.wait(60)
        asked = list(server.asked)
    counts = traffic.counts
    assert {host for host, _ in asked} == {"shop.localhost"}
    assert counts.sent == len(asked)
    answered = sum(path == "/" for _, path in asked)
    refused = sum(path == "/refused" for _, path in asked)
    cut = sum(path == "/cut" for _, path in asked)
    assert counts.answered_by == {"7": answered}
    assert counts.lost == {"status 503": refused, "RemoteProtocolError": cut}
    assert f"{refused + cut} lost, " in str(counts)


def test_an_answer_that_a_person_made_another_one_is_an_answer() -> None:
    with site() as server:
        example = Example("shop", "shop.localhost", tuple(STRANGE))
        with Traffic(example, server.address, 50) as traffic:
            assert server.enough.wait(60)
    counts = traffic.counts
    assert not counts.lost
    assert counts.answered_by.keys() == {"one without a version", "9"}
    assert sum(counts.answered_by.values()) == counts.sent


def test_no_answer_is_an_error_and_ends_the_visitors() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    traffic = Traffic(Example("shop", "shop.localhost", ("/",)), address, 50, patience_s=0.5)
    with pytest.raises(CompartmentError, match="no answer"):
        traffic.__enter__()
    assert traffic.process.poll() is not None


def test_visitors_that_end_early_are_no_success() -> None:
    with site() as server:
        with Traffic(Example("shop", "shop.localhost", ("/",)), server.address, 50) as traffic:
            os.kill(traffic.process.pid, signal.SIGKILL)
        assert traffic.counts.lost


def test_the_counts_in_words() -> None:
    counts = Counts(12, {}, {"1.0.0": 5, "1.1.0": 7})
    assert str(counts) == "12 requests sent, 0 lost; answered 5 by 1.0.0, 7 by 1.1.0"
