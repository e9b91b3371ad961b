"""The tests' own engine: what it is made of, and how it is mistreated."""

from __future__ import annotations

import time
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import HOME
from tests.engine import bridge, images, leftovers
from tests.engine.client import connected
from tests.engine.found import NAMED, find
from tests.engine.place import NoEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.engine.plugin import Faults
    from tests.figures import FiguresRecorder

ROUTES = """\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000F90A\t00000000\t0001\t0\t0\t0\t00C0FFFF\t0\t0\t0
"""


@pytest.fixture
def client(docker_socket: str) -> Iterator[docker.APIClient]:
    with connected(docker_socket) as client:
        yield client


def test_a_network_is_chosen_that_no_route_leads_to() -> None:
    taken = bridge.routes(ROUTES)
    assert taken == [IPv4Network("192.0.2.0/24"), IPv4Network("10.249.0.0/18")]
    assert bridge.free_network(taken) == IPv4Network("10.248.0.0/24")
    with pytest.raises(NoEngine, match="no network is free"):
        bridge.free_network([IPv4Network("10.0.0.0/8")])


def test_a_changed_base_changes_what_is_made_from_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(images, "_FOLDER", tmp_path)
    for name in ("base", "upper"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tags").write_text(f"{name}:1\n{name}:2\n")
    base, upper = images.recipes()
    (upper.folder / "Dockerfile").write_text("FROM base:2\nCOPY file /\n")
    before = upper.digest
    (upper.folder / "file").write_text("content")
    assert upper.base == base
    assert before != (changed := upper.digest)
    (base.folder / "file").write_text("content")
    assert upper.digest != changed


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    with pytest.raises(NoEngine, match="only root"):
        find({}, (), print)


def test_a_named_engine_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NoEngine, match="no socket"):
        find({NAMED: str(tmp_path / "missing")}, (), print)


def test_it_has_the_basic_images(client: docker.APIClient) -> None:
    assert images.missing(client, images.BASIC) == []


def test_what_is_left_behind_is_found_and_removed(client: docker.APIClient) -> None:
    labels = {HOME: "a-test"}
    container = client.create_container(
        "debian:bookworm-slim", "true", name="a-left", labels=labels
    )
    try:
        assert leftovers.found(client, "a-other") == []
        assert leftovers.found(client, "a-test") == ["container a-left (Created)"]
    finally:
        leftovers.remove(client, "a-test")
    assert leftovers.found(client, "a-test") == []
    assert container["Id"] not in [each["Id"] for each in client.containers(all=True)]


@pytest.mark.timeout(120)
async def test_it_comes_back_after_every_fault(
    engine_faults: Faults, docker_socket: str, figures: FiguresRecorder
) -> None:
    for again in (engine_faults.restart, engine_faults.kill):
        began = time.monotonic()
        await again()
        figures(f"the tests' engine, {again.__name__}", time.monotonic() - began, "s")
        with connected(docker_socket, timeout_s=5) as client:
            assert client.ping()


def test_it_is_silent_while_it_is_paused(engine_faults: Faults, docker_socket: str) -> None:
    engine_faults.pause()
    with connected(docker_socket, timeout_s=1) as client:
        with pytest.raises(Exception, match="timed out"):
            client.ping()
        engine_faults.resume()
        assert client.ping()
