"""What the engine is told of the container of a Compose service, key by key."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.container import (
    Container,
    Healthcheck,
    InlineFile,
    Mount,
    MountType,
    Port,
    Protocol,
    Published,
)
from core.engines.base import InstanceSpec, Owner
from core.engines.docker import abilities, containers, healthcheck, labels, mounts
from core.engines.docker.attachments import Attachment
from core.engines.docker.containers import Image, Place
from core.engines.docker.inline_files import packed
from core.engines.docker.surroundings import Surroundings
from core.engines.docker.wiring import Wiring
from core.model import Limits, Service, ServiceKind, Strategy
from core.records import Target

TARGET = Target("shop", "production")
STAGING = Target("shop", "staging")
NAME = "dep_cccccccccccc.2"
IMAGE: dict[str, Any] = {"Config": {"Entrypoint": ["/entry"], "Cmd": ["serve"], "Labels": None}}


def spec_of(container: Container, target: Target = TARGET, **changes: Any) -> InstanceSpec:
    service = replace(Service("db", "."), container=container, **changes)
    owner = Owner(target, "db", "dep_cccccccccccc")
    return InstanceSpec(NAME, owner, service, "img_c", {"COMPARTMENT_SERVICE": "db"}, Path("log"))


def body_of(container: Container, *, api: str = "1.41", **changes: Any) -> dict[str, Any]:
    spec = spec_of(container, **changes)
    placed = tuple(mounts.placed(spec, container, IMAGE))
    place = Place(Wiring("host"), 0, ("", 0))
    around = Surroundings(placed, {"app": "abc"})
    return containers.body_of("home", spec, Image("tag", IMAGE, api), place, around)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("user", "1000:1000", {"User": "1000:1000"}),
        ("hostname", "db1", {"Hostname": "db1"}),
        ("domainname", "example.org", {"Domainname": "example.org"}),
        ("working_dir", "/srv", {"WorkingDir": "/srv"}),
        ("tty", True, {"Tty": True}),
        ("stdin_open", True, {"OpenStdin": True}),
        ("stop_signal", "SIGINT", {"StopSignal": "SIGINT"}),
    ],
)
def test_keys_of_the_configuration(key: str, value: object, expected: dict[str, Any]) -> None:
    body = body_of(Container(settings={key: value}))
    assert {name: body[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("init", True, {"Init": True}),
        ("read_only", True, {"ReadonlyRootfs": True}),
        ("privileged", True, {"Privileged": True}),
        ("cap_add", ["NET_ADMIN"], {"CapAdd": ["NET_ADMIN"]}),
        ("cap_drop", ["ALL"], {"CapDrop": ["ALL"]}),
        ("security_opt", ["no-new-privileges"], {"SecurityOpt": ["no-new-privileges"]}),
        ("shm_size", "67108864", {"ShmSize": 67108864}),
        ("sysctls", {"net.core.somaxconn": 1024}, {"Sysctls": {"net.core.somaxconn": "1024"}}),
        ("dns", ["10.0.0.2"], {"Dns": ["10.0.0.2"]}),
        ("dns_search", ["lan"], {"DnsSearch": ["lan"]}),
        ("dns_opt", ["use-vc"], {"DnsOptions": ["use-vc"]}),
        ("extra_hosts", ["db=10.0.0.5", "v6=::1"], {"ExtraHosts": ["db:10.0.0.5", "v6:::1"]}),
        ("group_add", [44, "video"], {"GroupAdd": ["44", "video"]}),
        ("pid", "host", {"PidMode": "host"}),
        ("pid", "service:app", {"PidMode": "container:abc"}),
        ("ipc", "shareable", {"IpcMode": "shareable"}),
        ("ipc", "service:app", {"IpcMode": "container:abc"}),
        ("uts", "host", {"UTSMode": "host"}),
        ("cgroup", "private", {"CgroupnsMode": "private"}),
        ("cgroup_parent", "/apps", {"CgroupParent": "/apps"}),
        ("cpu_shares", 512, {"CpuShares": 512}),
        ("cpu_quota", 50_000, {"CpuQuota": 50_000}),
        ("cpu_period", 100_000, {"CpuPeriod": 100_000}),
        ("cpuset", "0,1", {"CpusetCpus": "0,1"}),
        ("mem_reservation", "1024", {"MemoryReservation": 1024}),
        ("memswap_limit", "-1", {"MemorySwap": -1}),
        ("mem_swappiness", 0, {"MemorySwappiness": 0}),
        ("oom_kill_disable", True, {"OomKillDisable": True}),
        ("oom_score_adj", -100, {"OomScoreAdj": -100}),
        ("runtime", "runc", {"Runtime": "runc"}),
        ("userns_mode", "host", {"UsernsMode": "host"}),
        ("device_cgroup_rules", ["c 1:3 mr"], {"DeviceCgroupRules": ["c 1:3 mr"]}),
        ("annotations", {"a": "b"}, {"Annotations": {"a": "b"}}),
        ("tmpfs", ["/run", "/tmp:size=64m"], {"Tmpfs": {"/run": "", "/tmp": "size=64m"}}),
        ("volumes_from", ["container:old:ro"], {"VolumesFrom": ["old:ro"]}),
        (
            "ulimits",
            {"nproc": 65535, "nofile": {"soft": 20000, "hard": 40000}},
            {
                "Ulimits": [
                    {"Name": "nproc", "Soft": 65535, "Hard": 65535},
                    {"Name": "nofile", "Soft": 20000, "Hard": 40000},
                ]
            },
        ),
        (
            "devices",
            [{"source": "/dev/a", "target": "/dev/b", "permissions": "r"}],
            {
                "Devices": [
                    {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}
                ]
            },
        ),
        (
            "blkio_config",
            {"weight": 300, "device_read_bps": [{"path": "/dev/sda", "rate": "1024"}]},
            {"BlkioWeight": 300, "BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1024}]},
        ),
        ("logging", {"driver": "syslog"}, {"LogConfig": {"Type": "syslog", "Config": {}}}),
        (
            "logging",
            {"options": {"max-size": "1m"}},
            {"LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "3"}}},
        ),
        (
            "gpus",
            [{"count": -1}],
            {
                "DeviceRequests": [
                    {
                        "Driver": "", "Count": -1, "DeviceIDs": [],
                        "Capabilities": [["gpu"]], "Options": {},
                    }
                ]
            },
        ),
        (
            "deploy",
            {"resources": {"reservations": {"devices": [
                {"driver": "nvidia", "device_ids": ["0"], "capabilities": ["gpu", "utility"]}
            ]}}},
            {
                "DeviceRequests": [
                    {
                        "Driver": "nvidia", "Count": 0, "DeviceIDs": ["0"],
                        "Capabilities": [["gpu", "utility"]], "Options": {},
                    }
                ]
            },
        ),
    ],
)  # fmt: skip
def test_keys_of_the_host(key: str, value: object, expected: dict[str, Any]) -> None:
    host = body_of(Container(settings={key: value}))["HostConfig"]
    assert {name: host[name] for name in expected} == expected


def test_what_is_told_of_one_that_says_nothing() -> None:
    container = Container(environment={"A": "1"}, stop_grace_s=1.5)
    body = body_of(container, limits=Limits(0.5, 2**26))
    assert body["StopTimeout"] == 2
    assert body["Env"] == ["A=1", "COMPARTMENT_SERVICE=db"]
    assert body["HostConfig"]["NanoCpus"] == 500_000_000
    assert body["HostConfig"]["Memory"] == 2**26
    assert body["HostConfig"]["LogConfig"]["Config"]["max-size"]
    assert body["HostConfig"]["RestartPolicy"] == {"Name": "no"}
    assert not {"Cmd", "Entrypoint", "Healthcheck"} & body.keys()


def test_a_variable_that_is_set_here_comes_over_the_file() -> None:
    spec = spec_of(Container(environment={"COMPARTMENT_SERVICE": "x", "A": "1"}))
    place = Place(Wiring("none"), 0, ("", 0))
    around = Surroundings((), {})
    body = containers.body_of("home", spec, Image("tag", IMAGE, "1.41"), place, around)
    assert body["Env"] == ["COMPARTMENT_SERVICE=db", "A=1"]


@pytest.mark.parametrize(
    ("entrypoint", "command", "expected"),
    [
        (None, None, {}),
        (None, ("a", "b"), {"Cmd": ["a", "b"]}),
        (("run",), None, {"Entrypoint": ["run"]}),
        (("run",), ("a",), {"Entrypoint": ["run"], "Cmd": ["a"]}),
        ((), None, {"Entrypoint": [""]}),
        ((), ("a",), {"Entrypoint": [""], "Cmd": ["a"]}),
        (None, (), {"Entrypoint": ["/entry"], "Cmd": []}),
    ],
)
def test_commands(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...] | None, expected: dict[str, Any]
) -> None:
    body = body_of(Container(entrypoint=entrypoint, command=command))
    assert {name: body[name] for name in ("Entrypoint", "Cmd") if name in body} == expected


def test_labels_of_the_file_do_not_come_over_ours() -> None:
    said = {"traefik.enable": "true", labels.HOME: "x", labels.INIT: "x"}
    made = body_of(Container(settings={"labels": said}, container_name="shop-db"))["Labels"]
    assert made["traefik.enable"] == "true"
    assert made[labels.HOME] == "home"
    assert labels.INIT not in made
    assert made[labels.NAME] == "shop-db"


def test_a_name_is_told_apart_outside_of_production() -> None:
    made = body_of(Container(container_name="shop-db"), target=STAGING)["Labels"]
    assert made[labels.NAME] == "shop-db-staging"


def test_a_limit_of_processes_is_as_asked_for_when_it_is_permanent() -> None:
    body = body_of(Container(settings={"pids_limit": 100}))
    made = {"Config": body, "HostConfig": body["HostConfig"]}
    assert not containers.is_kept(made)
    body["HostConfig"].update(containers.kept(made))
    assert body["HostConfig"]["PidsLimit"] == 100
    assert containers.is_kept(made)


def test_no_limit_of_processes_is_none() -> None:
    assert "PidsLimit" not in body_of(Container(settings={"pids_limit": -1}))["HostConfig"]


@pytest.mark.parametrize(
    ("wiring", "expected"),
    [
        (Wiring("host"), {}),
        (
            Wiring.of([Attachment("net", "id", "10.0.0.2", ("db",))]),
            {"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}]},
        ),
    ],
)
def test_the_engine_publishes_udp_itself(wiring: Wiring, expected: dict[str, Any]) -> None:
    published = (Published(53, 5353, host="127.0.0.1", is_udp=True), Published(80, 8080))
    spec = spec_of(Container(published=published))
    place = Place(wiring, 0, (wiring.host, 0))
    around = Surroundings((), {})
    body = containers.body_of("home", spec, Image("tag", IMAGE, "1.41"), place, around)
    assert body["HostConfig"]["PortBindings"] == expected


@pytest.mark.parametrize(
    ("ports", "exposed", "expected"),
    [
        ((), {}, 0),
        ((), {"5432/tcp": {}}, 5432),
        ((Port(53, Protocol.UDP), Port(8080, Protocol.LOOK)), {"5432/tcp": {}}, 8080),
    ],
)
def test_the_port_is_the_first_that_is_known(
    ports: tuple[Port, ...], exposed: dict[str, Any], expected: int
) -> None:
    spec = spec_of(Container(ports=ports))
    assert containers.port_of(spec, {"Config": {"ExposedPorts": exposed}}) == expected


DATA = Mount(MountType.VOLUME, "/data", "data")


@pytest.mark.parametrize(
    ("mount", "target", "expected"),
    [
        (DATA, TARGET, "shop_data"),
        (DATA, STAGING, "shop-staging_data"),
        (replace(DATA, name="orders"), TARGET, "orders"),
        (replace(DATA, name="orders"), STAGING, "orders-staging"),
        (replace(DATA, name="orders", is_external=True), STAGING, "orders"),
        (replace(DATA, is_external=True), STAGING, "data"),
    ],
)
def test_names_of_volumes(mount: Mount, target: Target, expected: str) -> None:
    assert mounts.volume_name(target, mount) == expected


@pytest.mark.parametrize(
    ("mount", "bind", "other"),
    [
        (Mount(MountType.BIND, "/c", "/h"), "/h:/c:rw", None),
        (Mount(MountType.BIND, "/c", "/h", is_read_only=True), "/h:/c:ro", None),
        (
            Mount(
                MountType.BIND, "/c", "/h",
                settings={"bind": {"selinux": "Z", "propagation": "rslave"}},
            ),
            "/h:/c:rw,rslave,Z", None,
        ),
        (
            Mount(MountType.BIND, "/c", "/h", settings={"bind": {"create_host_path": False}}),
            None,
            {
                "Type": "bind", "Source": "/h", "Target": "/c", "ReadOnly": False,
                "BindOptions": {},
            },
        ),
        (
            Mount(MountType.BIND, "/c", "/h:1", settings={"bind": {"propagation": "shared"}}),
            None,
            {
                "Type": "bind", "Source": "/h:1", "Target": "/c", "ReadOnly": False,
                "BindOptions": {"Propagation": "shared"},
            },
        ),
        (
            replace(DATA, is_read_only=True, settings={"volume": {"nocopy": True}}),
            None,
            {
                "Type": "volume", "Source": "shop_data", "Target": "/data", "ReadOnly": True,
                "VolumeOptions": {"NoCopy": True},
            },
        ),
        (
            Mount(MountType.VOLUME, "/cache"),
            None,
            {"Type": "volume", "Target": "/cache", "ReadOnly": False, "VolumeOptions": {}},
        ),
        (
            Mount(MountType.TMPFS, "/tmp", settings={"tmpfs": {"size": "1024", "mode": 1023}}),
            None,
            {
                "Type": "tmpfs", "Target": "/tmp", "ReadOnly": False,
                "TmpfsOptions": {"SizeBytes": 1024, "Mode": 1023},
            },
        ),
    ],
)  # fmt: skip
def test_mounts(mount: Mount, bind: str | None, other: dict[str, Any] | None) -> None:
    host = body_of(Container(mounts=(mount,)))["HostConfig"]
    assert host["Binds"] == ([bind] if bind else [])
    assert host["Mounts"] == ([other] if other else [])


def test_what_stops_first_keeps_its_volumes_without_a_name() -> None:
    container = Container(
        mounts=(Mount(MountType.VOLUME, "/cache"), Mount(MountType.BIND, "/conf", "/h")),
        settings={"tmpfs": ["/run"]},
    )
    image: dict[str, Any] = {"Config": {"Volumes": {"/var/lib/db": {}, "/conf": {}, "/run": {}}}}
    spec = spec_of(container, strategy=Strategy.STOP_FIRST)
    placed = mounts.placed(spec, container, image)
    by_path = {each.mount.target: each.volume for each in placed}
    assert by_path.keys() == {"/cache", "/conf", "/var/lib/db"}
    assert by_path["/cache"].startswith("shop_db_")
    assert by_path["/conf"] == ""
    assert by_path["/var/lib/db"] not in ("", by_path["/cache"])
    second = mounts.placed(replace(spec, name=f"{NAME}-2"), container, image)
    assert second[0].volume == f"{by_path['/cache']}_2"
    again = mounts.placed(replace(spec, name="dep_x.7"), container, image)
    assert again == placed


def test_what_overlaps_or_ends_has_new_ones_each_time() -> None:
    container = Container(mounts=(Mount(MountType.VOLUME, "/cache"),))
    image: dict[str, Any] = {"Config": {"Volumes": {"/var/lib/db": {}}}}
    overlaps = spec_of(container)
    ends = spec_of(container, strategy=Strategy.STOP_FIRST, kind=ServiceKind.JOB)
    for spec in (overlaps, ends):
        assert [each.volume for each in mounts.placed(spec, container, image)] == [""]


def test_files_go_to_a_volume_where_nothing_can_be_copied_to() -> None:
    files = (InlineFile("/run/secrets/a", "1"), InlineFile("/run/secrets/b", "2"))

    def paths(container: Container) -> list[str]:
        return [each.mount.target for each in mounts.for_files(container)]

    assert paths(Container(files=files)) == []
    assert paths(Container(files=files, settings={"read_only": True})) == ["/run/secrets"]
    assert paths(Container(files=files, settings={"tmpfs": ["/run"]})) == ["/run/secrets"]
    assert paths(Container(files=files, mounts=(Mount(MountType.TMPFS, "/run"),))) == [
        "/run/secrets"
    ]


def test_files_are_packed_with_owner_and_mode() -> None:
    archive = packed([InlineFile("/run/secrets/a", "grün", 0o400, 1000, 100, is_secret=True)])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        (entry,) = tar.getmembers()
        assert (entry.name, entry.mode, entry.uid, entry.gid) == ("run/secrets/a", 0o400, 1000, 100)
        content = tar.extractfile(entry)
        assert content is not None
        assert content.read().decode() == "grün"


@pytest.mark.parametrize(
    ("check", "api", "expected"),
    [
        (Healthcheck(("NONE",)), "1.41", {"Test": ["NONE"]}),
        (Healthcheck((), interval_s=1.5), "1.41", {"Test": [], "Interval": 1_500_000_000}),
        (
            Healthcheck(("CMD", "a"), 10, 5, 3, 20, 1),
            "1.44",
            {
                "Test": ["CMD", "a"], "Interval": 10**10, "Timeout": 5 * 10**9, "Retries": 3,
                "StartPeriod": 2 * 10**10, "StartInterval": 10**9,
            },
        ),
        (
            Healthcheck(("CMD", "a"), start_interval_s=1), "1.41", {"Test": ["CMD", "a"]},
        ),
    ],
)  # fmt: skip
def test_health_checks(check: Healthcheck, api: str, expected: dict[str, Any]) -> None:
    assert body_of(Container(healthcheck=check), api=api)["Healthcheck"] == expected


@pytest.mark.parametrize(
    ("said", "argv", "told"),
    [
        ({"Test": ["CMD", "pg", "-U", "a b"]}, ["pg", "-U", "a b"], "pg -U 'a b'"),
        ({"Test": ["CMD-SHELL", "a || exit 1"]}, ["/bin/sh", "-c", "a || exit 1"], "a || exit 1"),
    ],
)
def test_the_check_of_a_container_is_read_back(
    said: dict[str, Any], argv: list[str], told: str
) -> None:
    config = {"Healthcheck": {**said, "Interval": 5 * 10**9, "StartPeriod": 10**10}}
    assert healthcheck.argv_of(config) == argv
    own = healthcheck.own_check(config)
    assert own is not None
    assert (own.what, own.interval_s, own.timeout_s) == (told, 5, 30)
    assert (own.retries, own.start_period_s) == (3, 10)


def test_an_image_may_have_a_shell_of_its_own() -> None:
    config = {"Healthcheck": {"Test": ["CMD-SHELL", "x"]}, "Shell": ["/bin/bash", "-ec"]}
    assert healthcheck.argv_of(config) == ["/bin/bash", "-ec", "x"]


@pytest.mark.parametrize("said", [None, {}, {"Test": []}, {"Test": ["NONE"]}])
def test_no_check(said: dict[str, Any] | None) -> None:
    assert healthcheck.own_check({"Healthcheck": said}) is None


def test_what_an_old_engine_would_pass_over_is_told() -> None:
    subpath = replace(DATA, settings={"volume": {"subpath": "a"}})
    assert "subpath" in (abilities.refusal(Container(mounts=(subpath,)), "1.41") or "")
    assert abilities.refusal(Container(mounts=(subpath,)), "1.45") is None
    container = Container(
        healthcheck=Healthcheck(("CMD", "a"), start_interval_s=1),
        settings={"annotations": {"a": "b"}, "logging": {"driver": "none"}},
    )
    assert len(abilities.warnings(container, "1.41")) == 3
    assert len(abilities.warnings(container, "1.44")) == 1
    assert abilities.warnings(Container(), "1.41") == ()
