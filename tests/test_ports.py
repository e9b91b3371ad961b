from __future__ import annotations

import socket

import pytest

from core import ports
from core.errors import CompartmentError
from core.ports import free_port


def test_a_free_port_can_be_bound_and_lies_below_outgoing_connections() -> None:
    taken: set[int] = set()
    for _ in range(20):
        port = free_port(taken)
        assert 20_000 <= port < max(ports._lowest_ephemeral(), 20_001)
        assert port not in taken
        taken.add(port)
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.3", "0.0.0.0"])
def test_a_port_in_use_is_not_free(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used = free_port(set())
    free = free_port({used})
    monkeypatch.setattr(ports, "_PREFERRED_PORTS", (used, free))
    with socket.create_server((address, used)):
        assert {free_port(set()) for _ in range(8)} == {free}
        with pytest.raises(CompartmentError, match=rf"no port between {used} and {free}"):
            free_port({free})


def test_there_is_a_port_where_every_port_may_be_an_outgoing_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "_lowest_ephemeral", lambda: 1_024)
    assert free_port(set()) in range(20_000, 32_768)
