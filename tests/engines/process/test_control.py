"""The shim's door: clients that are slow, late or gone."""

from __future__ import annotations

import json
import selectors
import socket
from typing import TYPE_CHECKING

import pytest

from core.engines.process.control import Control

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as found:
        yield found


@pytest.fixture
def control(home: Path, selector: selectors.BaseSelector) -> Iterator[Control]:
    home.mkdir()
    found = Control(str(home / "s"), selector)
    yield found
    found.close()


@pytest.fixture
def client(home: Path, control: Control) -> Iterator[socket.socket]:
    del control
    with socket.socket(socket.AF_UNIX) as found:
        found.settimeout(60)
        found.connect(str(home / "s"))
        yield found


def test_a_client_that_does_not_read_is_dropped(
    control: Control, client: socket.socket, selector: selectors.BaseSelector
) -> None:
    control.state = lambda: {"filler": "x" * 10_000}
    control.accept()
    with_client = len(selector.get_map())
    tellings = 0
    while len(selector.get_map()) == with_client:
        control.tell()
        tellings += 1
        assert tellings < 1000
    assert tellings > 1


def test_who_comes_last_hears_the_end(home: Path, control: Control, client: socket.socket) -> None:
    control.state = lambda: {"state": "exited"}
    control.close()
    assert json.loads(client.makefile("rb").readline()) == {"state": "exited"}
    assert not (home / "s").exists()


def test_an_order_may_come_in_pieces(
    control: Control, client: socket.socket, selector: selectors.BaseSelector
) -> None:
    orders: list[dict[str, object]] = []
    control.obey = orders.append
    control.accept()
    for piece in (b'{"do": "ke', b'ep"}\n{"do": ', b'"stop"}\n'):
        client.sendall(piece)
        for key, _ in selector.select(10):
            key.data(key.fileobj)
    assert orders == [{"do": "keep"}, {"do": "stop"}]
