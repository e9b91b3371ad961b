"""The files of manifests, by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.container import Container
from core.journal.manifests import Manifests, Setting
from core.model import EngineName, RouteRule, Schedule, Service, ServiceKind
from core.records import (
    Activation,
    ActivationState,
    EnvironmentRecord,
    HostRecord,
    UserRecord,
    Variable,
    VariableRecord,
)
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from pathlib import Path

    from core.journal.manifests import Entry

DEPLOYMENT = deployment(
    service=Service(
        "web", ".", ServiceKind.CRON, schedule=Schedule("* * * * *"), container=Container()
    ),
    rules=(RouteRule("web", "/a", "api", ("GET",)),),
    assigned={"KEY": Variable("s3cret\n'é", is_sensitive=True)},
    engine=EngineName.DOCKER,
)
ACTIVATION = Activation(
    DEPLOYMENT.id, 2, ActivationState.LIVE, "now", addresses=(("127.0.0.1", 80),)
)


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    return Manifests(tmp_path)


def test_records_come_back_as_they_were(manifests: Manifests, tmp_path: Path) -> None:
    settled: list[Entry] = [
        EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop", ("a.yml",)),
        HostRecord("shop.localhost", TARGET, "web", is_public=True, inner_port=1),
        VariableRecord(TARGET, None, "KEY", Variable("x"), "now"),
        UserRecord(TARGET, "ann", "{SHA}x"),
        Setting("ports", "1 2 ::1"),
    ]
    manifests.write(DEPLOYMENT.id, [DEPLOYMENT, ACTIVATION])
    manifests.write("env_1", settled)
    assert manifests.read().entries == [DEPLOYMENT, ACTIVATION, *settled]
    assert manifests.deployment_ids == {DEPLOYMENT.id}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_is_there_already_is_not_written_again(manifests: Manifests, tmp_path: Path) -> None:
    manifests.write("env_1", [Setting("ports", "1")])
    (file,) = tmp_path.iterdir()
    before = file.stat().st_ino
    manifests.write("env_1", [Setting("ports", "1")])
    assert file.stat().st_ino == before
    manifests.write("env_1", [Setting("ports", "2")])
    assert file.stat().st_ino != before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 99, "records": []}', b"\xff",
                b'{"version": 1, "records": [["Nobody", {}]]}',
                b'{"version": 1, "records": [["Setting", {"name": 1}]]}'],
)  # fmt: skip
def test_one_that_is_damaged_is_named(manifests: Manifests, tmp_path: Path, content: bytes) -> None:
    manifests.write("home", [Setting("ports", "1")])
    (tmp_path / "dep_a.json").write_bytes(content)
    found = manifests.read()
    assert (found.entries, found.unreadable) == ([Setting("ports", "1")], ["dep_a"])
    manifests.set_aside("dep_a", "damaged-1")
    assert manifests.names == {"home"}
    assert (tmp_path / "dep_a.json.damaged-1").read_bytes() == content
