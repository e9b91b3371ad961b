"""Volumes, binds, secrets, configs and networks of services."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from core.config.compose.mapping import digests
from core.config.compose.mapping.digests import digest_of
from core.config.compose.mapping.project import services_of
from core.container import InlineFile, Mount, MountType, Network, NetworkLink
from tests.config.compose.given import bind, given, problems, service, services, volume

if TYPE_CHECKING:
    from pathlib import Path

    from core.container import Container

Json = dict[str, Any]


def container(described: Json, root: Path | None = None, **top: Any) -> Container:
    more = {"root": root} if root else {}
    found = service({"image": "a", **described}, **more, **top).container
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("described", "named", "mount"),
    [
        ({}, None, Mount(MountType.VOLUME, "/data", "data")),
        ({"name": "shop_data"}, None, Mount(MountType.VOLUME, "/data", "data")),
        ({"name": "other"}, None, Mount(MountType.VOLUME, "/data", "data", name="other")),
        ({"name": "data", "external": True}, None,
         Mount(MountType.VOLUME, "/data", "data", name="data", is_external=True)),
        ({"driver": "local", "driver_opts": {"type": "nfs"}, "labels": {}}, None,
         Mount(MountType.VOLUME, "/data", "data",
               settings={"driver": "local", "driver_opts": {"type": "nfs"}})),
        ({}, {"read_only": True, "volume": {"nocopy": True}},
         Mount(MountType.VOLUME, "/data", "data", is_read_only=True,
               settings={"volume": {"nocopy": True}})),
    ],
)  # fmt: skip
def test_named_volumes(described: Json, named: Json | None, mount: Mount) -> None:
    said = volume("data", "/data", **(named or {}))
    assert container({"volumes": [said]}, volumes={"data": described}).mounts == (mount,)


def test_others() -> None:
    tmpfs = {"type": "tmpfs", "target": "/run", "tmpfs": {"size": "1024"}}
    found = container({"volumes": [volume("", "/cache"), tmpfs, bind("/nowhere", "/x")]}).mounts
    assert found == (
        Mount(MountType.VOLUME, "/cache"),
        Mount(MountType.TMPFS, "/run", settings={"tmpfs": {"size": "1024"}}),
        Mount(MountType.BIND, "/x", "/nowhere"),
    )


def test_volumes_of_another_service() -> None:
    said = {
        "db": {"image": "a", "volumes": [volume("data", "/data"), volume("", "/own")]},
        "backup": {"image": "b", "volumes_from": ["db:ro", "container:else:ro"]},
    }
    found = services(said, volumes={"data": {}})["backup"].container
    assert found is not None
    assert found.mounts == (Mount(MountType.VOLUME, "/data", "data", is_read_only=True),)
    assert found.settings == {"volumes_from": ["container:else:ro"]}


def test_a_file_is_bound_with_its_digest(tmp_path: Path) -> None:
    conf = tmp_path / "nginx.conf"
    conf.write_text("a")
    described = {"volumes": [bind(conf, "/etc/nginx/nginx.conf", read_only=True)]}
    (first,) = container(described, tmp_path).mounts
    conf.write_text("b")
    (second,) = container(described, tmp_path).mounts
    assert first.digest is not None
    assert second.digest not in (None, first.digest)


def test_what_is_bound_from_the_project_is_noted(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    described = {"volumes": [bind(tmp_path, "/app"), bind(tmp_path / "static", "/static")]}
    notes = container(described, tmp_path).notes
    assert (
        "bound from the project: ., ./static: a rollback cannot restore what is in there" in notes
    )
    outside = container({"volumes": [bind("/etc/hosts", "/x")]}, tmp_path).notes
    assert not [each for each in outside if "bound from" in each]


def test_digests_of_folders(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_text("1")
    first = digest_of(tmp_path, is_read_only=True)
    assert first is not None
    assert digest_of(tmp_path, is_read_only=False) is None
    (tmp_path / "deep" / "a").rename(tmp_path / "deep" / "b")
    second = digest_of(tmp_path, is_read_only=True)
    (tmp_path / "deep" / "b").write_text("2")
    third = digest_of(tmp_path, is_read_only=True)
    (tmp_path / "link").symlink_to("/nowhere")
    fourth = digest_of(tmp_path, is_read_only=True)
    assert len({first, second, third, fourth}) == 4


def test_what_has_no_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert digest_of(pipe, is_read_only=True) is None
    assert digest_of(tmp_path / "nowhere", is_read_only=True) is None
    for name in ("a", "b"):
        (tmp_path / name).write_text("12345")
    assert digest_of(tmp_path, is_read_only=True) is not None
    monkeypatch.setattr(digests, "_FOLDER_FILES", 1)
    assert digest_of(tmp_path, is_read_only=True) is None
    monkeypatch.setattr(digests, "_FOLDER_FILES", 2)
    monkeypatch.setattr(digests, "_FOLDER_BYTES", 9)
    assert digest_of(tmp_path, is_read_only=True) is None
    monkeypatch.setattr(digests, "_FILE_BYTES", 4)
    assert digest_of(tmp_path / "a", is_read_only=True) is None


def test_secrets_and_configs(tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("s")
    model = given(
        {
            "app": {
                "image": "a",
                "secrets": [
                    {"source": "filed"},
                    {"source": "filed", "target": "named"},
                    {"source": "said", "mode": 0o440, "uid": "103", "gid": "104"},
                ],
                "configs": [{"source": "said"}, {"source": "said", "target": "/etc/said"}],
            }
        },
        secrets={"filed": {"file": str(file)}, "said": {"environment": "TOKEN"}},
        configs={"said": {"content": "text"}},
    )
    model.environ["TOKEN"] = "t0ken"
    found, wrong, _ = services_of(model, tmp_path)
    assert wrong == []
    app = found["app"].container
    assert app is not None
    assert [(each.target, each.source, each.is_read_only) for each in app.mounts] == [
        ("/run/secrets/filed", str(file), True),
        ("/run/secrets/named", str(file), True),
    ]
    assert all(each.digest for each in app.mounts)
    assert app.files == (
        InlineFile("/run/secrets/said", "t0ken", 0o440, 103, 104, is_secret=True),
        InlineFile("/said", "text"),
        InlineFile("/etc/said", "text"),
    )


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ({"environment": "NO"}, "secrets.key.environment: the variable NO is not set"),
        ({"external": True}, 'secrets.key: nobody knows what is in "key"'),
    ],
)
def test_secrets_without_content(secret: Json, problem: str) -> None:
    described = {"app": {"image": "a", "secrets": [{"source": "key"}]}}
    assert problems(described, secrets={"key": secret}) == [problem]


def links(described: Json, **networks: Json | None) -> tuple[NetworkLink, ...]:
    return container(described, networks=networks).networks


def test_the_default_network() -> None:
    assert links({}, default={"name": "shop_default"}) == (NetworkLink(Network("default")),)
    assert links({"networks": {"default": None}}) == (NetworkLink(Network("default")),)


def test_networks() -> None:
    back = {"name": "backend", "internal": True, "driver": "bridge", "ipam": {}, "labels": {}}
    said = {"networks": {"front": None, "back": {"aliases": ["x", "app"], "priority": 10}}}
    assert links(said, front={"external": True, "name": "proxy"}, back=back) == (
        NetworkLink(
            Network("back", "backend", is_internal=True, settings={"driver": "bridge"}),
            ("x",),
            {"priority": 10},
        ),
        NetworkLink(Network("front", "proxy", is_external=True)),
    )


def test_a_link_gives_a_name_on_the_networks_that_both_are_on() -> None:
    said = {
        "db": {"image": "a", "networks": {"one": None, "two": None}},
        "app": {"image": "b", "networks": {"one": None}, "links": ["db:database", "db"]},
    }
    found = services(said)["db"].container
    assert found is not None
    assert {each.network.key: each.aliases for each in found.networks} == {
        "one": ("database",),
        "two": (),
    }
