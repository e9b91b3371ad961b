from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from core.engines.process import listeners
from core.engines.process.listeners import (
    Listener,
    explain,
    listening,
    owns_port,
    tree,
)
from core.ports import free_port
from tests.quickness import quickest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTEN = """
import socket, sys, time
opened = []
for text in sys.argv[1:]:
    address, port, *only = text.split("@")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened.append(socket.create_server((address, int(port)), family=family,
        dualstack_ipv6=address.startswith("::") and address != "::1" and not only))
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def _listener(*where: str, wrapped: bool = False) -> Iterator[int]:
    command = [sys.executable, "-c", LISTEN, *where]
    if wrapped:
        command = ["/bin/sh", "-c", '"$@"; true', "sh", *command]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid


@pytest.fixture
def port() -> int:
    return free_port(set())


@pytest.mark.parametrize(
    ("address", "reported"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::")]
)
def test_an_own_port_is_found(port: int, address: str, reported: str) -> None:
    assert not owns_port(os.getpid(), port)
    with _listener(f"{address}@{port}") as pid:
        assert listening([pid]) == [Listener(pid, reported, port)]
        assert owns_port(pid, port)
        assert explain(pid, port) is None
    assert not owns_port(pid, port)


def test_a_grandchild_counts(port: int) -> None:
    with _listener(f"127.0.0.1@{port}", wrapped=True) as pid:
        child = tree(pid)[1]
        assert tree(pid) == [pid, child]
        assert listening(tree(pid)) == [Listener(child, "127.0.0.1", port)]
        assert owns_port(pid, port)


def test_a_mapped_address_is_its_ipv4_address(port: int) -> None:
    with _listener(f"::ffff:127.0.0.1@{port}") as pid:
        assert listening([pid]) == [Listener(pid, "127.0.0.1", port)]
        assert owns_port(pid, port)


def test_a_port_of_another_process_is_not_owned(port: int) -> None:
    with _listener(f"127.0.0.1@{port}") as stranger, _listener() as pid:
        assert not owns_port(pid, port)
        said = explain(pid, port)
        assert said is not None
        assert said.startswith(f"port {port} is answered by another process: python")
        assert said.endswith(f"(process {stranger})")


def test_listening_beside_the_one_that_answers_is_not_enough(port: int) -> None:
    with _listener(f"127.0.0.1@{port}") as stranger, _listener(f"::1@{port}") as pid:
        assert not owns_port(pid, port)
        assert f"(process {stranger})" in (explain(pid, port) or "")


def test_an_ipv6_only_socket_beside_anothers_ipv4_one_does_not_answer(port: int) -> None:
    with (
        _listener(f"0.0.0.0@{port}") as stranger,
        _listener(f"::@{port}@only") as pid,
    ):
        assert listening([pid]) == [Listener(pid, "::", port)]
        assert not owns_port(pid, port)
        assert f"(process {stranger})" in (explain(pid, port) or "")


def test_the_wrong_port_is_named(port: int) -> None:
    other = free_port({port})
    with _listener(f"127.0.0.1@{other}") as pid:
        assert explain(pid, port) == (
            f"it listens on port {other}, not on {port}: let it read the port from $PORT"
        )


def test_several_wrong_ports_are_named(port: int) -> None:
    one = free_port({port})
    others = sorted([one, free_port({port, one})])
    with _listener(*(f"127.0.0.1@{other}" for other in others)) as pid:
        assert f"ports {others[0]}, {others[1]}, not on {port}" in (explain(pid, port) or "")


@pytest.mark.parametrize("address", ["::1", "127.0.0.2"])
def test_the_wrong_address_is_named(port: int, address: str) -> None:
    with _listener(f"{address}@{port}") as pid:
        assert not owns_port(pid, port)
        assert explain(pid, port) == (
            f"it listens on port {port} at {address} only:"
            " let it listen at 127.0.0.1 or at every address"
        )


def test_nothing_listens(port: int) -> None:
    with _listener() as pid:
        assert explain(pid, port) == (
            f"nothing listens on port {port}: the service must listen on $PORT"
        )


def test_a_process_that_is_gone_owns_nothing(port: int) -> None:
    with _listener() as pid:
        pass
    assert tree(pid) == []
    assert listening([pid]) == []
    assert not owns_port(pid, port)
    assert "nothing listens" in (explain(pid, port) or "")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux reads its own tables")
def test_both_ways_of_looking_agree(port: int) -> None:
    with _listener(f"127.0.0.1@{port}", f"::1@{port}") as pid:
        assert set(listeners._listening_elsewhere(pid)) == set(listening([pid]))


def test_a_table_full_of_connections_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = (
        "%4d: 0100007F:%04X 0100007F:1F90 06 00000000:00000000 03:00000F1C 00000000"
        "     0        0 0 3 0000000000000000                      \n"
    )
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
        "  1000        0 4711 1 00000000921a69b2 100 0 0 10 0\n"
        + "".join(connection % (line, line + 2_000) for line in range(30_000))
    )
    monkeypatch.setattr(listeners, "_TABLES", (table, tmp_path / "tcp6"))
    assert quickest(listeners._listening_sockets) < 0.1
    assert listeners._listening_sockets() == {4711: ("127.0.0.1", 20_000)} or sys.byteorder == "big"
