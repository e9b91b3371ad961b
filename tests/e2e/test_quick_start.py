"""Proof 7: the quick start of the README, from a fresh clone, as somebody without settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Some for each of the three runs of `make test`.
FEW_TESTS = "tests/test_files.py tests/e2e/test_routes_equal.py tests/e2e/test_agent_streams.py"


def quick_start_commands() -> list[str]:
    """What the README says, to the letter."""
    text = (REPOSITORY / "README.md").read_text()
    block = re.search(r"## Quick start\n.*?```\w*\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return block[1].splitlines()


@pytest.mark.skipif(not shutil.which("git"), reason="needs git for a fresh clone")
@pytest.mark.timeout(900)
def test_the_quick_start_works_as_written(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
    nobody = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "nobody"), "LANG": "C.UTF-8"}
    # Where packages come from is a matter of the machine.
    nobody |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    nobody |= {name: value for name, value in os.environ.items() if "CERT" in name or "SSL" in name}
    (tmp_path / "nobody").mkdir()

    def run(command: str, **more: str) -> str:
        done = subprocess.run(
            command.split(), cwd=clone, env={**nobody, **more}, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    demo, test = quick_start_commands()
    assert (demo, test) == ("make demo", "make test")
    shown = run(demo)
    assert "$ compartment rollback" in shown
    assert ", 0 lost; answered " in shown
    assert not (clone / ".demo").exists()
    assert "No demo is open." in run("make demo-stop")
    assert "passed" in run(test, PYTEST_ADDOPTS=FEW_TESTS)
