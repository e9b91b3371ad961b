from __future__ import annotations

from tests.tui.screens.replies import HOSTILE, container, inspected
from tui.view.contained import outside, reasons, settings
from tui.view.detail import configuration
from tui.view.diff import Change, difference


def test_settings_are_named_as_a_compose_file_names_them() -> None:
    assert settings(container()) == {
        "image": "postgres:16-alpine",
        "command": "postgres -c fsync=on",
        "ports.127.0.0.1:5433": "5432/tcp",
        "listens.5432": "tcp",
        "networks.backend": "also database, internal",
        "volumes./var/lib/postgresql/data": "volume pgdata",
        "files./run/secrets/password": "secret",
        "stop_grace_period": "10s",
    }


def test_what_is_bound_read_only_or_anonymous_is_told() -> None:
    mount = container()["mounts"][0]
    mounts = [
        {**mount, "target": "/a", "type": "bind", "source": "/srv/a", "isReadOnly": True},
        {**mount, "target": "/b", "source": ""},
        {**mount, "target": "/c", "isExternal": True},
        {**mount, "target": "/d", "type": "tmpfs", "source": ""},
    ]
    found = settings(container(mounts=mounts))
    assert [found[f"volumes./{name}"] for name in "abcd"] == [
        "bind /srv/a, read-only",
        "volume anonymous",
        "volume pgdata, external",
        "tmpfs",
    ]


def test_a_port_of_this_machine_has_its_address_where_it_has_one() -> None:
    assert outside({"host": "", "port": 80}) == "80"
    assert outside({"host": "::1", "port": 80}) == "[::1]:80"
    assert outside({"host": "", "port": None}) == "any free port"


def test_reasons_are_told_where_there_are_any() -> None:
    assert reasons(container(strategyReason="")) == {
        "kind": "it listens on 5432: postgres listens there",
        "listens.5432": "postgres listens there",
    }


def test_the_configuration_of_a_container_has_its_reasons_and_no_value_of_a_variable() -> None:
    found = inspected(kind="tcp", strategy="stop-first", container=container())
    told = [line.plain for line in configuration(found, 100)]
    names = [line.split()[0] for line in told]
    assert {"image", "kind", "strategy", "volumes./var/lib/postgresql/data"} <= set(names)
    assert not {"path", "build.command", "run.command"} & set(names), "these are not its own"
    (strategy,) = [line for line in told if line.startswith("strategy")]
    assert strategy.split("  ")[-1] == "only it writes to the volume pgdata"
    (variables,) = [line for line in told if line.startswith("variables")]
    assert variables.endswith("LOG_LEVEL, SECRET_KEY, POSTGRES_PASSWORD, POSTGRES_USER")


def test_a_difference_names_the_one_mount_and_the_one_variable() -> None:
    mount = {**container()["mounts"][0], "source": "other"}
    before = inspected(container=container())
    after = inspected(container=container(mounts=[mount], environmentNames=["POSTGRES_USER"]))
    found = difference(before, after)
    name = "volumes./var/lib/postgresql/data"
    assert found.configuration == (Change(name, "volume pgdata", "volume other"),)
    assert found.variables == (Change("POSTGRES_PASSWORD", "POSTGRES_PASSWORD", None),)


def test_other_words_are_no_difference() -> None:
    before, after = inspected(container=container()), inspected(container=container(kindReason=""))
    assert difference(before, after).is_empty


def test_any_name_stays_text() -> None:
    for text in HOSTILE:
        found = configuration(inspected(container=container(image=text, kindReason=text)), 300)
        assert any(text in line.plain for line in found)


def test_long_values_hang_behind_their_names() -> None:
    target = "/" + "x" * 60
    mounts = [{**container()["mounts"][0], "target": target}]
    found = inspected(strategy="stop-first", container=container(mounts=mounts))
    told = [line.plain for line in configuration(found, 60)]
    at = next(at for at, line in enumerate(told) if line.startswith("strategy"))
    assert told[at].startswith("strategy" + " " * 30 + "stop-first")
    assert told[at + 1].startswith(" " * 38)
    at = told.index(f"volumes.{target}")
    assert told[at + 1] == " " * 38 + "volume pgdata"


def test_ports_of_udp_do_not_hide_those_of_tcp() -> None:
    both = [
        {"host": "", "port": 443, "target": 443, "protocol": protocol}
        for protocol in ("tcp", "udp")
    ]
    found = container(
        ports=[{**each, "because": each["protocol"]} for each in both], published=both
    )
    assert settings(found).items() >= {
        ("ports.443", "443/tcp"), ("ports.443/udp", "443/udp"),
        ("listens.443", "tcp"), ("listens.443/udp", "udp"),
    }  # fmt: skip
    assert reasons(found)["listens.443/udp"] == "udp"
