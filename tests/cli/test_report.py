from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

from core.cli import report
from core.cli.report import Places, resolves
from core.remote.server import Server
from core.remote.where import asked_at

if TYPE_CHECKING:
    import pytest

URL = "http://shop.localhost:8080"


def no_name(*_: Any) -> list[Any]:
    raise socket.gaierror


def test_a_name_that_resolves_needs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [1])
    assert Places([None, URL]).of(URL) == URL


def test_a_name_that_does_not_resolve_comes_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    places = Places([URL])
    assert places.of(URL) == f"{URL}  curl -H 'Host: shop.localhost' http://127.0.0.1:8080/"
    assert places.of("http://shop.localhost").endswith("http://127.0.0.1:80/")
    assert places.of(None) == "-"


def test_a_name_of_a_server_s_own_is_reached_on_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [1])
    with asked_at(Server.parse("kim@shop.example:2222")):
        found, of_a_domain = (Places([url]).of(url) for url in (URL, "http://shop.example:8080"))
    curl = "curl -H 'Host: shop.localhost' http://127.0.0.1:8080/"
    assert found == f"{URL}  on kim@shop.example:2222: {curl}"
    assert of_a_domain == "http://shop.example:8080"


def test_nothing_is_looked_up_without_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert Places([None]).of(None) == "-"


def test_a_port_that_is_all_its_own_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    own = ("tcp://127.0.0.1:5432", "http://[::1]:80", "http://localhost", "tcp://localhost:6379")
    places = Places([*own, URL])
    assert [places.of(url) for url in own] == list(own)
    assert "curl" in places.of(URL)


def test_a_name_server_that_hangs_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer = threading.Event()
    monkeypatch.setattr(report, "_LOOKUP_TIMEOUT_S", 0.01)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [may_answer.wait(60)])
    assert not resolves("shop.localhost")
    may_answer.set()
