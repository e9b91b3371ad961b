"""The settings: where they come from, what they may be, and that the documentation has them all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from core.config.settings import BY_VARIABLE, Settings, read_settings, settings_file, variable_of
from core.errors import ConfigError

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "configuration.md"

SCALARS = {name: Settings.model_fields[name] for name in BY_VARIABLE}

FULL = """\
port = 0
internal_port = 9001
https_port = 9002
host = "0.0.0.0"
base_domain = "apps.example.com"
acme_webroot = "/srv/acme"
acme_directory = "https://acme.example.com/directory"
acme_email = "me@example.com"
acme_ca_file = "/srv/ca.pem"
engine = "process"
source_limit_mb = 7
keep_releases = 1
keep_history = 20
keep_logs = 5
concurrent_builds = 3
gateway_workers = 2
stop_grace_seconds = 2.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(file: Path, text: str, **variables: str) -> Settings:
    file.write_text(text)
    return read_settings({"COMPARTMENT_CONFIG": str(file), **variables})


def problems(file: Path, text: str, **variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(file, text, **variables)
    return [str(each).replace(str(file), "config.toml") for each in caught.value.problems]


def test_without_a_file_they_are_the_usual_ones() -> None:
    found = read_settings(os.environ)

    assert found == Settings()
    assert found.concurrent_builds == os.cpu_count()


def test_every_setting_in_the_file(file: Path) -> None:
    found = read(file, FULL)

    assert found.model_dump(include=set(BY_VARIABLE)) == {
        "port": 0,
        "internal_port": 9001,
        "https_port": 9002,
        "host": "0.0.0.0",
        "base_domain": "apps.example.com",
        "acme_webroot": "/srv/acme",
        "acme_directory": "https://acme.example.com/directory",
        "acme_email": "me@example.com",
        "acme_ca_file": "/srv/ca.pem",
        "engine": "process",
        "source_limit_mb": 7,
        "keep_releases": 1,
        "keep_history": 20,
        "keep_logs": 5,
        "concurrent_builds": 3,
        "gateway_workers": 2,
        "stop_grace_seconds": 2.5,
    }
    assert found.model_fields_set == set(BY_VARIABLE)


def test_every_variable_wins_over_the_file(file: Path) -> None:
    others = {
        "port": "9100",
        "internal_port": "0",
        "https_port": "9102",
        "host": "::1",
        "base_domain": "localhost",
        "acme_webroot": "/srv/other",
        "acme_directory": "https://other.example.com/directory",
        "acme_email": "you@example.com",
        "acme_ca_file": "/srv/other.pem",
        "engine": "docker",
        "source_limit_mb": "70",
        "keep_releases": "7",
        "keep_history": "70",
        "keep_logs": "8",
        "concurrent_builds": "1",
        "gateway_workers": "4",
        "stop_grace_seconds": "0",
    }
    found = read(file, FULL, **{variable_of(name): text for name, text in others.items()})

    assert {
        name: str(value).removesuffix(".0") for name, value in found if name in SCALARS
    } == others


def test_an_empty_variable_says_nothing(file: Path) -> None:
    assert read(file, "port = 9000\n", COMPARTMENT_PORT="").port == 9000


def test_the_file_is_in_the_platform_s_place_or_named(home: Path) -> None:
    usual = settings_file(os.environ)

    assert usual.name == "config.toml"
    assert usual.is_relative_to(home.parent)
    assert settings_file({"COMPARTMENT_CONFIG": "some.toml"}) == Path("some.toml").absolute()
    usual.parent.mkdir(parents=True)
    usual.write_text("keep_releases = 9\n")
    assert read_settings(os.environ).keep_releases == 9


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({"COMPARTMENT_CONFIG": str(tmp_path / "none.toml")})

    (problem,) = caught.value.problems
    assert problem.message == "none.toml cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prt = 80", '1:1: unknown key "prt" (did you mean "port"?)'),
        ("[port]\nx = 1", '1:2: "port" must be a whole number, not a mapping'),
        ('port = "80"', '1:8: "port" must be a whole number, not "80"'),
        ("\nport = 65536", '2:8: "port" must be at most 65535, not 65536'),
        ("port = -1", '1:8: "port" must be at least 0, not -1'),
        ("internal_port = 8.5", '1:17: "internal_port" must be a whole number, not 8.5'),
        ('host = "localhost"', '1:8: "host" must be an IP address, not "localhost" (use one such'),
        ('base_domain = "Apps.x"', '1:15: "base_domain" cannot be "Apps.x" (use a domain in low'),
        ('base_domain = "a..b"', '1:15: "base_domain" cannot be "a..b"'),
        ('base_domain = "-a.b"', '1:15: "base_domain" cannot be "-a.b"'),
        ('engine = "dockr"', '1:10: "engine" must be one of auto, process, docker, not "dockr"'),
        ("keep_releases = 0", '1:17: "keep_releases" must be at least 1, not 0'),
        ("concurrent_builds = 0", '1:21: "concurrent_builds" must be at least 1, not 0'),
        ("gateway_workers = 257", '1:19: "gateway_workers" must be at most 256, not 257'),
        ("stop_grace_seconds = nan", '1:22: "stop_grace_seconds" must be'),
        ("stop_grace_seconds = 3601", '1:22: "stop_grace_seconds" must be at most 3600, not 3601'),
        ("port = 80\ninternal_port = 80", "2:17: port 80 cannot be both the public and the int"),
        ("port = 80\nhttps_port = 80", "2:14: port 80 cannot be both the public and the TLS one"),
        ('acme_webroot = "acme"', '1:16: "acme_webroot" must be an absolute path, not "acme"'),
        ('acme_directory = "http://x"', '1:18: "acme_directory" cannot be "http://x" (use an ad'),
        ('acme_email = "me"', '1:14: "acme_email" cannot be "me" (use an address'),
    ],
)
def test_problems_of_the_file(file: Path, text: str, expected: str) -> None:
    (problem,) = problems(file, text)

    assert problem.startswith(f"config.toml:{expected}")


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("COMPARTMENT_PORT", "http", '"port" must be a whole number, not "http"'),
        ("COMPARTMENT_PORT", "99999", '"port" must be at most 65535, not "99999"'),
        ("COMPARTMENT_STOP_GRACE_SECONDS", "10s", '"stop_grace_seconds" must be a number, not "'),
        ("COMPARTMENT_ENGINE", "podman", '"engine" must be one of auto, process, docker, not'),
        ("COMPARTMENT_INTERNAL_PORT", "80", "port 80 cannot be both the public and the internal"),
    ],
)
def test_a_wrong_variable_is_named(file: Path, variable: str, text: str, expected: str) -> None:
    (problem,) = problems(file, "port = 80\n", **{variable: text})

    assert problem.startswith(f"{variable}: {expected}")


def test_all_problems_together(file: Path) -> None:
    found = problems(file, "prt = 80\nhost = 5\n", COMPARTMENT_PORT="x", COMPARTMENT_ENGINE="y")

    assert [each.partition(" ")[0] for each in found] == [
        *("config.toml:1:1:", "config.toml:2:8:"),
        *("COMPARTMENT_ENGINE:", "COMPARTMENT_PORT:"),
    ]


def test_the_documentation_has_the_same_table() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `(COMPARTMENT_\w+)` \| (.+?) \| (.+) \|$", DOCUMENTATION.read_text(), re.M
    )

    assert [(name, variable, words) for name, variable, _, words in rows] == [
        (name, variable_of(name), field.description) for name, field in SCALARS.items()
    ]
    for (_, _, default, _), field in zip(rows, SCALARS.values(), strict=True):
        assert field.default in (None, PydanticUndefined) or default == str(field.default)
