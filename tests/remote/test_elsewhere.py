"""Requests that come from another machine: whose variables, whose paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.agent.source_routes import with_ours
from core.config.relocation import relocated
from core.model import Trigger


def test_variables_that_mean_a_machine_are_those_of_the_server() -> None:
    laptop = {
        "PATH": "/opt/homebrew/bin", "HOME": "/Users/me", "LC_ALL": "de_DE", "TMPDIR": "/var/x",
        "DOCKER_HOST": "unix:///Users/me/docker.sock", "TAG": "v2", "PWD": "/uploads/shop/source",
    }  # fmt: skip
    server = {"PATH": "/usr/bin", "HOME": "/root", "TAG": "none of theirs"}
    assert with_ours(laptop, server) == {
        "PATH": "/usr/bin", "HOME": "/root", "TAG": "v2", "PWD": "/uploads/shop/source",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing:
    paths: tuple[str, ...]
    settings: dict[str, object]
    root: Path
    trigger: Trigger = Trigger.DEPLOY


def test_everything_below_a_folder_is_as_if_it_were_elsewhere() -> None:
    found = relocated(
        Thing(
            ("/home/me/shop", "/home/me/shop/a", "/home/me/shopping", "see /home/me/shop/a"),
            {"file": "/home/me/shop/b", "list": ["/home/me/shop/c", 1, None]},
            Path("/home/me/shop/d"),
        ),
        Path("/home/me/shop"),
        Path("/srv"),
    )
    assert found == Thing(
        ("/srv", "/srv/a", "/home/me/shopping", "see /home/me/shop/a"),
        {"file": "/srv/b", "list": ["/srv/c", 1, None]},
        Path("/srv/d"),
    )
