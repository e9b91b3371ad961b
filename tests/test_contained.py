"""Where a Compose service is reached: what is published, and what is spoken there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.contained import url_of
from core.container import Protocol
from tests.config.compose.given import port, service

if TYPE_CHECKING:
    from typing import Any


@pytest.mark.parametrize(
    ("ports", "url"),
    [
        ([], None),
        ([port(80, "80")], "http://localhost"),
        ([port(80, "8080", host_ip="0.0.0.0")], "http://localhost:8080"),
        ([port(80, "8080", host_ip="127.0.0.1")], "http://127.0.0.1:8080"),
        ([port(80, "8080", host_ip="::1")], "http://[::1]:8080"),
        ([port(443, "443"), port(80, "80"), port(443, "443", protocol="udp")], "http://localhost"),
        ([port(5432, "5432", host_ip="127.0.0.1")], "tcp://127.0.0.1:5432"),
        ([port(53, "53", protocol="udp")], None),
        ([port(5678, "5678")], "tcp://localhost:5678"),
    ],
)
def test_url(ports: list[dict[str, Any]], url: str | None) -> None:
    assert url_of(service({"image": "a", "ports": ports}), {}) == url


def test_the_main_port_comes_first() -> None:
    said = {"image": "a", "ports": [port(8000, "8000"), port(3000, "3000")]}
    assert url_of(service(said), {}) == "http://localhost:8000"
    assert url_of(service({**said, "x-compartment": {"port": 3000}}), {}) == "http://localhost:3000"


def test_what_was_found_out_counts() -> None:
    described = {"image": "a", "ports": [port(5678, "5678")]}
    assert url_of(service(described), {5678: Protocol.HTTP}) == "http://localhost:5678"
