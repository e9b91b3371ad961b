"""Addresses of a server that mean another machine here."""

from __future__ import annotations

import pytest

from tui.elsewhere import forwarding, is_loopback


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://shop.localhost:8080", True),
        ("http://localhost", True),
        ("tcp://127.0.0.1:5433", True),
        ("http://[::1]:80/", True),
        ("https://shop.example.com", False),
        ("http://10.0.0.4:8080", False),
        ("http://localhost.example.com", False),
    ],
)
def test_what_only_the_machine_itself_can_open(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize(
    ("url", "server", "command", "opened"),
    [
        (
            "http://shop.localhost:8080",
            "me@server",
            "ssh me@server -N -L 8080:127.0.0.1:8080",
            "http://shop.localhost:8080",
        ),
        (
            "https://shop.localhost",
            "server:2222",
            "ssh -p 2222 server -N -L 8443:127.0.0.1:443",
            "https://shop.localhost:8443",
        ),
    ],
)
def test_how_it_is_opened_from_here(url: str, server: str, command: str, opened: str) -> None:
    told = forwarding(url, server)
    assert command in told
    assert told.endswith(f"then open {opened}")
