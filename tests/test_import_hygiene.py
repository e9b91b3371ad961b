from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SCREEN = ("textual", "rich")
SERVERS = ("click", "docker", "fastapi", "httpx", "starlette", "uvicorn")

ENTRIES = {
    "compartment": ("core.cli.main", "run"),
    "compartment-tui": ("tui.main", "dashboard_or_run"),
}

RUN_PROGRAM = """
    import sys
    from {module} import {entry}
    sys.argv = {argv!r}
    assert {entry}() == 0
"""

REPORT = """
import json, sys
print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))
"""


def loaded_packages(program: str, cwd: Path) -> set[str]:
    """Runs a program in a fresh interpreter and says which top-level packages it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program) + REPORT],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=15,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "argv",
    [
        ["compartment-tui", "--run", "schema"],
        ["compartment-tui", "--run", "validate"],
        ["compartment-tui", "--run", "--help"],
        ["compartment-tui", "--help"],
        ["compartment", "schema"],
        ["compartment", "validate"],
        ["compartment", "schema", "compose"],
        ["compartment", "--help"],
    ],
    ids=" ".join,
)
def test_headless_commands_load_no_screen(tmp_path: Path, argv: list[str]) -> None:
    (tmp_path / "compartment.yml").write_text("name: shop\nservices:\n  web: .\n")
    module, entry = ENTRIES[argv[0]]
    program = RUN_PROGRAM.format(module=module, entry=entry, argv=argv)
    loaded = loaded_packages(program, tmp_path)
    assert "core" in loaded
    assert loaded.isdisjoint(SCREEN), loaded.intersection(SCREEN)


def test_reading_compose_files_is_light(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: 'nginx:1.27'}}\n")
    argv = ["compartment", "compose", "config"]
    program = RUN_PROGRAM.format(module="core.cli.main", entry="run", argv=argv)
    loaded = loaded_packages(program, tmp_path)
    assert "yaml" in loaded
    assert loaded.isdisjoint((*SCREEN, *SERVERS, "pydantic")), loaded


@pytest.mark.parametrize(
    "argv",
    [["compartment", "compose", "config"], ["compartment", "validate"]],
    ids=" ".join,
)
def test_compose_files_load_no_screen(tmp_path: Path, argv: list[str]) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: nginx}}\n")
    module, entry = ENTRIES[argv[0]]
    program = RUN_PROGRAM.format(module=module, entry=entry, argv=argv) + "\n    print()"
    loaded = loaded_packages(program, tmp_path)
    assert "core" in loaded
    assert loaded.isdisjoint((*SCREEN, *SERVERS)), loaded.intersection((*SCREEN, *SERVERS))


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("core.cli.main", (*SCREEN, *SERVERS)),
        ("tui.main", (*SCREEN, *SERVERS)),
        ("core.agent.client", (*SCREEN, *SERVERS, "pydantic")),
    ],
)
def test_front_ends_start_light(tmp_path: Path, module: str, unwanted: tuple[str, ...]) -> None:
    loaded = loaded_packages(f"import {module}", tmp_path)
    assert "core" in loaded
    assert loaded.isdisjoint(unwanted), loaded.intersection(unwanted)


def test_the_proof_sees_what_is_loaded(tmp_path: Path) -> None:
    assert {"textual", "rich"} <= loaded_packages("import textual.app", tmp_path)
