"""The systemd unit: what systemd makes of it, and what we recognise as ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from core.agent import unit as unit_module
from core.agent.unit import Kind, Unit, installed, is_as_written, quoted, unit_of
from core.errors import CompartmentError
from core.files import Home

ODD = "/srv/a b\"c%d$e\\f'ü;{g}"
ENVIRON = {
    "PATH": "/opt/my tools/bin:/usr/bin",
    "LANG": "C.UTF-8",
    "COMPARTMENT_HOME": "elsewhere",
    "COMPARTMENT_CONFIG": "/etc/100%.toml",
    "SECRET": "of the terminal",
}


@pytest.mark.parametrize("root", ["/srv/shop", ODD])
@pytest.mark.parametrize("kind", Kind)
def test_systemd_takes_it(tmp_path: Path, kind: Kind, root: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    unit = unit_of(Home(Path(root)), kind)
    path = tmp_path / unit.name
    path.write_text(unit.text(ENVIRON, owner="daemon" if kind is Kind.SYSTEM else None))
    flag = ["--user"] if kind is Kind.USER else []
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    told = subprocess.run(
        ["systemd-analyze", *flag, "verify", "--man=no", str(path)],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert [line for line in told.stderr.splitlines() if unit.name in line] == []
    assert told.returncode == 0, told.stderr


def test_what_stands_in_it() -> None:
    lines = unit_of(Home(Path(ODD)), Kind.SYSTEM).text(ENVIRON, owner="shop").splitlines()
    assert [line for line in lines if line.startswith(("Environment=", "User="))] == [
        'Environment="COMPARTMENT_HOME=/srv/a b\\"c%%d$e\\\\f\'ü;{g}"',
        'Environment="COMPARTMENT_CONFIG=/etc/100%%.toml"',
        'Environment="LANG=C.UTF-8"',
        'Environment="PATH=/opt/my tools/bin:/usr/bin"',
        "User=shop",
    ]
    assert {"Type=notify", "KillMode=process", "OOMPolicy=continue", "Restart=on-failure"} < {
        *lines
    }
    assert not [line for line in lines if "SECRET" in line]


@pytest.mark.parametrize("text", ["/a\nExecStartPre=/bin/evil", "/a\x1b", "/a\udcff"])
def test_what_cannot_stand_in_a_unit_is_refused(text: str) -> None:
    with pytest.raises(CompartmentError, match="cannot stand in a systemd unit"):
        quoted(text)


def test_each_home_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unit_of(Home.usual(), Kind.USER).name == "compartment.service"
    names = {unit_of(Home(Path(root)), Kind.USER).name for root in ("/a", "/b")}
    assert len(names) == 2
    assert "compartment.service" not in names


def test_one_that_was_changed_is_told_from_one_that_was_not() -> None:
    text = unit_of(Home(Path("/a")), Kind.USER).text(ENVIRON)
    assert is_as_written(text)
    assert not is_as_written(text.replace("RestartSec=10", "RestartSec=1"))
    assert not is_as_written(f"{text}# mine\n")
    assert not is_as_written("[Service]\nExecStart=/bin/true\n")


def test_that_of_another_home_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(unit_module, "SYSTEM_FOLDER", tmp_path)
    ours, theirs = Home.usual(), Home(Path("/home/other/.local/state/compartment"))
    # Root has written both, and the first has the usual name.
    Unit(theirs, Kind.SYSTEM, "compartment.service").path.write_text(
        unit_of(theirs, Kind.SYSTEM).text(ENVIRON)
    )
    assert installed(ours) is None
    Unit(ours, Kind.SYSTEM, "compartment-abc.service").path.write_text(
        unit_of(ours, Kind.SYSTEM).text(ENVIRON)
    )
    found = installed(ours)
    assert found == Unit(ours, Kind.SYSTEM, "compartment-abc.service")
    assert found.starts_us
    found.path.write_text(found.path.read_text().replace("ExecStart=", "ExecStart=/other"))
    assert not found.starts_us
