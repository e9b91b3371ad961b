"""`volumes` of a service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.compose.keys import read_key, told, value_of


def volume(target: str, source: str = "", **more: Any) -> dict[str, Any]:
    named = {"source": source} if source else {}
    return {"type": "volume", "target": target, "volume": {}, **named, **more}


def bind(target: str, source: str, options: dict[str, Any] | None = None, **more: Any) -> Any:
    made = {"create_host_path": True, **(options or {})}
    return {"type": "bind", "target": target, "source": source, "bind": made, **more}


@pytest.mark.parametrize(
    ("written", "mount"),
    [
        ("data:/data", volume("/data", "data")),
        ("my.data_1-x:/data", volume("/data", "my.data_1-x")),
        ("data:/data:ro", volume("/data", "data", read_only=True)),
        ("data:/data:rw", volume("/data", "data")),
        ("data:/data:nocopy", volume("/data", "data", volume={"nocopy": True})),
        (
            "data:/data:ro,nocopy",
            volume("/data", "data", read_only=True, volume={"nocopy": True}),
        ),
        ("data:/data:z", volume("/data", "data", bind={"selinux": "z"})),
        ("a:/data", volume("/data", "a")),
        ("data:/a//b/../c/", volume("/a/c", "data")),
        ("/data", volume("/data")),
        ("/d", volume("/d")),
        ("/app/node_modules", volume("/app/node_modules")),
        (".:/app", bind("/app", "/project")),
        ("./a:/app", bind("/app", "/project/a")),
        ("../a:/app", bind("/app", "/a")),
        (".env:/app/.env", bind("/app/.env", "/project/.env")),
        ("/etc/x:/x", bind("/x", "/etc/x")),
        ("/a/../b/:/x", bind("/x", "/b")),
        ("./a:/app:ro", bind("/app", "/project/a", read_only=True)),
        ("./a:/app:Z", bind("/app", "/project/a", {"selinux": "Z"})),
        (
            "./a:/app:ro,z,rshared",
            bind("/app", "/project/a", {"selinux": "z", "propagation": "rshared"}, read_only=True),
        ),
        ("./a:/app:cached", bind("/app", "/project/a")),
        ("'./${A:-b}:/app'", bind("/app", "/project/${A:-b}")),
        (
            "'/var/run/docker.sock:/var/run/docker.sock'",
            bind("/var/run/docker.sock", "/var/run/docker.sock"),
        ),
        ("{type: volume, target: /data}", {"type": "volume", "target": "/data"}),
        (
            "{type: volume, source: d, target: /data, volume: {nocopy: yes2, subpath: a}}",
            None,
        ),
        (
            "{type: volume, source: d, target: /data, read_only: true, volume: {subpath: a}}",
            {
                "type": "volume",
                "source": "d",
                "target": "/data",
                "read_only": True,
                "volume": {"subpath": "a"},
            },
        ),
        (
            "{type: bind, source: ./a, target: /app, bind: {create_host_path: false}}",
            {
                "type": "bind",
                "source": "/project/a",
                "target": "/app",
                "bind": {"create_host_path": False},
            },
        ),
        (
            "{type: bind, source: a, target: /app}",
            {"type": "bind", "source": "/project/a", "target": "/app", "bind": {}},
        ),
        (
            "{type: tmpfs, target: /run, tmpfs: {size: 64m, mode: 0o1777}}",
            {"type": "tmpfs", "target": "/run", "tmpfs": {"size": "67108864", "mode": 0o1777}},
        ),
        (
            '{type: tmpfs, target: /run, tmpfs: {mode: "1777"}}',
            {"type": "tmpfs", "target": "/run", "tmpfs": {"mode": 0o1777}},
        ),
    ],
)
def test_volumes(written: str, mount: dict[str, Any] | None) -> None:
    if mount is None:
        assert len(read_key(f"volumes: [{written}]").problems) == 1
    else:
        quoted = written if written[0] in "{'" else f'"{written}"'
        assert value_of(f"volumes: [{quoted}]") == [mount]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("C:\\\\data:/data", "is the Windows path"),
        ("c:/data:/data:ro", "is the Windows path"),
        (
            "a/b:/data",
            'has "a/b", which cannot be the name of a volume (a folder is written ./a/b)',
        ),
        ("-a:/data", 'has "-a", which cannot be the name of a volume'),
        ("data:data", 'has the target "data", which is no absolute path'),
        ("data", 'has the target "data", which is no absolute path'),
        ("./a:", 'cannot be "./a:"'),
        (":/a", 'cannot be ":/a"'),
        ("a:/b:ro:z", 'cannot be "a:/b:ro:z"'),
        ("", 'cannot be ""'),
    ],
)
def test_short_volumes_that_are_none(written: str, message: str) -> None:
    (problem,) = told(read_key(f'volumes: ["{written}"]').problems)
    assert problem.startswith('3:15: "volumes[0]"')
    assert message in problem


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{target: /a}", '3:15: "volumes[0]" has no "type"'),
        ("{type: volume}", '3:15: "volumes[0]" has no "target"'),
        ("{type: bind, target: /a}", '"volumes[0]" is a bind mount without a source'),
        ("{type: tmpfs, source: a, target: /a}", "a tmpfs has no source (remove it)"),
        ("{type: npipe, source: a, target: /a}", '"type" must be one of volume, bind, tmpfs'),
        ("{type: volume, source: a/b, target: /a}", 'has "a/b", which cannot be the name'),
        ("{type: bind, source: 'C:\\a', target: /a}", '"source" is the Windows path'),
        ("{type: volume, target: /a, image: {subpath: b}}", '"image" is not supported'),
        ("{type: tmpfs, target: /a, tmpfs: {mode: 9}}", None),
        ("{type: tmpfs, target: /a, tmpfs: {mode: '9'}}", '"mode" must be the rights of a file'),
    ],
)
def test_long_volumes_that_are_none(written: str, message: str | None) -> None:
    problems = told(read_key(f"volumes: [{written}]").problems)
    if message is None:
        assert problems == []
    else:
        assert len(problems) == 1
        assert message in problems[0]


def test_an_option_that_nobody_knows_is_noted() -> None:
    found = read_key('volumes: ["a:/a:ro,fast"]')
    assert told(found.notes) == [
        '3:15: "volumes[0]": the option "fast" does nothing here (known: ro, rw, z, Z, nocopy,'
        " private, rprivate, shared, rshared, slave, rslave)"
    ]
    assert found.problems == ()


def test_a_tilde_is_the_home() -> None:
    assert value_of("volumes: [~/a:/app]") == [bind("/app", str(Path.home() / "a"))]
